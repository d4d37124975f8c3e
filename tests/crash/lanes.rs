//! Requests without a pause and without a device that shows anything: each answer of the server is a promise, written down
//! before the next request goes out. A kill meets writes by the dozen, and what was promised is on the disk or it is not.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use call_client::Rest;
use rand::{Rng as _, rngs::StdRng};
use tokio::sync::watch;
use wire::{CallData, CallId, Custom, GetOrCreate, Join, Leave, MemberData, Outcome, Reason, Reject, RingId, UserId};

/// Between two attempts while the server is away.
const AWAY: Duration = Duration::from_millis(20);
/// So many promises before a kill may still have been on their way to the disk, and many times more.
const LAST: usize = 100;

/// What an answer said: there is this ring, and how it has ended, if it has.
#[derive(Debug)]
pub(super) struct Promise {
    cid: CallId,
    ring: RingId,
    outcome: Option<Outcome>,
}

/// Everything promised to one caller since the server was killed last.
pub(super) struct Promises {
    caller: Rest,
    made: Mutex<Vec<Promise>>,
}

impl Promises {
    pub(super) fn to(caller: Rest) -> Self {
        Self { caller, made: Mutex::default() }
    }

    fn add(&self, cid: &CallId, ring: &RingId, outcome: Option<Outcome>) {
        let promise = Promise { cid: cid.clone(), ring: ring.clone(), outcome };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
    }

    /// The server is gone: those are looked at that it made last.
    pub(super) fn of_the_last_moments(&self) -> Vec<Promise> {
        let mut made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        made.split_off(made.len().saturating_sub(LAST))
    }

    /// Every promise is kept; says how many there were.
    pub(super) async fn are_kept(&self, promises: &[Promise]) -> Result<usize> {
        for Promise { cid, ring, outcome } in promises {
            let call = self.caller.read(cid).await.with_context(|| format!("{cid} was promised"))?;
            let stored = call.ring.with_context(|| format!("{ring} of {cid} was promised, and there is no ring"))?;
            anyhow::ensure!(stored.id == *ring, "{ring} of {cid} was promised, and {} is stored", stored.id);
            let is = stored.targets.first().map(|target| target.outcome);
            anyhow::ensure!(outcome.is_none() || is == *outcome, "{ring}: promised {outcome:?}, stored {is:?}");
        }
        Ok(promises.len())
    }
}

/// Rings, answers and hangs up as fast as the server answers.
pub(super) async fn hurry(
    promises: &Promises,
    ben: &Rest,
    callee: &UserId,
    mut random: StdRng,
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let mut number = 0;
    while !*stop.borrow() {
        number += 1;
        let cid: CallId = format!("default:lane-{callee}-{number}").parse()?;
        if one(promises, ben, &cid, callee, &mut random).await.is_none() {
            tokio::time::sleep(AWAY).await;
        }
    }
    Ok(())
}

/// One ring; ends at the first request that is not answered.
async fn one(promises: &Promises, ben: &Rest, cid: &CallId, callee: &UserId, random: &mut StdRng) -> Option<()> {
    let ann = &promises.caller;
    let member = MemberData { user: callee.clone(), role: None, custom: Custom::new() };
    let data = CallData { members: vec![member], ..CallData::default() };
    let made = ann.get_or_create(cid, &GetOrCreate { ring: true, data, ..GetOrCreate::default() }).await.ok()?;
    let ring = made.state.ring?.id;
    promises.add(cid, &ring, None);
    match random.random_range(0..3) {
        0 => {
            ben.join(cid, &Join { ring: Some(ring.clone()), ..Join::default() }).await.ok()?;
            promises.add(cid, &ring, Some(Outcome::Accepted));
        }
        1 => {
            let reject = Reject { ring: ring.clone(), reason: Reason::Decline, message: None };
            ben.reject(cid, &reject).await.ok()?;
            promises.add(cid, &ring, Some(Outcome::Declined));
        }
        _ => {
            ann.leave(cid, &Leave { ring: Some(ring.clone()), session: None }).await.ok()?;
            promises.add(cid, &ring, Some(Outcome::Cancelled));
        }
    }
    ben.leave(cid, &Leave::default()).await.ok()
}
