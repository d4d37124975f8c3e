//! The public keys of an operator's product: fetched from its URL, kept, and fetched again when a token names an unknown
//! one.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::redirect::Policy;
use tokio::sync::{mpsc, oneshot};
use url::Url;
use wire::{Code, ErrorBody};

use super::{not_yet, refused};

/// Between two attempts to fetch, however many tokens name unknown keys.
const PAUSE: Duration = Duration::from_secs(30);
/// Keys are fetched again after this time, so that one that was withdrawn is trusted no longer…
const FRESH: Duration = Duration::from_secs(3600);
/// …and are good for this long if the product cannot be reached.
const USABLE: Duration = Duration::from_secs(24 * 3600);
const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 256 * 1024;
/// Who waits for a fetch; when full, the others wait for a place.
const WAITING: usize = 64;

/// The keys of one URL.
pub(super) struct KeySet {
    known: Arc<RwLock<Known>>,
    wishes: mpsc::Sender<oneshot::Sender<()>>,
}

#[derive(Default)]
struct Known {
    keys: Vec<PublicKey>,
    fetched_at: Option<Instant>,
}

/// A key and the one way of signing it checks.
pub(super) struct PublicKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl KeySet {
    /// Keys are fetched when the first token comes.
    pub(super) fn start(url: Url) -> Result<Self, String> {
        let is_loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() != "https" && !is_loopback {
            return Err("the jwks_url must begin with https://: whoever can change the keys can be anybody".to_owned());
        }
        let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build();
        let http = http.map_err(|error| format!("no HTTP client could be made ({error})"))?;
        let known = Arc::new(RwLock::new(Known::default()));
        let (wishes, queue) = mpsc::channel(WAITING);
        tokio::spawn(fetch_on_demand(http, url, Arc::clone(&known), queue));
        Ok(Self { known, wishes })
    }

    /// The key that a token names, and the way of signing it checks.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<(DecodingKey, Algorithm), ErrorBody> {
        if let Some(found) = self.look(kid, algorithm, FRESH) {
            return Ok(found);
        }
        let (done, fetched) = oneshot::channel();
        if self.wishes.send(done).await.is_ok() {
            _ = fetched.await;
        }
        self.look(kid, algorithm, USABLE).ok_or_else(|| {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.fetched_at.is_none() {
                let message = "the keys of your product cannot be fetched now: try again in a minute";
                return ErrorBody::new(Code::Unavailable, message);
            }
            let why = "it is signed with a key that your product does not publish";
            // The product may have begun to sign with it a moment ago: its keys are fetched twice a minute at most.
            let is_public = !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
            let may_come = is_public && kid.is_some() && known.keys.iter().all(|key| key.kid.as_deref() != kid);
            if may_come { not_yet(why) } else { refused(why) }
        })
    }

    fn look(&self, kid: Option<&str>, algorithm: Algorithm, age: Duration) -> Option<(DecodingKey, Algorithm)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.fetched_at.filter(|at| now().saturating_duration_since(*at) < age)?;
        let mut fitting = known.keys.iter().filter(|key| key.algorithm == algorithm);
        let found = match kid {
            Some(_) => fitting.find(|key| key.kid.as_deref() == kid),
            // Without a name there must be no choice.
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        found.map(|key| (key.key.clone(), key.algorithm))
    }
}

async fn fetch_on_demand(
    http: reqwest::Client,
    url: Url,
    known: Arc<RwLock<Known>>,
    mut wishes: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut attempted: Option<Instant> = None;
    while let Some(done) = wishes.recv().await {
        if attempted.is_none_or(|at| now().saturating_duration_since(at) >= PAUSE) {
            attempted = Some(now());
            match fetch(&http, url.clone()).await {
                Ok(keys) => {
                    tracing::info!(keys = keys.len(), "fetched the keys of the operator's product");
                    let fresh = Known { keys, fetched_at: attempted };
                    *known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                }
                Err(error) => tracing::warn!(error, "the keys of the operator's product cannot be fetched"),
            }
        }
        _ = done.send(());
    }
}

async fn fetch(http: &reqwest::Client, url: Url) -> Result<Vec<PublicKey>, String> {
    let response = http.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let mut response = response.map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err("the answer is larger than 256 KB".to_owned());
        }
    }
    parse(&body)
}

/// The keys of a set that check one of the three ways of signing; others are passed over, as RFC 7517 asks for.
pub(super) fn parse(body: &[u8]) -> Result<Vec<PublicKey>, String> {
    #[derive(serde::Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(body).map_err(|error| format!("the answer is not a key set ({error})"))?;
    let keys = set.keys.into_iter().filter_map(|key| public_key(&serde_json::from_value(key).ok()?));
    Ok(keys.collect())
}

/// A key checks the one way of signing its kind allows, and never what its token asks for.
fn public_key(jwk: &Jwk) -> Option<PublicKey> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::OctetKey(_) => return None,
    };
    let is_for_signing = jwk.common.public_key_use.as_ref().is_none_or(|wanted| *wanted == PublicKeyUse::Signature);
    if !is_for_signing || jwk.common.key_algorithm.is_some_and(|wanted| wanted != name) {
        return None;
    }
    Some(PublicKey { kid: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

#[expect(clippy::disallowed_methods, reason = "keys age by the clock; this is the driver that fetches them")]
fn now() -> Instant {
    Instant::now()
}
