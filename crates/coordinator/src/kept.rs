//! What the server keeps of a call besides what travels: its rings, and how each person came into the session that runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{Direction, UnixMillis, UserId};

use crate::ring::Ring;

/// Stored beside the call, and never told whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub(crate) struct Kept {
    /// Oldest first. All but the last are open: somebody rings by them, or was answered and has yet to come in.
    pub(crate) rings: Vec<Ring>,
    /// Who has been in the session that runs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) stays: BTreeMap<UserId, Stay>,
    /// How many were on the call's list when it was rung whose answer led into the session that runs; absent when nobody
    /// was rung into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rung_with: Option<usize>,
}

/// How a person came into the session that runs, and how long he has been in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stay {
    /// What his line in the history is about: the ring that brought him, or the session that he came into by himself.
    pub(crate) occasion: String,
    pub(crate) direction: Direction,
    /// Who rang; for who came by himself, who made the call.
    pub(crate) caller: UserId,
    /// When the ring began, or the session.
    pub(crate) at: UnixMillis,
    pub(crate) video: bool,
    /// Time that is over, of all his devices together, in milliseconds.
    pub(crate) spent_ms: u64,
    /// Until when it is counted: two devices at a time count once.
    pub(crate) counted_until: UnixMillis,
}

impl Stay {
    /// One of his devices, which came then, goes now.
    pub(crate) fn spend(&mut self, came: UnixMillis, now: UnixMillis) {
        let from = came.max(self.counted_until);
        self.spent_ms += u64::try_from(now.since(from).as_millis()).unwrap_or(0);
        self.counted_until = self.counted_until.max(now);
    }
}

/// Before a call could have several rings, its newest one was all that was kept.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Now {
        rings: Vec<Ring>,
        #[serde(default)]
        stays: BTreeMap<UserId, Stay>,
        #[serde(default)]
        rung_with: Option<usize>,
    },
    Before(Box<Ring>),
}

impl From<Stored> for Kept {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Now { rings, stays, rung_with } => Self { rings, stays, rung_with },
            Stored::Before(ring) => Self { rings: vec![*ring], ..Self::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn two_devices_at_a_time_count_once_and_stints_add_up() {
        let after = |seconds| NOON.plus(Duration::from_secs(seconds));
        let mut stay = Stay {
            occasion: "s1".to_owned(),
            direction: Direction::None,
            caller: "ann".parse().unwrap(),
            at: NOON,
            video: false,
            spent_ms: 0,
            counted_until: NOON,
        };
        stay.spend(NOON, after(10));
        stay.spend(after(5), after(20));
        assert_eq!(stay.spent_ms, 20_000, "the laptop for ten seconds, the phone from the fifth to the twentieth");
        stay.spend(after(60), after(65));
        assert_eq!(stay.spent_ms, 25_000);
    }

    #[test]
    fn a_ring_that_was_stored_alone_is_read() {
        let ring = r#"{"id":"r1","cid":"default:x","caller":"ann","caller_device":"ann1","video":false,
            "started_at":1,"deadline":2,"targets":[]}"#;
        let kept: Kept = serde_json::from_str(ring).unwrap();
        assert_eq!(kept.rings.len(), 1);
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
    }
}
