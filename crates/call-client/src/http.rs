//! HTTP to one server: which certificate is expected, and what an answer or its absence means.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use rustls::ClientConfig;
use serde::{Serialize, de::DeserializeOwned};
use wire::{ErrorBody, Pin, ServerAddress};

use crate::{error::ClientError, tls};

/// A request that takes longer has failed; the server answers in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that need no account: of who is not in yet.
#[derive(Debug)]
pub(crate) struct Outside {
    http: reqwest::Client,
    base: String,
}

impl Outside {
    /// To a server that shows this certificate, or one that the system trusts.
    pub(crate) fn expecting(server: &ServerAddress, pin: Option<Pin>) -> Result<Self, ClientError> {
        let http = http_client(tls_towards(server, pin)?.as_deref())?;
        Ok(Self { http, base: base_url("http", server, pin) })
    }

    /// To whoever answers there: what certificate he shows is told.
    pub(crate) fn whoever(server: &ServerAddress) -> Result<(Self, tls::FirstShown), ClientError> {
        let (config, shown) = tls::trusting_the_first();
        Ok((Self { http: http_client(Some(&config))?, base: base_url("http", server, None) }, shown))
    }

    /// Asks; `patience` for a server that is to take its time.
    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(unreadable)?;
        let request = self.http.post(format!("{}{path}", self.base)).timeout(TIMEOUT + patience);
        decode(&content(request.header("content-type", "application/json").body(body).send().await).await?)
    }
}

/// TLS always, except to a loopback server that has no pin.
pub(crate) fn is_secure(server: &ServerAddress, pin: Option<Pin>) -> bool {
    pin.is_some() || !server.is_loopback()
}

pub(crate) fn base_url(scheme: &str, server: &ServerAddress, pin: Option<Pin>) -> String {
    let secure = if is_secure(server, pin) { "s" } else { "" };
    format!("{scheme}{secure}://{server}")
}

/// Whom to trust there; none where nothing is encrypted.
pub(crate) fn tls_towards(server: &ServerAddress, pin: Option<Pin>) -> Result<Option<Arc<ClientConfig>>, ClientError> {
    let trusting = is_secure(server, pin).then(|| tls::trusting(pin)).transpose();
    trusting.map_err(|error| ClientError::Unreachable { why: error.to_string() })
}

pub(crate) fn http_client(tls: Option<&ClientConfig>) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().tcp_nodelay(true);
    if let Some(tls) = tls {
        builder = builder.tls_backend_preconfigured(tls.clone());
    }
    builder.build().map_err(|error| ClientError::Unreachable { why: error.to_string() })
}

pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    let body = if body.is_empty() { b"null".as_slice() } else { body };
    serde_json::from_slice(body).map_err(unreadable)
}

/// What a request that succeeded brought.
pub(crate) async fn content(sent: Result<reqwest::Response, reqwest::Error>) -> Result<bytes::Bytes, ClientError> {
    let response = sent.map_err(|error| unreachable_server(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| unreachable_server(&error))?;
    if status.is_success() {
        return Ok(body);
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => Err(ClientError::Refused(body)),
        Err(_) if status == StatusCode::NOT_FOUND => {
            Err(ClientError::Unreadable { why: "no Bellbird server answers at this address".to_owned() })
        }
        Err(error) => Err(ClientError::Unreadable { why: format!("{status}: {error}") }),
    }
}

fn unreachable_server(error: &reqwest::Error) -> ClientError {
    if tls::is_wrong_certificate(error) {
        return ClientError::WrongServer;
    }
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    ClientError::Unreachable { why: root.to_string() }
}

#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(unreadable)`")]
pub(crate) fn unreadable(error: serde_json::Error) -> ClientError {
    ClientError::Unreadable { why: error.to_string() }
}
