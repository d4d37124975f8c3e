//! Whoever sees what devices show, and says what must not be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use call_client::{CallView, CallingState};
use harness::service::User;
use wire::{CallId, DeviceId, Outcome, RingId, UserId};

/// A ring may sound this long beyond its deadline: a second, and what a busy machine adds.
const MAY_LAST: i64 = 2_500;
/// How often a device is looked at that has no news: time alone must end what rings.
const LOOK: Duration = Duration::from_millis(200);

/// A ring somebody was told of.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) cid: CallId,
    pub(super) caller: Option<UserId>,
    /// By this machine's clock, as the first device that heard of it worked it out.
    ends_at: i64,
    pub(super) outcomes: BTreeMap<UserId, Outcome>,
}

#[derive(Debug, Default)]
struct Seen {
    rings: BTreeMap<RingId, Told>,
    /// What has rung on a device and does not any more.
    over: BTreeSet<(DeviceId, RingId)>,
    ringing: BTreeSet<(DeviceId, RingId)>,
    broken: BTreeSet<String>,
}

/// What was seen by all devices together.
#[derive(Debug, Default)]
pub(super) struct Witness {
    seen: Mutex<Seen>,
}

impl Witness {
    /// Looks at a device for as long as it lives.
    pub(super) async fn watch(&self, user: &User) {
        let mut states = user.client.state();
        loop {
            let state = states.borrow_and_update().clone();
            for call in &state.calls {
                self.look(&user.account.device, call);
            }
            if let Ok(Err(_)) = tokio::time::timeout(LOOK, states.changed()).await {
                return;
            }
        }
    }

    fn look(&self, device: &DeviceId, call: &CallView) {
        let Some(ring) = &call.ring else { return };
        let now = now();
        let mut guard = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = &mut *guard;
        let told = seen.rings.entry(ring.id.clone()).or_insert_with(|| Told {
            cid: call.cid.clone(),
            caller: call.caller.clone(),
            ends_at: ring.ends_at.0,
            outcomes: BTreeMap::new(),
        });
        for target in ring.targets.iter().filter(|target| target.outcome != Outcome::Ringing) {
            let known = *told.outcomes.entry(target.user.clone()).or_insert(target.outcome);
            if known != target.outcome {
                let (user, outcome) = (&target.user, target.outcome);
                seen.broken.insert(format!("{} of {user} was {known:?} and is now {outcome:?}", ring.id));
            }
        }
        let here = (device.clone(), ring.id.clone());
        match call.state.calling_state {
            CallingState::Ringing => {
                if now > told.ends_at + MAY_LAST {
                    let late = now - told.ends_at;
                    seen.broken.insert(format!("{} rings on {device} {} s after its deadline", ring.id, late / 1000));
                }
                if seen.over.contains(&here) {
                    seen.broken.insert(format!("{} rings on {device} again", ring.id));
                }
                seen.ringing.insert(here);
            }
            // A join that failed rings again (R3).
            CallingState::Joining => {}
            CallingState::Idle
            | CallingState::Joined
            | CallingState::Reconnecting
            | CallingState::Left
            | CallingState::Ended => {
                if seen.ringing.remove(&here) {
                    seen.over.insert(here);
                }
            }
        }
    }

    /// Every ring anybody was told of.
    pub(super) fn rings(&self) -> Vec<(RingId, Told)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.rings.iter().map(|(id, told)| (id.clone(), told.clone())).collect()
    }

    /// Nothing was seen that must not be.
    pub(super) fn is_content(&self) -> Result<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(seen.broken.is_empty(), "{:#?}", seen.broken);
        Ok(())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
