//! What programs show and whom they care for: API keys, and people as an operator's product keeps them.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{ApiKeyId, Code, CreateApiKey, CreatedApiKey, ErrorBody, PutPerson, Role, UserId};

use super::{
    App, Body, Refusal, SignedIn,
    asker::By,
    json,
    people::{text, wished_id},
};
use crate::{
    hub::{Caller, Request, unix_now},
    programs::{Keys, StoredKey},
    store::{PersonKind, StoredPerson},
};

/// Longest life of a key that expires: ten years.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Most keys of a server: all of them are held in memory.
const MOST_KEYS: usize = 1_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_key, keys))
        .routes(routes!(revoke_key))
        .routes(routes!(put_person))
        .routes(routes!(sign_out_person))
}

/// An admin makes a key for a program.
#[utoipa::path(
    post,
    path = "/v1/api-keys",
    tag = "programs",
    request_body = CreateApiKey,
    responses((status = 200, description = "Done", body = CreatedApiKey))
)]
async fn create_key(
    State(app): State<App>,
    SignedIn { who, role, .. }: SignedIn,
    Body(request): Body<CreateApiKey>,
) -> Result<impl IntoResponse, Refusal> {
    admin_only(role)?;
    let name = text("name", &request.name)?.to_owned();
    if request.scopes.is_empty() {
        return Err(ErrorBody::invalid("scopes", "name at least one scope: a key without any opens nothing").into());
    }
    let life = request.expires_in_ms.map(Duration::from_millis);
    if life.is_some_and(|life| life.is_zero() || life > LONGEST_LIFE) {
        return Err(ErrorBody::invalid("expires_in_ms", "a key lives for ten years at most").into());
    }
    if app.keys.list().len() >= MOST_KEYS {
        return Err(ErrorBody::new(Code::Conflict, "there are 1,000 keys: revoke those of no more use").into());
    }
    let (id, now) = (ApiKeyId::mint(ulid::Ulid::new()), unix_now());
    let (token, secret_hash) = Keys::make(&id);
    let id_of_person = wished_id(request.user_id.as_ref(), &name, 0)?;
    let person = StoredPerson::new(id_of_person, name.clone(), Role::User, Default::default());
    let person = StoredPerson { kind: PersonKind::Program, ..person };
    let key = StoredKey {
        id,
        name,
        person: person.id.clone(),
        secret_hash,
        scopes: request.scopes,
        created_at: now,
        expires_at: life.map(|life| now.plus(life)),
        last_used_at: None,
    };
    if !app.store.add_key(&key, &person).await.map_err(ErrorBody::from)? {
        let message = format!("{} is a person, not a program: choose another user_id", person.id);
        return Err(ErrorBody { field: Some("user_id".to_owned()), ..ErrorBody::new(Code::Conflict, message) }.into());
    }
    tracing::info!(key = %key.id, program = %key.person, by = %who.user, "an API key was made");
    let entry = key.entry();
    app.keys.add(key);
    app.hub.send(Request::PersonCame { person }).await?;
    Ok(json(CreatedApiKey { entry, token }))
}

/// The keys of the server, for its admins.
#[utoipa::path(
    get,
    path = "/v1/api-keys",
    tag = "programs",
    responses((status = 200, description = "Done", body = Vec<wire::ApiKeyEntry>))
)]
async fn keys(State(app): State<App>, SignedIn { role, .. }: SignedIn) -> Result<impl IntoResponse, Refusal> {
    admin_only(role)?;
    Ok(json(app.keys.list()))
}

/// From now on the key opens nothing.
#[utoipa::path(
    delete,
    path = "/v1/api-keys/{key}",
    tag = "programs",
    responses((status = 200, description = "Done; `null`"))
)]
async fn revoke_key(
    State(app): State<App>,
    SignedIn { who, role, .. }: SignedIn,
    Path(key): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    admin_only(role)?;
    let unknown = || ErrorBody::invalid("key", "there is no such key: see the list of keys");
    let key: ApiKeyId = key.parse().map_err(|_| unknown())?;
    app.store.remove_key(&key).await.map_err(ErrorBody::from)?;
    if !app.keys.remove(&key) {
        return Err(unknown().into());
    }
    let reason = "the API key it was registered with was revoked";
    app.store.disable_hooks_of(key.as_str(), reason, unix_now()).await.map_err(ErrorBody::from)?;
    tracing::info!(%key, by = %who.user, "an API key was revoked");
    Ok(json(()))
}

/// Makes a person, or changes one: for admins, and for the operator's own product.
#[utoipa::path(
    put,
    path = "/v1/people/{id}",
    tag = "people",
    request_body = PutPerson,
    responses((status = 200, description = "Done; `null`"))
)]
async fn put_person(
    State(app): State<App>,
    SignedIn { who, role, by }: SignedIn,
    Path(user): Path<String>,
    Body(request): Body<PutPerson>,
) -> Result<impl IntoResponse, Refusal> {
    let name = text("name", &request.name)?.to_owned();
    let person = StoredPerson::new(person_id(&user)?, name, request.role.unwrap_or(Role::User), request.teams);
    for team in &person.teams {
        text("teams", team)?;
    }
    let before = app.store.person(&person.id).await.map_err(ErrorBody::from)?;
    let concerns_admin = person.role == Role::Admin || before.is_some_and(|before| before.role == Role::Admin);
    may_change(role, &by, concerns_admin)?;
    if !app.store.put_person(&person, unix_now()).await.map_err(ErrorBody::from)? {
        return Err(ErrorBody::new(Code::Conflict, "this id is a program's: change its key instead").into());
    }
    tracing::info!(user = %person.id, role = ?person.role, by = %who.user, "a person was changed");
    let person = app.store.person(&person.id).await.map_err(ErrorBody::from)?.unwrap_or(person);
    app.hub.send(Request::PersonCame { person }).await?;
    Ok(json(()))
}

/// Signs every device of a person out.
#[utoipa::path(
    post,
    path = "/v1/people/{id}/sign-out",
    tag = "people",
    responses((status = 200, description = "Done; `null`"))
)]
async fn sign_out_person(
    State(app): State<App>,
    SignedIn { who, role, by }: SignedIn,
    Path(user): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let user = person_id(&user)?;
    let known = app.store.person(&user).await.map_err(ErrorBody::from)?;
    let known = known.ok_or_else(|| ErrorBody::invalid("user", format!("there is nobody called {user} here")))?;
    may_change(role, &by, known.role == Role::Admin)?;
    for device in app.store.devices(&user).await.map_err(ErrorBody::from)? {
        let of = Caller { user: user.clone(), device: device.id };
        app.signed_out.add(&of.device, unix_now());
        app.hub.ask(|reply| Request::SignOut { who: of, reply }).await?;
    }
    tracing::info!(%user, by = %who.user, "every device of a person was signed out");
    Ok(json(()))
}

fn person_id(text: &str) -> Result<UserId, ErrorBody> {
    text.parse().map_err(|error: wire::IdError| ErrorBody::invalid("user", error.to_string()))
}

pub(super) fn admin_only(role: Role) -> Result<(), ErrorBody> {
    if role == Role::Admin {
        return Ok(());
    }
    Err(ErrorBody::new(Code::PermissionDenied, "only an admin may do this: ask one"))
}

/// A program's scope was looked at already; admins are made and changed by admins alone.
fn may_change(role: Role, by: &By, concerns_admin: bool) -> Result<(), ErrorBody> {
    match by {
        By::Program { .. } if !concerns_admin => Ok(()),
        By::Program { .. } | By::Device => admin_only(role),
    }
}
