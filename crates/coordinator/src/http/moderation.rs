//! Running a call: members, blocks, permissions, mutes, backstage, pins, signs, events.

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{AskPermission, BlockUser, MuteUsers, SendEvent, SendReaction, UpdateMembers, UpdatePermissions};

use super::{App, Body, OnCall, Refusal, json};
use crate::limits::Limit;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(members))
        .routes(routes!(remove))
        .routes(routes!(block))
        .routes(routes!(unblock))
        .routes(routes!(permissions))
        .routes(routes!(ask_permission))
        .routes(routes!(mute))
        .routes(routes!(go_live))
        .routes(routes!(stop_live))
        .routes(routes!(pin))
        .routes(routes!(unpin))
        .routes(routes!(reaction))
        .routes(routes!(event))
}

/// Adds, changes and removes members.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/members",
    tag = "running",
    request_body = UpdateMembers,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn members(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(update): Body<UpdateMembers>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    let decide = app.hub.decide(cid.clone(), move |authority, now| authority.update_members(now, &who, &cid, &update));
    Ok(json(decide.await?))
}

/// Puts somebody out; he may come back.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/remove",
    tag = "running",
    request_body = BlockUser,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn remove(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.remove(now, &who, &cid, &user)).await?))
}

/// Puts somebody out for good.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/block",
    tag = "running",
    request_body = BlockUser,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn block(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.block(now, &who, &cid, &user, true)).await?))
}

/// Lets somebody in again.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/unblock",
    tag = "running",
    request_body = BlockUser,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn unblock(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.block(now, &who, &cid, &user, false)).await?))
}

/// Gives and takes capabilities of one person.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/permissions",
    tag = "running",
    request_body = UpdatePermissions,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn permissions(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(update): Body<UpdatePermissions>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    let decide =
        app.hub.decide(cid.clone(), move |authority, now| authority.update_permissions(now, &who, &cid, &update));
    Ok(json(decide.await?))
}

/// Asks who may give it for a capability.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/ask",
    tag = "running",
    request_body = AskPermission,
    responses((status = 200, description = "Done; `null`"))
)]
async fn ask_permission(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(AskPermission { capabilities }): Body<AskPermission>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.ask_permission(&who, &cid, capabilities)).await?))
}

/// Mutes some, or everybody else.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/mute",
    tag = "running",
    request_body = MuteUsers,
    responses((status = 200, description = "Done; `null`"))
)]
async fn mute(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(request): Body<MuteUsers>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.mute(&who, &cid, &request)).await?))
}

/// Opens the backstage to everybody.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/go-live",
    tag = "running",
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn go_live(State(app): State<App>, OnCall { who, cid, .. }: OnCall) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.go_live(now, &who, &cid, true)).await?))
}

/// Closes the backstage again.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/stop-live",
    tag = "running",
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn stop_live(State(app): State<App>, OnCall { who, cid, .. }: OnCall) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.go_live(now, &who, &cid, false)).await?))
}

/// Shows somebody large to everyone.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/pin",
    tag = "running",
    request_body = BlockUser,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn pin(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.pin(now, &who, &cid, user, true)).await?))
}

/// Shows somebody large no longer.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/unpin",
    tag = "running",
    request_body = BlockUser,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn unpin(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.pin(now, &who, &cid, user, false)).await?))
}

/// A sign, to everybody in the call.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/reaction",
    tag = "running",
    request_body = SendReaction,
    responses((status = 200, description = "Done; `null`"))
)]
async fn reaction(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(SendReaction { kind }): Body<SendReaction>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.react(&who, &cid, &kind)).await?))
}

/// The application's own event, to everybody in the call.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/event",
    tag = "running",
    request_body = SendEvent,
    responses((status = 200, description = "Done; `null`"))
)]
async fn event(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(SendEvent { data }): Body<SendEvent>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.send_event(&who, &cid, data)).await?))
}
