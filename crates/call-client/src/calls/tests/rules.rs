//! The rows and rules of ringing, as one device keeps them.

use super::*;

#[test]
fn s09_the_caller_comes_in_once_also_when_a_snapshot_tells_him() {
    let mut ann = Device::of("ann", "ann1");
    ann.is_shown(vec![state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]))]);
    let (_, join) = ann.join_request();
    assert_eq!(join.ring, Some(id("r1")));
    ann.is_shown(vec![state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]))]);
    assert!(ann.request().is_none());
}

#[test]
fn s14_a_snapshot_does_not_drag_back_who_came_and_left() {
    let mut ann = Device::of("ann", "ann1");
    let came = Ring { caller_came: true, ..ring("r1", Outcome::Accepted, Some("ben1")) };
    ann.is_shown(vec![state(3, Some(came), Some(&["ben1"]))]);
    assert!(ann.request().is_none());
    assert_eq!(ann.stands(), Some((CallingState::Idle, None)));
}

#[test]
fn s13_a_cancel_the_server_does_not_know_of_is_told_again() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.goes();
    let (leave, _) = ann.leave_request();
    ann.is(Input::ErrandDone { id: leave, result: Err(refused(wire::Code::Internal)) });
    ann.after(10);
    ann.is_shown(vec![state(1, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert_eq!(ann.leave_request().1.ring, Some(id("r1")));
    assert!(!ann.rings());
}

#[test]
fn s13_a_cancel_survives_a_join_that_came_to_nothing() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.goes();
    let (leave, _) = ann.leave_request();
    ann.is(Input::ErrandDone { id: leave, result: Err(refused(wire::Code::Unavailable)) });
    ann.wants(cid());
    let (join, _) = ann.join_request();
    ann.answered(join, Err(refused(wire::Code::Unavailable)));
    assert_eq!(ann.leave_request().1.ring, Some(id("r1")));
}

#[test]
fn r01_ringing_again_is_a_new_ring_for_caller_and_callee() {
    for (user, device) in [("ann", "ann1"), ("ben", "ben1")] {
        let mut story = Device::of(user, device);
        story.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
        story.hears(state(2, Some(ring("r2", Outcome::Ringing, None)), None));
        assert!(story.rings(), "{user}");
        story.goes();
        story.hears(state(3, Some(ring("r3", Outcome::Ringing, None)), None));
        assert!(story.rings(), "{user} after going out of the one before");
    }
}

#[test]
fn r01_a_ring_that_comes_while_the_call_before_it_ends_is_not_lost() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let inside = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ann1", "ben1"]));
    ben.answered(join, Ok(joined(inside)));
    ben.is(Input::Session { cid: cid(), join, event: SessionEvent::Connected });
    ben.hears(state(4, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(ben.rings());
}

#[test]
fn r03_a_join_is_tried_again_while_the_server_is_away_and_a_refused_one_rings_again() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Err(away()));
    assert_eq!(ben.stands(), Some((CallingState::Joining, Some(EndReason::Answered))));
    ben.after(2);
    let (again, _) = ben.join_request();
    assert_eq!(again, join);
    ben.answered(join, Err(refused(wire::Code::Internal)));
    assert!(ben.rings());
    // Beyond the deadline it is given up.
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.after(60);
    ben.answered(join, Err(away()));
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Timeout))));
}

#[test]
fn r06_a_dismissed_ring_stays_silent_as_long_as_it_lives() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.goes();
    assert!(ben.request().is_none(), "nobody is told");
    ben.after(8);
    assert_eq!(ben.stands(), Some((CallingState::Idle, None)), "it can still be joined");
    ben.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is_shown(vec![state(2, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert!(!ben.rings());
}

#[test]
fn r06_who_dismissed_a_ring_and_rings_back_in_its_call_comes_in() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.goes();
    assert!(!ben.rings());
    // The server takes his own ring, by which he answers, for the accept of the other's.
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert_eq!(ben.join_request().1.ring, Some(id::<wire::RingId>("r1")));
}

#[test]
fn r12_media_that_never_came_up_is_no_end_of_the_call() {
    for (wait, reason) in [(1, EndReason::Ended), (30, EndReason::MediaFailed)] {
        let mut ben = Device::of("ben", "ben1");
        ben.hears(state(1, None, Some(&["cem1"])));
        ben.wants(cid());
        let (join, _) = ben.join_request();
        ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
        ben.after(wait);
        ben.hears(state(3, None, None));
        assert_eq!(ben.stands().and_then(|(_, reason)| reason), Some(reason));
    }
}

#[test]
fn r02_what_another_device_answered_is_not_accepted_here() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    let accept = || Input::Accept { cid: cid(), video: Toggle::Off, ticket: Ticket(3) };
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben2"))), None));
    ben.is(accept());
    assert!(ben.request().is_none(), "a person's second device stays out");
    ben.hears(state(3, Some(ring("r2", Outcome::Ringing, None)), None));
    ben.is(accept());
    assert!(matches!(ben.request(), Some((_, Request::Join { join, .. })) if join.ring == Some(id("r2"))));
}

#[test]
fn r13_busy_when_in_a_call_answers_by_itself() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.is(Input::BusyWhenInCall { to: Toggle::On });
    let mut other = state(1, Some(ring("r9", Outcome::Ringing, None)), None);
    Arc::make_mut(&mut other.call).cid = id("default:y");
    ben.hears(other);
    assert!(matches!(ben.request(), Some((_, Request::Reject { reject, .. })) if reject.reason == Reason::Busy));
    assert_eq!(ben.stands().map(|(state, _)| state), Some(CallingState::Joined));
}

#[test]
fn r14_do_not_disturb_is_silent_and_says_nothing() {
    let mut ben = Device::of("ben", "ben1");
    ben.is(Input::DoNotDisturb { to: Toggle::On });
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is(Input::Alerted { cid: cid() });
    assert!(!ben.rings() && ben.outputs.is_empty());
    ben.after(5);
    ben.is(Input::DoNotDisturb { to: Toggle::Off });
    assert!(ben.rings(), "the ring still lives");
    let Phase::RingingIn(ringing) = &ben.calls.calls[0].phase else { panic!() };
    assert_eq!(ringing.until.left(ben.now()), Duration::from_secs(25), "and is no longer than it was");
}

#[test]
fn r16_whose_ring_was_folded_comes_in_by_event() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert_eq!(ben.join_request().1.ring, Some(id("r1")));
    let mut second = Device::of("ben", "ben2");
    second.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert!(second.request().is_none());
}

#[test]
fn r19_what_ended_during_a_sleep_never_sounds() {
    let mut ben = Device::of("ben", "ben1");
    let opened_at = ben.now();
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.sleeps(600);
    // What waited in the socket comes first.
    ben.hears_since(opened_at, state(2, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(!ben.rings());
    assert!(ben.outputs.iter().any(|output| matches!(output, Output::Reconnect)));
    ben.is_shown(vec![state(3, Some(ring("r3", Outcome::Ringing, None)), None)]);
    assert!(ben.rings(), "what the new connection tells is true");
}

#[test]
fn an_old_answer_drags_nobody_into_what_others_begin_later() {
    let mut ann = Device::of("ann", "ann1");
    let mut later = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]));
    Arc::make_mut(&mut later.call).session.as_mut().unwrap().id = id("s2");
    ann.is_shown(vec![later]);
    assert_eq!(ann.request(), None);
    assert_eq!(ann.stands().map(|(state, _)| state), Some(CallingState::Idle));
}

#[test]
fn r19_a_clock_that_is_set_back_deafens_nobody() {
    let mut ben = Device::of("ben", "ben1");
    let first = ben.now();
    ben.sleeps(600);
    ben.after(1);
    ben.is_set_back(3_600);
    ben.after(1);
    let reconnects = ben.outputs.iter().filter(|output| matches!(output, Output::Reconnect)).count();
    assert_eq!(reconnects, 2, "after the sleep, and when the clock was set");
    ben.hears_since(first, state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    assert!(!ben.rings(), "what was opened before is as old as it was");
    ben.hears(state(2, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(ben.rings());
}

#[test]
fn r19_what_a_sleep_took_of_a_ring_a_clock_set_back_does_not_give_again() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.after(2);
    // The server is away all the time.
    ben.sleeps(20);
    ben.after(1);
    ben.is_set_back(15);
    ben.after(5);
    assert!(ben.rings());
    ben.after(3);
    assert!(!ben.rings(), "30 s after it began, 20 of them asleep");
}

#[test]
fn r19_after_a_sleep_too_short_to_be_noticed_what_is_over_is_over_at_once() {
    let mut ben = Device::of("ben", "ben1");
    let opened_at = ben.now();
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.after(28);
    ben.sleeps(1);
    ben.after(1);
    assert!(ben.rings());
    let server_time = ben.now().wall;
    let mut told = ring("r1", Outcome::Ringing, None);
    told.remaining_ms = 10;
    ben.sleeps(1);
    // What waited in the socket comes first.
    let event = Event::Call { state: state(2, Some(told), None) };
    ben.is(Input::Server { opened_at, message: ServerMessage::Event { revision: 9, server_time, event } });
    assert!(!ben.rings());
}
