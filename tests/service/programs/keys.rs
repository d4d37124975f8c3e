//! API keys: made by an admin, bound to scopes and to the permission table, gone when revoked.

use anyhow::{Context as _, Result};
use harness::{Program, service::Service};
use reqwest::Method;
use serde_json::{Value, json};
use wire::{Code, Role, Scope};

/// A key with what the list of keys says of it.
pub(super) async fn key(admin: &Program, body: &Value) -> Result<(String, Value)> {
    let created = admin.post("/v1/api-keys", body).await?.ok()?;
    Ok((created["token"].as_str().context("a token")?.to_owned(), created))
}

#[tokio::test]
async fn a_key_is_shown_once_and_good_until_it_is_revoked() -> Result<()> {
    let mut service = Service::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let (token, created) = key(&admin, &json!({ "name": "Shop", "scopes": ["people-read"] })).await?;
    assert_eq!((&created["user"], &created["last_used_at"]), (&json!("shop"), &Value::Null));
    service.restart().await?;
    let shop = service.program().with_token(&token);
    let people = shop.get("/v1/people").await?.ok()?;
    assert!(people["people"].as_array().is_some_and(|people| people.iter().any(|person| person["id"] == "shop")));
    let admin = service.program_of(&service.admin).await?;
    let listed = admin.get("/v1/api-keys").await?.ok()?;
    assert!(listed[0]["last_used_at"].is_number() && !listed.to_string().contains(&token[20..]), "{listed}");
    let path = format!("/v1/api-keys/{}", created["id"].as_str().context("an id")?);
    admin.ask(Method::DELETE, &path, None).await?.ok()?;
    assert_eq!(shop.get("/v1/people").await?.refusal()?.0, Code::Unauthenticated);
    assert_eq!(
        admin.ask(Method::DELETE, &path, None).await?.refusal()?,
        (Code::InvalidRequest, Some("key".to_owned()))
    );
    service.restart().await?;
    assert_eq!(shop.get("/v1/people").await?.refusal()?.0, Code::Unauthenticated);
    Ok(())
}

#[tokio::test]
async fn only_an_admins_device_makes_keys_and_only_sound_ones() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let good = json!({ "name": "Shop", "scopes": ["ring"] });
    let by_ann = service.program_of(&ann.account).await?.post("/v1/api-keys", &good).await?;
    assert_eq!(by_ann.refusal()?.0, Code::PermissionDenied);
    let all = service.program_with("All", Scope::ALL).await?;
    assert_eq!(all.post("/v1/api-keys", &good).await?.refusal()?.0, Code::PermissionDenied);
    let admin = service.program_of(&service.admin).await?;
    for (body, code, field) in [
        (json!({ "name": "Shop", "scopes": [] }), Code::InvalidRequest, "scopes"),
        (json!({ "name": "Shop", "scopes": ["everything"] }), Code::InvalidRequest, "scopes[0]"),
        (json!({ "name": "", "scopes": ["ring"] }), Code::InvalidRequest, "name"),
        (json!({ "name": "Shop", "scopes": ["ring"], "expires_in_ms": 0 }), Code::InvalidRequest, "expires_in_ms"),
        (json!({ "name": "Shop", "scopes": ["ring"], "user_id": "ann" }), Code::Conflict, "user_id"),
    ] {
        let refused = admin.post("/v1/api-keys", &body).await?.refusal()?;
        assert_eq!(refused, (code, Some(field.to_owned())), "{body}");
    }
    let (token, _) = key(&admin, &json!({ "name": "Brief", "scopes": ["people-read"], "expires_in_ms": 1 })).await?;
    let brief = service.program().with_token(&token);
    harness::eventually(
        "the key expires",
        || async { Ok(brief.get("/v1/people").await?.status.as_u16()) },
        |status| *status == 401,
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_name_and_nothing_that_is_for_devices() -> Result<()> {
    let service = Service::start().await?;
    service.person("ann").await?;
    let paths = [
        (Method::POST, "/v1/calls/default/x", json!({}), Scope::CallsWrite),
        (
            Method::POST,
            "/v1/calls/default/y",
            json!({ "ring": true, "data": { "members": [{ "user": "ann" }] } }),
            Scope::Ring,
        ),
        (Method::GET, "/v1/calls/default/x", Value::Null, Scope::CallsRead),
        (Method::PATCH, "/v1/calls/default/x", json!({ "custom": { "order": 17 } }), Scope::CallsWrite),
        (Method::POST, "/v1/calls/default/y/leave", json!({}), Scope::Ring),
        (Method::POST, "/v1/calls/query", json!({}), Scope::CallsRead),
        (Method::GET, "/v1/history", Value::Null, Scope::CallsRead),
        (Method::GET, "/v1/people", Value::Null, Scope::PeopleRead),
        (Method::PUT, "/v1/people/cem", json!({ "name": "Cem" }), Scope::PeopleWrite),
        (Method::POST, "/v1/people/cem/sign-out", json!({}), Scope::PeopleWrite),
        (Method::POST, "/v1/invites", json!({}), Scope::Invites),
        (Method::GET, "/v1/invites", Value::Null, Scope::Invites),
        (Method::POST, "/v1/calls/default/x/end", json!({}), Scope::CallsWrite),
    ];
    let all = service.program_with("shop", Scope::ALL).await?;
    for (method, path, body, scope) in paths {
        // Another program of the same person, with every scope but the one that is needed.
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
        let without = service.program_with("shop", &others).await?;
        let body = Some(&body).filter(|body| !body.is_null());
        let refused = without.ask(method.clone(), path, body).await?;
        // Making calls is enough to leave one.
        if !path.ends_with("/leave") {
            assert_eq!(refused.refusal()?.0, Code::PermissionDenied, "{method} {path} without {scope:?}");
        }
        all.ask(method.clone(), path, body).await?.ok().with_context(|| format!("{method} {path}"))?;
    }
    for (method, path) in [
        (Method::POST, "/v1/calls/default/x/join"),
        (Method::GET, "/v1/snapshot"),
        (Method::GET, "/v1/devices"),
        (Method::POST, "/v1/missed/seen"),
        (Method::GET, "/v1/socket"),
        (Method::PUT, "/v1/call-types/own"),
        (Method::GET, "/v1/api-keys"),
    ] {
        let refused = all.ask(method, path, Some(&json!({}))).await?.refusal()?;
        assert_eq!(refused.0, Code::PermissionDenied, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_program_is_bound_by_the_permissions_of_whom_it_acts_as() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    service.person_with("gus", Role::Guest, None).await?;
    let call = wire::CallId::new("default", "of-ann")?;
    ann.client.server().get_or_create(&call, &wire::GetOrCreate::default()).await?;
    let shop = service.program_with("shop", Scope::ALL).await?;
    let end = |program: Program| async move { program.post("/v1/calls/default/of-ann/end", &json!({})).await };
    assert_eq!(end(shop.clone()).await?.refusal()?.0, Code::PermissionDenied);
    let as_gus = shop.with("bellbird-on-behalf-of", "gus");
    assert_eq!(as_gus.post("/v1/calls/default/new", &json!({})).await?.refusal()?.0, Code::PermissionDenied);
    end(shop.with("bellbird-on-behalf-of", "ann")).await?.ok()?;
    assert!(ann.client.server().read(&call).await?.call.ended_at.is_some());

    let field = (Code::InvalidRequest, Some("bellbird-on-behalf-of".to_owned()));
    for nobody in ["admin", "nobody", "shop", "not an id"] {
        let refused = shop.with("bellbird-on-behalf-of", nobody).get("/v1/history").await?.refusal()?;
        assert_eq!(refused, field, "{nobody}");
    }
    let plain = service.program_with("plain", &[Scope::CallsRead]).await?;
    let refused = plain.with("bellbird-on-behalf-of", "ann").get("/v1/history").await?.refusal()?;
    assert_eq!(refused.0, Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn a_product_keeps_its_people_but_no_admins() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let shop = service.program_with("shop", &[Scope::PeopleWrite]).await?;
    let put = |user: &str, body: Value| {
        let (shop, path) = (shop.clone(), format!("/v1/people/{user}"));
        async move { shop.ask(Method::PUT, &path, Some(&body)).await }
    };
    put("cem", json!({ "name": "Cem", "teams": ["sales"] })).await?.ok()?;
    put("ann", json!({ "name": "Ann Example" })).await?.ok()?;
    ann.sees("cem, and her own new name", |state| state.people.iter().any(|person| person.id.as_str() == "cem"))
        .await?;
    let snapshot = ann.client.server().snapshot().await?;
    assert_eq!(snapshot.me.name, "Ann Example");
    for (user, body) in [("dee", json!({ "name": "Dee", "role": "admin" })), ("admin", json!({ "name": "Mine now" }))] {
        assert_eq!(put(user, body).await?.refusal()?.0, Code::PermissionDenied, "{user}");
    }
    assert_eq!(put("shop", json!({ "name": "Shop" })).await?.refusal()?.0, Code::Conflict);
    shop.post("/v1/people/ann/sign-out", &json!({})).await?.ok()?;
    let signed_out = call_client::Connection::SignedOut;
    ann.sees("that she is signed out", |state| state.connection == signed_out).await?;
    assert_eq!(shop.post("/v1/people/admin/sign-out", &json!({})).await?.refusal()?.0, Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn a_product_keeps_its_people_as_itself_and_in_nobodys_name() -> Result<()> {
    let service = Service::start().await?;
    service.person("ann").await?;
    let shop = service.program_with("shop", &[Scope::PeopleWrite, Scope::OnBehalf]).await?;
    let for_ann = shop.with("bellbird-on-behalf-of", "ann");
    let field = (Code::InvalidRequest, Some("bellbird-on-behalf-of".to_owned()));
    let put = for_ann.ask(Method::PUT, "/v1/people/cem", Some(&json!({ "name": "Cem" }))).await?;
    assert_eq!(put.refusal()?, field);
    assert_eq!(for_ann.post("/v1/people/ann/sign-out", &json!({})).await?.refusal()?, field);
    let people = service.program_of(&service.admin).await?.get("/v1/people").await?.ok()?;
    assert!(!people.to_string().contains("Cem"), "{people}");
    Ok(())
}
