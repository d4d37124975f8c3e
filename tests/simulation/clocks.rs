//! The devices' wall clocks: wrong from the beginning, set now and then (often when the network is back after a sleep),
//! and a few run too fast or too slow.

use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};
use wire::UnixMillis;

use super::world::{EPOCH, World};

/// Steps of a clock that is set, in milliseconds.
const STEPS: [i64; 12] =
    [-10_800_000, -3_600_000, -60_000, -5_000, -1_500, -200, 200, 1_500, 5_000, 60_000, 3_600_000, 10_800_000];

/// A device looks at its clocks this often, in milliseconds, if nothing else happens.
pub(super) const LOOKS_EVERY: u64 = 5_000;

/// How a device's wall clock is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) skew: i64,
    /// Gained or lost, in thousandths.
    pub(super) drift: i64,
    /// When it was set last.
    pub(super) set_at: Option<u64>,
}

/// One clock in twenty drifts by one percent.
pub(super) fn drift(random: &mut StdRng) -> i64 {
    if random.random_bool(0.05) { *[-10, 10].choose(random).unwrap_or(&0) } else { 0 }
}

impl Clock {
    fn wall(self, now: u64) -> UnixMillis {
        let now = i64::try_from(now).unwrap_or(0);
        UnixMillis(EPOCH + now + self.skew + now * self.drift / 1_000)
    }
}

impl World {
    pub(super) fn wall(&self, d: usize) -> UnixMillis {
        self.devices[d].clock.wall(self.now)
    }

    /// Not while it sleeps: how long it slept would be unknown to it until the next snapshot.
    pub(super) fn set_clock(&mut self, d: usize) {
        if self.devices[d].asleep || self.is_calm {
            return;
        }
        let step = STEPS.choose(&mut self.random).copied().unwrap_or_default();
        self.say(|| format!("the clock of device {d} is set by {step}"));
        self.faults.clocks_set += 1;
        self.devices[d].clock.skew += step;
        self.devices[d].clock.set_at = Some(self.now);
    }
}
