//! Invites: made by who is there, listed and revoked by who made them and by admins.

use std::time::Duration;

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{Code, CreateInvite, CreatedInvite, ErrorBody, InviteEntry, InviteId, Role, UserId};

use super::{App, Body, Path, Refusal, SignedIn, asker::By, json, people::text};
use crate::{
    access,
    hub::unix_now,
    limits::Limit,
    store::{MadeBy, NewInvite},
};

/// How long an invite is good for when nobody says.
const INVITE: Duration = Duration::from_secs(7 * 24 * 3600);
/// The same for one more device of oneself, whose user has it at hand, and its longest: who finds it is that person.
const OWN_DEVICE: Duration = Duration::from_secs(3600);
const OWN_DEVICE_LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Most uses of one invite.
const MOST_USES: u32 = 1_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_invite, invites)).routes(routes!(revoke_invite))
}

/// What an invite gives, and for how long.
pub(super) struct Terms {
    pub(super) uses: u32,
    pub(super) lifetime: Duration,
    pub(super) role: Role,
    pub(super) team: Option<String>,
    pub(super) person: Option<UserId>,
}

/// Makes an invite.
#[utoipa::path(
    post,
    path = "/v1/invites",
    tag = "sign-in",
    request_body = CreateInvite,
    responses((status = 200, description = "Done", body = CreatedInvite))
)]
async fn create_invite(
    State(app): State<App>,
    asker: SignedIn,
    Body(request): Body<CreateInvite>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Invite, asker.who.device.as_str())?;
    let role = asker.role(&app).await?;
    let terms = if request.me { own_device(&request, role, &asker)? } else { somebody_new(request, role)? };
    Ok(json(make(&app, &asker, terms).await?))
}

/// One more device of the person who asks.
fn own_device(request: &CreateInvite, role: Role, asker: &SignedIn) -> Result<Terms, ErrorBody> {
    match asker.by {
        By::Device => {}
        By::Program { .. } => {
            let message = "a program has no devices and signs in nobody's: the person makes this invite himself";
            return Err(ErrorBody { field: Some("me".to_owned()), ..ErrorBody::new(Code::PermissionDenied, message) });
        }
    }
    let lifetime = lifetime(request.expires_in_ms, OWN_DEVICE)?;
    if lifetime > OWN_DEVICE_LONGEST {
        let message = "an invite for a device of your own is good for a day at most: who finds it is you";
        return Err(ErrorBody::invalid("expires_in_ms", message));
    }
    Ok(Terms { uses: 1, lifetime, role, team: None, person: Some(asker.who.user.clone()) })
}

fn somebody_new(request: CreateInvite, role: Role) -> Result<Terms, ErrorBody> {
    let denied = |message: &str| ErrorBody::new(Code::PermissionDenied, message);
    let wanted = request.role.unwrap_or(Role::User);
    if role == Role::Guest {
        return Err(denied("a guest may not invite others: ask whoever invited you"));
    }
    if wanted == Role::Admin && role != Role::Admin {
        return Err(denied("only an admin may make this invite: ask one"));
    }
    if request.team.is_some() && role != Role::Admin {
        return Err(denied("only an admin may invite into a team: ask one"));
    }
    let team = request.team.map(|team| text("team", &team).map(str::to_owned)).transpose()?;
    let uses = request.uses.unwrap_or(1);
    if !(1..=MOST_USES).contains(&uses) {
        return Err(ErrorBody::invalid("uses", "an invite can be used 1 to 1,000 times"));
    }
    let lifetime = lifetime(request.expires_in_ms, INVITE)?;
    Ok(Terms { uses, lifetime, role: wanted, team, person: None })
}

fn lifetime(wished: Option<u32>, usual: Duration) -> Result<Duration, ErrorBody> {
    match wished {
        Some(0) => Err(ErrorBody::invalid("expires_in_ms", "an invite has to be good for a while: name a longer time")),
        Some(ms) => Ok(Duration::from_millis(u64::from(ms))),
        None => Ok(usual),
    }
}

/// Makes an invite that goes with who made it.
pub(super) async fn make(app: &App, maker: &SignedIn, terms: Terms) -> Result<CreatedInvite, ErrorBody> {
    let (code, now) = (access::fresh_code(), unix_now());
    let invite = NewInvite {
        id: InviteId::mint(ulid::Ulid::new()),
        code_hash: access::hash(code.as_str()),
        uses: terms.uses,
        expires_at: now.plus(terms.lifetime),
        role: terms.role,
        team: terms.team,
        person: terms.person,
        made_by: MadeBy::Somebody(maker.who.clone()),
        created_at: now,
    };
    // Whoever was signed out a moment ago leaves nothing behind to come back by.
    if !app.store.add_invite(&invite).await.map_err(ErrorBody::from)? {
        return Err(maker.is_gone());
    }
    let link = app.invite(code.clone()).to_string();
    Ok(CreatedInvite { id: invite.id, link, code, expires_at: invite.expires_at })
}

/// Invites that can still be used, newest first, 1,000 at most: every one for an admin, those of the asker for others.
#[utoipa::path(
    get,
    path = "/v1/invites",
    tag = "sign-in",
    responses((status = 200, description = "Done", body = Vec<InviteEntry>))
)]
async fn invites(State(app): State<App>, asker: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let of = whose(&app, &asker).await?;
    Ok(json(app.store.invites(of.as_ref(), unix_now()).await.map_err(ErrorBody::from)?))
}

/// Nobody comes in by the invite any more.
#[utoipa::path(
    delete,
    path = "/v1/invites/{invite}",
    tag = "sign-in",
    responses((status = 200, description = "Done; `null`"))
)]
async fn revoke_invite(
    State(app): State<App>,
    asker: SignedIn,
    Path(invite): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let unknown = || ErrorBody::invalid("invite", "there is no such invite: see the list of invites");
    let id: InviteId = invite.parse().map_err(|_| unknown())?;
    let of = whose(&app, &asker).await?;
    if !app.store.remove_invite(&id, of.as_ref()).await.map_err(ErrorBody::from)? {
        return Err(unknown().into());
    }
    tracing::info!(invite = %id, by = %asker.who.user, "an invite was revoked");
    Ok(json(()))
}

/// Whose invites somebody cares for: everybody's as an admin.
async fn whose(app: &App, asker: &SignedIn) -> Result<Option<UserId>, ErrorBody> {
    Ok(if asker.role(app).await? == Role::Admin { None } else { Some(asker.who.user.clone()) })
}
