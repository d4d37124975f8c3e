//! Several rings in one call: who rings on, who is stopped, and whom a ring leads where.

use wire::{Reason, RingMembers};

use super::*;

impl Server {
    /// Somebody in a call rings further people into it.
    pub(super) fn adds(&mut self, device: &str, cid: &str, people: &[&str]) -> CallState {
        let members = Some(people.iter().map(|name| id(name)).collect());
        let request = RingMembers { members, ..RingMembers::default() };
        self.authority.ring_members(self.now, &who(device), &id(cid), request).unwrap()
    }

    pub(super) fn outcomes(&self, cid: &str) -> BTreeMap<&str, Vec<Outcome>> {
        let mut outcomes: BTreeMap<&str, Vec<Outcome>> = BTreeMap::new();
        for target in self.call(cid).rings().iter().flat_map(|ring| &ring.targets) {
            outcomes.entry(target.user.as_str()).or_default().push(target.outcome);
        }
        outcomes
    }

    /// `ben` and `cem` have answered `ann` in `default:x` and talk; she has yet to come.
    fn awaits_ann() -> (Self, RingId) {
        let mut server = Self::new().online(&["ann1", "ben1", "cem1"]);
        let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
        for device in ["ben1", "cem1"] {
            server.joins(device, "default:x", Some(&ring)).unwrap();
            server.has_media("default:x", &format!("{}/{device}", &device[..3]));
        }
        (server, ring)
    }

    /// `ann` and `ben` talk in this call.
    pub(super) fn talk(&mut self, cid: &str) {
        let ring = ring_of(&self.rings("ann1", cid, &["ben"]).state);
        self.joins("ben1", cid, Some(&ring)).unwrap();
        self.joins("ann1", cid, Some(&ring)).unwrap();
        for identity in ["ann/ann1", "ben/ben1"] {
            self.has_media(cid, identity);
        }
    }
}

#[test]
fn r07_ringing_one_more_person_leaves_the_others_ringing() {
    let mut server = Server::new();
    server.talk("default:x");
    server.adds("ann1", "default:x", &["cem"]);
    let seen = server.adds("ann1", "default:x", &["dee"]).ring.unwrap();
    let outcomes = server.outcomes("default:x");
    assert_eq!((&outcomes["cem"], &outcomes["dee"]), (&vec![Outcome::Ringing], &vec![Outcome::Ringing]));
    let waits_for: Vec<&str> = seen.targets.iter().map(|target| target.user.as_str()).collect();
    assert_eq!(waits_for, ["dee", "cem", "ben"], "the caller sees all whom he rings, and who came");
    // Ben, who was called himself, adds somebody who rings already: nothing begins anew.
    server.adds("ben1", "default:x", &["cem"]);
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Ringing]);
    let cem = server.joins("cem1", "default:x", None).unwrap();
    assert_eq!(cem.ring.unwrap().targets.len(), 1, "and is shown the one that rang him");
    assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Ringing]);
}

#[test]
fn r10_each_of_several_rings_ends_at_its_own_deadline() {
    let mut server = Server::new().online(&["ann1"]);
    server.talk("default:x");
    server.adds("ann1", "default:x", &["cem"]);
    server.after(20);
    server.adds("ann1", "default:x", &["dee"]);
    server.after(26);
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Missed]);
    assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Ringing]);
    server.after(20);
    assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Missed]);
}

#[test]
fn s13_a_caller_who_rang_in_two_goes_cancels_both() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    let newest = server.adds("ann1", "default:x", &["cem"]).ring.unwrap().id;
    server.leaves("ann1", "default:x", &Leave { ring: Some(newest), session: None });
    let outcomes = server.outcomes("default:x");
    assert_eq!((&outcomes["ben"], &outcomes["cem"]), (&vec![Outcome::Cancelled], &vec![Outcome::Cancelled]));
}

#[test]
fn s09_a_caller_who_rang_in_two_goes_comes_in_by_the_first_accept_of_either() {
    let mut server = Server::new();
    let first = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    let newest = server.adds("ann1", "default:x", &["cem"]).ring.unwrap().id;
    server.joins("ben1", "default:x", Some(&first)).unwrap();
    let seen = server.authority.read(server.now, &who("ann1"), &id("default:x")).unwrap().ring.unwrap();
    assert_eq!((&seen.id, seen.is_answered(), seen.caller_came), (&newest, true, false));
    assert_eq!(seen.session, server.call("default:x").call.session.as_ref().map(|session| session.id.clone()));
    server.joins("ann1", "default:x", Some(&newest)).unwrap();
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Ringing]);
}

#[test]
fn a_ring_that_was_answered_and_never_come_into_drags_nobody_into_a_later_session() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.leaves("ben1", "default:x", &Leave::default());
    assert!(server.call("default:x").call.session.is_none(), "the caller has crashed, and ben does not wait");
    server.joins("ben1", "default:x", None).unwrap();
    let seen = server.authority.read(server.now, &who("ann1"), &id("default:x")).unwrap();
    assert_ne!(seen.ring.unwrap().session, seen.call.session.as_ref().map(|session| session.id.clone()));
    assert_eq!(server.joins("ann1", "default:x", Some(&ring)), Err(Code::RingOver));
}

#[test]
fn whom_everybody_has_left_nobody_rings_for() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Ringing], "ben is still there (S14)");
    server.leaves("ben1", "default:x", &Leave::default());
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Cancelled]);
}

#[test]
fn r15_whoever_is_blocked_rings_nobody_any_more() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    server.talk("default:x");
    server.adds("ben1", "default:x", &["cem"]);
    server.authority.block(server.now, &who("ann1"), &id("default:x"), &id("ben"), true).unwrap();
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Cancelled]);
}

#[test]
fn r16_a_call_of_many_is_no_mirror_of_a_call_of_two() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:b", &["ben"]).state);
    server.joins("ben1", "default:b", Some(&ring)).unwrap();
    server.joins("ann1", "default:b", Some(&ring)).unwrap();
    server.adds("ann1", "default:b", &["cem"]);
    let own = server.rings("cem1", "default:a", &["ann"]).state;
    assert_eq!(own.call.cid, id("default:a"));
    assert_eq!(server.outcomes("default:b")["cem"], [Outcome::Ringing], "he is not drawn into what others talk about");
}

#[test]
fn r16_who_rings_further_people_in_a_call_that_rings_him_has_answered_and_they_ring() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    server.adds("ben1", "default:x", &["cem"]);
    let outcomes = server.outcomes("default:x");
    assert_eq!((&outcomes["ben"], &outcomes["cem"]), (&vec![Outcome::Accepted], &vec![Outcome::Ringing]));
}

#[test]
fn r17_a_call_of_two_stays_one_when_a_third_was_asked_and_did_not_come() {
    let mut server = Server::new();
    server.talk("default:x");
    let ring = server.adds("ann1", "default:x", &["cem"]).ring.unwrap().id;
    let reject = Reject { ring, reason: Reason::Decline, message: None };
    server.authority.reject(server.now, &who("cem1"), &id("default:x"), reject).unwrap();
    server.leaves("ann1", "default:x", &Leave::default());
    assert!(server.call("default:x").call.session.is_none(), "ben is not left alone");
}

#[test]
fn r17_who_waits_in_a_call_that_was_rung_last_week_is_not_put_out() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.rings("ann1", "default:x", &["ben"]);
    server.after(46);
    server.joins("ann1", "default:x", None).unwrap();
    server.has_media("default:x", "ann/ann1");
    server.after(3_600);
    assert!(server.call("default:x").has_device(&id("ann1")));
}

#[test]
fn s09_a_caller_who_does_not_come_is_awaited_for_half_a_minute_and_then_comes_by_his_own_wish_alone() {
    let (mut server, ring) = Server::awaits_ann();
    server.after(29);
    assert!(server.call("default:x").awaits_somebody());
    server.after(2);
    assert!(!server.call("default:x").awaits_somebody());
    assert!(server.call("default:x").has_device(&id("ben1")), "the others talk on");
    server.settle();
    assert_eq!(server.lines[&(id("ann"), ring.to_string())].outcome, wire::HistoryOutcome::Answered);
    assert_eq!(server.joins("ann1", "default:x", Some(&ring)), Err(Code::RingOver));
    assert!(server.joins("ann1", "default:x", None).is_ok());
}

#[test]
fn s09_who_rings_again_after_he_was_given_up_is_awaited_anew() {
    let (mut server, _) = Server::awaits_ann();
    server.after(31);
    server.after(30);
    let again = server.adds("ann1", "default:x", &["dee"]).ring.unwrap().id;
    server.joins("dee1", "default:x", Some(&again)).unwrap();
    server.after(1);
    assert!(server.call("default:x").awaits_somebody());
    assert!(server.joins("ann1", "default:x", Some(&again)).is_ok());
}

#[test]
fn nobody_is_rung_on_into_a_call_to_which_nobody_will_come() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.leaves("ben1", "default:x", &Leave::default());
    assert_eq!(server.outcome("default:x", 1), Outcome::Ringing, "she who rang is on her way");
    server.after(31);
    assert_ne!(server.outcome("default:x", 1), Outcome::Ringing);
}

#[test]
fn s13_who_hangs_up_before_he_came_in_rings_nobody_on_into_an_empty_call() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.adds("ann1", "default:x", &["cem"]);
    server.leaves("ben1", "default:x", &Leave::default());
    server.leaves("ann1", "default:x", &Leave { ring: Some(ring), session: None });
    assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Cancelled]);
    assert!(server.call("default:x").call.session.is_none());
}

#[test]
fn r02_who_is_in_and_asks_again_by_a_ring_that_is_long_over_is_in() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    let forgotten = id("r0");
    for ring in [&ring, &forgotten] {
        assert!(server.joins("ann1", "default:x", Some(ring)).is_ok(), "the answer to his first was lost");
    }
    assert_eq!(server.joins("ann2", "default:x", Some(&forgotten)), Err(Code::RingOver));
}

#[test]
fn several_rings_survive_a_restart() {
    let mut server = Server::new();
    server.talk("default:x");
    server.adds("ann1", "default:x", &["cem"]);
    server.adds("ann1", "default:x", &["dee"]);
    let batch = server.authority.take_batch();
    let stored = &batch.change.calls[&id::<CallId>("default:x")];
    let text = serde_json::to_string(stored.kept.as_deref().unwrap()).unwrap();
    let live =
        Live { calls: vec![(stored.call.clone(), Arc::new(serde_json::from_str(&text).unwrap()))], ..Live::default() };
    let mut again = Server::restored(live);
    assert_eq!(again.outcomes("default:x")["cem"], [Outcome::Ringing]);
    again.after(46);
    assert_eq!(again.outcomes("default:x")["cem"], [Outcome::Missed]);
}

#[test]
fn r01_who_has_accepted_and_is_on_his_way_in_is_not_rung_again() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    // Ben rings back, which answers; Ann, who has not heard of it, presses again.
    server.rings("ben1", "default:x", &["ann"]);
    server.rings("ann1", "default:x", &["ben"]);
    assert_eq!(server.outcomes("default:x")["ben"], [Outcome::Accepted]);
}

#[test]
fn r18_what_a_new_life_of_the_server_tells_is_newer_than_what_the_old_one_told_and_did_not_store() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.settle();
    let (stored, kept) = server.stored[&id("default:x")].clone();
    // Told, and not worth a way to the disk.
    server.authority.alerted(&who("ben1"), &id("default:x"), &ring);
    let told = server.call("default:x").call.version;
    assert!(told > stored.version);
    let people = server.authority.people.values().cloned().collect();
    let live = Live { people, calls: vec![(stored, kept)], ..Live::default() };
    let mut again = Server::restored_at(START.plus(Duration::from_secs(1)), live);
    again.rings("ann1", "default:x", &["ben"]);
    assert!(again.call("default:x").call.version > told);
}

#[test]
fn r01_in_a_call_that_is_there_the_named_are_rung_and_nobody_named_is_everybody() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.leaves("ann1", "default:x", &Leave { ring: Some(ring), session: None });
    let targets = |state: CallState| -> Vec<String> {
        state.ring.unwrap().targets.iter().map(|target| target.user.to_string()).collect()
    };
    assert_eq!(targets(server.rings("ann1", "default:x", &["ben"]).state), ["ben"]);
    assert_eq!(targets(server.rings("ann1", "default:x", &[]).state), ["ben", "cem"]);
}

#[test]
fn who_is_calling_somebody_in_a_call_is_not_rung_in_it() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.rings("dee1", "default:x", &["cem"]);
    let everybody = RingMembers::default();
    server.authority.ring_members(server.now, &who("dee1"), &id("default:x"), everybody).unwrap();
    let outcomes = server.outcomes("default:x");
    assert!(!outcomes.contains_key("ann"), "{outcomes:?}");
    assert_eq!(outcomes["ben"], [Outcome::Ringing]);
    let seen = server.authority.read(server.now, &who("ann1"), &id("default:x")).unwrap();
    assert_eq!(ring_of(&seen), ring, "she still sees her own");
}

#[test]
fn who_rings_somebody_whom_another_rings_is_shown_that_ring() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    assert_eq!(ring_of(&server.rings("dee1", "default:x", &["ben"]).state), ring);
}

#[test]
fn who_went_and_rings_one_of_them_again_waits_for_that_one_alone() {
    let mut server = Server::new();
    let first = ring_of(&server.rings("ann1", "default:x", &["ben", "cem", "dee"]).state);
    server.joins("cem1", "default:x", Some(&first)).unwrap();
    server.joins("ann1", "default:x", Some(&first)).unwrap();
    server.leaves("ann1", "default:x", &Leave::default());
    let again = server.rings("ann1", "default:x", &["dee"]).state.ring.unwrap();
    let targets: Vec<_> = again.targets.iter().map(|target| (target.user.as_str(), target.outcome)).collect();
    assert_eq!((targets, again.caller_came), (vec![("dee", Outcome::Ringing)], false));
    assert_eq!(server.outcomes("default:x")["ben"], [Outcome::Ringing], "the others ring on");
}

#[test]
fn who_rings_from_another_device_waits_there_for_all_of_them() {
    let mut server = Server::new();
    let first = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    let state = server.rings("ann2", "default:x", &["ben"]).state;
    assert_ne!(ring_of(&state), first);
    let targets: Vec<_> = state.ring.unwrap().targets.into_iter().map(|target| target.user).collect();
    assert_eq!(targets, [id::<UserId>("ben"), id("cem")]);
    assert!(!server.call("default:x").rings().iter().any(|ring| ring.id == first && ring.is_live()));
}

#[test]
fn s14_a_hang_up_that_is_said_again_leaves_the_others_ringing() {
    let mut server = Server::new().online(&["ann1", "ben1", "dee1"]);
    server.talk("default:x");
    let ring = ring_of(&server.adds("ann1", "default:x", &["dee"]));
    let session = server.call("default:x").call.session.as_ref().map(|session| session.id.clone());
    let hang_up = Leave { ring: Some(ring), session };
    for _ in 0..2 {
        server.leaves("ann1", "default:x", &hang_up);
        assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Ringing]);
    }
    server.leaves("ann1", "default:x", &Leave { session: None, ..hang_up });
    assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Ringing], "also by a later life of her device");
}

#[test]
fn nobody_is_rung_into_a_call_that_everybody_has_left() {
    let mut server = Server::new().online(&["ann1", "ben1", "dee1"]);
    server.talk("default:x");
    server.adds("ann1", "default:x", &["dee"]);
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.outcomes("default:x")["dee"], [Outcome::Ringing]);
    server.leaves("ben1", "default:x", &Leave::default());
    assert_eq!(server.outcome("default:x", 0), Outcome::Cancelled);
}

#[test]
fn r01_how_an_older_ring_ended_is_not_how_a_newer_one_stands() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.talk("default:x");
    let ring = ring_of(&server.adds("ann1", "default:x", &["cem", "dee"]));
    let no = Reject { ring, reason: Reason::Decline, message: Some("no".to_owned()) };
    server.authority.reject(server.now, &who("cem1"), &id("default:x"), no).unwrap();
    let again = ring_of(&server.adds("ann1", "default:x", &["cem"]));
    server.joins("cem1", "default:x", Some(&again)).unwrap();
    let state = server.authority.seen_by(&id("ann"), &id("default:x"), server.now).unwrap();
    let cem = |state: &CallState| state.ring.as_ref().and_then(|ring| ring.target(&id("cem")).cloned());
    for (person, state) in
        [("ann", state), ("cem", server.authority.seen_by(&id("cem"), &id("default:x"), server.now).unwrap())]
    {
        let outcome = cem(&state).map(|target| target.outcome);
        assert!(outcome.is_none_or(|outcome| outcome == Outcome::Accepted), "{person}: {outcome:?}");
    }
    let bens = server.authority.seen_by(&id("ben"), &id("default:x"), server.now).unwrap().ring.unwrap();
    assert_eq!(bens.target(&id("ben")).unwrap().outcome, Outcome::Accepted, "by which he came he is in");
}

#[test]
fn r01_a_ring_that_is_let_go_brings_back_no_older_outcome() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1", "dee1"]);
    server.talk("default:x");
    let no = |ring| Reject { ring, reason: Reason::Decline, message: None };
    let first = ring_of(&server.adds("ann1", "default:x", &["cem", "dee"]));
    server.authority.reject(server.now, &who("cem1"), &id("default:x"), no(first.clone())).unwrap();
    server.joins("dee1", "default:x", Some(&first)).unwrap();
    let second = ring_of(&server.adds("ann1", "default:x", &["cem", "eve"]));
    server.authority.reject(server.now, &who("eve1"), &id("default:x"), no(second.clone())).unwrap();
    server.joins("cem1", "default:x", Some(&second)).unwrap();
    server.leaves("ben1", "default:x", &Leave::default());
    server.adds("ann1", "default:x", &["ben"]);
    server.adds("cem1", "default:x", &["eve"]);
    let seen = server.authority.seen_by(&id("ann"), &id("default:x"), server.now).unwrap().ring.unwrap();
    let outcome = |person: &str| seen.target(&id(person)).map(|target| target.outcome);
    assert_eq!(outcome("ben"), Some(Outcome::Ringing));
    assert_eq!((outcome("cem"), outcome("dee")), (Some(Outcome::Accepted), Some(Outcome::Accepted)));
}

#[test]
fn r17_a_ring_of_long_ago_does_not_end_a_session_that_people_came_into_by_themselves() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    server.talk("default:x");
    for device in ["ann1", "ben1"] {
        server.leaves(device, "default:x", &Leave::default());
    }
    server.settle();
    for device in ["ann1", "ben1", "cem1"] {
        server.joins(device, "default:x", None).unwrap();
    }
    for device in ["ben1", "cem1"] {
        server.leaves(device, "default:x", &Leave::default());
    }
    assert!(server.call("default:x").has_device(&id("ann1")), "others may come again");
}
