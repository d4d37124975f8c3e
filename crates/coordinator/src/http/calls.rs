//! Calls: get or create, ring, join, reject, leave, end, and what they are.

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, patch, post},
};
use wire::{GetOrCreate, Join, Joined, Leave, Reject, RingMembers, UpdateCall};

use super::{App, Body, OnCall, Refusal, json};
use crate::limits::Limit;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/calls/{type}/{id}", post(get_or_create).merge(get(read)).merge(patch(update)))
        .route("/v1/calls/{type}/{id}/ring", post(ring))
        .route("/v1/calls/{type}/{id}/join", post(join))
        .route("/v1/calls/{type}/{id}/reject", post(reject))
        .route("/v1/calls/{type}/{id}/leave", post(leave))
        .route("/v1/calls/{type}/{id}/end", post(end))
}

async fn get_or_create(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(request): Body<GetOrCreate>,
) -> Result<impl IntoResponse, Refusal> {
    if request.ring || request.notify {
        app.limits.take(Limit::Ring, who.device.as_str())?;
    }
    let decide = app.hub.decide(cid.clone(), move |authority, now| authority.get_or_create(now, &who, &cid, request));
    Ok(json(decide.await?))
}

async fn read(State(app): State<App>, OnCall { who, cid }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.read(now, &who, &cid)).await?))
}

async fn update(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(update): Body<UpdateCall>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.update_call(now, &who, &cid, update)).await?))
}

async fn ring(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(request): Body<RingMembers>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Ring, who.device.as_str())?;
    let decide = app.hub.decide(cid.clone(), move |authority, now| authority.ring_members(now, &who, &cid, request));
    Ok(json(decide.await?))
}

async fn join(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(join): Body<Join>,
) -> Result<impl IntoResponse, Refusal> {
    let media = app.media.clone();
    let decide = app.hub.decide(cid.clone(), move |authority, now| {
        let (state, sources) = authority.join(now, &who, &cid, join)?;
        let name = authority.person_name(&who.user);
        let media = media.credentials(&cid, &who.user, &who.device, &name, &sources);
        Ok(Joined { state, media, revision: authority.revision() })
    });
    Ok(json(decide.await?))
}

async fn reject(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(reject): Body<Reject>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.reject(now, &who, &cid, reject)).await?))
}

async fn leave(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(leave): Body<Leave>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.leave(now, &who, &cid, &leave)).await?))
}

async fn end(State(app): State<App>, OnCall { who, cid }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.end(now, &who, &cid)).await?))
}
