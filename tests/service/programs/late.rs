//! Bodies that are a while on their way: whoever asks is looked at again when they have come.

use anyhow::{Context as _, Result};
use harness::{Program, service::Service};
use reqwest::Method;
use serde_json::{Value, json};
use wire::{CallId, CreateInvite, Scope};

use super::{
    super::raw::{Answer, Raw},
    keys::key,
};

/// With a key instead of a device's token.
fn with_key(service: &Service, token: &str) -> Raw {
    let mut raw = Raw::stranger(&service.admin);
    raw.token = Some(token.to_owned());
    raw
}

fn code((_, body): &Answer) -> &Value {
    &body["code"]
}

async fn has_call(service: &Service, name: &str) -> Result<bool> {
    Ok(service.admin().await?.client.server().read(&CallId::new("default", name)?).await.is_ok())
}

async fn signs_out(admin: &Program, user: &str) -> Result<()> {
    admin.post(&format!("/v1/people/{user}/sign-out"), &json!({})).await?.ok().map(|_| ())
}

#[tokio::test]
async fn a_key_that_is_revoked_while_a_body_comes_does_nothing_more() -> Result<()> {
    let service = Service::start().await?;
    let admin = service.program_of(&service.admin).await?;
    for (method, path, body) in [
        ("POST", "/v1/calls/default/late", json!({})),
        ("POST", "/v1/calls/query", json!({})),
        ("PUT", "/v1/people/dee", json!({ "name": "Dee" })),
        ("POST", "/v1/invites", json!({})),
    ] {
        let (token, created) = key(&admin, &json!({ "name": "Shop", "scopes": Scope::ALL })).await?;
        let revoked = async {
            let path = format!("/v1/api-keys/{}", created["id"].as_str().context("an id")?);
            admin.ask(Method::DELETE, &path, None).await?.ok().map(|_| ())
        };
        let answer = with_key(&service, &token).ask_while(method, path, &body.to_string(), revoked).await?;
        assert_eq!(code(&answer), "unauthenticated", "{method} {path}: {answer:?}");
    }
    assert!(!has_call(&service, "late").await?);
    let people = admin.get("/v1/people").await?.ok()?;
    assert!(!people.to_string().contains("Dee"), "{people}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_expires_while_a_body_comes_does_nothing_more() -> Result<()> {
    let service = Service::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let brief = json!({ "name": "Brief", "scopes": ["calls-write", "people-read"], "expires_in_ms": 2_000 });
    let (token, _) = key(&admin, &brief).await?;
    let program = service.program().with_token(&token);
    let expired = async {
        let status = || async { Ok(program.get("/v1/people").await?.status.as_u16()) };
        harness::eventually("the key expires", status, |status| *status == 401).await.map(|_| ())
    };
    let answer = with_key(&service, &token).ask_while("POST", "/v1/calls/default/late", "{}", expired).await?;
    assert_eq!(code(&answer), "unauthenticated", "{answer:?}");
    assert!(!has_call(&service, "late").await?);
    Ok(())
}

#[tokio::test]
async fn a_device_that_is_signed_out_while_a_body_comes_does_nothing_more() -> Result<()> {
    let service = Service::start().await?;
    let admin = service.program_of(&service.admin).await?;
    admin.post("/v1/calls/default/open", &json!({})).await?.ok()?;
    for (name, method, path, body) in [
        ("ann", "PUT", "/v1/me/name", json!({ "name": "Gone" })),
        ("ben", "POST", "/v1/calls/default/open/join", json!({})),
        ("cem", "PATCH", "/v1/calls/default/open", json!({ "custom": { "gone": true } })),
    ] {
        let account = service.account(name, CreateInvite::default()).await?;
        let user = json!({ "set": [{ "user": account.user, "role": "host" }] });
        admin.post("/v1/calls/default/open/members", &user).await?.ok()?;
        let out = signs_out(&admin, account.user.as_str());
        let answer = Raw::of(&account).await?.ask_while(method, path, &body.to_string(), out).await?;
        assert_eq!(code(&answer), "unauthenticated", "{method} {path}: {answer:?}");
        assert!(answer.1["media"].is_null());
    }
    let people = admin.get("/v1/people").await?.ok()?;
    assert!(!people.to_string().contains("Gone"), "{people}");
    Ok(())
}

#[tokio::test]
async fn whoever_becomes_an_admin_while_a_body_comes_is_acted_for_no_more() -> Result<()> {
    let service = Service::start().await?;
    service.person("ann").await?;
    let admin = service.program_of(&service.admin).await?;
    let scopes = [Scope::Invites, Scope::CallsWrite, Scope::OnBehalf];
    let (token, _) = key(&admin, &json!({ "name": "Shop", "scopes": scopes })).await?;
    let mut shop = with_key(&service, &token);
    shop.headers = vec!["bellbird-on-behalf-of: ann".to_owned()];
    for (path, body) in [("/v1/invites", json!({ "role": "admin" })), ("/v1/calls/default/late", json!({}))] {
        let is_now = async |role: &str| {
            let body = json!({ "name": "Ann", "role": role });
            admin.ask(Method::PUT, "/v1/people/ann", Some(&body)).await?.ok().map(|_| ())
        };
        is_now("user").await?;
        let answer = shop.ask_while("POST", path, &body.to_string(), is_now("admin")).await?;
        assert_eq!(answer.1["field"], "bellbird-on-behalf-of", "{path}: {answer:?}");
    }
    let invites = admin.get("/v1/invites").await?.ok()?;
    assert!(!invites.to_string().contains("\"role\":\"admin\""), "{invites}");
    assert!(!has_call(&service, "late").await?);
    Ok(())
}
