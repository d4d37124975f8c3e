//! Rings that a program starts: of its own, or for somebody.

use anyhow::{Context as _, Result};
use call_client::{CallingState, EndReason, JoinOptions, Leave, Toggle};
use harness::service::{Service, User};
use serde_json::{Value, json};
use wire::{CallId, Code, Direction, HistoryOutcome, Scope};

fn existing() -> JoinOptions {
    JoinOptions { create: false, video: Toggle::Off }
}

fn ringing(users: &[&User]) -> Value {
    let members: Vec<Value> = users.iter().map(|user| json!({ "user": user.account.user })).collect();
    json!({ "ring": true, "data": { "members": members } })
}

/// A shop, and a customer and an agent who are rung together by it.
async fn rung_together() -> Result<(Service, harness::Program, User, User, CallId)> {
    let service = Service::start().await?;
    let (customer, agent) = (service.person("customer").await?, service.person("agent").await?);
    let shop = service.program_with("shop", &[Scope::Ring, Scope::CallsRead]).await?;
    let created = shop.post("/v1/calls/default/order-17", &ringing(&[&customer, &agent])).await?.ok()?;
    assert_eq!((&created["state"]["ring"]["caller"], &created["created"]), (&json!("shop"), &json!(true)));
    let cid = CallId::new("default", "order-17")?;
    for callee in [&customer, &agent] {
        let call = callee.is_in(&cid, CallingState::Ringing).await?;
        assert_eq!(call.direction, Direction::Incoming);
    }
    Ok((service, shop, customer, agent, cid))
}

#[tokio::test]
async fn a_program_brings_two_people_together_and_is_not_one_of_them() -> Result<()> {
    let (_service, shop, customer, agent, cid) = rung_together().await?;
    for callee in [&customer, &agent] {
        callee.client.join(cid.clone(), existing()).await?;
        callee.is_in(&cid, CallingState::Joined).await?;
    }
    let call = shop.get("/v1/calls/default/order-17").await?.ok()?;
    let there: Vec<&Value> = call["call"]["session"]["participants"]
        .as_array()
        .context("a session")?
        .iter()
        .map(|there| &there["user"])
        .collect();
    assert_eq!(there, [&json!("customer"), &json!("agent")]);
    // R17: two people talk, so the first to leave ends it for the other.
    customer.client.leave(cid.clone(), Leave::Plain).await?;
    let left = agent.is_in(&cid, CallingState::Ended).await?;
    assert_eq!(left.state.reason, Some(EndReason::Ended));
    let history = shop.get("/v1/history").await?.ok()?;
    let line = &history["entries"][0];
    assert_eq!((&line["direction"], &line["outcome"]), (&json!("outgoing"), &json!("answered")), "{line}");
    Ok(())
}

#[tokio::test]
async fn who_was_rung_by_a_program_does_not_wait_alone() -> Result<()> {
    let (_service, _shop, customer, agent, cid) = rung_together().await?;
    customer.client.join(cid.clone(), existing()).await?;
    customer.is_in(&cid, CallingState::Joined).await?;
    agent.client.leave(cid.clone(), Leave::Reject { reason: wire::Reason::Decline, message: None }).await?;
    customer.is_in(&cid, CallingState::Ended).await?;
    Ok(())
}

#[tokio::test]
async fn a_program_cancels_what_it_rang() -> Result<()> {
    let (_service, shop, customer, agent, cid) = rung_together().await?;
    shop.post("/v1/calls/default/order-17/leave", &json!({})).await?.ok()?;
    for callee in [&customer, &agent] {
        assert_eq!(callee.is_in(&cid, CallingState::Left).await?.state.reason, Some(EndReason::Cancelled));
        callee
            .sees("a missed call", |state| {
                state.history.first().is_some_and(|line| line.outcome == HistoryOutcome::Missed && line.unseen)
            })
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn s09_a_customer_for_whom_a_program_rings_comes_in_by_himself() -> Result<()> {
    let service = Service::start().await?;
    let (customer, agent) = (service.person("customer").await?, service.person("agent").await?);
    let shop = service.program_with("shop", &[Scope::Ring, Scope::OnBehalf]).await?;
    let for_customer = shop.with("bellbird-on-behalf-of", "customer");
    for_customer.post("/v1/calls/default/order-17", &ringing(&[&agent])).await?.ok()?;
    let cid = CallId::new("default", "order-17")?;
    let outgoing = customer.is_in(&cid, CallingState::Ringing).await?;
    assert_eq!(outgoing.direction, Direction::Outgoing);
    agent.is_in(&cid, CallingState::Ringing).await?;
    agent.client.join(cid.clone(), existing()).await?;
    for user in [&customer, &agent] {
        user.is_in(&cid, CallingState::Joined).await?;
    }
    Ok(())
}

#[tokio::test]
async fn nobody_is_rung_for_a_customer_who_could_not_come_in() -> Result<()> {
    let service = Service::start().await?;
    let agent = service.person("agent").await?;
    service.account("customer", wire::CreateInvite::default()).await?;
    let shop = service.program_with("shop", &[Scope::Ring, Scope::OnBehalf, Scope::CallsRead]).await?;
    let for_customer = shop.with("bellbird-on-behalf-of", "customer");
    let refused = for_customer.post("/v1/calls/default/order-17", &ringing(&[&agent])).await?.refusal()?;
    assert_eq!(refused.0, Code::Conflict);
    let read = for_customer.get("/v1/calls/default/order-17").await?.refusal()?;
    assert_eq!(read.0, Code::CallNotFound, "and no call is left behind");
    Ok(())
}

#[tokio::test]
async fn programs_are_not_rung() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    service.program_with("shop", &[Scope::Ring]).await?;
    let ring = ann.client.ring(vec!["shop".parse()?], Toggle::Off).await;
    assert_eq!(ring.map(|_| ()).map_err(|error| error.code()), Err(Some(Code::InvalidRequest)));
    Ok(())
}
