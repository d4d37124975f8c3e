//! Webhooks: registered by an admin or a program, listed with what became of their deliveries.

use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{
    Code, CreateWebhook, CreatedWebhook, ErrorBody, UserId, WebhookDeliveryPage, WebhookEntry, WebhookId, WebhookKind,
};

use super::{App, Body, Path, Query, Refusal, SignedIn, asker::By, json, lists::page_size};
use crate::{
    hub::unix_now,
    webhooks::{Added, MOST_HOOKS, StoredHook, check_url, fresh_secret, read_secret},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_webhook, webhooks))
        .routes(routes!(remove_webhook))
        .routes(routes!(enable_webhook))
        .routes(routes!(deliveries))
}

/// Registers a URL. It is told of what happens in every call of the server.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "webhooks",
    request_body = CreateWebhook,
    responses((status = 200, description = "Done", body = CreatedWebhook))
)]
async fn create_webhook(
    State(app): State<App>,
    asker: SignedIn,
    Body(request): Body<CreateWebhook>,
) -> Result<impl IntoResponse, Refusal> {
    may_care(&app, &asker).await?;
    let url = check_url(&request.url, app.reach)?;
    let events = request.events.unwrap_or_else(|| WebhookKind::ALL.iter().copied().collect());
    if events.is_empty() {
        return Err(ErrorBody::invalid("events", "name at least one kind of event").into());
    }
    let secret = request.secret.unwrap_or_else(fresh_secret);
    read_secret(&secret)?;
    let hook = StoredHook {
        id: WebhookId::mint(ulid::Ulid::new()),
        registered_by: asker.who.device.to_string(),
        person: asker.who.user.clone(),
        url: url.into(),
        events,
        secret: secret.clone(),
        created_at: unix_now(),
        failing_since: None,
        disabled: None,
    };
    match app.store.add_hook(&hook).await.map_err(ErrorBody::from)? {
        Added::Stored => {}
        Added::TooMany => {
            let message = format!("there are {MOST_HOOKS} webhooks: remove those of no more use");
            return Err(ErrorBody::new(Code::Conflict, message).into());
        }
        Added::NotSignedIn => return Err(asker.is_gone().into()),
    }
    app.outbox.hook_came();
    tracing::info!(hook = %hook.id, by = %hook.person, "a webhook was registered");
    Ok(json(CreatedWebhook { entry: hook.entry(), secret }))
}

/// Every hook for an admin, its own for a program.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "webhooks",
    responses((status = 200, description = "Done", body = Vec<WebhookEntry>))
)]
async fn webhooks(State(app): State<App>, asker: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let cares = may_care(&app, &asker).await?;
    let hooks = app.store.hooks().await.map_err(ErrorBody::from)?.into_iter();
    let seen = hooks.filter(|hook| cares.is_for(hook)).map(StoredHook::entry);
    Ok(json(seen.collect::<Vec<WebhookEntry>>()))
}

/// Nothing goes there any more.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{hook}",
    tag = "webhooks",
    responses((status = 200, description = "Done; `null`"))
)]
async fn remove_webhook(
    State(app): State<App>,
    asker: SignedIn,
    Path(hook): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let hook = known(&app, &asker, &hook).await?;
    app.store.remove_hook(&hook.id).await.map_err(ErrorBody::from)?;
    let before = app.outbox.before();
    if !app.store.has_hooks().await.map_err(ErrorBody::from)? {
        app.outbox.no_hooks(before);
    }
    tracing::info!(hook = %hook.id, by = %asker.who.user, "a webhook was removed");
    Ok(json(()))
}

/// What waits for a hook that was disabled goes out from now on.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{hook}/enable",
    tag = "webhooks",
    responses((status = 200, description = "Done", body = WebhookEntry))
)]
async fn enable_webhook(
    State(app): State<App>,
    asker: SignedIn,
    Path(hook): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let hook = known(&app, &asker, &hook).await?;
    app.store.enable_hook(&hook.id).await.map_err(ErrorBody::from)?;
    app.outbox.hook_came();
    Ok(json(StoredHook { failing_since: None, disabled: None, ..hook }.entry()))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

/// What became of a hook's deliveries, newest first, for three days.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{hook}/deliveries",
    tag = "webhooks",
    params(DeliveryQuery),
    responses((status = 200, description = "Done", body = WebhookDeliveryPage))
)]
async fn deliveries(
    State(app): State<App>,
    asker: SignedIn,
    Path(hook): Path<String>,
    Query(query): Query<DeliveryQuery>,
) -> Result<impl IntoResponse, Refusal> {
    let hook = known(&app, &asker, &hook).await?;
    let limit = page_size(query.limit)?;
    let found = app.store.deliveries(&hook.id, query.before, limit + 1).await.map_err(ErrorBody::from)?;
    let has_more = found.len() > limit as usize;
    let mut next = None;
    let mut page = Vec::new();
    for (place, delivery) in found.into_iter().take(limit as usize) {
        next = has_more.then_some(place);
        page.push(delivery);
    }
    Ok(json(WebhookDeliveryPage { deliveries: page, next }))
}

/// A hook that the asker may care for; no difference between "not there" and "not yours".
async fn known(app: &App, asker: &SignedIn, hook: &str) -> Result<StoredHook, ErrorBody> {
    let cares = may_care(app, asker).await?;
    let hooks = app.store.hooks().await.map_err(ErrorBody::from)?;
    let found = hooks.into_iter().find(|known| known.id.as_str() == hook && cares.is_for(known));
    found.ok_or_else(|| ErrorBody::invalid("hook", "there is no such webhook: see the list of webhooks"))
}

/// For which hooks somebody cares.
enum Cares {
    ForAll,
    ForThoseOf(UserId),
}

impl Cares {
    fn is_for(&self, hook: &StoredHook) -> bool {
        match self {
            Self::ForAll => true,
            Self::ForThoseOf(person) => hook.person == *person,
        }
    }
}

/// A program's scope was looked at already; it cares for its own hooks. A device has to be an admin's.
async fn may_care(app: &App, asker: &SignedIn) -> Result<Cares, ErrorBody> {
    match asker.by {
        By::Program { .. } => {
            asker.is_still_good(app).await?;
            Ok(Cares::ForThoseOf(asker.who.user.clone()))
        }
        By::Device => {
            asker.is_admin(app).await?;
            Ok(Cares::ForAll)
        }
    }
}
