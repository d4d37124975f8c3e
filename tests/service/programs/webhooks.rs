//! Webhooks: what happens is told, signed, once at least, in spite of receivers that fail and a server that crashes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use call_client::{CallingState, JoinOptions, Leave, Toggle};
use coordinator::Reach;
use harness::{
    Delivery, Mood, Program, Receiver,
    service::{Service, User},
};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use reqwest::Method;
use serde_json::{Value, json};
use wire::{CallId, Code, Reason, Scope};

async fn service() -> Result<Service> {
    Service::start_with(|config| config.webhooks = Reach::Anywhere).await
}

async fn register(program: &Program, receiver: &Receiver, events: &[&str]) -> Result<Value> {
    program.post("/v1/webhooks", &json!({ "url": receiver.url(), "events": events })).await?.ok()
}

fn path(hook: &Value, rest: &str) -> String {
    format!("/v1/webhooks/{}{rest}", hook["id"].as_str().unwrap_or_default())
}

async fn rings(ann: &User, ben: &User) -> Result<CallId> {
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&cid, CallingState::Ringing).await?;
    Ok(cid)
}

/// By another library than the server's, over exactly what came.
fn is_signed(delivery: &Delivery, secret: &str) -> bool {
    let key = DecodingKey::from_base64_secret(secret.trim_start_matches("whsec_")).expect("base64");
    let message = format!("{}.{}.{}", delivery.id, delivery.timestamp, delivery.body);
    let signature = delivery.signature.trim_start_matches("v1,").trim_end_matches('=');
    let signature = signature.replace('+', "-").replace('/', "_");
    crypto::verify(&signature, message.as_bytes(), &key, Algorithm::HS256).unwrap_or(false)
}

#[tokio::test]
async fn a_call_is_told_from_its_making_to_its_end_in_order_and_signed() -> Result<()> {
    let service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let receiver = Receiver::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let hook = admin.post("/v1/webhooks", &json!({ "url": receiver.url() })).await?.ok()?;
    let cid = rings(&ann, &ben).await?;
    ben.client.join(cid.clone(), JoinOptions { create: false, video: Toggle::Off }).await?;
    for user in [&ann, &ben] {
        user.is_in(&cid, CallingState::Joined).await?;
    }
    ben.client.leave(cid.clone(), Leave::Plain).await?;
    let told = receiver.hears("the end", |came| came.iter().any(|one| one.kind() == "call.ended")).await?;
    let kinds: Vec<String> = told.iter().map(Delivery::kind).collect();
    let expected = [
        "call.created",
        "ring.started",
        "ring.answered",
        "ring.ended",
        "call.started",
        "participant.joined",
        "participant.joined",
        "participant.left",
        "participant.left",
        "call.ended",
    ];
    assert_eq!(kinds, expected);
    let answered = told[2].event();
    assert_eq!((&answered["user"], &answered["ring"]["caller"]), (&json!("ben"), &json!("ann")));
    assert_eq!((&told[5].event()["user"], &told[6].event()["user"]), (&json!("ben"), &json!("ann")));
    assert!(told[9].event()["duration_ms"].is_number());
    let secret = hook["secret"].as_str().context("a secret")?;
    for delivery in &told {
        assert_eq!(delivery.event()["id"], delivery.id.as_str());
        assert_eq!(delivery.event()["cid"], cid.as_str());
        assert!(is_signed(delivery, secret), "{delivery:?}");
        let forged = Delivery { body: format!("{} ", delivery.body), ..delivery.clone() };
        assert!(!is_signed(&forged, secret));
    }
    let listed = admin.get("/v1/webhooks").await?.ok()?;
    assert!(!listed.to_string().contains(secret), "the secret is shown once");
    Ok(())
}

#[tokio::test]
async fn only_what_was_asked_for_is_told_with_reason_and_words() -> Result<()> {
    let service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let receiver = Receiver::start().await?;
    let admin = service.program_of(&service.admin).await?;
    register(&admin, &receiver, &["ring.declined", "ring.missed"]).await?;
    let declined = rings(&ann, &ben).await?;
    let words = Some("in a meeting".to_owned());
    ben.client.leave(declined, Leave::Reject { reason: Reason::Decline, message: words }).await?;
    receiver.hears("the decline", |came| came.len() == 1).await?;
    let missed = rings(&ann, &ben).await?;
    ann.client.leave(missed, Leave::Plain).await?;
    let told = receiver.hears("the missed call", |came| came.len() == 2).await?;
    assert_eq!(receiver.kinds(), ["ring.declined", "ring.missed"]);
    let event = told[0].event();
    assert_eq!((&event["reason"], &event["message"]), (&json!("decline"), &json!("in a meeting")));
    assert_eq!(told[1].event()["reason"], "cancel");
    Ok(())
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_also_after_a_crash() -> Result<()> {
    let mut service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let receiver = Receiver::start().await?;
    receiver.is_now(Mood::Status(503));
    let admin = service.program_of(&service.admin).await?;
    let hook = register(&admin, &receiver, &["ring.started"]).await?;
    rings(&ann, &ben).await?;
    let first = receiver.hears("two attempts", |came| came.len() >= 2).await?;
    assert!(first.iter().all(|one| one.id == first[0].id && one.body == first[0].body), "{first:?}");
    service.restart().await?;
    receiver.is_now(Mood::Status(200));
    let before = receiver.deliveries().len();
    receiver.hears("one more", |came| came.len() > before).await?;
    let admin = service.program_of(&service.admin).await?;
    let look = || async {
        let page = admin.get(&path(&hook, "/deliveries")).await?.ok()?;
        Ok(page["deliveries"][0].clone())
    };
    let is_delivered = |delivery: &Value| delivery["state"] == "delivered";
    let delivery = harness::eventually("it is delivered", look, is_delivered).await?;
    assert!(delivery["attempts"].as_u64() >= Some(2) && delivery["last_result"] == "HTTP 200", "{delivery}");
    assert_eq!(delivery["event"]["id"], first[0].id.as_str());
    let hooks = admin.get("/v1/webhooks").await?.ok()?;
    assert_eq!(hooks[0]["failing_since"], Value::Null, "a success ends the failure");
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_neither_rings_nor_other_receivers() -> Result<()> {
    let service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let (silent, quick) = (Receiver::start().await?, Receiver::start().await?);
    silent.is_now(Mood::Silent);
    let admin = service.program_of(&service.admin).await?;
    register(&admin, &silent, &["ring.started"]).await?;
    register(&admin, &quick, &["ring.started", "ring.ended"]).await?;
    let begun = Instant::now();
    for _ in 0..3 {
        let cid = rings(&ann, &ben).await?;
        ann.client.leave(cid.clone(), Leave::Plain).await?;
        ben.is_in(&cid, CallingState::Left).await?;
    }
    quick.hears("everything", |came| came.len() == 6).await?;
    // A receiver has ten seconds to answer; nothing has waited for that.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(silent.deliveries().len(), 1, "one at a time");
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_no_more_until_it_is_enabled_again() -> Result<()> {
    let service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let receiver = Receiver::start().await?;
    receiver.is_now(Mood::Status(410));
    let admin = service.program_of(&service.admin).await?;
    let hook = register(&admin, &receiver, &["ring.started"]).await?;
    rings(&ann, &ben).await?;
    let look = || async { Ok(admin.get("/v1/webhooks").await?.ok()?[0].clone()) };
    let disabled = harness::eventually("it is disabled", look, |hook| hook["disabled"].is_object()).await?;
    assert!(disabled["disabled"]["reason"].as_str().is_some_and(|reason| reason.contains("410")), "{disabled}");
    rings(&ann, &ben).await?;
    receiver.is_now(Mood::Status(200));
    let enabled = admin.post(&path(&hook, "/enable"), &json!({})).await?.ok()?;
    assert_eq!(enabled["disabled"], Value::Null);
    let told = receiver.hears("what was not taken", |came| came.len() == 2).await?;
    assert_eq!(told[0].id, told[1].id);
    rings(&ann, &ben).await?;
    let told = receiver.hears("the next ring", |came| came.len() == 3).await?;
    assert_ne!(told[2].id, told[1].id);
    let page = admin.get(&path(&hook, "/deliveries?limit=1")).await?.ok()?;
    assert_eq!(page["deliveries"][0]["event"]["id"], told[2].id.as_str());
    let next = page["next"].as_i64().context("a second page")?;
    let page = admin.get(&path(&hook, &format!("/deliveries?before={next}"))).await?.ok()?;
    assert_eq!(page["deliveries"][0]["event"]["id"], told[0].id.as_str());
    admin.ask(Method::DELETE, &path(&hook, ""), None).await?.ok()?;
    assert_eq!(admin.get("/v1/webhooks").await?.ok()?, json!([]));
    Ok(())
}

#[tokio::test]
async fn hooks_are_for_admins_and_programs_and_lead_outside_only() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let admin = service.program_of(&service.admin).await?;
    let outside = json!({ "url": "https://shop.example/hook" });
    let refused = service.program_of(&ann.account).await?.post("/v1/webhooks", &outside).await?.refusal()?;
    assert_eq!(refused.0, Code::PermissionDenied);
    for (body, field) in [
        (json!({ "url": "https://127.0.0.1/hook" }), "url"),
        (json!({ "url": "http://shop.example/hook" }), "url"),
        (json!({ "url": "https://shop.example/hook", "events": [] }), "events"),
        (json!({ "url": "https://shop.example/hook", "events": ["ring.everything"] }), "events[0]"),
        (json!({ "url": "https://shop.example/hook", "secret": "short" }), "secret"),
    ] {
        let refused = admin.post("/v1/webhooks", &body).await?.refusal()?;
        assert_eq!(refused, (Code::InvalidRequest, Some(field.to_owned())), "{body}");
    }
    let of_admin = admin.post("/v1/webhooks", &outside).await?.ok()?;
    let body = json!({ "name": "Shop", "scopes": ["webhooks", "on-behalf"] });
    let key = admin.post("/v1/api-keys", &body).await?.ok()?;
    let shop = service.program().with_token(key["token"].as_str().context("a token")?);
    let of_shop = shop.post("/v1/webhooks", &outside).await?.ok()?;
    assert_eq!(shop.get("/v1/webhooks").await?.ok()?.as_array().map(Vec::len), Some(1), "its own");
    let not_its_own = shop.ask(Method::DELETE, &path(&of_admin, ""), None).await?.refusal()?;
    assert_eq!(not_its_own, (Code::InvalidRequest, Some("hook".to_owned())));
    let for_ann = shop.with(wire::ON_BEHALF_OF, "ann").post("/v1/webhooks", &outside).await?.refusal()?;
    assert_eq!(for_ann, (Code::InvalidRequest, Some(wire::ON_BEHALF_OF.to_owned())));
    let revoke = format!("/v1/api-keys/{}", key["id"].as_str().context("an id")?);
    admin.ask(Method::DELETE, &revoke, None).await?.ok()?;
    let hooks = admin.get("/v1/webhooks").await?.ok()?;
    let disabled = hooks.as_array().into_iter().flatten().find(|hook| hook["id"] == of_shop["id"]);
    let reason = disabled.and_then(|hook| hook["disabled"]["reason"].as_str());
    assert!(reason.is_some_and(|reason| reason.contains("revoked")), "{hooks}");
    Ok(())
}

#[tokio::test]
async fn a_server_has_a_hundred_hooks_however_many_ask_at_the_same_time() -> Result<()> {
    let service = service().await?;
    let admin = service.program_of(&service.admin).await?;
    let asked = (0..130).map(|number| {
        let (admin, url) = (admin.clone(), format!("http://127.0.0.1:9/{number}"));
        tokio::spawn(async move { admin.post("/v1/webhooks", &json!({ "url": url })).await })
    });
    let mut made = 0;
    for answer in asked.collect::<Vec<_>>() {
        let answer = answer.await??;
        if answer.status.is_success() {
            made += 1;
        } else {
            assert_eq!(answer.refusal()?.0, Code::Conflict);
        }
    }
    let listed = admin.get("/v1/webhooks").await?.ok()?;
    assert_eq!((made, listed.as_array().map(Vec::len)), (100, Some(100)));
    Ok(())
}

#[tokio::test]
async fn a_program_needs_the_scope() -> Result<()> {
    let service = service().await?;
    let receiver = Receiver::start().await?;
    let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Webhooks).collect();
    let shop = service.program_with("shop", &others).await?;
    let refused = shop.post("/v1/webhooks", &json!({ "url": receiver.url() })).await?.refusal()?;
    assert_eq!(refused.0, Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn a_program_whose_key_has_expired_is_told_no_more() -> Result<()> {
    let service = service().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let receiver = Receiver::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let wish = json!({ "name": "Shop", "scopes": ["webhooks"], "expires_in_ms": 2_000 });
    let key = admin.post("/v1/api-keys", &wish).await?.ok()?;
    let shop = service.program().with_token(key["token"].as_str().context("a token")?);
    register(&shop, &receiver, &["ring.started"]).await?;
    let is_over = || async { Ok(shop.get("/v1/webhooks").await?.status.as_u16()) };
    harness::eventually("the key expires", is_over, |status| *status == 401).await?;
    rings(&ann, &ben).await?;
    let listed = || async { admin.get("/v1/webhooks").await?.ok() };
    let is_disabled =
        |hooks: &Value| hooks[0]["disabled"]["reason"].as_str().is_some_and(|why| why.contains("expired"));
    harness::eventually("the hook is disabled", listed, is_disabled).await?;
    assert!(receiver.kinds().is_empty());
    Ok(())
}
