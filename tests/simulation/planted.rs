//! The proof that the simulator bites: each planted bug is found, and by the words of the rule it breaks.

use call_client::simulation::Planted as InDevice;
use coordinator::simulation::Planted as InServer;

use super::{runs::first_broken, world::Bug};

/// So many scenarios are enough for every one of them.
const ENOUGH: u64 = 50_000;

/// The rules each breaks. A bug that is not in here does not compile.
fn broken_rules(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::None => &[],
        Bug::Server(bug) => match bug {
            InServer::AcceptTwice => &["the outcome of"],
            InServer::LateRejectCounts => &["the outcome of"],
            InServer::NoDeadline => &["after its deadline"],
            InServer::CancelNotStored => &["is announced", "after its deadline"],
            InServer::AnnouncedBeforeStored => &["is announced"],
            InServer::OthersNotTold => {
                &["does not come into", "says it is not", "knows nothing of it", "does not ring", "over for it"]
            }
            InServer::SnapshotWithoutRings => &["does not ring", "does not come into", "knows nothing of it"],
            InServer::CrossedCancelLost => &["does not come into", "left alone", "one of two", "who went out"],
            InServer::FailureNotTakenBack => {
                &["stored", "says it is not", "knows nothing of it", "does not come into", "left alone", "asks for"]
            }
            InServer::VanishedCallerRings => &["caller who has vanished"],
            InServer::AloneGoesOn => &["one of two has left"],
        },
        Bug::Device(bug) => match bug {
            InDevice::JoinsAgain => &["over for it", "dragged back", "comes in twice"],
            InDevice::TakesOlderStates => &[
                "over for it",
                "says it is not",
                "does not come into",
                "knows nothing of it",
                "without having accepted",
                "dragged back",
            ],
            InDevice::DismissedAlertsAgain => &["over for it"],
            InDevice::RingsForEver => &["after the deadline"],
            InDevice::LeavesOnce => {
                &["does not come into", "who went out", "knows nothing of it", "left alone", "does not ring"]
            }
            InDevice::JoinsOnce => &["gives up coming into"],
            InDevice::IgnoresOtherDevices => &["over for it"],
            InDevice::ComesInAfterHangingUp => &["microphone on"],
            InDevice::RingsOutAfterAll => &["over for it"],
            InDevice::NeverReplies => &["was never told"],
            InDevice::SilentNotSilent => &["nobody may disturb"],
            InDevice::GhostStays => &["who went out"],
        },
    }
}

/// A planted bug, the scenario that finds it, and what that says.
pub(super) struct Found {
    pub(super) bug: Bug,
    pub(super) seed: u64,
    pub(super) what: String,
}

/// The first scenario that tells of the rule which the bug breaks; others may suffer from it in other ways.
fn find(bug: Bug) -> Option<Found> {
    let mut first = 0;
    while first < ENOUGH {
        let (seed, violation) = first_broken(first, ENOUGH - first, bug)?;
        if broken_rules(bug).iter().any(|rule| violation.what.contains(rule)) {
            return Some(Found { bug, seed, what: violation.what });
        }
        first = seed + 1;
    }
    None
}

/// Plants every bug there is; those that nothing finds are left out.
pub(super) fn found() -> Vec<Found> {
    planted().filter_map(find).collect()
}

fn planted() -> impl Iterator<Item = Bug> {
    let in_server = InServer::ALL.iter().copied().map(Bug::Server);
    in_server.chain(InDevice::ALL.iter().copied().map(Bug::Device))
}

#[test]
fn every_planted_bug_is_found_by_the_rule_it_breaks() {
    let found = found();
    for Found { bug, seed, what } in &found {
        println!("{bug:?}: found by scenario {seed}: {what}");
    }
    let missing = |bug: &Bug| !found.iter().any(|found| found.bug == *bug);
    let missing: Vec<_> = planted().filter(missing).collect();
    assert!(missing.is_empty(), "not found in {ENOUGH} scenarios by the rules they break: {missing:?}");
}
