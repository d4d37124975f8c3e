//! Tokens of an operator's own, good and bad, against a secret and against a key set that is served on loopback.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header, encode, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use wire::Role;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn now() -> u64 {
    u64::try_from(crate::hub::unix_now().0 / 1000).unwrap()
}

fn claims() -> Value {
    json!({ "sub": "ann", "name": "Ann", "role": "user", "teams": ["sales"], "exp": now() + 600 })
}

fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn sign(claims: &Value, algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn by_secret(claims: &Value) -> String {
    sign(claims, Algorithm::HS256, None, &EncodingKey::from_secret(SECRET.as_bytes()))
}

fn secret_backend() -> OwnBackend {
    OwnBackend { secret: Some(Secret::from(SECRET)), ..OwnBackend::default() }
}

async fn refusal(tokens: &UserTokens, token: &str) -> (Code, String) {
    let error = tokens.check(token).await.unwrap_err();
    (error.code, error.message)
}

#[tokio::test]
async fn a_token_that_wants_more_understood_than_there_is_here_is_refused() {
    let tokens = UserTokens::new(&secret_backend()).unwrap();
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let (code, message) = refusal(&tokens, &token).await;
    assert!(code == Code::Unauthenticated && message.contains("crit"), "{code:?} {message}");
}

#[tokio::test]
async fn a_token_signed_with_the_secret_names_a_person() {
    let tokens = UserTokens::new(&secret_backend()).unwrap();
    let user = tokens.check(&by_secret(&claims())).await.unwrap();
    let expected = User {
        id: "ann".parse().unwrap(),
        name: "Ann".to_owned(),
        role: Role::User,
        teams: ["sales".to_owned()].into(),
    };
    assert_eq!(user, expected);
    let plain = tokens.check(&by_secret(&json!({ "sub": 17, "exp": now() + 60 }))).await.unwrap();
    assert_eq!((plain.id.as_str(), plain.name.as_str(), plain.role), ("17", "17", Role::User));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said() {
    let tokens = UserTokens::new(&secret_backend()).unwrap();
    let other = EncodingKey::from_secret(b"another secret, which is long enough");
    let cases = [
        (by_secret(&with(json!({ "exp": now() - 60 }))), Code::TokenExpired, "fresh"),
        (by_secret(&json!({ "sub": "ann" })), Code::Unauthenticated, "exp"),
        (by_secret(&with(json!({ "nbf": now() + 600 }))), Code::TokenExpired, "not good yet"),
        (by_secret(&with(json!({ "aud": "another-service" }))), Code::Unauthenticated, "audience"),
        (by_secret(&with(json!({ "sub": "a b" }))), Code::Unauthenticated, "user id"),
        (by_secret(&with(json!({ "sub": null }))), Code::Unauthenticated, "sub"),
        (by_secret(&with(json!({ "role": "root" }))), Code::Unauthenticated, "role"),
        (by_secret(&with(json!({ "name": "Ann\u{202e}" }))), Code::Unauthenticated, "name"),
        (by_secret(&with(json!({ "teams": "sales" }))), Code::Unauthenticated, "teams"),
        (sign(&claims(), Algorithm::HS256, None, &other), Code::Unauthenticated, "signature"),
        (sign(&claims(), Algorithm::HS512, None, &other), Code::Unauthenticated, "another way"),
        ("x".repeat(9_000), Code::Unauthenticated, "8 KB"),
        ("a.b.c".to_owned(), Code::Unauthenticated, "not a signed token"),
    ];
    for (token, code, words) in cases {
        let (refused, message) = refusal(&tokens, &token).await;
        assert_eq!(refused, code, "{message}");
        assert!(message.contains(words), "{words:?} is not in {message:?}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_wanted_where_they_are_named() {
    let config = OwnBackend {
        issuer: Some("https://shop.example".to_owned()),
        audience: Some("calls".to_owned()),
        ..secret_backend()
    };
    let tokens = UserTokens::new(&config).unwrap();
    let good = with(json!({ "iss": "https://shop.example", "aud": ["web", "calls"] }));
    tokens.check(&by_secret(&good)).await.unwrap();
    for (bad, words) in [
        (json!({ "iss": "https://shop.example" }), "aud"),
        (json!({ "aud": "calls" }), "iss"),
        (json!({ "iss": "https://other.example", "aud": "calls" }), "issuer"),
        (json!({ "iss": "https://shop.example", "aud": "web" }), "audience"),
    ] {
        let (code, message) = refusal(&tokens, &by_secret(&with(bad))).await;
        assert!(code == Code::Unauthenticated && message.contains(words), "{words}: {message}");
    }
}

#[tokio::test]
async fn claims_may_have_other_names() {
    let mut config = secret_backend();
    config.claims.user = "login".to_owned();
    let tokens = UserTokens::new(&config).unwrap();
    let user = tokens.check(&by_secret(&with(json!({ "sub": "auth0|17", "login": "ann" })))).await.unwrap();
    assert_eq!(user.id.as_str(), "ann");
}

#[test]
fn a_configuration_that_would_let_anybody_in_is_refused() {
    let wrong = |config: OwnBackend| UserTokens::new(&config).err().map(|error| error.to_string()).unwrap_or_default();
    let short = OwnBackend { secret: Some(Secret::from("short")), ..OwnBackend::default() };
    assert!(wrong(short).contains("32 bytes"));
    assert!(wrong(OwnBackend::default()).contains("either"));
    let plain = OwnBackend { jwks_url: "http://shop.example/keys".parse().ok(), ..OwnBackend::default() };
    assert!(wrong(plain).contains("https://"));
    let both = OwnBackend { jwks_url: "https://shop.example/keys".parse().ok(), ..secret_backend() };
    assert!(wrong(both).contains("either"));
    assert!(!format!("{:?}", secret_backend()).contains(SECRET), "a secret is not shown");
}

/// A product that publishes keys, and counts how often they are fetched.
#[derive(Clone, Default)]
struct Product {
    keys: Arc<Mutex<Vec<Value>>>,
    fetches: Arc<AtomicUsize>,
}

impl Product {
    async fn tokens(&self) -> UserTokens {
        let serve = async |State(product): State<Self>| {
            product.fetches.fetch_add(1, Ordering::SeqCst);
            axum::Json(json!({ "keys": *product.keys.lock().unwrap() }))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let router = Router::new().route("/keys", get(serve)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = OwnBackend { jwks_url: url.parse().ok(), ..OwnBackend::default() };
        UserTokens::new(&config).unwrap()
    }

    fn publish(&self, key: Value) {
        self.keys.lock().unwrap().push(key);
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// A private key, and the public one as a product publishes it.
fn pair(algorithm: Algorithm, kid: &str) -> (EncodingKey, Value) {
    let kind = match algorithm {
        Algorithm::RS256 => &PKCS_RSA_SHA256,
        Algorithm::ES256 => &PKCS_ECDSA_P256_SHA256,
        _ => &PKCS_ED25519,
    };
    let pair = KeyPair::generate_for(kind).unwrap();
    let pem = pair.serialize_pem();
    let private = match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()),
    };
    let private = private.unwrap();
    let mut public = match algorithm {
        Algorithm::EdDSA => json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw()),
        }),
        _ => serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap(),
    };
    public["kid"] = kid.into();
    (private, public)
}

#[tokio::test]
async fn published_keys_check_what_their_private_ones_signed() {
    let product = Product::default();
    let ways = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    let pairs = ways.map(|way| pair(way, &format!("{way:?}")));
    pairs.iter().for_each(|(_, public)| product.publish(public.clone()));
    product.publish(json!({ "kty": "unheard of", "kid": "new" }));
    let tokens = product.tokens().await;
    for (way, (private, _)) in ways.iter().zip(&pairs) {
        let named = sign(&claims(), *way, Some(&format!("{way:?}")), private);
        tokens.check(&named).await.unwrap();
        tokens.check(&sign(&claims(), *way, None, private)).await.unwrap();
    }
    assert_eq!(product.fetches(), 1, "keys are kept");
}

#[tokio::test]
async fn unknown_keys_are_fetched_for_once_in_a_while_only() {
    let product = Product::default();
    let (private, public) = pair(Algorithm::EdDSA, "k1");
    product.publish(public);
    let tokens = product.tokens().await;
    let foreign = pair(Algorithm::EdDSA, "k1").0;
    assert!(refusal(&tokens, &sign(&claims(), Algorithm::EdDSA, Some("k1"), &foreign)).await.1.contains("signature"));
    for _ in 0..20 {
        let (code, message) = refusal(&tokens, &sign(&claims(), Algorithm::EdDSA, Some("k2"), &private)).await;
        assert!(code == Code::TokenExpired && message.contains("does not publish"), "{message}");
    }
    assert_eq!(product.fetches(), 1);
}

#[tokio::test]
async fn a_key_never_checks_another_way_of_signing() {
    let product = Product::default();
    let (_, public) = pair(Algorithm::RS256, "rsa");
    let modulus = public["n"].as_str().unwrap().to_owned();
    product.publish(public);
    // A set with a secret in it, by mistake or by an attacker: it checks nothing.
    product.publish(json!({ "kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" }));
    let tokens = product.tokens().await;
    let public_as_secret = EncodingKey::from_secret(modulus.as_bytes());
    let secret = EncodingKey::from_secret(b"secret-secret-secret-secret-secret");
    for (kid, key) in [("rsa", &public_as_secret), ("oct", &secret)] {
        let forged = sign(&claims(), Algorithm::HS256, Some(kid), key);
        assert_eq!(refusal(&tokens, &forged).await.0, Code::Unauthenticated, "{kid}");
    }
    let by_rsa = sign(&claims(), Algorithm::RS256, None, &pair(Algorithm::RS256, "x").0);
    let with_secret = UserTokens::new(&secret_backend()).unwrap();
    assert!(refusal(&with_secret, &by_rsa).await.1.contains("another way"));
    // eyJhbGciOiJub25lIn0 is {"alg":"none"}.
    let body = by_secret(&claims()).split('.').nth(1).unwrap().to_owned();
    for unsigned in [format!("eyJhbGciOiJub25lIn0.{body}."), format!("eyJhbGciOiJub25lIn0.{body}.AAAA")] {
        for tokens in [&tokens, &with_secret] {
            assert_eq!(refusal(tokens, &unsigned).await.0, Code::Unauthenticated);
        }
    }
}

#[tokio::test]
async fn a_product_that_cannot_be_reached_is_not_the_persons_fault() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = OwnBackend { jwks_url: format!("http://{gone}/keys").parse().ok(), ..OwnBackend::default() };
    let tokens = UserTokens::new(&config).unwrap();
    let (private, _) = pair(Algorithm::EdDSA, "k1");
    assert_eq!(refusal(&tokens, &sign(&claims(), Algorithm::EdDSA, Some("k1"), &private)).await.0, Code::Unavailable);
}
