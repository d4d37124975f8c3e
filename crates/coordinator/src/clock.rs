//! The clocks of the server: the wall's, and a steady one for everything that is decided, which no hand sets back.

use std::{
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use wire::UnixMillis;

/// A clock that has run ahead of the wall's gives back one part of its time in so many.
const GIVES_BACK: u32 = 100;

/// Follows the wall's clock forward at once, as after a sleep, and back so slowly that no deadline feels it: set back by an
/// hour, the wall's clock would let a ring live an hour longer.
#[derive(Debug)]
struct Steady {
    shown: Duration,
    at: Instant,
}

impl Steady {
    /// Since 1970, by a wall's clock that shows `wall` now.
    fn now(&mut self, wall: Duration, now: Instant) -> Duration {
        let gone = now.saturating_duration_since(self.at);
        let straight = self.shown + gone;
        let given_back = straight.saturating_sub(wall).min(gone / GIVES_BACK);
        self.shown = straight.saturating_sub(given_back).max(wall);
        self.at = self.at.max(now);
        self.shown
    }
}

/// Now, for what is decided and stored: never earlier than it was before in this process.
pub(crate) fn steady_now() -> UnixMillis {
    static STEADY: LazyLock<Mutex<Steady>> = LazyLock::new(|| Mutex::new(Steady { shown: wall(), at: instant() }));
    millis(STEADY.lock().unwrap_or_else(PoisonError::into_inner).now(wall(), instant()))
}

/// Now by the wall's clock, for what others compare with theirs.
pub(crate) fn unix_now() -> UnixMillis {
    millis(wall())
}

fn millis(since: Duration) -> UnixMillis {
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the clock itself")]
fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the clock itself")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_wall_clock_that_is_set_back_holds_no_deadline_up() {
        let (noon, start) = (secs(12 * HOUR), instant());
        let mut steady = Steady { shown: noon, at: start };
        assert_eq!(steady.now(noon + secs(10), start + secs(10)), noon + secs(10));
        let set_back = noon - secs(HOUR);
        let mut before = noon + secs(10);
        for second in 11..=60 {
            let now = steady.now(set_back + secs(second), start + secs(second));
            assert!(now > before, "it goes on");
            before = now;
        }
        assert!(before >= noon + secs(59), "a ring of 45 s ends in time: {before:?}");
        let later = steady.now(set_back + secs(200 * HOUR), start + secs(200 * HOUR));
        assert_eq!(later, set_back + secs(200 * HOUR), "it comes back to the wall's in the end");
    }

    #[test]
    fn a_wall_clock_that_is_set_forward_is_followed_at_once() {
        let (noon, start) = (secs(12 * HOUR), instant());
        let mut steady = Steady { shown: noon, at: start };
        // The machine slept for an hour, and its own clock with it.
        assert_eq!(steady.now(noon + secs(HOUR), start + secs(1)), noon + secs(HOUR));
        assert_eq!(steady.now(noon + secs(HOUR) + secs(1), start + secs(2)), noon + secs(HOUR) + secs(1));
    }

    #[test]
    fn what_two_threads_read_at_once_goes_back_for_neither() {
        let (noon, start) = (secs(12 * HOUR), instant());
        let mut steady = Steady { shown: noon, at: start };
        let now = steady.now(noon + secs(2), start + secs(2));
        assert_eq!(steady.now(noon + secs(1), start + secs(1)), now);
    }
}
