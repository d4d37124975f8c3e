//! The proof that the simulator bites: each planted bug is found.

use call_client::simulation::Planted as InDevice;
use coordinator::simulation::Planted as InServer;

use super::{runs::first_broken, world::Bug};

/// So many scenarios are enough for every one of them.
const ENOUGH: u64 = 50_000;

#[test]
fn every_planted_bug_is_found() {
    let bugs = [
        Bug::Server(InServer::AcceptTwice),
        Bug::Server(InServer::LateRejectCounts),
        Bug::Server(InServer::NoDeadline),
        Bug::Server(InServer::CancelNotStored),
        Bug::Server(InServer::AnnouncedBeforeStored),
        Bug::Server(InServer::OthersNotTold),
        Bug::Server(InServer::SnapshotWithoutRings),
        Bug::Server(InServer::CrossedCancelLost),
        Bug::Server(InServer::FailureNotTakenBack),
        Bug::Server(InServer::VanishedCallerRings),
        Bug::Server(InServer::AloneGoesOn),
        Bug::Device(InDevice::JoinsAgain),
        Bug::Device(InDevice::TakesOlderStates),
        Bug::Device(InDevice::DismissedAlertsAgain),
        Bug::Device(InDevice::RingsForEver),
        Bug::Device(InDevice::LeavesOnce),
        Bug::Device(InDevice::JoinsOnce),
        Bug::Device(InDevice::IgnoresOtherDevices),
        Bug::Device(InDevice::ComesInAfterHangingUp),
    ];
    let mut missed = Vec::new();
    for bug in bugs {
        match first_broken(0, ENOUGH, bug) {
            Some((seed, violation)) => println!("{bug:?}: found by scenario {seed}: {}", violation.what),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found in {ENOUGH} scenarios: {missed:?}");
}
