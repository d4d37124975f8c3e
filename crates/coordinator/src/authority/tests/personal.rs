//! What people change about themselves.

use super::*;
use wire::{CallId, Direction, HistoryOutcome};

fn events(outs: Vec<Out>) -> Vec<Event> {
    let event = |out| match out {
        Out::Message { message: ServerMessage::Event { event, .. }, .. } => Some(event),
        _ => None,
    };
    outs.into_iter().filter_map(event).collect()
}

fn line(id: i64) -> HistoryEntry {
    HistoryEntry {
        id,
        cid: CallId::new("default", "x").unwrap(),
        at: UnixMillis(id),
        direction: Direction::Incoming,
        outcome: HistoryOutcome::Missed,
        duration_ms: 0,
        caller: super::id("ann"),
        people: Vec::new(),
        video: false,
        message: None,
        reason: None,
        unseen: true,
        custom: Default::default(),
    }
}

impl Server {
    fn renames(&mut self, name: &str) {
        let change = |person: &mut StoredPerson| {
            person.name = name.to_owned();
            Ok(())
        };
        self.authority.change_person(&who("ann1"), change).unwrap();
    }
}

#[test]
fn a_name_is_told_when_it_is_stored_and_gone_when_it_could_not_be() {
    let mut server = Server::new().online(&["ann1"]);
    server.authority.take_batch();
    server.renames("Ann B.");
    assert_eq!(server.authority.person_name(&id("ann")), "ann", "not before it is stored");
    let lost = server.authority.take_batch();
    server.authority.take_back(lost);
    server.renames("Ann C.");
    let batch = server.authority.take_batch();
    let told = events(server.authority.deliver(server.now, batch, Vec::new()));
    assert!(matches!(&told[..], [Event::Person { person }] if person.name == "Ann C."), "{told:?}");
}

#[test]
fn a_favourite_is_added_to_those_that_are_being_stored() {
    let mut server = Server::new().online(&["ann1"]);
    server.authority.take_batch();
    let mut adds = |favourite: &str| {
        let favourite = id(favourite);
        let change = |person: &mut StoredPerson| {
            person.favourites.insert(favourite);
            Ok(())
        };
        server.authority.change_person(&who("ann1"), change).unwrap();
        server.authority.take_batch()
    };
    let (first, second) = (adds("ben"), adds("cem"));
    for batch in [first, second] {
        server.authority.deliver(server.now, batch, Vec::new());
    }
    let favourites = &server.authority.people[&id("ann")].favourites;
    assert_eq!(favourites.len(), 2, "{favourites:?}");
}

#[test]
fn what_others_change_of_a_person_takes_nothing_back_of_what_he_chose_in_between() {
    let mut server = Server::new();
    let read = server.authority.people[&id("ann")].clone();
    let quiet = |person: &mut StoredPerson| {
        person.do_not_disturb.is_on = true;
        Ok(())
    };
    server.authority.change_person(&who("ann1"), quiet).unwrap();
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    server.authority.person_came(server.now, StoredPerson { role: Role::Admin, ..read });
    let now = &server.authority.people[&id("ann")];
    assert_eq!((now.role, now.do_not_disturb.is_on), (Role::Admin, true));
}

#[test]
fn missed_calls_nobody_was_told_of_were_not_looked_at() {
    let mut server = Server::restored(Live { newest_line: 7, ..Live::default() });
    let mut seen = |up_to| {
        server.authority.see_missed(&who("ben1"), up_to);
        server.authority.take_batch().change.personal.seen[&id::<UserId>("ben")]
    };
    assert_eq!((seen(None), seen(Some(5)), seen(Some(9))), (7, 5, 7));
    let mut server = Server::restored(Live { newest_line: 7, ..Live::default() }).online(&["ben1"]);
    server.authority.deliver_personal(server.now, Default::default(), &[line(8)], &mut Vec::new());
    server.authority.see_missed(&who("ben1"), Some(3));
    server.authority.see_missed(&who("ben1"), None);
    let batch = server.authority.take_batch();
    let told = events(server.authority.deliver(server.now, batch, Vec::new()));
    assert!(told.contains(&Event::MissedSeen { up_to: 8 }), "{told:?}");
}

#[test]
fn a_device_hears_that_it_is_signed_out_once_that_is_stored() {
    let mut server = Server::new().online(&["ann1"]);
    server.authority.take_batch();
    server.authority.sign_out(server.now, &id("ann1"));
    let batch = server.authority.take_batch();
    assert!(!batch.is_empty());
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    assert_eq!(outs.last(), Some(&Out::Close { device: id("ann1") }));
    assert_eq!(events(outs), [Event::SignedOut]);
}
