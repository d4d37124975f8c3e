//! People who ring each other without a pause, whatever happens to the server.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use call_client::{CallView, CallingState, ClientState, JoinOptions, Leave, Toggle};
use harness::service::User;
use rand::{Rng as _, rngs::StdRng};
use serde_json::json;
use tokio::{sync::watch, time::timeout};
use wire::{CallData, CallId, Custom, Direction, GetOrCreate, MemberData, Reason};

/// The shortest ring there is.
pub(super) const RING: Duration = Duration::from_secs(5);
/// How long a caller waits for an answer before he gives up, at most; a third of them wait until the deadline and beyond.
const PATIENCE: Duration = Duration::from_millis(3_000);
const BEYOND: Duration = Duration::from_millis(RING.as_millis() as u64 + 2_000);

/// Rings somebody, again and again: each time in a call of its own, so that each ring can be asked for afterwards.
pub(super) async fn calls(ann: &User, ben: &User, mut random: StdRng, stop: watch::Receiver<bool>) -> Result<()> {
    let mut number = 0;
    while !*stop.borrow() {
        number += 1;
        let cid: CallId = format!("default:{}-{number}", ann.account.user).parse()?;
        let member = MemberData { user: ben.account.user.clone(), role: None, custom: Custom::new() };
        let settings = json!({"ring": {"timeout_ms": RING.as_millis() as u64}});
        let data = CallData { members: vec![member], settings: Some(settings), ..CallData::default() };
        let rang = ann.client.get_or_create(cid.clone(), GetOrCreate { ring: true, data, ..GetOrCreate::default() });
        // Without an answer the ring may have been made or not; either way it is found out by what devices show.
        if rang.await.is_ok() {
            let patience = if random.random_bool(0.33) { BEYOND } else { PATIENCE.mul_f64(random.random()) };
            let answered = until(ann, patience, |state| stands(state, &cid) != Some(CallingState::Ringing)).await;
            if answered {
                tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
            }
            ann.client.leave(cid, Leave::Plain).await?;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(10..150))).await;
    }
    Ok(())
}

/// Answers what rings: yes, no, or not at all.
pub(super) async fn answers(ben: &User, mut random: StdRng, mut stop: watch::Receiver<bool>) -> Result<()> {
    let mut passed_over = None;
    loop {
        let is_new = |call: &&CallView| {
            call.state.calling_state == CallingState::Ringing
                && call.direction == Direction::Incoming
                && call.ring.as_ref().map(|ring| &ring.id) != passed_over.as_ref()
        };
        let mut states = ben.client.state();
        let state: Arc<ClientState> = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            state = states.wait_for(|state| state.calls.iter().any(|call| is_new(&call))) => state?.clone(),
        };
        let Some(call) = state.calls.iter().find(is_new) else { continue };
        let cid = call.cid.clone();
        let think = Duration::from_millis(random.random_range(0..300));
        if until(ben, think, |state| stands(state, &cid) != Some(CallingState::Ringing)).await {
            continue;
        }
        match random.random_range(0..10) {
            0..5 => {
                // A join that fails because the server is away rings again, and is answered again.
                _ = ben.client.join(cid.clone(), JoinOptions { create: false, video: Toggle::Off }).await;
                if random.random_bool(0.5) {
                    until(ben, Duration::from_millis(300), |state| stands(state, &cid).is_none_or(is_out)).await;
                    ben.client.leave(cid, Leave::Plain).await?;
                }
            }
            5..8 => {
                let message = Some("in a meeting".to_owned());
                ben.client.leave(cid, Leave::Reject { reason: Reason::Decline, message }).await?;
            }
            _ => passed_over = call.ring.as_ref().map(|ring| ring.id.clone()),
        }
    }
}

fn stands(state: &ClientState, cid: &CallId) -> Option<CallingState> {
    state.calls.iter().find(|call| call.cid == *cid).map(|call| call.state.calling_state)
}

fn is_out(state: CallingState) -> bool {
    matches!(state, CallingState::Idle | CallingState::Left | CallingState::Ended)
}

/// Whether a device comes to show something in time.
async fn until(user: &User, patience: Duration, is: impl Fn(&ClientState) -> bool) -> bool {
    let mut states = user.client.state();
    timeout(patience, states.wait_for(|state| is(state))).await.is_ok_and(|state| state.is_ok())
}
