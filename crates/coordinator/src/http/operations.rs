//! For who runs the server: metrics, and whether it is well.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request as HttpRequest, State},
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{App, From, Refusal, SignedIn, asker::By, json};
use crate::{
    hub::{Caller, Request, unix_now},
    metrics::now,
    visitors::Visit,
};

/// Whoever asks more often hears the same again: asking writes to the disk.
const FRESH: Duration = Duration::from_secs(1);
/// A part that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(2);
/// What proxies add: who asks then is not who is connected.
const FORWARDED: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

pub(super) fn router() -> Router<App> {
    Router::new().route("/metrics", get(metrics)).route("/healthz", get(health))
}

/// For this machine itself, an admin, and programs with the scope.
async fn metrics(
    State(app): State<App>,
    from: From,
    headers: HeaderMap,
    asker: Result<SignedIn, Refusal>,
) -> Result<Response, Refusal> {
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    if is_forwarded || !from.address.to_canonical().is_loopback() {
        let asker = asker?;
        match asker.by {
            By::Device => asker.is_admin(&app).await?,
            // The scope was looked at already.
            By::Program { .. } => {}
        }
    }
    // While the database is locked everything else is looked at with more reason than ever.
    let waiting = app.store.pending_deliveries().await.ok();
    let text = app.metrics.text(app.sfu.traffic(), waiting);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// Whether the server is well, and what is not if it is not.
#[derive(Debug, Clone, Serialize)]
struct Health {
    status: &'static str,
    /// Everything that is decided must be stored.
    store: String,
    /// Everything is decided in one place.
    hub: String,
    /// The others: media, webhooks, whoever takes connections.
    parts: String,
}

/// The newest look.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    last: Mutex<Option<(Instant, Health)>>,
}

/// 200 while rings can be decided and stored, 503 otherwise.
async fn health(State(app): State<App>) -> Response {
    let known = app.pulse.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let health = match known {
        Some((at, health)) if at.elapsed() < FRESH => health,
        Some(_) | None => {
            let health = look(&app).await;
            *app.pulse.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now(), health.clone()));
            health
        }
    };
    let status = if health.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json(health)).into_response()
}

async fn look(app: &App) -> Health {
    let said = |outcome: Result<Result<(), String>, tokio::time::error::Elapsed>| match outcome {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error,
        Err(_) => "no answer within 2 s".to_owned(),
    };
    let store = timeout(PATIENCE, async { app.store.beat(unix_now()).await.map_err(|error| error.to_string()) });
    let hub = timeout(PATIENCE, async {
        // Nobody asks for the views of no calls: an answer alone says that the hub decides.
        let nobody = "healthz".parse().and_then(|user| Ok(Caller { user, device: "healthz".parse()? }));
        let who = nobody.map_err(|error: wire::IdError| error.to_string())?;
        let views = app.hub.ask(|reply| Request::Views { who, calls: Vec::new(), reply }).await;
        views.map(|_| ()).map_err(|error| error.message)
    });
    let (store, hub) = tokio::join!(store, hub);
    let (store, hub) = (said(store), said(hub));
    let ended = |part| format!("{part} has ended by a fault of its own: start the server again");
    let parts = app.vitals.fallen().map_or_else(|| "ok".to_owned(), ended);
    let is_well = [&store, &hub, &parts].iter().all(|part| *part == "ok");
    Health { status: if is_well { "ok" } else { "failing" }, store, hub, parts }
}

/// Counts every request, and gives it a span. Paths are named as the router knows them: a query may hold a token.
pub(super) async fn observe(State(app): State<App>, request: HttpRequest, next: Next) -> Response {
    if let Some(visit) = request.extensions().get::<Visit>() {
        visit.has_asked();
    }
    let method = method_name(request.method());
    let path = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let begun = now();
    let response = next.run(request).instrument(tracing::debug_span!("request", method, path)).await;
    let (status, time) = (response.status().as_u16(), begun.elapsed());
    app.metrics.request(method, &path, status, time);
    tracing::debug!(method, path, status, milliseconds = time.as_millis() as u64, "a request was answered");
    response
}

/// What is counted has to be bounded, and a method can be any word.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
