//! New ids: they rise with time, also within one millisecond, so that devices tell newer from older by them.

use std::time::{Duration, UNIX_EPOCH};

use rand::{SeedableRng as _, rngs::StdRng};
use ulid::Ulid;
use wire::{RingId, SessionId, UnixMillis};

pub(super) struct Ids {
    generator: ulid::Generator,
    random: StdRng,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { generator: ulid::Generator::new(), random: StdRng::seed_from_u64(seed) }
    }

    pub(super) fn ring(&mut self, now: UnixMillis) -> RingId {
        RingId::mint(self.next(now))
    }

    pub(super) fn session(&mut self, now: UnixMillis) -> SessionId {
        SessionId::mint(self.next(now))
    }

    fn next(&mut self, now: UnixMillis) -> Ulid {
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        let next = self.generator.generate_from_datetime_with_source(at, &mut self.random);
        // Fails only after 2^80 ids in one millisecond.
        next.unwrap_or_else(|_| Ulid::from_datetime_with_source(at, &mut self.random))
    }
}
