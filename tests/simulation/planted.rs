//! The proof that the simulator bites: each planted bug is found, and by the words of the rule it breaks.

use call_client::simulation::Planted as InDevice;
use coordinator::simulation::Planted as InServer;

use super::{runs::first_broken, world::Bug};

/// So many scenarios are enough for every one of them.
const ENOUGH: u64 = 50_000;

/// What is said of each. A bug that is not in here does not compile.
fn broken_rule(bug: Bug) -> &'static str {
    match bug {
        Bug::None => "nothing",
        Bug::Server(bug) => match bug {
            InServer::AcceptTwice => "?",
            InServer::LateRejectCounts => "?",
            InServer::NoDeadline => "?",
            InServer::CancelNotStored => "?",
            InServer::AnnouncedBeforeStored => "?",
            InServer::OthersNotTold => "?",
            InServer::SnapshotWithoutRings => "?",
            InServer::CrossedCancelLost => "?",
            InServer::FailureNotTakenBack => "?",
            InServer::VanishedCallerRings => "?",
            InServer::AloneGoesOn => "?",
        },
        Bug::Device(bug) => match bug {
            InDevice::JoinsAgain => "?",
            InDevice::TakesOlderStates => "?",
            InDevice::DismissedAlertsAgain => "?",
            InDevice::RingsForEver => "?",
            InDevice::LeavesOnce => "?",
            InDevice::JoinsOnce => "?",
            InDevice::IgnoresOtherDevices => "?",
            InDevice::ComesInAfterHangingUp => "?",
            InDevice::RingsOutAfterAll => "?",
            InDevice::NeverReplies => "?",
            InDevice::SilentNotSilent => "?",
            InDevice::GhostStays => "?",
        },
    }
}

/// A planted bug, the scenario that finds it, and what that says.
pub(super) struct Found {
    pub(super) bug: Bug,
    pub(super) seed: u64,
    pub(super) what: String,
}

/// Plants every bug there is; those that nothing finds are left out.
pub(super) fn found() -> Vec<Found> {
    let bugs = InServer::ALL.iter().copied().map(Bug::Server);
    let bugs = bugs.chain(InDevice::ALL.iter().copied().map(Bug::Device));
    let find = |bug| first_broken(0, ENOUGH, bug).map(|(seed, violation)| Found { bug, seed, what: violation.what });
    bugs.filter_map(find).collect()
}

#[test]
fn every_planted_bug_is_found_by_the_rule_it_breaks() {
    let found = found();
    for Found { bug, seed, what } in &found {
        println!("{bug:?}: found by scenario {seed}: {what}");
    }
    assert_eq!(found.len(), InServer::ALL.len() + InDevice::ALL.len(), "some are not found in {ENOUGH} scenarios");
    for Found { bug, seed, what } in &found {
        let rule = broken_rule(*bug);
        assert!(what.contains(rule), "{bug:?} breaks \"{rule}\", and scenario {seed} says: {what}");
    }
}
