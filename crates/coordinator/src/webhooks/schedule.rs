//! When a delivery is tried again, when it is given up, and when its hook is: pure functions of time.

use std::time::Duration;

use wire::UnixMillis;

/// The longest wait after the first failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How long a delivery is tried, and how long a hook may fail.
const GIVEN_UP: Duration = Duration::from_secs(24 * 3600);

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered {
        result: String,
    },
    Retry {
        result: String,
        at: UnixMillis,
    },
    /// Too old to be of use; the hook goes on.
    GivenUp {
        result: String,
    },
    /// The receiver wants no more, or nothing has got through for too long: nothing is sent there any more.
    Disable {
        result: String,
        reason: String,
    },
}

/// What the receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Yes(u16),
    /// Another status than success.
    No(u16),
    /// `410 Gone`: it wants no more.
    Gone,
    /// Nothing at all.
    Nothing(String),
}

impl Said {
    fn result(&self) -> String {
        match self {
            Self::Yes(status) | Self::No(status) => format!("HTTP {status}"),
            Self::Gone => "HTTP 410".to_owned(),
            Self::Nothing(why) => why.clone(),
        }
    }
}

/// What follows from an attempt. `random` is in 0..1.
pub(super) fn judge(
    said: &Said,
    attempts: u32,
    created_at: UnixMillis,
    failing_since: Option<UnixMillis>,
    now: UnixMillis,
    random: f64,
) -> Outcome {
    let result = said.result();
    match said {
        Said::Yes(_) => return Outcome::Delivered { result },
        Said::Gone => {
            let reason = "the receiver answered 410 Gone: it wants no more".to_owned();
            return Outcome::Disable { result, reason };
        }
        Said::No(_) | Said::Nothing(_) => {}
    }
    if now.since(created_at) < GIVEN_UP {
        return Outcome::Retry { result, at: now.plus(wait(attempts, random)) };
    }
    if failing_since.is_some_and(|since| now.since(since) >= GIVEN_UP) {
        let reason = format!("nothing was delivered for a day; last: {result}");
        return Outcome::Disable { result, reason };
    }
    Outcome::GivenUp { result }
}

/// Full jitter: anything up to a bound that doubles, so that what failed together does not come back together.
fn wait(attempts: u32, random: f64) -> Duration {
    let bound = FIRST_WAIT.saturating_mul(1 << attempts.min(20)).min(LONGEST_WAIT);
    bound.mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000_000);

    fn after(time: Duration, failing: Option<Duration>, said: Said) -> Outcome {
        judge(&said, 3, START, failing.map(|since| START.plus(since)), START.plus(time), 0.5)
    }

    #[test]
    fn a_failure_is_tried_again_for_a_day_and_then_given_up() {
        let retry = after(Duration::from_secs(10), None, Said::No(500));
        let at = START.plus(Duration::from_secs(10 + 8));
        assert_eq!(retry, Outcome::Retry { result: "HTTP 500".to_owned(), at });
        let late = after(GIVEN_UP, Some(Duration::from_secs(5)), Said::No(500));
        assert_eq!(late, Outcome::GivenUp { result: "HTTP 500".to_owned() });
    }

    #[test]
    fn a_hook_that_failed_for_a_day_or_is_gone_is_disabled_with_the_reason() {
        let dead = after(GIVEN_UP, Some(Duration::ZERO), Said::Nothing("no answer".to_owned()));
        assert!(matches!(dead, Outcome::Disable { reason, .. } if reason.contains("no answer")));
        assert!(matches!(after(Duration::ZERO, None, Said::Gone), Outcome::Disable { .. }));
        assert_eq!(after(GIVEN_UP, None, Said::Yes(204)), Outcome::Delivered { result: "HTTP 204".to_owned() });
    }

    #[test]
    fn waits_double_up_to_an_hour_and_are_spread_over_all_of_it() {
        let waits: Vec<u64> = (0..13).map(|attempts| wait(attempts, 1.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
        assert_eq!(wait(u32::MAX, 0.0), Duration::ZERO);
    }
}
