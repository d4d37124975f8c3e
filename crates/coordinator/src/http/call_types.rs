//! The operator's call types: read, set, and given back what they began with.

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{CallId, CallTypeData, ErrorBody};

use super::{App, Body, Path, Refusal, SignedIn, json};
use crate::{authority::CallType, hub::Request};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(call_types)).routes(routes!(set_call_type, reset_call_type))
}

/// Every call type as it is now, by name; for admins.
#[utoipa::path(
    get,
    path = "/v1/call-types",
    tag = "calls",
    responses((status = 200, description = "Done", body = BTreeMap<String, CallTypeData>))
)]
async fn call_types(State(app): State<App>, asker: SignedIn) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    Ok(json(app.hub.ask(|reply| Request::CallTypes { reply }).await?.all()))
}

/// An admin adds a call type, or changes one.
#[utoipa::path(
    put,
    path = "/v1/call-types/{type}",
    tag = "calls",
    request_body = CallTypeData,
    responses((status = 200, description = "Done; `null`"))
)]
async fn set_call_type(
    State(app): State<App>,
    asker: SignedIn,
    Path(name): Path<String>,
    Body(data): Body<CallTypeData>,
) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    is_name(&name)?;
    let call_type = CallType::parse(&data)?;
    let _turn = app.changing_types.acquire().await;
    app.store.set_call_type(&name, &data).await.map_err(ErrorBody::from)?;
    app.hub.send(Request::SetCallType { name, call_type }).await?;
    Ok(json(()))
}

/// An admin gives a call type back what is built in, or what the operator's file says of it. A type of the API's own has
/// nothing to go back to, which is a conflict.
#[utoipa::path(
    delete,
    path = "/v1/call-types/{type}",
    tag = "calls",
    responses((status = 200, description = "Done; `null`"))
)]
async fn reset_call_type(
    State(app): State<App>,
    asker: SignedIn,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    is_name(&name)?;
    let _turn = app.changing_types.acquire().await;
    let call_type = app.hub.ask(|reply| Request::CallTypes { reply }).await?.begun(&name)?;
    app.store.forget_call_type(&name).await.map_err(ErrorBody::from)?;
    app.hub.send(Request::SetCallType { name, call_type }).await?;
    Ok(json(()))
}

fn is_name(name: &str) -> Result<(), ErrorBody> {
    CallId::new(name, "x").map(drop).map_err(|error| ErrorBody::invalid("type", error.to_string()))
}
