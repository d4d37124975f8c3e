//! Running a call: members, blocks, permissions, mutes, backstage, pins, signs, events.

use axum::{Router, extract::State, response::IntoResponse, routing::post};
use wire::{AskPermission, BlockUser, MuteUsers, SendEvent, SendReaction, UpdateMembers, UpdatePermissions};

use super::{App, Body, OnCall, Refusal, json};
use crate::limits::Limit;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/calls/{type}/{id}/members", post(members))
        .route("/v1/calls/{type}/{id}/remove", post(remove))
        .route("/v1/calls/{type}/{id}/block", post(block))
        .route("/v1/calls/{type}/{id}/unblock", post(unblock))
        .route("/v1/calls/{type}/{id}/permissions", post(permissions))
        .route("/v1/calls/{type}/{id}/ask", post(ask))
        .route("/v1/calls/{type}/{id}/mute", post(mute))
        .route("/v1/calls/{type}/{id}/go-live", post(go_live))
        .route("/v1/calls/{type}/{id}/stop-live", post(stop_live))
        .route("/v1/calls/{type}/{id}/pin", post(pin))
        .route("/v1/calls/{type}/{id}/unpin", post(unpin))
        .route("/v1/calls/{type}/{id}/reaction", post(reaction))
        .route("/v1/calls/{type}/{id}/event", post(event))
}

async fn members(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(update): Body<UpdateMembers>,
) -> Result<impl IntoResponse, Refusal> {
    let decide = app.hub.decide(cid.clone(), move |authority, now| authority.update_members(now, &who, &cid, &update));
    Ok(json(decide.await?))
}

async fn remove(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.remove(now, &who, &cid, &user)).await?))
}

async fn block(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.block(now, &who, &cid, &user, true)).await?))
}

async fn unblock(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.block(now, &who, &cid, &user, false)).await?))
}

async fn permissions(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(update): Body<UpdatePermissions>,
) -> Result<impl IntoResponse, Refusal> {
    let decide =
        app.hub.decide(cid.clone(), move |authority, now| authority.update_permissions(now, &who, &cid, &update));
    Ok(json(decide.await?))
}

async fn ask(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(AskPermission { capabilities }): Body<AskPermission>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.ask_permission(&who, &cid, capabilities)).await?))
}

async fn mute(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(request): Body<MuteUsers>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.mute(&who, &cid, &request)).await?))
}

async fn go_live(State(app): State<App>, OnCall { who, cid }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.go_live(now, &who, &cid, true)).await?))
}

async fn stop_live(State(app): State<App>, OnCall { who, cid }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.go_live(now, &who, &cid, false)).await?))
}

async fn pin(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.pin(now, &who, &cid, user, true)).await?))
}

async fn unpin(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(BlockUser { user }): Body<BlockUser>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.pin(now, &who, &cid, user, false)).await?))
}

async fn reaction(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(SendReaction { kind }): Body<SendReaction>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.react(&who, &cid, &kind)).await?))
}

async fn event(
    State(app): State<App>,
    OnCall { who, cid }: OnCall,
    Body(SendEvent { data }): Body<SendEvent>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, _| authority.send_event(&who, &cid, data)).await?))
}
