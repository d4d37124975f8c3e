//! How a ring ended, as screens are told, also when this device was away or another one rang.

use wire::{Direction, HistoryOutcome};

use super::*;

/// The newest line of this device's person about the call.
fn line(direction: Direction, outcome: HistoryOutcome, reason: Option<Reason>) -> HistoryEntry {
    HistoryEntry {
        id: 7,
        cid: cid(),
        at: UnixMillis(WALL),
        direction,
        outcome,
        duration_ms: 0,
        caller: id("ann"),
        people: Vec::new(),
        video: false,
        custom: Custom::new(),
        message: None,
        reason,
        unseen: false,
    }
}

/// What a device makes of a ring that is over when it comes back.
fn comes_back(user: &str, line: HistoryEntry) -> (Option<EndReason>, Outcome) {
    let mut device = Device::of(user, &format!("{user}1"));
    device.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    device.is_shown_with(Vec::new(), vec![line]);
    let view = device.calls.view(device.now()).calls.remove(0);
    assert_eq!(view.state.calling_state, CallingState::Left);
    (view.state.reason, view.ring.unwrap().targets[0].outcome)
}

#[test]
fn a_ring_that_ended_while_the_device_was_away_ended_as_the_history_says() {
    use HistoryOutcome::{Answered, Busy, Declined, Missed};
    let cases = [
        ("ann", Declined, Some(Reason::Decline), EndReason::Declined, Outcome::Declined),
        ("ann", Busy, Some(Reason::Busy), EndReason::Busy, Outcome::Busy),
        ("ann", Missed, Some(Reason::Timeout), EndReason::Timeout, Outcome::Missed),
        ("ann", Answered, None, EndReason::Ended, Outcome::Accepted),
        ("ben", Answered, None, EndReason::AnsweredElsewhere, Outcome::Accepted),
        ("ben", Declined, Some(Reason::Decline), EndReason::DeclinedElsewhere, Outcome::Declined),
        ("ben", Missed, Some(Reason::Cancel), EndReason::Cancelled, Outcome::Cancelled),
        ("ben", Missed, Some(Reason::Busy), EndReason::Busy, Outcome::Busy),
        ("ben", Missed, None, EndReason::Timeout, Outcome::Missed),
    ];
    for (user, outcome, reason, ends, target) in cases {
        let direction = if user == "ann" { Direction::Outgoing } else { Direction::Incoming };
        let came_to = comes_back(user, line(direction, outcome, reason));
        assert_eq!(came_to, (Some(ends), target), "{user} {outcome:?} {reason:?}");
    }
}

#[test]
fn an_older_line_says_nothing_of_a_ring() {
    let mut ben = Device::of("ben", "ben1");
    let old = line(Direction::Incoming, HistoryOutcome::Declined, Some(Reason::Decline));
    ben.is_shown_with(Vec::new(), vec![old.clone()]);
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is_shown_with(Vec::new(), vec![old]);
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Cancelled))));
}

#[test]
fn the_end_of_a_ring_that_another_device_made_is_shown_for_a_moment() {
    let mut ann = Device::of("ann", "ann2");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    assert_eq!(ann.stands(), Some((CallingState::Idle, None)), "she rings on another device");
    ann.hears(state(2, Some(ring("r1", Outcome::Declined, Some("ben1"))), None));
    let shown = ann.calls.view(ann.now()).calls.remove(0);
    assert!(!shown.goes_on);
    assert_eq!(shown.ring.unwrap().targets[0].outcome, Outcome::Declined);
    ann.after(2);
    assert_eq!(ann.stands(), None);
}

#[test]
fn a_call_of_others_that_one_went_out_of_is_shown_no_longer() {
    let mut eve = Device::of("eve", "eve1");
    eve.hears(state(1, None, Some(&["ann1", "ben1", "eve2"])));
    let goes_on = |eve: &Device| eve.calls.view(eve.now()).calls.first().map(|call| call.goes_on);
    assert_eq!(goes_on(&eve), Some(true), "her other device is in");
    // The last that she hears of it, as she is not on its list.
    eve.hears(state(2, None, Some(&["ann1", "ben1"])));
    assert_eq!(goes_on(&eve), Some(false));
    eve.after(2);
    assert_eq!(goes_on(&eve), None);
}

#[test]
fn r19_a_snapshot_from_before_a_sleep_ends_what_rings_and_begins_nothing() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    let opened_at = ben.now();
    ben.after(1);
    ben.is_set_back(3_600);
    ben.is_shown_since(opened_at, vec![state(2, Some(ring("r1", Outcome::Cancelled, None)), None)]);
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Cancelled))));
    let mut other = Device::of("ben", "ben2");
    let opened_at = other.now();
    other.after(1);
    other.is_set_back(3_600);
    other.is_shown_since(opened_at, vec![state(1, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert!(!other.rings());
}

#[test]
fn s14_who_rang_others_into_a_call_and_left_it_does_not_ring_out_again() {
    let mut ann = Device::of("ann", "ann1");
    // A later life of her device, which hears that somebody still rings by hers.
    let rings = Ring { caller_came: true, ..ring("r1", Outcome::Ringing, None) };
    ann.is_shown(vec![state(1, Some(rings), Some(&["cem1"]))]);
    assert_eq!(ann.stands().map(|(calling_state, _)| calling_state), Some(CallingState::Idle));
    ann.is(Input::ShutDown);
    assert!(!ann.outputs.iter().any(|output| matches!(output, Output::Request { .. })), "{:?}", ann.outputs);
}

#[test]
fn an_answer_from_before_a_sleep_is_newer_than_a_snapshot_from_before_it() {
    let mut ben = Device::of("ben", "ben1");
    let asked_at = ben.now();
    ben.sleeps(60);
    ben.after(1);
    let opened_at = ben.now();
    let accepted = state(3, Some(ring("r1", Outcome::Accepted, Some("ben2"))), Some(&["ben2"]));
    ben.is(Input::State { asked_at, state: accepted, revision: 900 });
    ben.is_shown_since(opened_at, vec![state(2, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert!(!ben.rings());
}
