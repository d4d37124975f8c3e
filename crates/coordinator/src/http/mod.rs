//! The HTTP interface: one file a resource; who asks is known before a handler runs.

mod asker;
mod calls;
mod devices;
mod door;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod lists;
mod media;
mod moderation;
mod once;
mod openapi;
mod operations;
mod people;
mod profile;
mod programs;
mod refusal;
mod socket;
mod webhooks;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts},
    http::request::Parts,
    middleware::from_fn_with_state,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use wire::{ErrorBody, Invite, InviteCode, MAX_BODY_BYTES, ServerAddress};

use crate::{
    access::{SignedOut, Tokens},
    certificate::ServerCertificate,
    hub::HubHandle,
    limits::Limits,
    media_plane::MediaPlane,
    metrics::Metrics,
    own_backend::UserTokens,
    programs::{Keys, Repeats},
    reach::Door,
    store::Store,
    webhooks::{Outbox, Reach},
};
use asker::{OnCall, SignedIn};
pub(crate) use operations::Pulse;
pub(crate) use refusal::Refusal;

/// What every handler may use.
pub(crate) struct Shared {
    pub(crate) hub: HubHandle,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) signed_out: SignedOut,
    /// Checks tokens of the operator's own product, if he has one.
    pub(crate) user_tokens: Option<UserTokens>,
    /// What other programs show.
    pub(crate) keys: Keys,
    /// Requests of theirs that may come again.
    pub(crate) repeats: Repeats,
    /// What they are told of.
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) reach: Reach,
    pub(crate) sfu: sfu::Sfu,
    pub(crate) media: MediaPlane,
    pub(crate) limits: Limits,
    pub(crate) server_name: String,
    /// Where others reach this server, and the certificate to expect there.
    pub(crate) address: ServerAddress,
    pub(crate) certificate: Arc<ServerCertificate>,
    pub(crate) stop: CancellationToken,
    /// Who waits to be let in; who asks for the outcome is woken by every change.
    pub(crate) door: watch::Sender<Door>,
    /// What is counted, and the newest look at whether the server is well.
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pulse: Pulse,
    /// Devices that were connected when the server was told to stop.
    pub(crate) devices_at_end: OnceLock<u32>,
    pub(crate) document: Document,
    pub(crate) epochs: AtomicU64,
}

impl Shared {
    pub(crate) fn invite(&self, code: InviteCode) -> Invite {
        let pin = if self.address.is_loopback() { None } else { self.certificate.pin() };
        Invite { server: self.address.clone(), code, pin }
    }

    fn at_door<T>(&self, act: impl FnOnce(&mut Door) -> Result<T, ErrorBody>) -> Result<T, ErrorBody> {
        let mut result = None;
        self.door.send_modify(|door| result = Some(act(door)));
        result.expect("what was at the door has acted")
    }

    fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) type App = Arc<Shared>;

/// Every path under `/v1`, and the document that describes them all.
pub(crate) fn described() -> (Router<App>, Document) {
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::base())
        .merge(people::router())
        .merge(devices::router())
        .merge(door::router())
        .merge(profile::router())
        .merge(calls::router())
        .merge(moderation::router())
        .merge(lists::router())
        .merge(programs::router())
        .merge(webhooks::router())
        .merge(socket::router())
        .merge(openapi::router())
        .split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// Every path of the server; `described` is the part under `/v1`.
pub(crate) fn router(app: App, described: Router<App>) -> Router {
    described
        .merge(media::router())
        .merge(operations::router())
        .fallback(refusal::no_such_path)
        .layer(from_fn_with_state(Arc::clone(&app), operations::observe))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

/// The address a request comes from, for limits.
pub(crate) struct From(pub(crate) IpAddr);

impl FromRequestParts<App> for From {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let info = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        Ok(Self(info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip())))
    }
}

/// JSON in, with the error body of this interface when it does not fit.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: axum::extract::Request, app: &App) -> Result<Self, Refusal> {
        parse(&read(request, app).await?).map(Self).map_err(Refusal::from)
    }
}

async fn read(request: axum::extract::Request, app: &App) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, app)
        .await
        .map_err(|error| ErrorBody::invalid("body", format!("the body cannot be read ({error}); 64 KB at most")).into())
}

/// The request in a body, or the refusal that names the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ErrorBody> {
    let text = if bytes.is_empty() { b"{}".as_slice() } else { bytes };
    // Serde would take a list for an object whose fields come in their order.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(ErrorBody::invalid("body", "the body is not what this request takes: a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // What is no JSON at all has no fields.
        let is_whole = error.inner().is_syntax() || error.inner().is_eof() || error.path().iter().len() == 0;
        let field = if is_whole { "body".to_owned() } else { error.path().to_string() };
        ErrorBody::invalid(&field, format!("the body is not what this request takes: {}", error.inner()))
    })
}

/// JSON out.
pub(crate) fn json<T: Serialize>(value: T) -> axum::Json<T> {
    axum::Json(value)
}
