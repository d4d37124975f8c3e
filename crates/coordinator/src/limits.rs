//! How often one device or address may do what costs others: token buckets.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use wire::{Code, ErrorBody};

/// Buckets kept before the full ones are thrown out for the first time.
const MOST_BUCKETS: usize = 10_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Attempts to sign in, by site.
    SignIn,
    /// Questions to be let in, by site.
    Ask,
    /// Invites made, by device.
    Invite,
    /// Rings started, by device.
    Ring,
    /// Calls made, or asked for as if they were to be made, without ringing anybody; by device.
    Make,
    /// Signs, events and questions, by device.
    Message,
    /// Changes of a call, which everybody in it is told of, by device.
    Change,
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
            // A program may plan a month at once.
            Self::Make => (300.0, Duration::from_secs(1)),
            Self::Message => (50.0, Duration::from_millis(100)),
            // A program may put a whole school into its classes.
            Self::Change => (300.0, Duration::from_millis(50)),
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
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    known: HashMap<(Limit, String), Bucket>,
    /// So many are looked through for full ones: twice as many as were left by the last look, so that it costs each
    /// bucket little however many there are.
    look_at: usize,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { known: HashMap::new(), look_at: MOST_BUCKETS }
    }
}

impl Bucket {
    fn filled(&self, now: Instant, limit: Limit, factor: u32) -> f64 {
        let (most, per_one) = limit.rate(factor);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() / per_one.as_secs_f64();
        (self.left + gained).min(most)
    }
}

impl Limits {
    pub(crate) fn new(factor: NonZeroU32) -> Self {
        Self { factor: factor.get(), buckets: Mutex::default() }
    }

    pub(crate) fn take(&self, limit: Limit, who: &str) -> Result<(), ErrorBody> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut buckets, now(), limit, self.factor, who)
    }

    /// Whether the next one may be taken; it is not.
    pub(crate) fn has_left(&self, limit: Limit, who: &str) -> Result<(), ErrorBody> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.known.get(&(limit, who.to_owned()));
        known.map_or(Ok(()), |bucket| enough(bucket.filled(now(), limit, self.factor), limit, self.factor))
    }
}

fn take(buckets: &mut Buckets, now: Instant, limit: Limit, factor: u32, who: &str) -> Result<(), ErrorBody> {
    if buckets.known.len() >= buckets.look_at {
        buckets.known.retain(|(kind, _), bucket| bucket.filled(now, *kind, factor) < kind.rate(factor).0);
        buckets.look_at = MOST_BUCKETS.max(2 * buckets.known.len());
    }
    let fresh = || Bucket { left: limit.rate(factor).0, at: now };
    let bucket = buckets.known.entry((limit, who.to_owned())).or_insert_with(fresh);
    let left = bucket.filled(now, limit, factor);
    enough(left, limit, factor)?;
    *bucket = Bucket { left: left - 1.0, at: now };
    Ok(())
}

fn enough(left: f64, limit: Limit, factor: u32) -> Result<(), ErrorBody> {
    if left >= 1.0 {
        return Ok(());
    }
    let wait = limit.rate(factor).1.mul_f64(1.0 - left);
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
    let message = format!("too many attempts: wait {} s and try again", wait.as_secs() + 1);
    Err(ErrorBody { retry_after_ms: Some(wait_ms), ..ErrorBody::new(Code::RateLimited, message) })
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
        let (mut buckets, start) = (Buckets::default(), now());
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
        let (mut buckets, start) = (Buckets::default(), now());
        for _ in 0..60 {
            take(&mut buckets, start, Limit::SignIn, 2, "a").unwrap();
        }
        let refusal = take(&mut buckets, start, Limit::SignIn, 2, "a").unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(1000)));
    }

    #[test]
    fn what_is_full_again_is_forgotten_whatever_it_limits() {
        let (mut buckets, start) = (Buckets::default(), now());
        for who in 0..MOST_BUCKETS {
            let limit = if who % 2 == 0 { Limit::SignIn } else { Limit::Message };
            take(&mut buckets, start, limit, 1, &who.to_string()).unwrap();
        }
        take(&mut buckets, start + Duration::from_millis(200), Limit::Ring, 1, "ann").unwrap();
        assert_eq!((buckets.known.len(), buckets.look_at), (MOST_BUCKETS / 2 + 1, MOST_BUCKETS));
    }

    #[test]
    fn who_has_nothing_left_is_known_before_anything_is_done_for_him() {
        let limits = Limits::new(NonZeroU32::MIN);
        for _ in 0..30 {
            limits.has_left(Limit::SignIn, "a").unwrap();
            limits.take(Limit::SignIn, "a").unwrap();
        }
        assert_eq!(limits.has_left(Limit::SignIn, "a").unwrap_err().code, Code::RateLimited);
        limits.has_left(Limit::SignIn, "b").unwrap();
    }
}
