//! Getting in with a code that was read aloud, or without any invite, by an admin's yes.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::IntoResponse,
};
use tokio::time::timeout;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{AnswerAsk, Ask, AskId, AskOutcome, Code, ErrorBody, Event, NAME, Pin, ProveInvite, Role, ShowNumber};

use super::{
    App, Body, From, Path, Refusal, SignedIn,
    invites::{Terms, make},
    json,
};
use crate::{
    hub::{Request, unix_now},
    limits::Limit,
    listener::Protection,
};

/// How long a device that asks for the outcome is kept waiting; shorter than what is between lets silence last.
const OUTCOME_WAIT: Duration = Duration::from_secs(25);
/// How long the invite of who was let in is good for: his device takes it at once.
const INVITE: Duration = Duration::from_secs(600);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(prove))
        .routes(routes!(ask, waiting))
        .routes(routes!(show))
        .routes(routes!(outcome))
        .routes(routes!(answer))
}

/// The certificate that was shown on the connection of a request; none without TLS.
struct Shown(Option<Pin>);

impl FromRequestParts<App> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(match parts.extensions.get::<Protection>() {
            Some(Protection::Tls) => Some(app.certificate.identity().0),
            Some(Protection::None) | None => None,
        }))
    }
}

/// Proves to who was told a code that this server made it.
#[utoipa::path(
    post,
    path = "/v1/invites/prove",
    tag = "sign-in",
    request_body = ProveInvite,
    responses((status = 200, description = "Done", body = wire::InviteProof))
)]
async fn prove(
    State(app): State<App>,
    from: From,
    Shown(certificate): Shown,
    Body(question): Body<ProveInvite>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::SignIn, &from.site())?;
    let hash = app.store.invite_hash(&question.name, unix_now()).await.map_err(ErrorBody::from)?;
    let unknown = || ErrorBody::new(Code::Unauthenticated, "this server has made no invite with this code");
    let hash = hash.ok_or_else(unknown)?;
    let (_, is_issued) = app.certificate.identity();
    Ok(json(question.answer(&hash, certificate.as_ref(), is_issued.then_some(&app.address))))
}

/// Somebody asks to be let in without an invite.
#[utoipa::path(
    post,
    path = "/v1/asks",
    tag = "sign-in",
    request_body = Ask,
    responses((status = 200, description = "Done", body = wire::Asked))
)]
async fn ask(State(app): State<App>, from: From, Body(ask): Body<Ask>) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Ask, &from.site())?;
    let rule = |field: &str, text: &str| {
        let broken = || ErrorBody::invalid(field, format!("a name has {NAME}"));
        NAME.check(text).map(str::to_owned).ok_or_else(broken)
    };
    let ask = Ask { name: rule("name", &ask.name)?, device_name: rule("device_name", &ask.device_name)?, ..ask };
    let (id, nonce, now) = (AskId(rand::random()), rand::random(), unix_now());
    Ok(json(app.at_door(|door| door.ask(now, from.site(), ask, id, nonce))?))
}

/// The number that was committed to: now admins are asked.
#[utoipa::path(
    post,
    path = "/v1/asks/{id}/show",
    tag = "sign-in",
    request_body = ShowNumber,
    responses((status = 200, description = "Done", body = wire::Shown))
)]
async fn show(
    State(app): State<App>,
    Shown(certificate): Shown,
    Path(id): Path<u32>,
    Body(number): Body<ShowNumber>,
) -> Result<impl IntoResponse, Refusal> {
    let now = unix_now();
    let (shown, news) = app.at_door(|door| door.show(now, AskId(id), number.nonce, certificate.as_ref()))?;
    if let Some(ask) = news {
        tracing::info!(ask = %ask.id, "somebody asks to be let in");
        app.hub.send(Request::TellAdmins { event: Event::AskedIn { ask } }).await?;
    }
    Ok(json(shown))
}

/// Waits for an admin's word, for a while.
#[utoipa::path(
    post,
    path = "/v1/asks/{id}/outcome",
    tag = "sign-in",
    request_body = ShowNumber,
    responses((status = 200, description = "Done", body = AskOutcome))
)]
async fn outcome(State(app): State<App>, Path(id): Path<u32>, Body(number): Body<ShowNumber>) -> impl IntoResponse {
    let mut door = app.door.subscribe();
    let now = unix_now();
    let answered = door.wait_for(|door| door.outcome(now, AskId(id), &number.nonce) != AskOutcome::Waiting);
    tokio::select! {
        _ = timeout(OUTCOME_WAIT, answered) => {}
        () = app.stop.cancelled() => {}
    }
    json(app.door.borrow().outcome(unix_now(), AskId(id), &number.nonce))
}

/// Who waits to be let in, for admins.
#[utoipa::path(
    get,
    path = "/v1/asks",
    tag = "sign-in",
    responses((status = 200, description = "Done", body = Vec<wire::WaitingAsk>))
)]
async fn waiting(State(app): State<App>, asker: SignedIn) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    Ok(json(app.door.borrow().waiting(unix_now())))
}

/// An admin's word.
#[utoipa::path(
    post,
    path = "/v1/asks/{id}/answer",
    tag = "sign-in",
    request_body = AnswerAsk,
    responses((status = 200, description = "Done; `null`"))
)]
async fn answer(
    State(app): State<App>,
    asker: SignedIn,
    Path(id): Path<u32>,
    Body(answer): Body<AnswerAsk>,
) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    let (id, now, admin) = (AskId(id), unix_now(), asker.who.user.clone());
    let outcome = if answer.admit {
        let role = answer.role.unwrap_or(Role::User);
        let terms = Terms { uses: 1, lifetime: INVITE, role, team: None, person: None };
        AskOutcome::Admitted { invite: make(&app, &asker, terms).await?.link }
    } else {
        AskOutcome::Refused
    };
    app.at_door(|door| door.answer(now, id, outcome))?;
    tracing::info!(ask = %id, by = %admin, admitted = answer.admit, "an admin answered who asked to be let in");
    app.hub.send(Request::TellAdmins { event: Event::AskOver { id } }).await?;
    Ok(json(()))
}
