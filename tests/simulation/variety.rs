//! The proof that the worlds differ: everything that can break does, often enough, and no two stories are the same.

use std::collections::BTreeSet;

use super::{
    runs::now,
    world::{Bug, World},
};

/// How often something broke in a world.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Faults {
    pub(super) server_crashes: u32,
    pub(super) device_crashes: u32,
    pub(super) cuts: u32,
    pub(super) sleeps: u32,
    pub(super) losses: u32,
    pub(super) doubles: u32,
    pub(super) disk: u32,
}

const WORLDS: u64 = 500;

#[test]
fn everything_breaks_and_no_two_worlds_are_alike() {
    let base = now();
    let mut stories = BTreeSet::new();
    let mut counts = [0_u64; 8];
    for seed in 0..WORLDS {
        let mut world = World::new(seed, base, Bug::None, true);
        world.run().unwrap_or_else(|violation| panic!("scenario {seed}: {}", violation.what));
        let Faults { server_crashes, device_crashes, cuts, sleeps, losses, doubles, disk } = world.faults;
        let skewed = world.devices.iter().filter(|device| device.skew.abs() > 2_000).count();
        let skewed = u32::try_from(skewed).expect("a few devices");
        let happened = [server_crashes, device_crashes, cuts, sleeps, losses, doubles, disk, skewed];
        counts.iter_mut().zip(happened).for_each(|(count, times)| *count += u64::from(times));
        assert!(stories.insert(world.trace), "scenario {seed} tells a story that was told before");
    }
    let names =
        ["server crashes", "device crashes", "cuts", "sleeps", "losses", "doubles", "failing disks", "wrong clocks"];
    for (name, count) in names.into_iter().zip(counts) {
        println!("{count:>6} {name}");
        assert!(count > WORLDS / 10, "only {count} {name} in {WORLDS} worlds");
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
