//! Everybody's history: one line a call, however he came and went.

use wire::{Direction, HistoryOutcome, Reason, RingMembers};

use super::*;

impl Server {
    /// Direction, outcome and whole seconds of each line of a person, oldest first.
    fn history(&mut self, person: &str) -> Vec<(Direction, HistoryOutcome, u32)> {
        self.settle();
        let mut lines: Vec<_> =
            self.lines.iter().filter(|((user, _), _)| user.as_str() == person).map(|(_, line)| line).collect();
        lines.sort_by_key(|line| line.at);
        lines.into_iter().map(|line| (line.direction, line.outcome, line.duration_ms / 1000)).collect()
    }

    fn adds_one(&mut self, device: &str, cid: &str, person: &str) -> RingId {
        let request = RingMembers { members: Some(vec![id(person)]), ..RingMembers::default() };
        let state = self.authority.ring_members(self.now, &who(device), &id(cid), request).unwrap();
        ring_of(&state)
    }

    fn declines(&mut self, device: &str, cid: &str, ring: &RingId) {
        let reject = Reject { ring: ring.clone(), reason: Reason::Decline, message: None };
        self.authority.reject(self.now, &who(device), &id(cid), reject).unwrap();
    }

    fn is_in(&mut self, device: &str, cid: &str, ring: Option<&RingId>) {
        self.joins(device, cid, ring).unwrap();
        self.has_media(cid, &format!("{}/{device}", &device[..3]));
    }
}

#[test]
fn who_is_added_later_changes_nothing_of_what_the_first_ones_remember() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1", "dee1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["cem"]).state);
    server.is_in("cem1", "default:x", Some(&ring));
    server.is_in("ann1", "default:x", Some(&ring));
    server.after(60);
    let second = server.adds_one("ann1", "default:x", "dee");
    server.declines("dee1", "default:x", &second);
    server.after(540);
    server.leaves("cem1", "default:x", &Leave::default());
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.history("cem"), [(Direction::Incoming, HistoryOutcome::Answered, 600)]);
    let ann =
        [(Direction::Outgoing, HistoryOutcome::Answered, 600), (Direction::Outgoing, HistoryOutcome::Declined, 0)];
    assert_eq!(server.history("ann"), ann);
    assert_eq!(server.history("dee"), [(Direction::Incoming, HistoryOutcome::Declined, 0)]);
}

#[test]
fn a_call_that_nobody_answered_is_none_although_the_caller_waited_in_it() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let join = Join { create: true, ..Join::default() };
    server.authority.join(server.now, &who("ann1"), &id("default:x"), join).unwrap();
    server.has_media("default:x", "ann/ann1");
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.declines("ben1", "default:x", &ring);
    server.after(5);
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.history("ann"), [(Direction::Outgoing, HistoryOutcome::Declined, 0)]);
}

#[test]
fn who_waited_in_a_call_and_rang_remembers_one_call() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let join = Join { create: true, ..Join::default() };
    server.authority.join(server.now, &who("ann1"), &id("default:x"), join).unwrap();
    server.has_media("default:x", "ann/ann1");
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.is_in("ben1", "default:x", Some(&ring));
    assert_eq!(server.history("ann"), [(Direction::Outgoing, HistoryOutcome::Ongoing, 0)]);
    server.after(30);
    server.leaves("ben1", "default:x", &Leave::default());
    assert_eq!(server.history("ann"), [(Direction::Outgoing, HistoryOutcome::Answered, 30)]);
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Answered, 30)]);
}

#[test]
fn a_call_without_a_ring_is_remembered_once_two_have_met_in_it() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.rings("ann1", "default:x", &["ben"]);
    server.after(46);
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Missed, 0)]);
    server.after(3 * 86_400);
    server.is_in("ann1", "default:x", None);
    server.after(10);
    assert_eq!(server.history("ann").len(), 1, "alone is no call");
    server.is_in("ben1", "default:x", None);
    let missed = (Direction::Outgoing, HistoryOutcome::Missed, 0);
    assert_eq!(server.history("ann"), [missed, (Direction::None, HistoryOutcome::Ongoing, 0)]);
    server.after(600);
    server.leaves("ben1", "default:x", &Leave::default());
    server.leaves("ann1", "default:x", &Leave::default());
    assert_eq!(server.history("ann"), [missed, (Direction::None, HistoryOutcome::Answered, 610)]);
    let missed = (Direction::Incoming, HistoryOutcome::Missed, 0);
    assert_eq!(
        server.history("ben"),
        [missed, (Direction::None, HistoryOutcome::Answered, 600)],
        "and what was missed stays"
    );
}

#[test]
fn stints_and_devices_of_one_person_add_up() {
    let mut server = Server::new().online(&["ann1", "ben1", "ben2", "cem1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    for device in ["ben1", "ann1", "cem1"] {
        server.is_in(device, "default:x", Some(&ring));
    }
    server.after(600);
    server.is_in("ben2", "default:x", None);
    server.after(10);
    server.leaves("ben1", "default:x", &Leave::default());
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Ongoing, 610)]);
    server.after(20);
    server.leaves("ben2", "default:x", &Leave::default());
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Answered, 630)]);
    server.after(100);
    server.is_in("ben2", "default:x", None);
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Ongoing, 630)]);
    server.after(5);
    server.authority.end(server.now, &who("ann1"), &id("default:x")).unwrap();
    assert_eq!(server.history("ben"), [(Direction::Incoming, HistoryOutcome::Answered, 635)]);
    assert_eq!(server.history("ann"), [(Direction::Outgoing, HistoryOutcome::Answered, 735)]);
}

#[test]
fn r08_a_missed_call_says_what_it_was_about() {
    let mut server = Server::new();
    let about: wire::Custom = serde_json::from_str(r#"{"message": "lunch?"}"#).unwrap();
    let member = MemberData { user: id("ben"), role: None, custom: wire::Custom::new() };
    let data = CallData { members: vec![member], custom: about.clone(), ..CallData::default() };
    let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    server.after(46);
    server.settle();
    let line = server.lines.iter().find(|((user, _), _)| user.as_str() == "ben").map(|(_, line)| line).unwrap();
    assert_eq!((line.outcome, &line.custom), (HistoryOutcome::Missed, &about));
}

#[test]
fn the_callers_time_stays_when_others_answer_after_he_went() {
    let answers: [fn(&mut Server, &RingId); 3] = [
        |server, ring| server.declines("dee1", "default:x", ring),
        |server, ring| server.is_in("dee1", "default:x", Some(ring)),
        |server, _| server.after(60),
    ];
    for answer in answers {
        let mut server = Server::new().online(&["ann1", "ben1", "dee1"]);
        let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "dee"]).state);
        server.is_in("ben1", "default:x", Some(&ring));
        server.is_in("ann1", "default:x", Some(&ring));
        server.after(5);
        server.leaves("ann1", "default:x", &Leave::default());
        answer(&mut server, &ring);
        assert_eq!(server.history("ann"), [(Direction::Outgoing, HistoryOutcome::Answered, 5)]);
    }
}

#[test]
fn who_went_and_is_rung_in_again_remembers_two_calls() {
    let mut server = Server::new().online(&["ann1", "ben1", "dee1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "dee"]).state);
    for device in ["ben1", "dee1", "ann1"] {
        server.is_in(device, "default:x", Some(&ring));
    }
    server.after(5);
    server.leaves("ben1", "default:x", &Leave::default());
    server.after(10);
    let again = server.adds_one("dee1", "default:x", "ben");
    server.is_in("ben1", "default:x", Some(&again));
    server.after(20);
    server.leaves("ben1", "default:x", &Leave::default());
    let lines =
        [(Direction::Incoming, HistoryOutcome::Answered, 5), (Direction::Incoming, HistoryOutcome::Answered, 20)];
    assert_eq!(server.history("ben"), lines);
}

#[test]
fn who_came_without_being_on_the_list_is_remembered_as_one_of_the_call() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let join = Join { create: true, ..Join::default() };
    server.authority.join(server.now, &who("ann1"), &id("default:x"), join).unwrap();
    server.has_media("default:x", "ann/ann1");
    server.is_in("ben1", "default:x", None);
    server.after(60);
    for device in ["ben1", "ann1"] {
        server.leaves(device, "default:x", &Leave::default());
    }
    server.settle();
    let people = |person: &str| -> Vec<&str> {
        let lines = server.lines.iter().filter(|((user, _), _)| user.as_str() == person);
        lines.flat_map(|(_, line)| line.people.iter().map(UserId::as_str)).collect()
    };
    assert_eq!((people("ann"), people("ben")), (vec!["ben"], vec!["ann"]));
}
