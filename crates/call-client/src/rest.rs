//! One function per endpoint of the server's HTTP interface, with the access token kept fresh.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use wire::{
    AccessToken, AskPermission, BlockUser, CallFilter, CallId, CallPage, CallState, CallTypeData, Code, CreateInvite,
    CreatedInvite, Custom, DeviceEntry, DeviceId, ErrorBody, GetOrCreate, GetOrCreated, HistoryPage, Join, Joined,
    Leave, MediaServer, MuteUsers, Pin, Reject, RingMembers, SendEvent, SendReaction, ServerAddress, SignIn, SignedIn,
    Snapshot, TokenRequest, UpdateCall, UpdateMembers, UpdatePermissions, UserId,
};

use crate::{account::Account, error::ClientError, tls};

/// A request that takes longer has failed; the server answers in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A token this close to its end is fetched anew before it is used.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);

/// The server as one device sees it, without staying connected: for programs that ask or act once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    account: Account,
    token: Mutex<Option<FreshToken>>,
}

#[derive(Debug, Clone)]
struct FreshToken {
    token: String,
    until: Instant,
}

/// Redeems an invite; the only request that needs no account.
pub(crate) async fn sign_in(
    server: &ServerAddress,
    pin: Option<Pin>,
    request: &SignIn,
) -> Result<SignedIn, ClientError> {
    let http = http_client(pin)?;
    let url = format!("{}/v1/sign-in", base_url("http", server, pin));
    let body = serde_json::to_vec(request).map_err(unreadable)?;
    decode(http.post(url).header("content-type", "application/json").body(body).send().await).await
}

impl Rest {
    /// Requests in the name of an account.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(account: Account) -> Result<Self, ClientError> {
        let http = http_client(account.pin)?;
        Ok(Self { shared: Arc::new(Shared { http, account, token: Mutex::new(None) }) })
    }

    pub(crate) fn account(&self) -> &Account {
        &self.shared.account
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
        let account = self.account();
        let request = TokenRequest { device: account.device.clone(), refresh_secret: account.refresh_secret.clone() };
        let url = format!("{}/v1/token", base_url("http", &account.server, account.pin));
        let body = serde_json::to_vec(&request).map_err(unreadable)?;
        let sent = self.shared.http.post(url).header("content-type", "application/json").body(body).send().await;
        let access: AccessToken = decode(sent).await?;
        let until = now() + Duration::from_millis(u64::from(access.expires_in_ms));
        self.keep_token(Some(FreshToken { token: access.token.clone(), until }));
        Ok(access.token)
    }

    /// Everything this device may show now.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.get("/v1/snapshot").await
    }

    /// Creates or returns a call without joining it; rings its members if asked to.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn get_or_create(&self, cid: &CallId, request: &GetOrCreate) -> Result<GetOrCreated, ClientError> {
        self.post(&call_path(cid, ""), request).await
    }

    /// Comes into a call and answers with the way to its media; while it rings this person, that accepts.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn join(&self, cid: &CallId, request: &Join) -> Result<Joined, ClientError> {
        self.post(&call_path(cid, "/join"), request).await
    }

    /// Refuses a ring.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn reject(&self, cid: &CallId, request: &Reject) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/reject"), request).await
    }

    /// Goes out of a call; a caller whom nobody has answered cancels his ring.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn leave(&self, cid: &CallId, request: &Leave) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/leave"), request).await
    }

    /// Ends a call for everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn end(&self, cid: &CallId) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/end"), &Empty {}).await
    }

    /// Makes an invite.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn create_invite(&self, request: &CreateInvite) -> Result<CreatedInvite, ClientError> {
        self.post("/v1/invites", request).await
    }

    /// The person has looked at the missed calls.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mark_missed_seen(&self) -> Result<(), ClientError> {
        self.post_silent("/v1/missed/seen", &Empty {}).await
    }

    /// Signs this device out; its account is worth nothing afterwards.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.post_silent("/v1/devices/me/sign-out", &Empty {}).await
    }

    /// A call as this person sees it.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn read(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.get(&call_path(cid, "")).await
    }

    /// Changes data, settings and planned time of a call; what is absent stays.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_call(&self, cid: &CallId, update: &UpdateCall) -> Result<CallState, ClientError> {
        self.patch(&call_path(cid, ""), update).await
    }

    /// Rings members of a call that exists, or only tells them of it; who is not on the list is added.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ring_members(&self, cid: &CallId, request: &RingMembers) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/ring"), request).await
    }

    /// Adds, changes and removes members.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_members(&self, cid: &CallId, update: &UpdateMembers) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/members"), update).await
    }

    /// Puts somebody out of a call; he may come back.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn remove(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/remove"), &BlockUser { user: user.clone() }).await
    }

    /// Puts somebody out of a call for good.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn block(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/block"), &BlockUser { user: user.clone() }).await
    }

    /// Lets somebody in again who was blocked.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn unblock(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/unblock"), &BlockUser { user: user.clone() }).await
    }

    /// Gives and takes capabilities of one person in a call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_permissions(&self, cid: &CallId, update: &UpdatePermissions) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/permissions"), update).await
    }

    /// Asks who may give them for capabilities.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ask_permission(&self, cid: &CallId, request: &AskPermission) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/ask"), request).await
    }

    /// Mutes some or everybody; each may unmute himself.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mute(&self, cid: &CallId, request: &MuteUsers) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/mute"), request).await
    }

    /// Opens the backstage of a call to everybody.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn go_live(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/go-live"), &Empty {}).await
    }

    /// Closes the backstage of a call again.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn stop_live(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/stop-live"), &Empty {}).await
    }

    /// Shows somebody large to everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn pin(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/pin"), &BlockUser { user: user.clone() }).await
    }

    /// No longer shows somebody large to everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn unpin(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/unpin"), &BlockUser { user: user.clone() }).await
    }

    /// Sends a sign, as an emoji or `raised-hand`, to everybody in the call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn react(&self, cid: &CallId, kind: &str) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/reaction"), &SendReaction { kind: kind.to_owned() }).await
    }

    /// Sends the application's own event to everybody in the call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn send_event(&self, cid: &CallId, data: Custom) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/event"), &SendEvent { data }).await
    }

    /// Calls this person may read, by filter and page.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn query(&self, filter: &CallFilter) -> Result<CallPage, ClientError> {
        self.post("/v1/calls/query", filter).await
    }

    /// This person's devices.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn devices(&self) -> Result<Vec<DeviceEntry>, ClientError> {
        self.get("/v1/devices").await
    }

    /// Signs one of this person's devices out.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn sign_out_device(&self, device: &DeviceId) -> Result<(), ClientError> {
        self.post_silent(&format!("/v1/devices/{device}/sign-out"), &Empty {}).await
    }

    /// Adds a call type, or changes one; for admins.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn set_call_type(&self, name: &str, data: &CallTypeData) -> Result<(), ClientError> {
        self.put_silent(&format!("/v1/call-types/{name}"), data).await
    }

    /// A page of this person's history, newest first; `before` is where the page before ended.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn history(&self, before: Option<i64>, limit: u32) -> Result<HistoryPage, ClientError> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        self.get(&format!("/v1/history?limit={limit}{before}")).await
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

    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, ClientError> {
        match self.send(method.clone(), path, body.clone()).await {
            Err(error) if error.code() == Some(Code::TokenExpired) => {
                // The server's clock decides, not ours: fetch a new one and try once more.
                self.keep_token(None);
                self.send(method, path, body).await
            }
            other => other,
        }
    }

    /// A document that is not JSON.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let token = self.access_token().await?;
        let url = format!("{}{path}", base_url("http", &self.account().server, self.account().pin));
        content(self.shared.http.get(url).bearer_auth(token).send().await).await.map(Vec::from)
    }

    async fn send<T: DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<T, ClientError> {
        let token = self.access_token().await?;
        let url = format!("{}{path}", base_url("http", &self.account().server, self.account().pin));
        let request = self.shared.http.request(method, url).bearer_auth(token);
        decode(request.header("content-type", "application/json").body(body).send().await).await
    }

    fn kept_token(&self) -> Option<FreshToken> {
        self.shared.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn keep_token(&self, token: Option<FreshToken>) {
        *self.shared.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = token;
    }
}

#[derive(Serialize)]
struct Empty {}

fn call_path(cid: &CallId, action: &str) -> String {
    format!("/v1/calls/{}/{}{action}", cid.call_type(), cid.id())
}

/// TLS always, except to a loopback server that has no pin.
fn base_url(scheme: &str, server: &ServerAddress, pin: Option<Pin>) -> String {
    let secure = if pin.is_some() || !server.is_loopback() { "s" } else { "" };
    format!("{scheme}{secure}://{server}")
}

fn http_client(pin: Option<Pin>) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().tcp_nodelay(true);
    if let Some(pin) = pin {
        builder = builder.tls_backend_preconfigured(tls::pinned(pin).as_ref().clone());
    }
    builder.build().map_err(|error| ClientError::Unreachable { why: error.to_string() })
}

async fn decode<T: DeserializeOwned>(sent: Result<reqwest::Response, reqwest::Error>) -> Result<T, ClientError> {
    let body = content(sent).await?;
    let body = if body.is_empty() { b"null".as_slice() } else { &body };
    serde_json::from_slice(body).map_err(unreadable)
}

/// What a request that succeeded brought.
async fn content(sent: Result<reqwest::Response, reqwest::Error>) -> Result<bytes::Bytes, ClientError> {
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
fn unreadable(error: serde_json::Error) -> ClientError {
    ClientError::Unreadable { why: error.to_string() }
}

#[expect(clippy::disallowed_methods, reason = "the age of a token is counted here, at the edge")]
fn now() -> Instant {
    Instant::now()
}
