//! The server's HTTP interface, with the access token kept fresh.

mod endpoints;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::{Client, Method};
use serde::{Serialize, de::DeserializeOwned};
use wire::{AccessToken, Code, ErrorBody, MediaServer, TokenRequest};

use crate::{
    account::Account,
    error::ClientError,
    http::{base_url, decode, unreadable},
    pool::Pool,
    product::Refresh,
};

/// A token this close to its end is fetched anew before it is used.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);
/// How long the application may take to fetch a token of its product.
const REFRESH_WITHIN: Duration = Duration::from_secs(10);

/// The server as one device sees it, without staying connected: for programs that ask or act once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    account: Account,
    refresh: Option<Refresh>,
    token: Mutex<Option<FreshToken>>,
}

/// The server wants a token of the product that is fresh.
fn wants_user_token(refusal: &ErrorBody) -> bool {
    refusal.code == Code::TokenExpired && refusal.field.as_deref() == Some("user_token")
}

/// The server does not take the access token (any more): its clock decides how old one is, not ours, and its key may be
/// another than yesterday. That says nothing about the device; whether it is signed out, the fetching of a new one tells.
pub(crate) fn is_about_the_token(error: &ClientError) -> bool {
    matches!(error.code(), Some(Code::TokenExpired | Code::Unauthenticated))
}

/// A refused [access token](Rest::access_token) means that the server does not know this device any more, unless it is
/// the product's word about its person that the server does not take.
pub(crate) fn is_signed_out(refused: &ClientError) -> bool {
    matches!(refused, ClientError::Refused(body) if body.code == Code::Unauthenticated && body.field.is_none())
}

#[derive(Debug, Clone)]
struct FreshToken {
    token: String,
    until: Instant,
}

impl Rest {
    /// Requests in the name of an account.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(account: Account) -> Result<Self, ClientError> {
        Self::with(account, None)
    }

    /// The same for a person of an operator's own product, where the server wants a fresh token of it.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn refreshing(account: Account, refresh: Refresh) -> Result<Self, ClientError> {
        Self::with(account, Some(refresh))
    }

    fn with(account: Account, refresh: Option<Refresh>) -> Result<Self, ClientError> {
        let pool = Pool::towards(&account.server, account.pin)?;
        Ok(Self { shared: Arc::new(Shared { pool, account, refresh, token: Mutex::new(None) }) })
    }

    pub(crate) fn account(&self) -> &Account {
        &self.shared.account
    }

    /// The server has gone, and what connected with it may be dead without knowing it.
    pub(crate) fn renew_connections(&self) {
        self.shared.pool.renew();
    }

    /// The network is another: no request that is on its way is answered any more.
    pub(crate) fn cut_connections(&self) {
        self.shared.pool.cut();
    }

    /// `ws://…` or `wss://…` of a path on this server.
    pub(crate) fn socket_url(&self, path: &str) -> String {
        format!("{}{path}", base_url("ws", &self.account().server, self.account().pin))
    }

    /// Where a media server is, as a WebSocket URL without `/rtc`.
    pub(crate) fn media_url(&self, server: &MediaServer) -> String {
        match server {
            MediaServer::Here => self.socket_url(""),
            MediaServer::At(url) => url.trim_end_matches('/').to_owned(),
        }
    }

    /// A token that is good for at least half a minute.
    pub(crate) async fn access_token(&self) -> Result<String, ClientError> {
        let kept = self.kept_token();
        if let Some(fresh) = kept.filter(|fresh| fresh.until > now() + TOKEN_MARGIN) {
            return Ok(fresh.token);
        }
        let access = match (self.fetch_token(None).await, &self.shared.refresh) {
            (Err(ClientError::Refused(refusal)), Some(refresh)) if wants_user_token(&refusal) => {
                let user_token = refresh.fetch(REFRESH_WITHIN).await.ok_or(ClientError::Refused(refusal))?;
                self.fetch_token(Some(user_token)).await?
            }
            (fetched, _) => fetched?,
        };
        let until = now() + Duration::from_millis(u64::from(access.expires_in_ms));
        self.keep_token(Some(FreshToken { token: access.token.clone(), until }));
        Ok(access.token)
    }

    /// A token in place of one that the server has refused.
    pub(crate) async fn another_token(&self, refused: &str) -> Result<String, ClientError> {
        // Another request may have fetched one meanwhile.
        if self.kept_token().is_some_and(|kept| kept.token == refused) {
            self.keep_token(None);
        }
        self.access_token().await
    }

    async fn fetch_token(&self, user_token: Option<String>) -> Result<AccessToken, ClientError> {
        let account = self.account();
        let (device, refresh_secret) = (account.device.clone(), account.refresh_secret.clone());
        let body = serde_json::to_vec(&TokenRequest { device, refresh_secret, user_token }).map_err(unreadable)?;
        let url = format!("{}/v1/token", base_url("http", &account.server, account.pin));
        let json = |http: &Client| http.post(url).header("content-type", "application/json").body(body);
        decode(&self.shared.pool.send(json).await?)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.request(Method::GET, path, Vec::new()).await
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ClientError> {
        self.request(Method::POST, path, serde_json::to_vec(body).map_err(unreadable)?).await
    }

    async fn patch<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ClientError> {
        self.request(Method::PATCH, path, serde_json::to_vec(body).map_err(unreadable)?).await
    }

    async fn post_silent<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        self.post::<_, serde::de::IgnoredAny>(path, body).await.map(|_| ())
    }

    pub(crate) async fn put_silent<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(unreadable)?;
        self.request::<serde::de::IgnoredAny>(Method::PUT, path, body).await.map(|_| ())
    }

    async fn delete_silent(&self, path: &str) -> Result<(), ClientError> {
        self.request::<serde::de::IgnoredAny>(Method::DELETE, path, Vec::new()).await.map(|_| ())
    }

    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        let token = self.access_token().await?;
        match self.send(&token, method.clone(), path, body.clone()).await {
            Err(error) if is_about_the_token(&error) => {
                self.send(&self.another_token(&token).await?, method, path, body).await
            }
            other => other,
        }
    }

    /// A document that is not JSON.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let token = self.access_token().await?;
        match self.content(path, &token).await {
            Err(error) if is_about_the_token(&error) => self.content(path, &self.another_token(&token).await?).await,
            other => other,
        }
    }

    async fn content(&self, path: &str, token: &str) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}{path}", base_url("http", &self.account().server, self.account().pin));
        self.shared.pool.send(|http| http.get(url).bearer_auth(token)).await.map(Vec::from)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", base_url("http", &self.account().server, self.account().pin));
        let authorized = |http: &Client| http.request(method, url).bearer_auth(token);
        let json = |http: &Client| authorized(http).header("content-type", "application/json").body(body);
        decode(&self.shared.pool.send(json).await?)
    }

    fn kept_token(&self) -> Option<FreshToken> {
        self.shared.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn keep_token(&self, token: Option<FreshToken>) {
        *self.shared.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = token;
    }
}

#[expect(clippy::disallowed_methods, reason = "the age of a token is counted here, at the edge")]
fn now() -> Instant {
    Instant::now()
}
