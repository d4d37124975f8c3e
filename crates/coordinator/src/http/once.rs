//! `Idempotency-Key`: a request that comes again with the same key is answered as it was the first time, and does nothing.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use wire::{CallId, CallState, Code, ErrorBody, GetOrCreated, UnixMillis};

use super::{App, JSON, Refusal, asker::single, json, parse, read};
use crate::{
    hub::{Authority, Caller, unix_now},
    limits::Limit,
    programs::{KEPT, KeptAnswer, RepeatId},
};

/// The header by which a request says that it may come again.
pub(super) const KEY: &str = "idempotency-key";
/// On an answer that was kept.
const REPLAYED: &str = "idempotent-replayed";
const LONGEST_KEY: usize = 255;

/// JSON in, and the key by which it may come again.
pub(super) struct Repeatable<T> {
    pub(super) body: T,
    pub(super) repeat: Option<Repeat>,
}

/// The key of a request, and what it is the key of.
pub(super) struct Repeat {
    key: String,
    request_hash: String,
}

impl<T: DeserializeOwned> FromRequest<App> for Repeatable<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let key = single(request.headers(), KEY)?.map(|value| value.to_str().map(str::to_owned));
        let mut hash = Sha256::new();
        hash.update(request.method().as_str());
        hash.update([0]);
        hash.update(request.uri().path());
        hash.update([0]);
        let bytes: Bytes = read(app, request, &JSON).await?;
        hash.update(&bytes);
        let is_sound =
            |key: &String| (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        let repeat = match key {
            None => None,
            Some(key) => {
                let rule = || ErrorBody::invalid(KEY, "a key has 1 to 255 visible ASCII characters");
                let key = key.ok().filter(is_sound).ok_or_else(rule)?;
                Some(Repeat { key, request_hash: URL_SAFE_NO_PAD.encode(hash.finalize()) })
            }
        };
        Ok(Self { body: parse(&bytes)?, repeat })
    }
}

/// What is answered about a call: some answers say which news they are newer than.
pub(super) trait Dated {
    fn date(&mut self, revision: u64);
}

impl Dated for GetOrCreated {
    fn date(&mut self, revision: u64) {
        self.revision = revision;
    }
}

impl Dated for CallState {
    fn date(&mut self, _: u64) {}
}

/// Has something decided about a call: once for each key, however often it is asked for. What is kept costs nothing of the
/// limit: whoever asks again until he hears the answer would be kept from it by asking.
pub(super) async fn once<T: Dated + Serialize + Send + 'static>(
    app: &App,
    who: &Caller,
    repeat: Option<Repeat>,
    limit: Limit,
    cid: CallId,
    decide: impl FnOnce(&mut Authority, UnixMillis) -> Result<T, ErrorBody> + Send + 'static,
) -> Result<Response, Refusal> {
    let Some(Repeat { key, request_hash }) = repeat else {
        app.limits.take(limit, who.device.as_str())?;
        let (mut answer, revision) = app.hub.decide_at(cid, decide).await?;
        answer.date(revision);
        return Ok(json(answer).into_response());
    };
    let of = RepeatId { owner: format!("{}/{}", who.user, who.device), key };
    let turn = app.repeats.turn(&of).await;
    let since = UnixMillis(unix_now().0 - KEPT.as_millis() as i64);
    if let Some(kept) = app.store.kept_answer(&of, since).await.map_err(ErrorBody::from)? {
        if kept.request_hash != request_hash {
            let message = "this key was used for another request: use a new one for each";
            let body = ErrorBody { field: Some(KEY.to_owned()), ..ErrorBody::new(Code::Conflict, message) };
            return Err(body.into());
        }
        return Ok(([(CONTENT_TYPE, "application/json")], [(REPLAYED, "true")], kept.body).into_response());
    }
    app.limits.take(limit, who.device.as_str())?;
    let decided = app.hub.decide_at(cid, move |authority, now| {
        let answer = decide(authority, now)?;
        let body = serde_json::to_string(&answer).expect("answers are plain data");
        authority.keep_answer(KeptAnswer { of, request_hash, body, created_at: now });
        // The turn goes with the answer, which waits for the store: it ends then, whether anybody still listens or not.
        Ok((turn, answer))
    });
    let ((_turn, mut answer), revision) = decided.await?;
    answer.date(revision);
    Ok(json(answer).into_response())
}
