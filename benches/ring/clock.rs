//! Reading the clock, waiting before the next attempt, and what many measured times come to.

use std::{
    fmt,
    time::{Duration, Instant},
};

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock: that is what it is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The wait before attempt `attempt`, as in call-client's backoff.rs: full jitter under a ceiling that doubles from
/// 0.25 s to 15 s.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let ceiling = Duration::from_millis(250).saturating_mul(1 << attempt.min(16)).min(Duration::from_secs(15));
    ceiling.mul_f64(rand::random::<f64>())
}

/// Measured times.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of all (0..1) does not exceed.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
        sorted.get(index).copied().unwrap_or_default()
    }
}

/// `p50 / p95 / p99 ms`.
impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| self.percentile(share).as_secs_f64() * 1000.0);
        write!(formatter, "{p50:.2} / {p95:.2} / {p99:.2} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut times = Times::default();
        for ms in (1..=100).rev() {
            times.push(Duration::from_millis(ms));
        }
        assert_eq!(times.percentile(0.5), Duration::from_millis(50));
        assert_eq!(times.percentile(0.99), Duration::from_millis(99));
        assert_eq!(times.percentile(1.0), Duration::from_millis(100));
        assert_eq!(Times::default().percentile(0.5), Duration::ZERO);
    }
}
