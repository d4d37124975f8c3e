//! How much is measured, and what came of it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clock::Times,
    measure::{Latency, Load},
};

/// Devices of one person: a desktop and a laptop.
pub(crate) const DEVICES_EACH: usize = 2;
/// Pairs that ring at the same time when a server does as much as it can.
pub(crate) const LOAD_PAIRS: usize = 64;
/// Pairs that take turns when latency is measured.
const LATENCY_PAIRS: usize = 25;

/// How much is measured.
pub(crate) struct Plan {
    /// One after the other, each with more devices than the one before.
    pub(crate) crowds: Vec<Crowd>,
    /// Rings of one latency, and the most time they may take.
    pub(crate) rings: usize,
    pub(crate) latency: Duration,
    /// How long a server does as much as it can.
    pub(crate) load: Duration,
    /// So often: the middle one counts.
    pub(crate) loads: usize,
    /// Cold starts.
    pub(crate) starts: usize,
    /// The most time for signing everybody in, and for connecting everybody.
    pub(crate) sign_in: Duration,
    pub(crate) connect: Duration,
    /// After connecting, before memory and latency are measured.
    pub(crate) settle: Duration,
    /// The most time until everybody is back after a crash.
    pub(crate) storm: Duration,
    /// The most time for everything about the peer, and about ours: what is not measured by then is not measured.
    pub(crate) peer: Duration,
    pub(crate) ours: Duration,
}

/// So many connected devices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) devices: usize,
    /// Few connections say nothing about what one takes.
    pub(crate) has_memory: bool,
}

impl Crowd {
    /// Devices of each of its people.
    pub(crate) fn devices_each(self) -> usize {
        DEVICES_EACH.min(self.devices / 2)
    }

    /// Pairs that take turns, if each person has this many devices.
    pub(crate) fn pairs(self, devices_each: usize) -> usize {
        LATENCY_PAIRS.min(self.devices / (2 * devices_each))
    }
}

const fn crowd(devices: usize, has_memory: bool) -> Crowd {
    Crowd { devices, has_memory }
}

impl Plan {
    pub(crate) fn full() -> Self {
        let seconds = Duration::from_secs;
        Self {
            crowds: vec![crowd(2, false), crowd(100, false), crowd(1_000, true), crowd(10_000, true)],
            rings: 1_000,
            latency: seconds(15),
            load: seconds(8),
            loads: 3,
            starts: 5,
            sign_in: seconds(90),
            connect: seconds(60),
            settle: seconds(3),
            storm: seconds(60),
            peer: seconds(240),
            ours: seconds(540),
        }
    }

    pub(crate) fn quick() -> Self {
        let seconds = Duration::from_secs;
        Self {
            crowds: vec![crowd(2, false), crowd(100, false), crowd(1_000, true)],
            rings: 200,
            latency: seconds(4),
            load: seconds(3),
            loads: 1,
            starts: 2,
            sign_in: seconds(15),
            connect: seconds(10),
            settle: seconds(1),
            storm: seconds(20),
            peer: seconds(40),
            ours: seconds(70),
        }
    }

    /// Nothing but our server under as many rings as it can take.
    pub(crate) fn only_load(load: Duration) -> Self {
        let (crowds, starts, peer) = (Vec::new(), 0, Duration::ZERO);
        Self { crowds, starts, peer, load, ours: load + Duration::from_secs(60), ..Self::quick() }
    }

    /// Devices of the largest crowd.
    pub(crate) fn most(&self) -> usize {
        self.crowds.iter().map(|crowd| crowd.devices).max().unwrap_or(0)
    }
}

/// What came of it, for one server. What could not be measured is absent, and a problem says why.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// By connected devices.
    pub(crate) latency: BTreeMap<usize, Latency>,
    pub(crate) loads: Vec<Load>,
    /// Bytes of all connections together, by connections.
    pub(crate) memory_plain: BTreeMap<usize, u64>,
    pub(crate) memory_tls: BTreeMap<usize, u64>,
    pub(crate) start_empty: Times,
    pub(crate) start_used: Times,
    pub(crate) storm: Option<Storm>,
    pub(crate) problems: Vec<String>,
}

/// What came of a crash with everybody connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storm {
    /// From the kill until everybody had a snapshot again.
    pub(crate) back_after: Duration,
    /// From the start of the new process until it took connections.
    pub(crate) ready_after: Duration,
    /// Rings that were live when it was killed…
    pub(crate) live: usize,
    /// …and those of them that were in the snapshots of all devices of both, and could be accepted.
    pub(crate) kept: usize,
}

impl Measured {
    /// The middle one of all loads.
    pub(crate) fn load(&self) -> Option<Load> {
        let mut loads = self.loads.clone();
        loads.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        loads.get(loads.len() / 2).copied()
    }

    pub(crate) fn problem(&mut self, what: &str, error: &anyhow::Error) {
        crate::say(&format!("   {what}: {error:#}"));
        self.problems.push(format!("{what}: {error:#}"));
    }
}
