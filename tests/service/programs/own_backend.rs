//! People of an existing product sign devices in with the product's tokens.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result};
use call_client::{Account, CallingState, Client, ClientError, Connection, Refresh, Rest, Toggle, sign_in_by_token};
use coordinator::OwnBackend;
use harness::service::{Service, User};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use wire::{Code, Renewal, Role};

const SECRET: &str = "the product shares this with the server";

fn token(claims: &Value) -> Result<String> {
    Ok(encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}

/// Good for ten minutes from now, or until ten minutes ago.
fn claims(user: &str, from_now: i64) -> Value {
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs().cast_signed());
    json!({ "sub": user, "name": user.to_uppercase(), "exp": now + from_now })
}

async fn service(renew: Renewal) -> Result<Service> {
    let sign_in = OwnBackend { secret: Some(SECRET.into()), renew, ..OwnBackend::default() };
    Service::start_with(|config| config.sign_in = Some(sign_in)).await
}

/// A device of a person of the product, signed in with the real client.
async fn account(service: &Service, user: &str) -> Result<Account> {
    let server = service.admin.server.clone();
    Ok(sign_in_by_token(&server, None, token(&claims(user, 600))?, "laptop".to_owned()).await?)
}

async fn person(service: &Service, user: &str) -> Result<User> {
    User::connect(account(service, user).await?).await
}

#[tokio::test]
async fn people_of_a_product_ring_each_other_without_an_invite() -> Result<()> {
    let service = service(Renewal::Secret).await?;
    let (ann, ben) = (person(&service, "ann").await?, person(&service, "ben").await?);
    assert_eq!((ann.account.name.as_str(), ann.state().me.role), ("ANN", Role::User));
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&cid, CallingState::Ringing).await?;
    let again = person(&service, "ben").await?;
    assert_ne!(again.account.device, ben.account.device, "a second device of the same person");
    again.is_in(&cid, CallingState::Ringing).await?;
    Ok(())
}

#[tokio::test]
async fn bad_tokens_are_refused_and_make_nobody() -> Result<()> {
    let service = service(Renewal::Secret).await?;
    let server = service.program();
    let with = |token: String| json!({ "user_token": token, "device_name": "laptop" });
    let field = Some("user_token".to_owned());
    let old = server.post("/v1/devices", &with(token(&claims("eve", -600))?)).await?;
    assert_eq!(old.refusal()?, (Code::TokenExpired, field.clone()));
    let foreign = encode(&Header::default(), &claims("eve", 600), &EncodingKey::from_secret(b"not the product's"))?;
    assert_eq!(server.post("/v1/devices", &with(foreign)).await?.refusal()?, (Code::Unauthenticated, field));
    let admin = service.admin().await?;
    assert!(admin.client.server().snapshot().await?.people.is_empty());
    let without = Service::start().await?;
    let refused = without.program().post("/v1/devices", &with(token(&claims("ann", 600))?)).await?;
    assert_eq!(refused.refusal()?.0, Code::InvalidRequest);
    Ok(())
}

#[tokio::test]
async fn where_the_operator_says_so_a_fresh_token_renews_and_nothing_else() -> Result<()> {
    let mut service = service(Renewal::Token).await?;
    let server = service.program();
    let body = json!({ "user_token": token(&claims("ann", 600))?, "device_name": "laptop" });
    let signed_in = server.post("/v1/devices", &body).await?.ok()?;
    assert_eq!(signed_in["renewal"], "token");
    let renew = |user_token: Option<String>| {
        json!({
            "device": signed_in["device"], "refresh_secret": signed_in["refresh_secret"], "user_token": user_token,
        })
    };
    service.restart().await?;
    let wanted = (Code::TokenExpired, Some("user_token".to_owned()));
    assert_eq!(server.post("/v1/token", &renew(None)).await?.refusal()?, wanted);
    let old = renew(Some(token(&claims("ann", -600))?));
    assert_eq!(server.post("/v1/token", &old).await?.refusal()?, wanted);
    let of_another = renew(Some(token(&claims("ben", 600))?));
    assert_eq!(server.post("/v1/token", &of_another).await?.refusal()?.0, Code::Unauthenticated);

    let mut promoted = claims("ann", 600);
    promoted["role"] = "admin".into();
    promoted["name"] = "Ann the First".into();
    let access = server.post("/v1/token", &renew(Some(token(&promoted)?))).await?.ok()?;
    let ann = server.with_token(access["token"].as_str().context("a token")?);
    let me = ann.get("/v1/snapshot").await?.ok()?;
    assert_eq!((&me["me"]["role"], &me["me"]["name"]), (&json!("admin"), &json!("Ann the First")));
    Ok(())
}

#[tokio::test]
async fn the_client_asks_the_product_for_a_fresh_token_when_the_server_wants_one() -> Result<()> {
    let mut service = service(Renewal::Token).await?;
    let account = account(&service, "ann").await?;
    let without = Rest::new(account.clone())?.snapshot().await.map(|_| ());
    assert_eq!(without.map_err(|error| error.code()), Err(Some(Code::TokenExpired)));
    let mute = Rest::refreshing(account.clone(), Refresh::new(|| async { None }))?;
    assert!(matches!(mute.snapshot().await, Err(ClientError::Refused(refusal)) if refusal.code == Code::TokenExpired));

    let asked = Arc::new(AtomicUsize::new(0));
    let refresh = Refresh::new({
        let asked = Arc::clone(&asked);
        move || {
            asked.fetch_add(1, Ordering::SeqCst);
            async { token(&claims("ann", 600)).ok() }
        }
    });
    let client = Client::start_refreshing(account.clone(), None, refresh)?;
    let ann = User { account, client };
    ann.sees("the snapshot", |state| state.connection == Connection::Online).await?;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // The token lasts over a restart; nothing is asked of the product that is not needed.
    service.restart().await?;
    ann.client.server().snapshot().await?;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    Ok(())
}
