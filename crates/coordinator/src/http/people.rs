//! Signing in by invite, what a person sees first, missed calls.

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    Code, DeviceId, ErrorBody, MissedSeen, NAME, Person, Presence, Renewal, SignIn, SignedIn as SignedInAnswer, UserId,
};

use super::{App, Body, From, Refusal, SignedIn, json};
use crate::{
    access,
    hub::{Request, unix_now},
    limits::Limit,
    store::{NewDevice, PersonKind, StoredPerson},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(snapshot)).routes(routes!(missed_seen))
}

/// Redeems an invite: signs a device in.
#[utoipa::path(
    post,
    path = "/v1/sign-in",
    tag = "sign-in",
    request_body = SignIn,
    responses((status = 200, description = "Done", body = wire::SignedIn))
)]
async fn sign_in(
    State(app): State<App>,
    from: From,
    Body(request): Body<SignIn>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::SignIn, &from.site())?;
    let name = text("name", &request.name)?;
    let device_name = text("device_name", &request.device_name)?;
    let now = unix_now();
    let code_hash = access::hash(request.code.as_str());
    let used_up = || {
        ErrorBody::new(
            Code::Unauthenticated,
            "this invite has been used, has expired or was never made here: ask for a new one",
        )
    };
    let grant = app.store.peek_invite(&code_hash, now).await.map_err(ErrorBody::from)?.ok_or_else(used_up)?;
    let secret = access::fresh_secret();
    let device = DeviceId::mint(ulid::Ulid::new());
    let known = match &grant.person {
        Some(person) => app.store.person(person).await.map_err(ErrorBody::from)?,
        None => None,
    };
    let is_new_person = known.is_none();
    // A wished id that is taken gets a number; two attempts at the same moment are told apart by the database.
    for attempt in 0..20 {
        let person = match &known {
            Some(person) => person.clone(),
            None => {
                let id = wished_id(request.user_id.as_ref(), name, attempt)?;
                StoredPerson::new(id, name.to_owned(), grant.role, grant.team.iter().cloned().collect())
            }
        };
        if is_new_person && app.store.person_exists(&person.id).await.map_err(ErrorBody::from)? {
            continue;
        }
        let new = NewDevice {
            id: device.clone(),
            person: person.clone(),
            is_new_person,
            name: device_name.to_owned(),
            secret_hash: access::hash(&secret),
            renewal: None,
            created_at: now,
        };
        if !app.store.redeem(&code_hash, &new).await.map_err(ErrorBody::from)? {
            if app.store.peek_invite(&code_hash, now).await.map_err(ErrorBody::from)?.is_none() {
                return Err(used_up().into());
            }
            continue;
        }
        // What was changed of him since he was read is kept.
        let turn = app.changing_people.acquire().await;
        let person = app.store.person(&person.id).await.map_err(ErrorBody::from)?.unwrap_or(person);
        app.hub.send(Request::PersonCame { person: person.clone() }).await?;
        drop(turn);
        tracing::info!(user = %person.id, %device, role = ?person.role, "a device signed in");
        from.is_known();
        return Ok(json(signed_in(&app, person, device, secret, Renewal::Secret)));
    }
    Err(ErrorBody::new(Code::Conflict, "this name is taken many times here: choose another").into())
}

/// What a device is told when it has signed in.
pub(super) fn signed_in(
    app: &App,
    person: StoredPerson,
    device: DeviceId,
    refresh_secret: String,
    renewal: Renewal,
) -> SignedInAnswer {
    SignedInAnswer {
        access: app.tokens.issue(&person.id, &device, person.role, unix_now()),
        me: Person {
            id: person.id,
            name: person.name,
            role: person.role,
            presence: Presence::Offline,
            avatar: person.avatar,
            is_program: person.kind == PersonKind::Program,
        },
        device,
        refresh_secret,
        server_name: app.server_name.clone(),
        renewal,
    }
}

/// What the socket says first, for programs that only look.
#[utoipa::path(
    get,
    path = "/v1/snapshot",
    tag = "people",
    responses((status = 200, description = "Done", body = wire::Snapshot))
)]
async fn snapshot(State(app): State<App>, SignedIn { who, .. }: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let user = who.user.clone();
    let mut snapshot = app.hub.ask(|reply| Request::Snapshot { who, reply }).await?;
    // Read after it, so that no line is missing of what the snapshot knows to be over.
    snapshot.history = app.store.shown_history(&user).await.map_err(ErrorBody::from)?;
    Ok(json(snapshot))
}

/// The person has looked at the missed calls.
#[utoipa::path(
    post,
    path = "/v1/missed/seen",
    tag = "calls",
    request_body = MissedSeen,
    responses((status = 200, description = "Done; `null`"))
)]
async fn missed_seen(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(MissedSeen { up_to }): Body<MissedSeen>,
) -> Result<impl IntoResponse, Refusal> {
    app.hub.ask(|reply| Request::MissedSeen { who, up_to, reply }).await?;
    Ok(json(()))
}

/// So many attempts at an id are numbered.
const NUMBERED: u32 = 5;

pub(super) fn text<'a>(field: &str, text: &'a str) -> Result<&'a str, ErrorBody> {
    NAME.check(text).ok_or_else(|| ErrorBody::invalid(field, format!("a name has {NAME}")))
}

/// The wished id, or one made of the name; a number behind it after the first attempt, and something that nobody has when
/// the first numbers are taken (names without a Latin letter all make the same id).
pub(super) fn wished_id(wish: Option<&UserId>, name: &str, attempt: u32) -> Result<UserId, ErrorBody> {
    let mut base = match wish {
        Some(wish) => wish.to_string(),
        None => slug(name),
    };
    if attempt > 0 {
        base.truncate(57);
        base = if attempt < NUMBERED {
            format!("{base}-{}", attempt + 1)
        } else {
            let chance = ulid::Ulid::new().to_string().to_ascii_lowercase();
            format!("{base}-{}", &chance[chance.len() - 6..])
        };
    }
    base.parse().map_err(|error: wire::IdError| ErrorBody::invalid("user_id", error.to_string()))
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(40);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "person".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_any_name() {
        assert_eq!(slug("Ann"), "ann");
        assert_eq!(slug("  Ben O'Neil "), "ben-o-neil");
        assert_eq!(slug("山田"), "person");
        assert_eq!(wished_id(None, "Ann", 0).unwrap().as_str(), "ann");
        assert_eq!(wished_id(None, "Ann", 1).unwrap().as_str(), "ann-2");
        assert_eq!(wished_id(Some(&"a".repeat(64).parse().unwrap()), "", 3).unwrap().as_str().len(), 59);
        let chance = || wished_id(Some(&"a".repeat(64).parse().unwrap()), "", NUMBERED).unwrap();
        assert_eq!(chance().as_str().len(), 64);
        assert_ne!(chance(), chance(), "however many share the beginning");
    }
}
