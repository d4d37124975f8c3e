//! Calls: get or create, ring, join, reject, leave, end, and what they are.

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{GetOrCreate, Join, Joined, Leave, Reject, RingMembers, Scope, UpdateCall};

use super::{
    App, Body, OnCall, Refusal, json,
    once::{Repeatable, once},
};
use crate::limits::Limit;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_or_create, read, update))
        .routes(routes!(ring))
        .routes(routes!(join))
        .routes(routes!(reject))
        .routes(routes!(leave))
        .routes(routes!(end))
}

/// Makes a call or returns the one there is; rings its members if asked to.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}",
    tag = "calls",
    request_body = GetOrCreate,
    responses((status = 200, description = "Done", body = wire::GetOrCreated))
)]
async fn get_or_create(
    State(app): State<App>,
    OnCall { who, by, cid }: OnCall,
    Repeatable { body: request, repeat }: Repeatable<GetOrCreate>,
) -> Result<impl IntoResponse, Refusal> {
    let limit = if request.ring || request.notify {
        by.needs(Scope::Ring)?;
        Limit::Ring
    } else {
        by.needs(Scope::CallsWrite)?;
        Limit::Make
    };
    once(&app, &who.clone(), repeat, limit, cid.clone(), move |authority, now| {
        let who = if request.ring { by.ringing(authority, who, &cid)? } else { who };
        authority.get_or_create(now, &who, &cid, request)
    })
    .await
}

/// A call as the asker sees it.
#[utoipa::path(
    get,
    path = "/v1/calls/{type}/{id}",
    tag = "calls",
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn read(State(app): State<App>, OnCall { who, cid, .. }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.read(now, &who, &cid)).await?))
}

/// Changes data, settings and planned time of a call.
#[utoipa::path(
    patch,
    path = "/v1/calls/{type}/{id}",
    tag = "calls",
    request_body = UpdateCall,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn update(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(update): Body<UpdateCall>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Change, who.device.as_str())?;
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.update_call(now, &who, &cid, update)).await?))
}

/// Rings members of a call, or tells them of it.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/ring",
    tag = "calls",
    request_body = RingMembers,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn ring(
    State(app): State<App>,
    OnCall { who, by, cid }: OnCall,
    Repeatable { body: request, repeat }: Repeatable<RingMembers>,
) -> Result<impl IntoResponse, Refusal> {
    once(&app, &who.clone(), repeat, Limit::Ring, cid.clone(), move |authority, now| {
        let who = if request.notify { who } else { by.ringing(authority, who, &cid)? };
        authority.ring_members(now, &who, &cid, request)
    })
    .await
}

/// Comes into a call; while it rings, that is the answer.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/join",
    tag = "calls",
    request_body = Join,
    responses((status = 200, description = "Done", body = Joined))
)]
async fn join(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(join): Body<Join>,
) -> Result<impl IntoResponse, Refusal> {
    let limit = if join.create { Limit::Make } else { Limit::Change };
    app.limits.take(limit, who.device.as_str())?;
    let media = app.media.clone();
    let decide = app.hub.decide_at(cid.clone(), move |authority, now| {
        let (state, sending) = authority.join(now, &who, &cid, join)?;
        let name = authority.person_name(&who.user);
        let media = media.credentials(&cid, &who.user, &who.device, &name, &sending);
        Ok((state, media))
    });
    let ((state, media), revision) = decide.await?;
    Ok(json(Joined { state, media, revision }))
}

/// Says no to a ring.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/reject",
    tag = "calls",
    request_body = Reject,
    responses((status = 200, description = "Done", body = wire::CallState))
)]
async fn reject(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(reject): Body<Reject>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.reject(now, &who, &cid, reject)).await?))
}

/// Goes out of a call, or cancels its unanswered ring.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/leave",
    tag = "calls",
    request_body = Leave,
    responses((status = 200, description = "Done; `null`"))
)]
async fn leave(
    State(app): State<App>,
    OnCall { who, cid, .. }: OnCall,
    Body(leave): Body<Leave>,
) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.leave(now, &who, &cid, &leave)).await?))
}

/// Ends a call for everyone.
#[utoipa::path(
    post,
    path = "/v1/calls/{type}/{id}/end",
    tag = "calls",
    responses((status = 200, description = "Done; `null`"))
)]
async fn end(State(app): State<App>, OnCall { who, cid, .. }: OnCall) -> Result<impl IntoResponse, Refusal> {
    Ok(json(app.hub.decide(cid.clone(), move |authority, now| authority.end(now, &who, &cid)).await?))
}
