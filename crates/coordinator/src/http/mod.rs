//! The HTTP interface: one file a resource; who asks is known before a handler runs.

mod asker;
mod call_types;
mod calls;
mod devices;
mod door;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod invites;
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
mod strict;
mod webhooks;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{
        self, ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, path::ErrorKind, rejection::PathRejection,
    },
    http::{Method, request::Parts},
    middleware::from_fn_with_state,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
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
    visitors::{Visit, site},
    vitals::Vitals,
    webhooks::{Outbox, Reach},
};
use asker::{OnCall, SignedIn};
pub(crate) use operations::Pulse;
pub(crate) use refusal::Refusal;
use strict::Strict;

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
    pub(crate) vitals: Vitals,
    /// Devices that were connected when the server was told to stop.
    pub(crate) devices_at_end: OnceLock<u32>,
    /// Pictures that may be decoded at the same time.
    pub(crate) decoding: Arc<Semaphore>,
    /// Pictures that may be on their way in at the same time.
    pub(crate) uploading: Semaphore,
    /// People are changed by others one after the other: what each may do is looked at before.
    pub(crate) changing_people: Semaphore,
    /// Call types are changed one after the other: the last one stored is the one that holds.
    pub(crate) changing_types: Semaphore,
    /// Sockets of devices, until each has said good-bye.
    pub(crate) sockets: TaskTracker,
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
        .merge(invites::router())
        .merge(devices::router())
        .merge(door::router())
        .merge(profile::router())
        .merge(calls::router())
        .merge(moderation::router())
        .merge(lists::router())
        .merge(call_types::router())
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
        .method_not_allowed_fallback(refusal::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&app), operations::observe))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

/// Where a request comes from.
pub(crate) struct From {
    address: IpAddr,
    visit: Option<Visit>,
}

impl From {
    /// What limits count by.
    fn site(&self) -> String {
        site(self.address).to_string()
    }

    /// Whoever asked has shown in the body who he is.
    fn is_known(&self) {
        if let Some(visit) = &self.visit {
            visit.is_known();
        }
    }
}

impl FromRequestParts<App> for From {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let info = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        let address = info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
        Ok(Self { address, visit: parts.extensions.get::<Visit>().cloned() })
    }
}

/// A part of the path, with the error body of this interface when it cannot be one.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let found = extract::Path::<T>::from_request_parts(parts, app).await;
        found.map(|extract::Path(part)| Self(part)).map_err(|error| {
            let field = match &error {
                PathRejection::FailedToDeserializePathParams(error) => match error.kind() {
                    ErrorKind::InvalidUtf8InPathParam { key } => key.clone(),
                    // What is read as something else than text is an id.
                    _ => "id".to_owned(),
                },
                _ => "path".to_owned(),
            };
            ErrorBody::invalid(&field, format!("this part of the path is none ({})", error.body_text())).into()
        })
    }
}

/// The query, with the error body of this interface when it does not fit.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let reader =
            serde_urlencoded::Deserializer::new(form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()));
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let name = error.path().to_string();
            let field = if error.path().iter().len() == 0 { "query" } else { name.as_str() };
            ErrorBody::invalid(field, format!("this is no {field} that can be read: {}", error.inner())).into()
        })
    }
}

/// JSON in, with the error body of this interface when it does not fit.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: extract::Request, app: &App) -> Result<Self, Refusal> {
        let puts = [Method::PUT, Method::PATCH].contains(request.method());
        let bytes = read(app, request, &JSON).await?;
        if puts && bytes.is_empty() {
            // Nothing would stand for "everything as it is by default" here, and change what was there.
            return Err(ErrorBody::invalid("body", "this request takes a JSON object, and nothing was sent").into());
        }
        parse(&bytes).map(Self).map_err(Refusal::from)
    }
}

/// What a body is called when it is refused, how large it may be in words, and how long it may take.
struct BodyRule {
    field: &'static str,
    most: &'static str,
    within: Duration,
}

/// Deepest nesting of a body: readers of what is kept of it, in lists and snapshots, follow 128 levels (`serde_json`).
const MAX_DEPTH: usize = 32;

const JSON: BodyRule = BodyRule { field: "body", most: "64 KB", within: Duration::from_secs(20) };

/// The body, when it has come, of somebody who is still good then.
async fn read(app: &App, request: extract::Request, rule: &BodyRule) -> Result<Bytes, Refusal> {
    let asker = request.extensions().get::<SignedIn>().cloned();
    let bytes = receive(request, rule).await?;
    if let Some(asker) = asker {
        asker.is_still_good(app).await?;
    }
    Ok(bytes)
}

async fn receive(request: extract::Request, rule: &BodyRule) -> Result<Bytes, Refusal> {
    let why = match timeout(rule.within, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(error)) => format!("cannot be read ({}); {} at most", error.body_text(), rule.most),
        Err(_) => format!("did not come within {} s: try again", rule.within.as_secs()),
    };
    Err(ErrorBody::invalid(rule.field, format!("what was sent {why}")).into())
}

/// The request in a body, or the refusal that names the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ErrorBody> {
    let text = if bytes.is_empty() { b"{}".as_slice() } else { bytes };
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(ErrorBody::invalid("body", "the body is not what this request takes: a JSON object"));
    }
    let unfit = |what: &str| ErrorBody::invalid("body", format!("the body is not what this request takes: {what}"));
    let text = str::from_utf8(text).map_err(|_| unfit("JSON is UTF-8"))?;
    if nests_deeper_than(text, MAX_DEPTH) {
        return Err(unfit(&format!("lists and objects may be in each other {MAX_DEPTH} deep at most")));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let request = serde_path_to_error::deserialize(Strict(&mut reader)).map_err(|error| {
        // What is no JSON at all has no fields.
        let is_whole = error.inner().is_syntax() || error.inner().is_eof() || error.path().iter().len() == 0;
        let why = error.inner().to_string();
        let field = match missing_field(&why) {
            Some(missing) if error.path().iter().len() == 0 => missing.to_owned(),
            Some(missing) => format!("{}.{missing}", error.path()),
            None if is_whole => "body".to_owned(),
            None => error.path().to_string(),
        };
        ErrorBody::invalid(&field, format!("the body is not what this request takes: {why}"))
    })?;
    reader.end().map_err(|error| unfit(&format!("something comes after it ({error})")))?;
    Ok(request)
}

/// The field that is not there, in the words of serde, which names the object around it as the place.
fn missing_field(why: &str) -> Option<&str> {
    why.strip_prefix("missing field `")?.split_once('`').map(|(field, _)| field)
}

/// Whether lists and objects of a JSON text are in each other deeper than this. What is no JSON may be taken for deeper or
/// flatter than it is.
fn nests_deeper_than(text: &str, most: usize) -> bool {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// JSON out.
pub(crate) fn json<T: Serialize>(value: T) -> axum::Json<T> {
    axum::Json(value)
}

#[cfg(test)]
mod tests {
    use axum::{body, extract::Request};
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_body_is_one_json_object_of_bounded_depth() {
        let says = |body: &[u8]| parse::<serde_json::Value>(body).map_err(|refusal| refusal.message);
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(says(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(says(br#"{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"{{"} "#).is_ok(), "text may say anything");
        for (body, why) in [
            (nested(MAX_DEPTH + 1).as_bytes(), "32 deep"),
            (nested(100_000).as_bytes(), "32 deep"),
            (b"{} trailing", "something comes after it"),
            (b"{}{}", "something comes after it"),
            (b"{\"x\":\"\xff\"}", "UTF-8"),
            (b"[]", "a JSON object"),
        ] {
            let message = says(body).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn a_list_is_no_object_at_any_depth_and_its_field_is_named() {
        let field = |body: &str| parse::<wire::GetOrCreate>(body.as_bytes()).map_err(|refusal| refusal.field.unwrap());
        for (body, named) in [
            (r#"{"data":[]}"#, "data"),
            (r#"{"data":{"members":[["ben","host"]]}}"#, "data.members[0]"),
            (r#"{"data":{"members":[{"user":"ben","custom":[]}]}}"#, "data.members[0].custom"),
            (r#"{"data":{"members":{}}}"#, "data.members"),
        ] {
            assert_eq!(field(body).unwrap_err(), named, "{body}");
        }
        let sound = r#"{"ring":true,"data":{"members":[{"user":"ben","custom":{"a":[1,{}]}}],"settings":null}}"#;
        assert_eq!(field(sound).unwrap().data.members.len(), 1);
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        fn named<T: DeserializeOwned>(body: &str) -> Option<String> {
            parse::<T>(body.as_bytes()).err().and_then(|refusal| refusal.field)
        }
        assert_eq!(named::<wire::BlockUser>("{}").as_deref(), Some("user"));
        assert_eq!(named::<wire::BlockUser>("").as_deref(), Some("user"));
        let members = r#"{"data":{"members":[{"user":"ann"},{"role":"host"}]}}"#;
        assert_eq!(named::<wire::GetOrCreate>(members).as_deref(), Some("data.members[1].user"));
        assert_eq!(named::<wire::BlockUser>(r#"{"user":"missing field `x`"}"#).as_deref(), Some("user"));
        assert_eq!(named::<wire::BlockUser>(r#"{"user""#).as_deref(), Some("body"));
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_is_too_large_is_refused_by_its_name() {
        let never = body::Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let large = body::Body::from(vec![b'x'; MAX_BODY_BYTES + 1]);
        let (soon, late) = (Duration::from_millis(20), Duration::from_secs(3600));
        for (body, within, says) in [(never, soon, "did not come"), (large, late, "64 KB at most")] {
            let mut request = Request::new(body);
            DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
            let refusal = receive(request, &BodyRule { within, ..JSON }).await.unwrap_err().into_body();
            assert!(refusal.field.as_deref() == Some("body") && refusal.message.contains(says), "{refusal:?}");
        }
    }
}
