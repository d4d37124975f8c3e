//! What people choose for themselves: name, picture, favourites, quiet hours; and how they find each other.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, put},
};
use wire::{Code, DoNotDisturb, ErrorBody, NAME, PeoplePage, PeopleQuery, Rename, UserId};

use super::{App, Body, Refusal, SignedIn, json};
use crate::{
    avatar::{self, MAX_AVATAR_BYTES},
    hub::{Caller, Request},
    limits::Limit,
    store::StoredPerson,
};

/// Most favourites of one person.
const MOST_FAVOURITES: usize = 200;
/// People of a page when nobody says, and at most.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 100;

pub(super) fn router() -> Router<App> {
    let picture = put(set_avatar).delete(remove_avatar).layer(DefaultBodyLimit::max(MAX_AVATAR_BYTES));
    Router::new()
        .route("/v1/people", get(people))
        .route("/v1/people/{id}/avatar", get(avatar_of))
        .route("/v1/me/name", put(rename))
        .route("/v1/me/avatar", picture)
        .route("/v1/me/favourites/{id}", put(add_favourite).delete(remove_favourite))
        .route("/v1/me/do-not-disturb", put(do_not_disturb))
}

/// People by name, with their presence.
async fn people(
    State(app): State<App>,
    SignedIn { .. }: SignedIn,
    query: Result<Query<PeopleQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(query) = query.map_err(|error| ErrorBody::invalid("query", error.body_text()))?;
    if query.search.as_deref().is_some_and(|search| NAME.check(search).is_none()) {
        return Err(ErrorBody::invalid("search", "what is looked for has 1 to 100 characters").into());
    }
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(ErrorBody::invalid("limit", "a page has 1 to 100 people").into());
    }
    // One more than is asked for says whether there is a next page.
    let mut users = app.store.find_people(&query, i64::from(limit) + 1).await.map_err(ErrorBody::from)?;
    let is_last = users.len() <= limit as usize;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| !is_last).cloned();
    let people = app.hub.ask(|reply| Request::People { users, reply }).await?;
    Ok(json(PeoplePage { people, next }))
}

async fn rename(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(request): Body<Rename>,
) -> Result<impl IntoResponse, Refusal> {
    let name = NAME.check(&request.name).map(str::to_owned).ok_or_else(|| {
        ErrorBody::invalid("name", "a name has 1 to 100 characters, without control characters") //
    })?;
    change(&app, who, move |person| person.name = name).await
}

async fn set_avatar(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    upload: Bytes,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    let decoded = tokio::task::spawn_blocking(move || avatar::kept(&upload)).await;
    let broken = || "this picture cannot be read".to_owned();
    let image = decoded.unwrap_or_else(|_| Err(broken())).map_err(|why| ErrorBody::invalid("image", why))?;
    app.store.set_avatar(&who.user, Some(&image)).await.map_err(ErrorBody::from)?;
    change(&app, who, move |person| person.avatar = Some(StoredPerson::avatar_tag(&image))).await
}

async fn remove_avatar(State(app): State<App>, SignedIn { who, .. }: SignedIn) -> Result<impl IntoResponse, Refusal> {
    app.store.set_avatar(&who.user, None).await.map_err(ErrorBody::from)?;
    change(&app, who, |person| person.avatar = None).await
}

async fn avatar_of(
    State(app): State<App>,
    SignedIn { .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let none = || ErrorBody::new(Code::InvalidRequest, "there is no picture of this person");
    let user: UserId = id.parse().map_err(|_| none())?;
    let image = app.store.avatar(&user).await.map_err(ErrorBody::from)?.ok_or_else(none)?;
    // The address stays when the picture changes; who asks adds the tag.
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=3600")], image))
}

async fn add_favourite(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let favourite = user(&id)?;
    let known = app.store.person(&who.user).await.map_err(ErrorBody::from)?;
    if known.is_some_and(|person| person.favourites.len() >= MOST_FAVOURITES) {
        return Err(ErrorBody::invalid("id", "there can be 200 favourites at most: take one out first").into());
    }
    if !app.store.person_exists(&favourite).await.map_err(ErrorBody::from)? {
        return Err(ErrorBody::invalid("id", "there is nobody of this id here").into());
    }
    change(&app, who, move |person| _ = person.favourites.insert(favourite)).await
}

async fn remove_favourite(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let favourite = user(&id)?;
    change(&app, who, move |person| _ = person.favourites.remove(&favourite)).await
}

async fn do_not_disturb(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(wish): Body<DoNotDisturb>,
) -> Result<impl IntoResponse, Refusal> {
    if let Some((field, problem)) = wish.problem() {
        return Err(ErrorBody::invalid(field, problem).into());
    }
    change(&app, who, move |person| person.do_not_disturb = wish).await
}

async fn change(
    app: &App,
    who: Caller,
    change: impl FnOnce(&mut StoredPerson) + Send + 'static,
) -> Result<axum::Json<()>, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    app.hub.ask(|reply| Request::ChangePerson { who, change: Box::new(change), reply }).await?;
    Ok(json(()))
}

fn user(id: &str) -> Result<UserId, ErrorBody> {
    id.parse().map_err(|error: wire::IdError| ErrorBody::invalid("id", error.to_string()))
}
