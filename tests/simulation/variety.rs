//! The proof that the worlds differ: everything that can break does, often enough, and no two stories are the same.

use std::{collections::BTreeSet, ops::AddAssign};

use super::{
    runs::now,
    world::{Bug, World},
};

/// How often something broke.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Faults {
    pub(super) server_crashes: u64,
    pub(super) device_crashes: u64,
    pub(super) cuts: u64,
    pub(super) sleeps: u64,
    pub(super) losses: u64,
    pub(super) doubles: u64,
    pub(super) disk: u64,
    pub(super) wrong_clocks: u64,
    pub(super) clocks_set: u64,
}

impl Faults {
    pub(super) fn named(self) -> [(&'static str, u64); 9] {
        [
            ("server crashes", self.server_crashes),
            ("device crashes", self.device_crashes),
            ("connections cut", self.cuts),
            ("machines asleep", self.sleeps),
            ("requests and answers lost", self.losses),
            ("requests doubled", self.doubles),
            ("failing disks", self.disk),
            ("clocks that are wrong by more than 2 s", self.wrong_clocks),
            ("clocks set", self.clocks_set),
        ]
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, more: Self) {
        self.server_crashes += more.server_crashes;
        self.device_crashes += more.device_crashes;
        self.cuts += more.cuts;
        self.sleeps += more.sleeps;
        self.losses += more.losses;
        self.doubles += more.doubles;
        self.disk += more.disk;
        self.wrong_clocks += more.wrong_clocks;
        self.clocks_set += more.clocks_set;
    }
}

const WORLDS: u64 = 500;

#[test]
fn everything_breaks_and_no_two_worlds_are_alike() {
    let base = now();
    let mut stories = BTreeSet::new();
    let mut faults = Faults::default();
    for seed in 0..WORLDS {
        let mut world = World::new(seed, base, Bug::None, true);
        world.run().unwrap_or_else(|violation| panic!("scenario {seed}: {}", violation.what));
        faults += world.faults;
        assert!(stories.insert(world.trace), "scenario {seed} tells a story that was told before");
    }
    for (name, times) in faults.named() {
        println!("{times:>6} {name}");
        assert!(times > WORLDS / 10, "only {times} {name} in {WORLDS} worlds");
    }
}

#[test]
fn a_seed_tells_its_story_again() {
    for seed in 0..20 {
        let told = || {
            let mut world = World::new(seed, now(), Bug::None, true);
            world.run().unwrap_or_else(|violation| panic!("scenario {seed}: {}", violation.what));
            world.trace
        };
        assert_eq!(told(), told(), "scenario {seed}");
    }
}
