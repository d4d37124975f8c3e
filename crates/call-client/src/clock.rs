//! Time as a device has it: a clock that never jumps but stands still while the machine sleeps, and the wall clock,
//! which goes on. Each corrects the other.

use std::time::{Duration, Instant};

use wire::UnixMillis;

/// The wall clock running ahead by more than this means that the machine slept (or that the clock was set), running back
/// that it was set.
const JUMPED: u64 = 2_000;

/// Two clocks that differ by more than this no longer say the same of a moment to come; less is how finely they tick.
const APART: Duration = Duration::from_millis(20);

/// One moment, by both clocks. Which of two is the later one, the clock says that never jumps; only while it stands
/// still, in a sleep, the other does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) wall: UnixMillis,
}

/// A moment to come; it is there as soon as one of the clocks says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) instant: Instant,
    wall: UnixMillis,
}

impl Now {
    pub(crate) fn after(self, wait: Duration) -> Deadline {
        Deadline { instant: self.instant + wait, wall: self.wall.plus(wait) }
    }
}

impl Deadline {
    pub(crate) fn is_over(self, now: Now) -> bool {
        self.instant <= now.instant || self.wall <= now.wall
    }

    pub(crate) fn plus(self, wait: Duration) -> Self {
        Self { instant: self.instant + wait, wall: self.wall.plus(wait) }
    }

    /// The same moment, for the clocks as they stand now: the one that says less of what is left is right by both. Else
    /// what the wall clock has noticed of a sleep would be forgotten when it is set back.
    pub(crate) fn agreed(self, now: Now) -> Self {
        let until = self.instant.saturating_duration_since(now.instant).as_millis();
        let since = now.instant.saturating_duration_since(self.instant).as_millis();
        let signed = |millis: u128| i64::try_from(millis).unwrap_or(i64::MAX);
        let by_wall = self.wall.0.saturating_sub(now.wall.0);
        let apart = (signed(until) - signed(since)).saturating_sub(by_wall);
        let by = Duration::from_millis(apart.unsigned_abs());
        if by <= APART {
            self
        } else if apart > 0 {
            Self { instant: self.instant.checked_sub(by).unwrap_or(now.instant), ..self }
        } else {
            Self { wall: UnixMillis(self.wall.0.saturating_add(apart)), ..self }
        }
    }

    /// How long it still is.
    pub(crate) fn left(self, now: Now) -> Duration {
        self.instant.saturating_duration_since(now.instant).min(self.wall.since(now.wall))
    }
}

/// Notices sleep, and how old a message is.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Now,
    /// Connections opened before this moment may still hold messages from before a sleep.
    woke_at: Option<Now>,
    /// Smallest difference seen between this wall clock and the server's, on this connection.
    offset: Option<i64>,
}

impl Clock {
    pub(crate) fn new(now: Now) -> Self {
        Self { last: now, woke_at: None, offset: None }
    }

    /// Whether the machine has slept since the last time, or its clock was set, which cannot be told apart: either way
    /// what was compared with the wall clock before means nothing now.
    pub(crate) fn has_jumped(&mut self, now: Now) -> bool {
        let last = std::mem::replace(&mut self.last, now);
        let awake = i64::try_from(now.instant.saturating_duration_since(last.instant).as_millis()).unwrap_or(i64::MAX);
        let has_jumped = now.wall.0.saturating_sub(last.wall.0).saturating_sub(awake).unsigned_abs() > JUMPED;
        if has_jumped {
            self.woke_at = Some(now);
        }
        has_jumped
    }

    /// Whether a connection was opened before the machine slept: what it says is old.
    pub(crate) fn is_stale(&self, opened_at: Now) -> bool {
        self.woke_at.is_some_and(|woke_at| opened_at < woke_at)
    }

    /// A new connection: its snapshot is as fresh as can be.
    pub(crate) fn connected(&mut self, now: Now, server_time: UnixMillis) {
        self.offset = Some(now.wall.0.saturating_sub(server_time.0));
    }

    /// A moment by the server's clock as one of this device's.
    pub(crate) fn until(&self, now: Now, server_time: UnixMillis) -> Deadline {
        let offset = self.offset.unwrap_or_default();
        now.after(UnixMillis(server_time.0.saturating_add(offset)).since(now.wall))
    }

    /// How long a message has been on its way, compared to the fastest one of this connection.
    pub(crate) fn age(&mut self, now: Now, server_time: UnixMillis) -> Duration {
        let sample = now.wall.0.saturating_sub(server_time.0);
        let offset = self.offset.map_or(sample, |offset| offset.min(sample));
        self.offset = Some(offset);
        Duration::from_millis(u64::try_from(sample - offset).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_800_000_000_000;

    /// So many seconds after the start by each clock.
    fn at(begin: Instant, awake: u64, wall: i64) -> Now {
        Now { instant: begin + Duration::from_secs(awake), wall: UnixMillis(WALL + wall * 1_000) }
    }

    #[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
    fn begin() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_was_opened_before_a_sleep_is_old_and_what_was_opened_after_it_is_not() {
        let begin = begin();
        let mut clock = Clock::new(at(begin, 0, 0));
        assert!(!clock.has_jumped(at(begin, 10, 10)));
        assert!(clock.has_jumped(at(begin, 10, 600)), "the clock that never jumps stood still");
        assert!(clock.is_stale(at(begin, 10, 10)) && clock.is_stale(at(begin, 3, 3)));
        assert!(!clock.is_stale(at(begin, 10, 600)) && !clock.is_stale(at(begin, 11, 601)));
    }

    #[test]
    fn a_clock_set_back_after_a_sleep_makes_nothing_old_that_is_new() {
        let begin = begin();
        let mut clock = Clock::new(at(begin, 0, 0));
        assert!(clock.has_jumped(at(begin, 10, 600)));
        // A second only, when the network is back: nothing to reconnect for.
        assert!(!clock.has_jumped(at(begin, 11, 600)));
        assert!(!clock.is_stale(at(begin, 11, 599)));
        assert!(clock.has_jumped(at(begin, 12, -3_000)), "hours: the offset to the server is another");
        assert!(clock.is_stale(at(begin, 11, 599)));
        assert!(!clock.is_stale(at(begin, 13, -2_999)));
    }

    #[test]
    fn what_a_sleep_took_of_a_deadline_a_clock_that_is_set_back_does_not_give_again() {
        let begin = begin();
        let until = at(begin, 0, 0).after(Duration::from_secs(30));
        let woken = at(begin, 1, 20);
        let set_back = at(begin, 2, 6);
        assert_eq!(until.left(set_back), Duration::from_secs(24), "unless somebody looks at the clocks in between");
        assert_eq!(until.agreed(woken).left(set_back), Duration::from_secs(9));
        assert_eq!(until.agreed(at(begin, 10, 10)), until, "clocks that go alike change nothing");
        let over = until.agreed(at(begin, 1, 31));
        assert!(over.is_over(at(begin, 2, 6)) && !over.plus(Duration::from_secs(3)).is_over(at(begin, 2, 6)));
    }

    #[test]
    fn a_deadline_told_after_the_clock_was_set_back_is_as_far_away_as_the_server_says() {
        let begin = begin();
        let mut clock = Clock::new(at(begin, 0, 0));
        clock.connected(at(begin, 0, 0), UnixMillis(WALL));
        let set_back = at(begin, 10, -3_600);
        assert!(clock.has_jumped(set_back));
        clock.connected(set_back, UnixMillis(WALL + 10_000));
        let until = clock.until(set_back, UnixMillis(WALL + 40_000));
        assert_eq!(until.left(set_back), Duration::from_secs(30));
        assert_eq!(clock.age(at(begin, 11, -3_599), UnixMillis(WALL + 11_000)), Duration::ZERO);
    }
}
