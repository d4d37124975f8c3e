//! Reminders of what is planned, and the end of what has lasted long enough.

use super::*;

/// A call that is planned for later, with somebody on its list.
fn planned(server: &mut Server, in_seconds: i64) -> CallId {
    let cid: CallId = id("default:x");
    let member = MemberData { user: id("ben"), role: None, custom: wire::Custom::new() };
    let starts_at = Some(UnixMillis(server.now.0 + in_seconds * 1_000));
    let data = CallData { members: vec![member], starts_at, ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &cid, request).unwrap();
    server.settle();
    cid
}

#[test]
fn s18_members_are_reminded_five_minutes_before_and_at_the_time() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    planned(&mut server, 600);
    server.after(299);
    assert_eq!(server.settle(), []);
    server.after(1);
    assert!(matches!(server.settle()[..], [Event::Notified { by: None, starts_at: Some(_), .. }]));
    server.after(299);
    assert_eq!(server.settle(), []);
    server.after(1);
    assert!(matches!(server.settle()[..], [Event::Notified { by: None, .. }]));
    assert!(!server.authority.knows(&id("default:x")), "nothing more is to happen in it");
}

#[test]
fn s18_a_restart_loses_no_reminder_and_gives_none_twice() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let cid = planned(&mut server, 600);
    server.after(300);
    let batch = server.authority.take_batch();
    let stored = &batch.change.calls[&cid];
    assert!(stored.is_live, "it is loaded at the next start");
    let (calls, people) = (vec![(stored.call.clone(), Arc::default())], Server::people());
    let mut again = Server::restored(Live { calls, people, ..Live::default() });
    again.now = server.now;
    again.after(60);
    assert_eq!(again.settle(), [], "the first was given");
    again.after(300);
    assert_eq!(again.settle().len(), 1);
}

#[test]
fn s18_a_reminder_that_is_long_over_is_not_given() {
    let mut server = Server::new().online(&["ben1"]);
    let cid = planned(&mut server, 600);
    let call = server.call("default:x").call.clone();
    let (calls, people) = (vec![(call, Arc::default())], Server::people());
    let mut late = Server::restored(Live { calls, people, ..Live::default() });
    late.now = server.now;
    late.after(3 * 3600);
    assert_eq!(late.settle(), []);
    assert!(!late.authority.knows(&cid));
}

#[test]
fn a_call_ends_for_all_when_its_time_is_over_after_a_warning() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let data =
        CallData { settings: Some(serde_json::json!({"limits": {"max_duration_ms": 600_000}})), ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    server.joins("ann1", "default:x", None).unwrap();
    let joined = SfuEvent::ParticipantJoined { room: "default:x".to_owned(), identity: "ann/ann1".to_owned() };
    server.authority.on_media(server.now, joined);
    server.settle();
    server.after(539);
    assert_eq!(server.settle(), []);
    server.after(1);
    assert!(matches!(server.settle()[..], [Event::EndsSoon { in_ms: 60_000, .. }]));
    server.after(59);
    assert_eq!(server.settle(), [], "one warning is enough");
    assert!(server.call("default:x").call.session.is_some());
    server.after(1);
    let batch = server.authority.take_batch();
    assert!(batch.effects.iter().any(|effect| matches!(effect, Effect::CloseRoom { .. })));
    let call = &batch.change.calls[&id::<CallId>("default:x")].call;
    assert!(call.session.is_none() && call.ended_at.is_some());
}

#[test]
fn s18_who_is_on_the_list_of_a_call_that_is_planned_no_more_is_not_reminded() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let cid = planned(&mut server, 600);
    let update = wire::UpdateCall { starts_at: Some(None), ..wire::UpdateCall::default() };
    let state = server.authority.update_call(server.now, &who("ann1"), &cid, update).unwrap();
    assert_eq!((state.call.starts_at, state.call.custom.len()), (None, 0));
    server.settle();
    server.after(700);
    assert_eq!(server.settle(), []);
    assert!(!server.authority.knows(&cid), "nothing is to happen in it");
}

#[test]
fn s18_who_was_put_out_for_good_is_neither_reminded_nor_told() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let cid = planned(&mut server, 600);
    server.authority.block(server.now, &who("ann1"), &cid, &id("ben"), true).unwrap();
    server.settle();
    server.after(300);
    let told = |server: &mut Server| -> Vec<UserId> {
        let batch = server.authority.take_batch();
        batch.notices.into_iter().flat_map(|(users, _)| users).collect()
    };
    assert_eq!(told(&mut server), [id::<UserId>("ann")]);
    let request = wire::RingMembers { notify: true, ..wire::RingMembers::default() };
    server.authority.ring_members(server.now, &who("ann1"), &cid, request).unwrap();
    assert_eq!(told(&mut server), []);
}

#[test]
fn a_call_whose_time_is_prolonged_is_warned_of_its_new_end() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let lasts = |ms: u32| Some(serde_json::json!({"limits": {"max_duration_ms": ms}}));
    let data = CallData { settings: lasts(600_000), ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    server.joins("ann1", "default:x", None).unwrap();
    server.has_media("default:x", "ann/ann1");
    server.settle();
    server.after(540);
    assert!(matches!(server.settle()[..], [Event::EndsSoon { in_ms: 60_000, .. }]));
    let update = wire::UpdateCall { settings: lasts(1_200_000), ..wire::UpdateCall::default() };
    server.authority.update_call(server.now, &who("ann1"), &id("default:x"), update).unwrap();
    server.settle();
    server.after(599);
    assert_eq!(server.settle(), []);
    server.after(1);
    assert!(matches!(server.settle()[..], [Event::EndsSoon { in_ms: 60_000, .. }]));
}
