//! How often one device or address may do what costs others: token buckets.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use wire::{Code, ErrorBody};

/// Buckets kept before the full ones are thrown out.
const MOST_BUCKETS: usize = 10_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Attempts to sign in, by address.
    SignIn,
    /// Questions to be let in, by address.
    Ask,
    /// Invites made, by device.
    Invite,
    /// Rings started, by device.
    Ring,
    /// Signs, events and questions, by device.
    Message,
    /// Lists of calls looked through, by person.
    List,
    /// What a device says of itself to everybody who sees its person, by device.
    Presence,
}

impl Limit {
    /// How many at once, and how long until one more may be done.
    fn rate(self, factor: u32) -> (f64, Duration) {
        let (most, per_one) = match self {
            Self::SignIn => (30.0, Duration::from_secs(2)),
            Self::Ask => (5.0, Duration::from_secs(30)),
            Self::Invite => (60.0, Duration::from_secs(5)),
            Self::Ring => (60.0, Duration::from_millis(500)),
            Self::Message => (50.0, Duration::from_millis(100)),
            Self::List => (60.0, Duration::from_millis(200)),
            Self::Presence => (20.0, Duration::from_secs(1)),
        };
        (most * f64::from(factor), per_one / factor)
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The buckets of one server.
#[derive(Debug)]
pub(crate) struct Limits {
    /// How many times as much as usual is allowed.
    factor: u32,
    buckets: Mutex<HashMap<(Limit, String), Bucket>>,
}

impl Limits {
    pub(crate) fn new(factor: NonZeroU32) -> Self {
        Self { factor: factor.get(), buckets: Mutex::default() }
    }

    pub(crate) fn take(&self, limit: Limit, who: &str) -> Result<(), ErrorBody> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut buckets, now(), limit, self.factor, who)
    }
}

fn take(
    buckets: &mut HashMap<(Limit, String), Bucket>,
    now: Instant,
    limit: Limit,
    factor: u32,
    who: &str,
) -> Result<(), ErrorBody> {
    let (most, per_one) = limit.rate(factor);
    let filled = |bucket: &Bucket| {
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() / per_one.as_secs_f64();
        (bucket.left + gained).min(most)
    };
    if buckets.len() >= MOST_BUCKETS {
        buckets.retain(|(kind, _), bucket| *kind != limit || filled(bucket) < most);
    }
    let bucket = buckets.entry((limit, who.to_owned())).or_insert(Bucket { left: most, at: now });
    let left = filled(bucket);
    if left < 1.0 {
        let wait = per_one.mul_f64(1.0 - left);
        let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
        let message = format!("too many attempts: wait {} s and try again", wait.as_secs() + 1);
        return Err(ErrorBody { retry_after_ms: Some(wait_ms), ..ErrorBody::new(Code::RateLimited, message) });
    }
    *bucket = Bucket { left: left - 1.0, at: now };
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "limits are kept at the edge, where requests come in")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_limit_waits_and_one_address_does_not_block_another() {
        let (mut buckets, start) = (HashMap::new(), now());
        for _ in 0..30 {
            take(&mut buckets, start, Limit::SignIn, 1, "a").unwrap();
        }
        let refusal = take(&mut buckets, start, Limit::SignIn, 1, "a").unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(2000)));
        take(&mut buckets, start, Limit::SignIn, 1, "b").unwrap();
        take(&mut buckets, start + Duration::from_secs(2), Limit::SignIn, 1, "a").unwrap();
    }

    #[test]
    fn an_operator_may_allow_more() {
        let (mut buckets, start) = (HashMap::new(), now());
        for _ in 0..60 {
            take(&mut buckets, start, Limit::SignIn, 2, "a").unwrap();
        }
        let refusal = take(&mut buckets, start, Limit::SignIn, 2, "a").unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(1000)));
    }
}
