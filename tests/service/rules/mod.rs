//! Section 3 of the calling model, rule by rule.

mod answers;
mod ends;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use call_client::{CallView, CallingState, EndReason, JoinOptions, Leave, RingWish, Toggle};
use harness::{
    eventually,
    service::{Service, User},
    stays,
};
use serde_json::json;
use wire::{
    CallData, CallId, Code, Direction, GetOrCreate, HistoryOutcome, Join, MemberData, Outcome, Reason, Reject,
    RingMembers, UpdateMembers, UserId,
};

const ACCEPT: JoinOptions = JoinOptions { create: false, video: Toggle::Off };

fn ids(users: &[&User]) -> Vec<UserId> {
    users.iter().map(|user| user.account.user.clone()).collect()
}

/// Ann rings some people; answers the call once everybody's device shows it.
async fn rings(ann: &User, others: &[&User]) -> Result<CallId> {
    let cid = ann.client.ring(ids(others), Toggle::Off).await?;
    ann.is_in(&cid, CallingState::Ringing).await?;
    for other in others {
        other.is_in(&cid, CallingState::Ringing).await?;
    }
    Ok(cid)
}

/// Rings that last the shortest time there is.
async fn rings_briefly(ann: &User, ben: &User) -> Result<CallId> {
    let cid: CallId = "default:brief".parse()?;
    let members = vec![MemberData { user: ben.account.user.clone(), role: None, custom: wire::Custom::new() }];
    let data = CallData { members, settings: Some(json!({"ring": {"timeout_ms": 5_000}})), ..CallData::default() };
    ann.client.get_or_create(cid.clone(), GetOrCreate { ring: true, data, ..GetOrCreate::default() }).await?;
    ann.is_in(&cid, CallingState::Ringing).await?;
    Ok(cid)
}

fn outcome_of(call: &CallView, user: &User) -> Option<Outcome> {
    let targets = call.ring.as_ref().map(|ring| ring.targets.as_slice()).unwrap_or_default();
    targets.iter().find(|target| target.user == user.account.user).map(|target| target.outcome)
}

fn no() -> Leave {
    Leave::Reject { reason: Reason::Decline, message: None }
}

async fn missed(user: &User, count: usize) -> Result<()> {
    let is_missed = |state: &call_client::ClientState| {
        let missed = state.history.iter().filter(|entry| entry.outcome == HistoryOutcome::Missed && entry.unseen);
        missed.count() == count
    };
    user.sees("the missed calls", is_missed).await?;
    Ok(())
}
