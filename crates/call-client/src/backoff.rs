//! How long to wait before the next attempt: full jitter, so that ten thousand devices do not come back at once.

use std::time::Duration;

/// Ceiling of the first wait.
const FIRST: Duration = Duration::from_millis(250);
/// Ceiling of every later wait.
const LONGEST: Duration = Duration::from_secs(15);

/// The wait before attempt `attempt` (0 is the first after a loss), for a `dice` in 0..1: uniform between nothing and a
/// ceiling that doubles up to 15 s (Brooker, "Exponential Backoff And Jitter", AWS 2015).
pub(crate) fn wait(attempt: u32, dice: f64) -> Duration {
    let ceiling = FIRST.saturating_mul(1u32.checked_shl(attempt.min(16)).unwrap_or(u32::MAX)).min(LONGEST);
    ceiling.mul_f64(dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_fifteen_seconds_and_spread_over_the_whole_range() {
        let ceilings: Vec<u128> = (0..8).map(|attempt| wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(ceilings, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(wait(u32::MAX, 1.0), LONGEST);
        assert_eq!(wait(5, 0.0), Duration::ZERO);
    }
}
