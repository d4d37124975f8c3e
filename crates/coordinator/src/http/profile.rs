//! What people choose for themselves: name, picture, favourites, quiet hours; and how they find each other.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{DefaultBodyLimit, Request as HttpRequest, State},
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{DoNotDisturb, ErrorBody, NAME, PeoplePage, PeopleQuery, Rename, UserId};

use super::{App, Body, BodyRule, Path, Query, Refusal, SignedIn, json, lists::page_size, people::text, read};
use crate::{
    avatar::{self, MAX_AVATAR_BYTES},
    hub::{Caller, Request},
    limits::Limit,
    store::{PersonPlace, StoredPerson},
};

/// People of a page when nobody says.
const PAGE: u32 = 50;
const PICTURE: BodyRule = BodyRule { field: "image", most: "5 MB", within: Duration::from_secs(120) };
/// Most favourites of one person.
const MOST_FAVOURITES: usize = 200;

pub(super) fn router() -> OpenApiRouter<App> {
    let picture = OpenApiRouter::new().routes(routes!(set_avatar, remove_avatar));
    OpenApiRouter::new()
        .routes(routes!(people))
        .routes(routes!(avatar_of))
        .routes(routes!(rename))
        .merge(picture.layer(DefaultBodyLimit::max(MAX_AVATAR_BYTES)))
        .routes(routes!(add_favourite, remove_favourite))
        .routes(routes!(do_not_disturb))
}

/// People by name, with their presence.
#[utoipa::path(
    get,
    path = "/v1/people",
    tag = "people",
    params(PeopleQuery),
    responses((status = 200, description = "Done", body = PeoplePage))
)]
async fn people(
    State(app): State<App>,
    SignedIn { .. }: SignedIn,
    Query(query): Query<PeopleQuery>,
) -> Result<impl IntoResponse, Refusal> {
    if query.search.as_deref().is_some_and(|search| NAME.check(search).is_none()) {
        return Err(ErrorBody::invalid("search", format!("what is looked for has {NAME}")).into());
    }
    let limit = page_size(Some(query.limit.unwrap_or(PAGE)))?;
    let behind = query.after.as_deref().map(place).transpose()?;
    // One more than is asked for says whether there is a next page.
    let most = i64::from(limit) + 1;
    let found = app.store.find_people(query.search.as_deref(), behind.as_ref(), most).await;
    let mut found = found.map_err(ErrorBody::from)?;
    let is_last = found.len() <= limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| !is_last).map(|found| found.place.cursor());
    let users = found.into_iter().filter_map(|found| found.user).collect();
    let people = app.hub.ask(|reply| Request::People { users, reply }).await?;
    Ok(json(PeoplePage { people, next }))
}

fn place(cursor: &str) -> Result<PersonPlace, ErrorBody> {
    let message = "this place was not made by this server: begin with the first page";
    PersonPlace::read(cursor).ok_or_else(|| ErrorBody::invalid("after", message))
}

/// Changes the name people read.
#[utoipa::path(
    put,
    path = "/v1/me/name",
    tag = "people",
    request_body = Rename,
    responses((status = 200, description = "Done; `null`"))
)]
async fn rename(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(request): Body<Rename>,
) -> Result<impl IntoResponse, Refusal> {
    let name = text("name", &request.name)?.to_owned();
    change(&app, who, move |person| {
        person.name = name;
        Ok(())
    })
    .await
}

/// The bytes of a picture.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "for the document alone")]
struct Picture(Vec<u8>);

/// A picture of oneself: made smaller and encoded anew.
#[utoipa::path(
    put,
    path = "/v1/me/avatar",
    tag = "people",
    request_body(content = Picture, content_type = "image/*"),
    responses((status = 200, description = "Done; `null`"))
)]
async fn set_avatar(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    request: HttpRequest,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    let upload = {
        let _turn = app.uploading.acquire().await;
        read(&app, request, &PICTURE).await?
    };
    let wrong = |why: String| ErrorBody::invalid("image", why);
    avatar::check(&upload).map_err(wrong)?;
    // A picture takes much memory while it is decoded: the third at a time waits.
    let turn = Arc::clone(&app.decoding).acquire_owned().await;
    let decoded = tokio::task::spawn_blocking(move || (avatar::kept(&upload), turn)).await;
    let broken = || "this picture cannot be read".to_owned();
    let image = decoded.map_or_else(|_| Err(broken()), |(kept, _)| kept).map_err(wrong)?;
    app.store.set_avatar(&who.user, Some(&image)).await.map_err(ErrorBody::from)?;
    change_counted(&app, who, move |person| {
        person.avatar = Some(StoredPerson::avatar_tag(&image));
        Ok(())
    })
    .await
}

/// No picture any more.
#[utoipa::path(delete, path = "/v1/me/avatar", tag = "people", responses((status = 200, description = "Done; `null`")))]
async fn remove_avatar(State(app): State<App>, SignedIn { who, .. }: SignedIn) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    app.store.set_avatar(&who.user, None).await.map_err(ErrorBody::from)?;
    change_counted(&app, who, |person| {
        person.avatar = None;
        Ok(())
    })
    .await
}

/// Somebody's picture, as JPEG.
#[utoipa::path(
    get,
    path = "/v1/people/{id}/avatar",
    tag = "people",
    responses((status = 200, description = "The picture", body = Picture, content_type = "image/jpeg"))
)]
async fn avatar_of(
    State(app): State<App>,
    SignedIn { .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let none = || ErrorBody::invalid("id", "there is no picture of this person");
    let user: UserId = id.parse().map_err(|_| none())?;
    let image = app.store.avatar(&user).await.map_err(ErrorBody::from)?.ok_or_else(none)?;
    // The address stays when the picture changes; who asks adds the tag.
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=3600")], image))
}

/// Adds somebody to the favourites.
#[utoipa::path(
    put,
    path = "/v1/me/favourites/{id}",
    tag = "people",
    responses((status = 200, description = "Done; `null`"))
)]
async fn add_favourite(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let favourite = user(&id)?;
    if !app.store.person_exists(&favourite).await.map_err(ErrorBody::from)? {
        return Err(ErrorBody::invalid("id", "there is nobody of this id here").into());
    }
    change(&app, who, move |person| {
        if person.favourites.len() >= MOST_FAVOURITES && !person.favourites.contains(&favourite) {
            return Err(ErrorBody::invalid("id", "there can be 200 favourites at most: take one out first"));
        }
        person.favourites.insert(favourite);
        Ok(())
    })
    .await
}

/// Takes somebody out of the favourites.
#[utoipa::path(
    delete,
    path = "/v1/me/favourites/{id}",
    tag = "people",
    responses((status = 200, description = "Done; `null`"))
)]
async fn remove_favourite(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let favourite = user(&id)?;
    change(&app, who, move |person| {
        person.favourites.remove(&favourite);
        Ok(())
    })
    .await
}

/// When one does not want to be disturbed.
#[utoipa::path(
    put,
    path = "/v1/me/do-not-disturb",
    tag = "people",
    request_body = DoNotDisturb,
    responses((status = 200, description = "Done; `null`"))
)]
async fn do_not_disturb(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(wish): Body<DoNotDisturb>,
) -> Result<impl IntoResponse, Refusal> {
    if let Some((field, problem)) = wish.problem() {
        return Err(ErrorBody::invalid(field, problem).into());
    }
    change(&app, who, move |person| {
        person.do_not_disturb = wish;
        Ok(())
    })
    .await
}

async fn change(
    app: &App,
    who: Caller,
    change: impl FnOnce(&mut StoredPerson) -> Result<(), ErrorBody> + Send + 'static,
) -> Result<axum::Json<()>, Refusal> {
    app.limits.take(Limit::Message, who.device.as_str())?;
    change_counted(app, who, change).await
}

/// The same, where the limit was looked at before.
async fn change_counted(
    app: &App,
    who: Caller,
    change: impl FnOnce(&mut StoredPerson) -> Result<(), ErrorBody> + Send + 'static,
) -> Result<axum::Json<()>, Refusal> {
    app.hub.ask(|reply| Request::ChangePerson { who, change: Box::new(change), reply }).await?;
    Ok(json(()))
}

fn user(id: &str) -> Result<UserId, ErrorBody> {
    id.parse().map_err(|error: wire::IdError| ErrorBody::invalid("id", error.to_string()))
}
