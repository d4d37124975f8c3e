//! What programs show and whom they care for: API keys, and people as an operator's product keeps them.

use std::{collections::BTreeSet, time::Duration};

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{ApiKeyId, Code, CreateApiKey, CreatedApiKey, ErrorBody, PutPerson, Role, UserId};

use super::{
    App, Body, Path, Refusal, SignedIn,
    asker::By,
    json,
    people::{text, wished_id},
};
use crate::{
    hub::{Caller, Request, unix_now},
    programs::{Keys, StoredKey},
    store::{MOST_TEAMS, PersonKind, StoredPerson},
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
    asker: SignedIn,
    Body(request): Body<CreateApiKey>,
) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    let name = text("name", &request.name)?.to_owned();
    if request.scopes.is_empty() {
        return Err(ErrorBody::invalid("scopes", "name at least one scope: a key without any opens nothing").into());
    }
    let life = request.expires_in_ms.map(Duration::from_millis);
    if life.is_some_and(|life| life.is_zero() || life > LONGEST_LIFE) {
        return Err(
            ErrorBody::invalid("expires_in_ms", "a key lives for a moment at least and for ten years at most").into()
        );
    }
    // One after the other, as a program's person comes with its key: the last place is taken once.
    let _turn = app.changing_people.acquire().await;
    if app.keys.list().len() >= MOST_KEYS {
        return Err(ErrorBody::new(Code::Conflict, "there are 1,000 keys: revoke those of no more use").into());
    }
    let (id, now) = (ApiKeyId::mint(ulid::Ulid::new()), unix_now());
    let (token, secret_hash) = Keys::make(&id);
    let id_of_person = program_id(&app, request.user_id.as_ref(), &name).await?;
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
    tracing::info!(key = %key.id, program = %key.person, by = %asker.who.user, "an API key was made");
    let entry = key.entry();
    app.keys.add(key);
    // A program that was there has kept its name.
    let person = app.store.person(&person.id).await.map_err(ErrorBody::from)?.unwrap_or(person);
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
async fn keys(State(app): State<App>, asker: SignedIn) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
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
    asker: SignedIn,
    Path(key): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    asker.is_admin(&app).await?;
    let unknown = || ErrorBody::invalid("key", "there is no such key: see the list of keys");
    let key: ApiKeyId = key.parse().map_err(|_| unknown())?;
    app.store.remove_key(&key, unix_now()).await.map_err(ErrorBody::from)?;
    if !app.keys.remove(&key) {
        return Err(unknown().into());
    }
    tracing::info!(%key, by = %asker.who.user, "an API key was revoked");
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
    asker: SignedIn,
    Path(user): Path<String>,
    Body(request): Body<PutPerson>,
) -> Result<impl IntoResponse, Refusal> {
    let name = text("name", &request.name)?.to_owned();
    let id = person_id(&user)?;
    if request.teams.as_ref().is_some_and(|teams| teams.len() > MOST_TEAMS) {
        return Err(ErrorBody::invalid("teams", format!("a person is in {MOST_TEAMS} teams at most")).into());
    }
    let trimmed = |teams: BTreeSet<String>| -> Result<BTreeSet<String>, ErrorBody> {
        teams.iter().map(|team| text("teams", team).map(str::to_owned)).collect()
    };
    let request = PutPerson { teams: request.teams.map(trimmed).transpose()?, ..request };
    to_the_end(async move { change_person(&app, &asker, id, name, request).await }).await?;
    Ok(json(()))
}

/// Who a new key acts for: whoever is wished, the program of that name, or a new one, whose id nobody has.
async fn program_id(app: &App, wish: Option<&UserId>, name: &str) -> Result<UserId, ErrorBody> {
    if let Some(id) = wish {
        return Ok(id.clone());
    }
    if let Some(id) = app.store.program_named(name).await.map_err(ErrorBody::from)? {
        return Ok(id);
    }
    let mut attempt = 0;
    loop {
        let id = wished_id(None, name, attempt)?;
        if !app.store.person_exists(&id).await.map_err(ErrorBody::from)? {
            return Ok(id);
        }
        attempt += 1;
    }
}

async fn change_person(
    app: &App,
    asker: &SignedIn,
    id: UserId,
    name: String,
    request: PutPerson,
) -> Result<(), ErrorBody> {
    let _turn = app.changing_people.acquire().await;
    let before = app.store.person(&id).await.map_err(ErrorBody::from)?;
    let (role_before, teams_before) =
        before.map_or((Role::User, BTreeSet::new()), |before| (before.role, before.teams));
    let role = request.role.unwrap_or(role_before);
    let person = StoredPerson::new(id, name, role, request.teams.unwrap_or(teams_before));
    let concerns_admin = [role, role_before].contains(&Role::Admin);
    may_change(app, asker, concerns_admin).await?;
    if role_before == Role::Admin && role != Role::Admin && app.store.admins().await.map_err(ErrorBody::from)? < 2 {
        let message = "this is the only admin, and nobody else could make one: make somebody else an admin first";
        return Err(ErrorBody { field: Some("role".to_owned()), ..ErrorBody::new(Code::Conflict, message) });
    }
    if !app.store.put_person(&person, unix_now()).await.map_err(ErrorBody::from)? {
        return Err(ErrorBody::new(Code::Conflict, "this id is a program's: change its key instead"));
    }
    tracing::info!(user = %person.id, role = ?person.role, by = %asker.who.user, "a person was changed");
    let person = app.store.person(&person.id).await.map_err(ErrorBody::from)?.unwrap_or(person);
    app.hub.send(Request::PersonCame { person }).await
}

/// Signs every device of a person out, and takes back every invite that was made by or for him.
#[utoipa::path(
    post,
    path = "/v1/people/{id}/sign-out",
    tag = "people",
    responses((status = 200, description = "Done; `null`"))
)]
async fn sign_out_person(
    State(app): State<App>,
    asker: SignedIn,
    Path(user): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let user = person_id(&user)?;
    let known = app.store.person(&user).await.map_err(ErrorBody::from)?;
    let known = known.ok_or_else(|| ErrorBody::invalid("user", format!("there is nobody called {user} here")))?;
    may_change(&app, &asker, known.role == Role::Admin).await?;
    to_the_end(async move {
        let now = unix_now();
        let devices = app.store.sign_out_person(&user, now).await.map_err(ErrorBody::from)?;
        devices.iter().for_each(|device| _ = app.signed_out.add(device, now));
        let mut done = Ok(());
        for device in devices {
            let of = Caller { user: user.clone(), device };
            // The others are signed out all the same; who asks again is heard for this one, too.
            done = app.hub.ask(|reply| Request::SignOut { who: of, reply }).await.and(done);
        }
        tracing::info!(%user, by = %asker.who.user, "every device of a person was signed out");
        done
    })
    .await?;
    Ok(json(()))
}

/// Goes on although who asked goes away meanwhile: nobody else would do the rest of it.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ErrorBody>> + Send + 'static,
) -> Result<T, ErrorBody> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(ErrorBody::new(Code::Internal, "this was not done: try again")))
}

fn person_id(text: &str) -> Result<UserId, ErrorBody> {
    text.parse().map_err(|error: wire::IdError| ErrorBody::invalid("user", error.to_string()))
}

/// A program's scope was looked at already; admins are made and changed by admins alone.
async fn may_change(app: &App, asker: &SignedIn, concerns_admin: bool) -> Result<(), ErrorBody> {
    match asker.by {
        By::Program { .. } if !concerns_admin => Ok(()),
        By::Program { .. } | By::Device => asker.is_admin(app).await,
    }
}
