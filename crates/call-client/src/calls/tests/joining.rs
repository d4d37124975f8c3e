//! Coming in, going out, what is on at the start, and the door.

use super::{super::border, *};

#[test]
fn let_in_after_hanging_up_it_goes_out_again_with_the_microphone_off() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.goes();
    ben.after(8);
    let inside = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]));
    ben.answered(join, Ok(joined(inside)));
    assert!(!ben.opened_media());
    assert_eq!(ben.leave_request().1.session, Some(id::<SessionId>("s1")));
}

#[test]
fn who_may_have_been_let_in_by_an_answer_that_was_lost_says_that_he_is_out() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Err(away()));
    ben.after(2);
    let (join, _) = ben.join_request();
    ben.answered(join, Err(refused(wire::Code::RingOver)));
    assert_eq!(ben.leave_request().1.ring, Some(id::<wire::RingId>("r1")), "the others see nobody who is not there");
}

#[test]
fn an_older_answer_does_not_overwrite_newer_events() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, None, Some(&["cem1"])));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.hears(state(5, None, None));
    ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
    assert_eq!(ben.stands(), Some((CallingState::Ended, Some(EndReason::Ended))));
}

#[test]
fn the_media_of_an_earlier_join_says_nothing() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.goes();
    let (leave, request) = ben.leave_request();
    assert_eq!(request.session, Some(id::<SessionId>("s1")));
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Ok(joined(state(4, None, Some(&["cem1", "ben1"])))));
    ben.is(Input::Session { cid: cid(), join: join - 1, event: SessionEvent::Closed(EndReason::Ended) });
    assert_eq!(ben.stands().map(|(state, _)| state), Some(CallingState::Joining));
}

#[test]
fn coming_in_anew_waits_for_the_going_out_and_stops_its_attempts() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.goes();
    let (leave, _) = ben.leave_request();
    ben.wants(cid());
    assert!(ben.request().is_none(), "one after the other");
    ben.is(Input::ErrandDone { id: leave, result: Err(away()) });
    ben.join_request();
    ben.after(3);
    assert!(ben.request().is_none(), "the leave is not tried again");
}

#[test]
fn a_call_that_is_not_known_yet_is_joining_and_can_be_left() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    assert_eq!(ben.stands(), Some((CallingState::Joining, None)));
    let (join, _) = ben.join_request();
    ben.answered(join, Err(refused(wire::Code::CallNotFound)));
    assert_eq!(ben.stands(), None, "the error says it all");
    ben.wants(cid());
    ben.goes();
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Left))));
}

#[test]
fn what_the_settings_switch_off_is_off_at_the_start() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let mut inside = state(2, None, Some(&["ben1"]));
    Arc::make_mut(&mut inside.call).settings.audio.mic_default_on = false;
    ben.answered(join, Ok(joined(inside)));
    let is_muted = |output: &Output| matches!(output, Output::OpenSession { microphone: Toggle::Off, .. });
    assert!(ben.outputs.iter().any(is_muted));
}

#[test]
fn what_the_settings_say_is_how_it_begins_and_what_the_person_switches_wins() {
    let begin = |output: &Output| match output {
        Output::OpenSession { microphone, camera, speaker, .. } => Some((*microphone, *camera, *speaker)),
        _ => None,
    };
    for is_known in [false, true] {
        let mut ben = Device::of("ben", "ben1");
        let mut inside = state(2, None, Some(&["cem1"]));
        let settings = &mut Arc::make_mut(&mut inside.call).settings;
        (settings.audio.speaker_default_on, settings.video.camera_default_on) = (false, false);
        if is_known {
            ben.hears(inside.clone());
        }
        ben.is(Input::Join {
            cid: cid(),
            options: JoinOptions { create: false, video: Toggle::On },
            ticket: Ticket(7),
        });
        let (join, _) = ben.join_request();
        ben.answered(join, Ok(joined(inside)));
        assert_eq!(ben.outputs.iter().find_map(begin), Some((Toggle::On, Toggle::Off, Toggle::Off)), "{is_known}");
        ben.is(Input::Speaker { cid: cid(), to: Toggle::On });
        ben.is(Input::Toggle { cid: cid(), device: border::Device::Camera, to: Toggle::On });
        let view = ben.calls.view(ben.now()).calls[0].joined.clone().unwrap();
        assert!(view.speaker_on && view.camera == DeviceView::On);
    }
}

#[test]
fn who_may_only_listen_comes_in_muted_and_cannot_switch_anything_on() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let mut inside = state(2, None, Some(&["ben1"]));
    inside.own_capabilities.clear();
    ben.answered(join, Ok(joined(inside.clone())));
    let is_muted = |output: &Output| matches!(output, Output::OpenSession { microphone: Toggle::Off, .. });
    assert!(ben.outputs.iter().any(is_muted));
    let switches = |ben: &Device| ben.outputs.iter().filter(|output| matches!(output, Output::Switch { .. })).count();
    for device in [border::Device::Microphone, border::Device::Camera] {
        ben.is(Input::Toggle { cid: cid(), device, to: Toggle::On });
    }
    assert_eq!(switches(&ben), 0);
    Arc::make_mut(&mut inside.call).version = 3;
    inside.own_capabilities.insert(Capability::SendAudio);
    ben.hears(inside);
    ben.is(Input::Toggle { cid: cid(), device: border::Device::Microphone, to: Toggle::On });
    assert_eq!(switches(&ben), 1, "somebody let him speak");
}

#[test]
fn an_admin_asks_who_waits_at_the_door_and_hears_who_comes_and_goes() {
    let mut ann = Device::of("ann", "ann1");
    let begin = ann.now();
    let ask = |id, seconds: i64| WaitingAsk {
        id: wire::AskId(id),
        name: format!("Person {id}"),
        device_name: "desk".to_owned(),
        code: "123 456".to_owned(),
        expires_at: UnixMillis(WALL + seconds * 1_000),
    };
    let ids = |ann: &Device| ann.calls.view(ann.now()).asks.iter().map(|ask| ask.id.0).collect::<Vec<_>>();
    ann.calls.person.role = Role::Admin;
    ann.is_shown(Vec::new());
    assert!(ann.outputs.iter().any(|output| matches!(output, Output::FetchAsks)));
    ann.is(Input::Asks { waiting: vec![ask(1, 60)] });
    ann.is_told(begin, Event::AskedIn { ask: ask(2, 90) });
    assert_eq!(ids(&ann), [1, 2]);
    ann.after(60);
    assert_eq!(ids(&ann), [2], "1 was let to wait no longer");
    ann.is_told(begin, Event::AskOver { id: wire::AskId(2) });
    assert!(ids(&ann).is_empty());
}

#[test]
fn shutting_down_leaves_what_is_still_joining() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.is(Input::ShutDown);
    assert!(!ben.calls.is_quiet());
    ben.answered(join, Ok(joined(state(2, None, Some(&["ben1"])))));
    let (leave, _) = ben.leave_request();
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    assert!(ben.calls.is_quiet());
}

#[test]
fn who_the_server_took_out_during_a_sleep_asks_to_be_let_in_again() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, None, Some(&["cem1"])));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
    ben.sleeps(60);
    ben.is_shown(vec![state(3, None, Some(&["cem1"]))]);
    ben.after(2);
    let (again, join) = ben.join_request();
    assert_eq!(join.session, Some(id::<SessionId>("s1")));
    // Let in, and the news of it got lost: it asks once more.
    ben.is(Input::JoinDone { id: again, cid: cid(), result: Box::new(Ok(joined(state(3, None, Some(&["cem1"]))))) });
    ben.after(8);
    ben.join_request();
}

#[test]
fn a_join_that_is_refused_leaves_the_call_as_it_was_and_tells_who_asked() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, None, Some(&["cem1"])));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Err(refused(wire::Code::InBackstage)));
    assert_eq!(ben.stands(), Some((CallingState::Idle, None)), "it goes on, and can be joined later");
    let is_told = |output: &Output| matches!(output, Output::Reply { result: Err(ClientError::Refused(_)), .. });
    assert!(ben.outputs.iter().any(is_told));
}

#[test]
fn a_caller_who_is_not_let_in_into_his_own_call_reads_what_the_server_said() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"])));
    let (join, _) = ann.join_request();
    ann.answered(join, Err(refused(wire::Code::Blocked)));
    let view = ann.calls.view(ann.now()).calls.remove(0).state;
    assert_eq!((view.calling_state, view.reason), (CallingState::Left, Some(EndReason::Refused)));
    assert_eq!(view.refusal.map(|refusal| refusal.code), Some(wire::Code::Blocked));
}

#[test]
fn who_is_put_out_is_out_and_does_not_ask_to_be_let_in_again() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.after(6);
    ben.outputs.clear();
    // The server's word comes before the media's.
    ben.hears(state(3, None, Some(&["cem1"])));
    assert!(ben.request().is_none());
    let join = ben.calls.calls[0].in_call().unwrap().join;
    ben.is(Input::Session { cid: cid(), join, event: SessionEvent::Closed(EndReason::PutOut) });
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::PutOut))));
    ben.after(10);
    assert!(!matches!(ben.request(), Some((_, Request::Join { .. }))));
}

/// Hung up before the answer came, and the going out was lost as well.
fn let_in_unheard(user: &str, device: &str) -> Device {
    let mut story = Device::of(user, device);
    story.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    story.wants(cid());
    let (join, _) = story.join_request();
    story.goes();
    story.answered(join, Err(away()));
    let (leave, _) = story.leave_request();
    story.after(21);
    story.is(Input::ErrandDone { id: leave, result: Err(away()) });
    story.request();
    story
}

#[test]
fn who_was_let_in_without_hearing_of_it_and_has_hung_up_says_so_when_he_is_back() {
    let mut accepted = ring("r1", Outcome::Accepted, Some("ben1"));
    accepted.targets[0].came = true;
    let mut ben = let_in_unheard("ben", "ben1");
    ben.is_shown(vec![state(2, Some(accepted), Some(&["ann1", "ben1"]))]);
    assert_eq!(ben.leave_request().1.session, Some(id::<SessionId>("s1")), "the others see a ghost");
}

#[test]
fn who_has_gone_out_says_so_again_also_in_a_call_that_has_rung_others_since() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.request();
    ben.goes();
    let (leave, _) = ben.leave_request();
    ben.after(21);
    ben.is(Input::ErrandDone { id: leave, result: Err(away()) });
    let mut others = ring("r2", Outcome::Missed, None);
    others.targets[0].user = id("dee");
    ben.is_shown(vec![state(5, Some(others), Some(&["cem1", "ben1"]))]);
    assert_eq!(ben.leave_request().1.session, Some(id::<SessionId>("s1")));
}

#[test]
fn r03_who_comes_in_once_more_and_is_refused_is_rung_on() {
    let mut ben = Device::of("ben", "ben1");
    let rung = |version| state(version, Some(ring("r1", Outcome::Ringing, None)), None);
    ben.hears(rung(1));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.goes();
    ben.answered(join, Err(refused(wire::Code::Unavailable)));
    let (leave, _) = ben.leave_request();
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    assert!(!ben.rings(), "he hung up");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Err(refused(wire::Code::Unavailable)));
    assert!(ben.rings(), "his last word was to come in");
}

#[test]
fn an_answer_that_comes_after_a_snapshot_without_its_call_lets_nobody_in() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    // The caller has hung up meanwhile, and the call is over.
    ben.is_shown(Vec::new());
    let inside = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]));
    ben.answered(join, Ok(joined(inside)));
    assert!(!ben.opened_media());
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Ended))));
}

#[test]
fn whose_media_agrees_that_he_is_out_asks_at_once_and_his_session_gets_what_lets_it_in_again() {
    let mut ben = Device::in_call("ben", "ben1");
    let join = ben.calls.calls[0].in_call().unwrap().join;
    ben.after(30);
    ben.outputs.clear();
    // The machine slept, and the others went on.
    ben.hears(state(3, None, Some(&["cem1"])));
    assert!(ben.request().is_none(), "its media may know better");
    ben.is(Input::Session { cid: cid(), join, event: SessionEvent::Reconnecting });
    let (again, asked) = ben.join_request();
    assert!(asked.session.is_some(), "into the session that it was in");
    ben.answered(again, Ok(joined(state(4, None, Some(&["cem1", "ben1"])))));
    assert!(ben.outputs.iter().any(|output| matches!(output, Output::RefreshSession { .. })));
    assert!(!ben.opened_media(), "and goes on as it was");
}

#[test]
fn who_is_lost_and_not_let_in_again_is_told_why_and_asks_no_more() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.after(30);
    ben.hears(state(3, None, Some(&["cem1"])));
    ben.after(3);
    let (again, _) = ben.join_request();
    ben.answered(again, Err(refused(wire::Code::CallFull)));
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Refused))));
    assert!(ben.outputs.iter().any(|output| matches!(output, Output::CloseSession { .. })));
    ben.outputs.clear();
    ben.after(10);
    assert!(ben.request().is_none());
}
