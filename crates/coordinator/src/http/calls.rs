//! Calls: get or create, ring, join, reject, leave, end.

use axum::{
    Router,
    extract::{Path, State},
    response::IntoResponse,
    routing::post,
};
use wire::{CallId, ErrorBody, GetOrCreate, Join, Leave, Reject};

use super::{App, Body, Refusal, SignedIn, json};
use crate::{hub::Request, limits::Limit};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/calls/{type}/{id}", post(get_or_create))
        .route("/v1/calls/{type}/{id}/join", post(join))
        .route("/v1/calls/{type}/{id}/reject", post(reject))
        .route("/v1/calls/{type}/{id}/leave", post(leave))
        .route("/v1/calls/{type}/{id}/end", post(end))
}

fn call_id((call_type, id): (String, String)) -> Result<CallId, ErrorBody> {
    CallId::new(&call_type, &id).map_err(|error| ErrorBody::invalid("id", error.to_string()))
}

async fn get_or_create(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(path): Path<(String, String)>,
    Body(request): Body<GetOrCreate>,
) -> Result<impl IntoResponse, Refusal> {
    let cid = call_id(path)?;
    if request.ring {
        app.limits.take(Limit::Ring, who.device.as_str())?;
    }
    let request = Box::new(request);
    Ok(json(app.hub.ask(|reply| Request::GetOrCreate { who, cid, request, reply }).await?))
}

async fn join(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(path): Path<(String, String)>,
    Body(join): Body<Join>,
) -> Result<impl IntoResponse, Refusal> {
    let cid = call_id(path)?;
    Ok(json(app.hub.ask(|reply| Request::Join { who, cid, join, reply }).await?))
}

async fn reject(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(path): Path<(String, String)>,
    Body(reject): Body<Reject>,
) -> Result<impl IntoResponse, Refusal> {
    let cid = call_id(path)?;
    Ok(json(app.hub.ask(|reply| Request::Reject { who, cid, reject, reply }).await?))
}

async fn leave(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(path): Path<(String, String)>,
    Body(leave): Body<Leave>,
) -> Result<impl IntoResponse, Refusal> {
    let cid = call_id(path)?;
    app.hub.ask(|reply| Request::Leave { who, cid, leave, reply }).await?;
    Ok(json(()))
}

async fn end(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(path): Path<(String, String)>,
) -> Result<impl IntoResponse, Refusal> {
    let cid = call_id(path)?;
    app.hub.ask(|reply| Request::End { who, cid, reply }).await?;
    Ok(json(()))
}
