//! What a person says or does when things have already gone on: late, twice, or against what he said before.

use super::*;

/// The server's answer to this person's own ring in the call.
fn rings_back(story: &mut Device, state: CallState) {
    let asked_at = story.now();
    story.is(Input::State { asked_at, state, revision: story.revision + 1 });
}

fn reject() -> Leave {
    Leave::Reject { reason: Reason::Decline, message: None }
}

#[test]
fn r05_a_no_counts_also_when_this_device_has_given_the_ring_up_by_its_own_clock() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.after(32);
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Timeout))));
    ben.is(Input::Leave { cid: cid(), leave: reject() });
    assert!(matches!(ben.request(), Some((_, Request::Reject { reject, .. })) if reject.ring == id("r1")));
    // A server whose clock is behind: it is done with here.
    ben.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), None));
    assert!(!ben.rings());
}

#[test]
fn s13_a_cancel_counts_also_when_this_device_has_given_the_ring_up_by_its_own_clock() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.after(32);
    ann.goes();
    assert_eq!(ann.leave_request().1.ring, Some(id("r1")));
    ann.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), None));
    assert!(!ann.rings());
}

#[test]
fn who_goes_out_of_what_does_not_ring_says_nothing() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Missed, None)), None));
    for leave in [Leave::Plain, reject()] {
        ann.is(Input::Leave { cid: cid(), leave });
        assert!(ann.request().is_none());
    }
}

#[test]
fn r16_who_refused_a_ring_and_rings_back_in_its_call_comes_in() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is(Input::Leave { cid: cid(), leave: reject() });
    // His no was lost; the server takes his own ring for the accept of the other's.
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert_eq!(ben.join_request().1.ring, Some(id::<wire::RingId>("r1")));
}

#[test]
fn r16_who_hung_up_on_his_way_in_and_rings_back_comes_in() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.goes();
    ben.answered(join, Err(away()));
    let (leave, _) = ben.leave_request();
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    let accepted = || state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[]));
    ben.hears(accepted());
    assert!(ben.request().is_none(), "he hung up");
    rings_back(&mut ben, accepted());
    assert_eq!(ben.join_request().1.ring, Some(id::<wire::RingId>("r1")));
}

#[test]
fn r14_who_missed_a_call_and_may_be_disturbed_again_hears_what_rings_now() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.hears(state(2, Some(ring("r1", Outcome::Missed, None)), None));
    ben.is(Input::DoNotDisturb { to: Toggle::On });
    ben.hears(state(3, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(!ben.rings());
    ben.is(Input::DoNotDisturb { to: Toggle::Off });
    assert!(ben.rings());
}

#[test]
fn r12_media_that_fails_takes_no_new_ring_with_it() {
    let mut ben = Device::in_call("ben", "ben1");
    let join = ben.calls.calls[0].in_call().unwrap().join;
    ben.hears(state(3, Some(ring("r2", Outcome::Ringing, None)), Some(&["cem1", "ben1"])));
    assert!(!ben.rings(), "he is in the call");
    ben.is(Input::Session { cid: cid(), join, event: SessionEvent::Closed(EndReason::MediaFailed) });
    assert!(ben.rings(), "somebody still wants to reach him");
}

#[test]
fn news_from_before_an_answer_that_came_after_hanging_up_rings_nobody() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.goes();
    // A ring that had not reached him was accepted by his join.
    let inside = state(3, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ann1", "ben1"]));
    ben.answered(join, Ok(joined(inside)));
    assert!(matches!(ben.request(), Some((_, Request::Leave { .. }))));
    ben.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), None));
    assert!(!ben.rings());
}

#[test]
fn an_answer_that_comes_after_the_news_that_its_ring_is_over_rings_nobody() {
    let mut ann = Device::of("ann", "ann1");
    // Folded into another call (R16) by the same decision: the first that is heard of it is its end.
    ann.hears(state(2, Some(ring("r1", Outcome::Cancelled, None)), None));
    rings_back(&mut ann, state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    assert!(ann.calls.view(ann.now()).calls.is_empty());
    // What is newer begins.
    rings_back(&mut ann, state(3, Some(ring("r2", Outcome::Ringing, None)), None));
    assert_eq!(ann.calls.view(ann.now()).calls.len(), 1);
}

#[test]
fn r19_an_answer_that_waited_while_the_machine_slept_rings_nobody() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, None, Some(&["cem1"])));
    ann.wants(cid());
    let (join, _) = ann.join_request();
    ann.goes();
    ann.sleeps(600);
    // She had hung up and rung Ben in the call; the answer to her coming in knows his ring, and the server more by now.
    ann.answered(join, Ok(joined(state(3, Some(ring("r1", Outcome::Ringing, None)), Some(&["cem1", "ann1"])))));
    assert!(!ann.rings());
    assert_eq!(ann.leave_request().1.session, Some(id::<SessionId>("s1")), "she is not left in it all the same");
}

#[test]
fn s13_who_hangs_up_before_he_hears_that_he_rings_further_people_rings_nobody() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    let asked_at = ann.now();
    ann.after(1);
    ann.goes();
    let (leave, _) = ann.leave_request();
    ann.is(Input::ErrandDone { id: leave, result: Ok(()) });
    let rung = state(3, Some(ring("r2", Outcome::Ringing, None)), None);
    ann.is(Input::State { asked_at, state: rung.clone(), revision: 9 });
    assert!(!ann.rings());
    assert_eq!(ann.leave_request().1.ring, Some(id::<wire::RingId>("r2")));
    // What he asks for now is another matter.
    ann.after(1);
    let mut again = rung;
    Arc::make_mut(&mut again.call).version = 4;
    again.ring = Some(ring("r3", Outcome::Ringing, None));
    rings_back(&mut ann, again);
    assert!(ann.rings());
}

#[test]
fn s13_who_rings_further_people_on_his_way_in_hangs_up_on_all_of_them() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"])));
    let (join, _) = ann.join_request();
    ann.hears(state(3, Some(ring("r2", Outcome::Ringing, None)), Some(&["ben1"])));
    ann.goes();
    ann.answered(join, Err(away()));
    assert_eq!(ann.leave_request().1.ring, Some(id::<wire::RingId>("r2")));
}

#[test]
fn s13_who_rang_twice_and_hung_up_does_not_ring_on_when_the_first_answer_comes_last() {
    let mut ann = Device::of("ann", "ann1");
    let asked_at = ann.now();
    let (first, second) = (ring("r1", Outcome::Ringing, None), ring("r2", Outcome::Ringing, None));
    ann.is(Input::State { asked_at, state: state(2, Some(second.clone()), None), revision: 3 });
    ann.after(1);
    ann.is(Input::Leave { cid: cid(), leave: Leave::Plain });
    ann.is(Input::State { asked_at, state: state(1, Some(first), None), revision: 2 });
    // An event from before the hang-up.
    ann.hears(state(2, Some(second), None));
    assert_eq!(ann.stands().map(|(calling_state, _)| calling_state), Some(CallingState::Left));
}

#[test]
fn who_thought_again_before_it_rang_does_not_come_in_when_that_join_answers_the_ring() {
    for hears_first in [true, false] {
        let mut ben = Device::of("ben", "ben1");
        ben.hears(state(1, None, Some(&["cem1"])));
        ben.wants(cid());
        let (join, _) = ben.join_request();
        ben.goes();
        ben.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), Some(&["cem1"])));
        assert!(ben.rings());
        let accepted = state(3, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["cem1", "ben1"]));
        ben.outputs.clear();
        if hears_first {
            ben.hears(accepted.clone());
            assert!(ben.request().is_none(), "what was taken back is still on its way");
        }
        ben.answered(join, Ok(joined(accepted)));
        assert!(!ben.rings() && !ben.opened_media(), "nobody has pressed Accept");
        ben.leave_request();
    }
}
