//! The HTTP interface: one file a resource; who asks is known before a handler runs.

mod calls;
mod lists;
mod media;
mod moderation;
mod people;
mod profile;
mod refusal;
mod socket;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, Path},
    http::request::Parts,
    routing::get,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wire::{CallId, ErrorBody, Invite, InviteCode, MAX_BODY_BYTES, Pin, Role, ServerAddress};

use crate::{
    access::{SignedOut, Tokens, not_signed_in},
    hub::{Caller, HubHandle},
    limits::Limits,
    media_plane::MediaPlane,
    store::Store,
};
pub(crate) use refusal::Refusal;

/// What every handler may use.
pub(crate) struct Shared {
    pub(crate) hub: HubHandle,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) signed_out: SignedOut,
    pub(crate) sfu: sfu::Sfu,
    pub(crate) media: MediaPlane,
    pub(crate) limits: Limits,
    pub(crate) server_name: String,
    /// Where others reach this server, and the certificate to expect there.
    pub(crate) address: ServerAddress,
    pub(crate) pin: Option<Pin>,
    pub(crate) stop: CancellationToken,
    epochs: AtomicU64,
}

impl Shared {
    #[expect(clippy::too_many_arguments, reason = "built in one place, from the parts the server started")]
    pub(crate) fn new(
        hub: HubHandle,
        store: Store,
        tokens: Tokens,
        signed_out: SignedOut,
        sfu: sfu::Sfu,
        media: MediaPlane,
        limits: Limits,
        server_name: String,
        address: ServerAddress,
        pin: Option<Pin>,
        stop: CancellationToken,
    ) -> Self {
        let epochs = AtomicU64::new(1);
        Self { hub, store, tokens, signed_out, sfu, media, limits, server_name, address, pin, stop, epochs }
    }

    pub(crate) fn invite(&self, code: InviteCode) -> Invite {
        Invite { server: self.address.clone(), code, pin: self.pin }
    }

    fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) type App = Arc<Shared>;

/// Every path of the server.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .merge(people::router())
        .merge(profile::router())
        .merge(calls::router())
        .merge(moderation::router())
        .merge(lists::router())
        .merge(socket::router())
        .merge(media::router())
        .route("/healthz", get(async || "ok"))
        .fallback(refusal::no_such_path)
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

/// The signed-in device that asks.
pub(crate) struct SignedIn {
    pub(crate) who: Caller,
    pub(crate) role: Role,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(not_signed_in)?;
        let claims = app.tokens.check(token)?;
        if app.signed_out.has(&claims.device) {
            return Err(not_signed_in().into());
        }
        Ok(Self { who: Caller { user: claims.sub, device: claims.device }, role: claims.role })
    }
}

/// The signed-in device that asks, and the call it asks about.
pub(crate) struct OnCall {
    pub(crate) who: Caller,
    pub(crate) cid: CallId,
}

impl FromRequestParts<App> for OnCall {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let SignedIn { who, .. } = SignedIn::from_request_parts(parts, app).await?;
        let invalid = |error: &dyn std::fmt::Display| Refusal::from(ErrorBody::invalid("id", error.to_string()));
        let path = Path::<(String, String)>::from_request_parts(parts, app).await.map_err(|error| invalid(&error))?;
        let cid = CallId::new(&path.0.0, &path.0.1).map_err(|error| invalid(&error))?;
        Ok(Self { who, cid })
    }
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

impl<T: serde::de::DeserializeOwned> axum::extract::FromRequest<App> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: axum::extract::Request, app: &App) -> Result<Self, Refusal> {
        let bytes = axum::body::Bytes::from_request(request, app).await.map_err(|error| {
            Refusal::from(ErrorBody::invalid("body", format!("the body cannot be read ({error}); 64 KB at most")))
        })?;
        read(&bytes).map(Self).map_err(Refusal::from)
    }
}

/// The request in a body, or the refusal that names the field.
pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ErrorBody> {
    let text = if body.is_empty() { b"{}".as_slice() } else { body };
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
