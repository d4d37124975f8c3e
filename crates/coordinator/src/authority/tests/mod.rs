//! Short stories of the authority, each named after its rule.

mod announcing;
mod calls;
mod failures;
mod happenings;
mod history;
mod members;
mod people;
mod personal;
mod planned;
mod programs;
mod rings;

use std::{collections::BTreeSet, time::Duration};

use sfu::SfuEvent;
use wire::{CallData, GetOrCreate, GetOrCreated, HistoryEntry, Join, Leave, MemberData, Outcome, Reject, RingId, Role};

use super::*;
use crate::store::PersonKind;

const START: UnixMillis = UnixMillis(1_800_000_000_000);

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn who(device: &str) -> Caller {
    Caller { user: id(&device[..3]), device: id(device) }
}

struct Server {
    authority: Authority,
    now: UnixMillis,
    /// What the store has of everybody's history, and of calls.
    lines: BTreeMap<(UserId, String), HistoryEntry>,
    stored: BTreeMap<CallId, (Arc<wire::Call>, Arc<Kept>)>,
}

impl Server {
    fn new() -> Self {
        Self::restored(Live { people: Self::people(), ..Live::default() })
    }

    fn people() -> Vec<StoredPerson> {
        let human = |name: &str| StoredPerson::new(id(name), name.to_owned(), Role::User, BTreeSet::new());
        let program = StoredPerson { kind: PersonKind::Program, ..human("pgm") };
        ["ann", "ben", "cem", "dee", "eve"].map(human).into_iter().chain([program]).collect()
    }

    fn restored(live: Live) -> Self {
        Self::restored_at(START, live)
    }

    fn restored_at(now: UnixMillis, live: Live) -> Self {
        let types = CallTypes::new(BTreeMap::new());
        Self {
            authority: Authority::new(now, 1, String::new(), types, live),
            now,
            lines: BTreeMap::new(),
            stored: BTreeMap::new(),
        }
    }

    fn online(mut self, devices: &[&str]) -> Self {
        for device in devices {
            self.authority.connected(&who(device), 1, &[]);
        }
        self
    }

    fn rings(&mut self, device: &str, cid: &str, people: &[&str]) -> GetOrCreated {
        let member = |name: &&str| MemberData { user: id(name), role: None, custom: wire::Custom::new() };
        let data = CallData { members: people.iter().map(member).collect(), ..CallData::default() };
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        self.authority.get_or_create(self.now, &who(device), &id(cid), request).unwrap()
    }

    fn joins(&mut self, device: &str, cid: &str, ring: Option<&RingId>) -> Result<CallState, Code> {
        let join = Join { ring: ring.cloned(), ..Join::default() };
        if let Some((call, kept)) = self.stored.get(&id(cid)).filter(|_| !self.authority.knows(&id(cid))).cloned() {
            self.authority.load(call, kept);
        }
        let joined = self.authority.join(self.now, &who(device), &id(cid), join);
        joined.map(|(state, _)| state).map_err(|error| error.code)
    }

    fn leaves(&mut self, device: &str, cid: &str, leave: &Leave) {
        self.authority.leave(self.now, &who(device), &id(cid), leave).unwrap();
    }

    fn has_media(&mut self, cid: &str, identity: &str) {
        let up = SfuEvent::ParticipantJoined { room: cid.to_owned(), identity: identity.to_owned() };
        self.authority.on_media(self.now, up);
    }

    fn after(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.authority.on_time(self.now);
    }

    fn call(&self, cid: &str) -> &LiveCall {
        &self.authority.calls[&id::<CallId>(cid)]
    }

    fn outcome(&self, cid: &str, index: usize) -> Outcome {
        self.call(cid).rings().last().unwrap().targets[index].outcome
    }
}

fn ring_of(state: &CallState) -> RingId {
    state.ring.as_ref().unwrap().id.clone()
}

impl Server {
    /// Everything decided is stored; answers what was told without being kept.
    fn settle(&mut self) -> Vec<Event> {
        let batch = self.authority.take_batch();
        let told = batch.notices.iter().filter(|(users, _)| !users.is_empty());
        let notices = told.map(|(_, event)| event.clone()).collect();
        self.lines.extend(batch.change.history.clone());
        for (cid, stored) in &batch.change.calls {
            let before = self.stored.get(cid).map(|(_, kept)| Arc::clone(kept));
            let kept = stored.kept.clone().or(before).unwrap_or_default();
            self.stored.insert(cid.clone(), (Arc::clone(&stored.call), kept));
        }
        self.authority.deliver(self.now, batch, Vec::new());
        notices
    }
}

#[test]
fn r17_a_cancel_that_crosses_the_accept_ends_the_call_for_the_other() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.leaves("ann1", "default:x", &Leave { ring: Some(ring.clone()), session: None });
    assert!(server.call("default:x").call.session.is_none());
    assert_eq!(server.joins("ann1", "default:x", Some(&ring)), Err(Code::RingOver), "it opens no session of its own");
}

#[test]
fn s14_who_came_in_and_left_is_awaited_no_more() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let inside = server.joins("ann1", "default:x", Some(&ring)).unwrap();
    assert!(inside.ring.unwrap().caller_came);
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.outcome("default:x", 1), Outcome::Ringing, "the others ring on");
    assert_eq!(server.joins("ann1", "default:x", Some(&ring)), Err(Code::RingOver), "once per ring");
    assert!(server.joins("ann1", "default:x", None).is_ok(), "by his own wish as often as he likes");
}

#[test]
fn r16_two_who_ring_each_other_are_folded_in_one_decision() {
    for (first, second) in [("default:a", "default:b"), ("default:b", "default:a")] {
        let mut server = Server::new();
        server.rings("ann1", first, &["ben"]);
        server.authority.take_batch();
        let folded = server.rings("ben1", second, &["ann"]).state;
        assert_eq!(folded.call.cid, id("default:a"), "the lower cid wins");
        let batch = server.authority.take_batch();
        let live = batch.change.calls.values().filter(|stored| stored.is_live).count();
        assert_eq!(live, 1, "what is stored together has one call that goes on");
        let ring = ring_of(&folded);
        for device in ["ann1", "ben1"] {
            assert!(server.call("default:a").rings().last().unwrap().awaits(&id(device)), "{device}");
            server.joins(device, "default:a", Some(&ring)).unwrap();
        }
    }
}

#[test]
fn r16_a_folded_call_to_which_nobody_comes_ends() {
    let mut server = Server::new();
    server.rings("ann1", "default:a", &["ben"]);
    server.rings("ben1", "default:b", &["ann"]);
    server.after(31);
    assert!(server.call("default:a").call.session.is_none());
}

#[test]
fn r16_who_rings_back_in_the_same_call_has_answered() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    let state = server.rings("ben1", "default:x", &["ann"]).state;
    assert_eq!(ring_of(&state), ring);
    assert_eq!(server.outcome("default:x", 0), Outcome::Accepted);
}

#[test]
fn r11_a_caller_who_vanishes_cancels_after_ten_seconds() {
    let mut server = Server::new().online(&["ann1"]);
    server.after(60);
    server.rings("ann1", "default:x", &["ben"]);
    server.authority.disconnected(server.now, &id("ann1"), 1);
    server.after(9);
    assert_eq!(server.outcome("default:x", 0), Outcome::Ringing);
    server.after(2);
    assert_eq!(server.outcome("default:x", 0), Outcome::Cancelled);
}

#[test]
fn r11_who_rings_without_a_connection_has_ten_seconds_to_make_one() {
    let mut server = Server::new();
    server.after(60);
    server.rings("ann1", "default:x", &["ben"]);
    server.after(5);
    assert_eq!(server.outcome("default:x", 0), Outcome::Ringing);
    server.authority.connected(&who("ann1"), 1, &[]);
    server.after(20);
    assert_eq!(server.outcome("default:x", 0), Outcome::Ringing);
}

#[test]
fn a_late_leave_ends_nothing_newer() {
    let mut server = Server::new();
    let old = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    let new = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.leaves("ann1", "default:x", &Leave { ring: Some(old), session: None });
    assert_eq!(server.outcome("default:x", 0), Outcome::Ringing);
    server.joins("ben1", "default:x", Some(&new)).unwrap();
    server.leaves("ben1", "default:x", &Leave { ring: None, session: Some(id("s0")) });
    assert!(server.call("default:x").has_device(&id("ben1")));
}

#[test]
fn r08_who_missed_a_ring_and_comes_later_has_missed_it_all_the_same() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.after(46);
    server.joins("ben1", "default:x", None).unwrap();
    server.leaves("ben1", "default:x", &Leave::default());
    let batch = server.authority.take_batch();
    let line = &batch.change.history[&(id("ben"), ring.to_string())];
    assert_eq!(line.outcome, wire::HistoryOutcome::Missed);
}

#[test]
fn r18_who_was_alone_before_a_restart_is_not_left_alone_for_ever() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let call = server.call("default:x").clone();
    let live = Live { calls: vec![(call.call, call.kept)], ..Live::default() };
    let mut server = Server::restored(live).online(&["ben1"]);
    server.has_media("default:x", "ben/ben1");
    server.after(31);
    assert!(server.call("default:x").call.session.is_none());
}

#[test]
fn a_call_that_is_being_stored_is_not_read_back_from_the_disk() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    server.leaves("ann1", "default:x", &Leave::default());
    let batch = server.authority.take_batch();
    server.authority.forget_idle(&id("default:x"));
    assert!(server.authority.knows(&id("default:x")), "the disk still says that it rings");
    server.authority.deliver(server.now, batch, Vec::new());
    assert!(!server.authority.knows(&id("default:x")));
}

#[test]
fn who_arrives_is_shown_what_was_announced() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    let greeting = server.authority.greeting(server.now, &who("ben1"), Vec::new());
    assert!(greeting.calls.is_empty(), "the ring may still be lost with the disk");
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    assert_eq!(server.authority.greeting(server.now, &who("ben1"), Vec::new()).calls.len(), 1);
}

#[test]
fn who_is_not_on_the_list_hears_that_the_call_he_is_in_is_over() {
    let mut server = Server::new().online(&["cem1"]);
    server.rings("ann1", "default:x", &["ben"]);
    server.joins("cem1", "default:x", None).unwrap();
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    server.authority.end(server.now, &who("ann1"), &id("default:x")).unwrap();
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    let is_end = |message: &ServerMessage| match message {
        ServerMessage::Event { event: Event::Call { state }, .. } => state.call.ended_at.is_some(),
        _ => false,
    };
    let is_told = |out: &Out| matches!(out, Out::Message { to, message } if to == &[id("cem1")] && is_end(message));
    assert!(outs.iter().any(is_told));
}

#[test]
fn what_the_store_lost_leaves_the_media_as_it_is() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    let joined = SfuEvent::ParticipantJoined { room: "default:x".to_owned(), identity: "ben/ben1".to_owned() };
    server.authority.on_media(server.now, joined);
    let lost = server.authority.take_batch();
    server.authority.take_back(lost);
    assert_eq!(server.call("default:x").media[&id::<DeviceId>("ben1")], MediaPresence::Up);
}

#[test]
fn who_leaves_the_media_while_his_leave_is_lost_with_the_disk_does_not_stay_for_ever() {
    let mut server = Server::new().online(&["ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let media = |event: fn(String, String) -> SfuEvent| event("default:x".to_owned(), "ben/ben1".to_owned());
    server.authority.on_media(server.now, media(|room, identity| SfuEvent::ParticipantJoined { room, identity }));
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    server.leaves("ben1", "default:x", &Leave::default());
    let lost = server.authority.take_batch();
    server.authority.on_media(server.now, media(|room, identity| SfuEvent::ParticipantLeft { room, identity }));
    let newer = server.authority.take_batch();
    server.authority.take_back(newer);
    server.authority.take_back(lost);
    assert!(server.call("default:x").has_device(&id("ben1")));
    server.after(11);
    assert!(!server.call("default:x").has_device(&id("ben1")));
}

#[test]
fn what_the_media_server_said_during_an_older_decision_does_not_come_back_with_a_lost_one() {
    let mut server = Server::new().online(&["ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let batch = server.authority.take_batch();
    // Said while the join is being stored, and once it is.
    server.has_media("default:x", "ben/ben1");
    server.authority.deliver(server.now, batch, Vec::new());
    let (room, identity) = ("default:x".to_owned(), "ben/ben1".to_owned());
    server.authority.on_media(server.now, SfuEvent::ParticipantLeft { room, identity });
    server.leaves("ben1", "default:x", &Leave::default());
    let lost = server.authority.take_batch();
    server.authority.take_back(lost);
    server.after(11);
    assert!(!server.call("default:x").has_device(&id("ben1")));
}

#[test]
fn who_was_let_in_again_is_awaited_although_he_was_lost_before() {
    let mut server = Server::new().online(&["ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let (room, identity) = ("default:x".to_owned(), "ben/ben1".to_owned());
    server.authority.on_media(server.now, SfuEvent::ParticipantLeft { room, identity });
    server.leaves("ben1", "default:x", &Leave::default());
    server.after(5);
    server.joins("ben1", "default:x", None).unwrap();
    let batch = server.authority.take_batch();
    server.leaves("ben1", "default:x", &Leave::default());
    let lost = server.authority.take_batch();
    server.authority.take_back(lost);
    let since = server.now;
    assert_eq!(server.call("default:x").media[&id::<DeviceId>("ben1")], MediaPresence::Awaited { since });
    drop(batch);
}
