//! `Idempotency-Key`: what is asked for again with the same key is done once.

use anyhow::{Context as _, Result};
use call_client::CallingState;
use harness::{
    Answer, Program,
    service::{Service, User},
};
use serde_json::{Value, json};
use wire::{CallId, Code, Scope};

async fn shop(service: &Service) -> Result<Program> {
    service.program_with("shop", &[Scope::Ring, Scope::CallsWrite]).await
}

fn ringing(user: &User, order: u32) -> Value {
    json!({ "ring": true, "data": { "members": [{ "user": user.account.user }], "custom": { "order": order } } })
}

async fn ring(program: &Program, key: &str, body: &Value) -> Result<Answer> {
    program.with("idempotency-key", key).post("/v1/calls/default/order", body).await
}

/// How many rings somebody has had, of which each is one line of his history.
async fn rings_of(service: &Service, user: &User) -> Result<usize> {
    let history = service.program_of(&user.account).await?.get("/v1/history").await?.ok()?;
    let lines = history["entries"].as_array().context("a history")?.iter();
    Ok(lines.filter(|line| line["cid"] == "default:order").count())
}

/// Every ring is over and in the history.
async fn all_over(service: &Service, program: &Program, ben: &User) -> Result<usize> {
    program.post("/v1/calls/default/order/leave", &json!({})).await?.ok()?;
    rings_of(service, ben).await
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_answered_the_same_and_done_once() -> Result<()> {
    let mut service = Service::start().await?;
    let ben = service.person("ben").await?;
    let shop = shop(&service).await?;
    let first = ring(&shop, "k1", &ringing(&ben, 17)).await?.ok()?;
    assert_eq!(ring(&shop, "k1", &ringing(&ben, 17)).await?.ok()?, first);
    service.restart().await?;
    assert_eq!(ring(&shop, "k1", &ringing(&ben, 17)).await?.ok()?, first, "also after a restart");
    let field = Some("idempotency-key".to_owned());
    assert_eq!(ring(&shop, "k1", &ringing(&ben, 18)).await?.refusal()?, (Code::Conflict, field.clone()));
    let elsewhere = shop.with("idempotency-key", "k1").post("/v1/calls/default/other", &ringing(&ben, 17)).await?;
    assert_eq!(elsewhere.refusal()?, (Code::Conflict, field.clone()));
    for bad in ["", "a b", &"x".repeat(256)] {
        assert_eq!(ring(&shop, bad, &ringing(&ben, 17)).await?.refusal()?, (Code::InvalidRequest, field.clone()));
    }
    assert_eq!(all_over(&service, &shop, &ben).await?, 1);
    Ok(())
}

#[tokio::test]
async fn another_key_and_another_program_ring_again() -> Result<()> {
    let service = Service::start().await?;
    let ben = service.person("ben").await?;
    let (one, two) = (shop(&service).await?, shop(&service).await?);
    let ring_id = |answer: Value| answer["state"]["ring"]["id"].clone();
    let first = ring_id(ring(&one, "k1", &ringing(&ben, 17)).await?.ok()?);
    let second = ring_id(ring(&one, "k2", &ringing(&ben, 17)).await?.ok()?);
    let third = ring_id(ring(&two, "k1", &ringing(&ben, 17)).await?.ok()?);
    assert!(first != second && second != third && first != third);
    assert_eq!(all_over(&service, &two, &ben).await?, 3);
    Ok(())
}

#[tokio::test]
async fn many_at_the_same_time_ring_once() -> Result<()> {
    let service = Service::start().await?;
    let ben = service.person("ben").await?;
    let shop = shop(&service).await?;
    let asked = (0..20).map(|_| {
        let (shop, body) = (shop.clone(), ringing(&ben, 17));
        tokio::spawn(async move { ring(&shop, "k1", &body).await?.ok() })
    });
    let mut answers = Vec::new();
    for answer in asked.collect::<Vec<_>>() {
        answers.push(answer.await??);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all");
    ben.is_in(&CallId::new("default", "order")?, CallingState::Ringing).await?;
    assert_eq!(all_over(&service, &shop, &ben).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_not_kept() -> Result<()> {
    let service = Service::start().await?;
    let shop = shop(&service).await?;
    let body = json!({ "ring": true, "data": { "members": [{ "user": "ben" }] } });
    assert_eq!(ring(&shop, "k1", &body).await?.refusal()?.0, Code::InvalidRequest);
    let ben = service.person("ben").await?;
    ring(&shop, "k1", &body).await?.ok()?;
    ben.is_in(&CallId::new("default", "order")?, CallingState::Ringing).await?;
    Ok(())
}

#[tokio::test]
async fn asking_again_costs_nothing_of_the_limit() -> Result<()> {
    let service = Service::start().await?;
    let ben = service.person("ben").await?;
    let shop = shop(&service).await?;
    let first = ring(&shop, "k1", &ringing(&ben, 17)).await?.ok()?;
    let unanswered = json!({ "ring": true, "data": { "members": [{ "user": "nobody" }] } });
    let spend = || async { Ok(shop.post("/v1/calls/default/none", &unanswered).await?.refusal()?.0) };
    harness::eventually("no ring is left", spend, |code| *code == Code::RateLimited).await?;
    // More than the limit lets through at once.
    for _ in 0..100 {
        assert_eq!(ring(&shop, "k1", &ringing(&ben, 17)).await?.ok()?, first);
    }
    Ok(())
}

/// The server ends without a word while the request is on its way; whoever heard nothing asks again.
#[tokio::test]
async fn a_crash_rings_nobody_twice() -> Result<()> {
    let mut service = Service::start().await?;
    let ben = service.person("ben").await?;
    let shop = shop(&service).await?;
    for round in 0..5 {
        let (key, body, asking) = (format!("k{round}"), ringing(&ben, round), shop.clone());
        let lost = tokio::spawn({
            let (key, body) = (key.clone(), body.clone());
            async move { ring(&asking, &key, &body).await }
        });
        // From before it is sent to after it is answered: a little later each time.
        for _ in 0..round * 20 {
            tokio::task::yield_now().await;
        }
        service.restart().await?;
        let heard = lost.await?.ok().and_then(|answer| answer.ok().ok());
        let again = ring(&shop, &key, &body).await?.ok()?;
        if let Some(heard) = heard {
            assert_eq!(heard, again);
        }
    }
    assert_eq!(all_over(&service, &shop, &ben).await?, 5);
    Ok(())
}
