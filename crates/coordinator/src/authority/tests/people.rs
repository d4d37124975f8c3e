//! Who hears of whom, and how people stand.

use super::*;

/// A hundred and one people: more than hear of everybody.
fn many() -> Server {
    let person = |id: UserId| StoredPerson::new(id.clone(), id.to_string(), Role::User, BTreeSet::new());
    let others = (0..98).map(|number| id(&format!("p{number:02}")));
    let people = ["ann", "ben", "cem"].map(id).into_iter().chain(others).map(person).collect();
    Server::restored(Live { people, ..Live::default() })
}

fn hears(outs: &[Out], device: &str) -> Vec<String> {
    let heard = |out: &Out| match out {
        Out::Message { to, message: ServerMessage::Event { event, .. } } if to.contains(&id(device)) => match event {
            Event::Person { person } => Some(format!("{} {:?}", person.id, person.presence)),
            Event::Call { .. } => Some("call".to_owned()),
            _ => None,
        },
        _ => None,
    };
    outs.iter().filter_map(heard).collect()
}

#[test]
fn on_a_large_server_presence_goes_to_contacts_alone() {
    let mut server = many().online(&["ann1", "ben1", "cem1"]);
    let batch = server.authority.take_batch();
    assert_eq!(hears(&server.authority.deliver(server.now, batch, Vec::new()), "cem1"), ["cem Online"]);
    server.rings("ann1", "default:x", &["ben"]);
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    assert_eq!(hears(&outs, "ben1"), ["ann Online", "call"], "who calls is known before the call is");
    assert_eq!(hears(&outs, "cem1"), [""; 0]);
    server.authority.disconnected(server.now, &id("ann1"), 1);
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    assert_eq!(hears(&outs, "ben1"), ["ann Offline"]);
    assert_eq!(hears(&outs, "cem1"), [""; 0]);
}

#[test]
fn on_a_large_server_a_snapshot_shows_favourites_and_who_shares_a_call() {
    let mut server = many();
    let favourite = |person: &mut StoredPerson| {
        person.favourites = [id("p07")].into();
        Ok(())
    };
    server.authority.change_person(&who("ann1"), favourite).unwrap();
    let batch = server.authority.take_batch();
    server.authority.deliver(server.now, batch, Vec::new());
    server.rings("ann1", "default:x", &["ben"]);
    let snapshot = server.authority.snapshot(server.now, &who("ann1"), Vec::new());
    let shown: Vec<&str> = snapshot.people.iter().map(|person| person.id.as_str()).collect();
    assert_eq!((shown, snapshot.people_total), (vec!["ben", "p07"], 100));
}

#[test]
fn on_a_large_server_a_favourite_is_introduced_as_soon_as_he_is_one() {
    let mut server = many().online(&["ann1", "ben1"]);
    server.settle();
    let favourite = |person: &mut StoredPerson| {
        person.favourites = [id("ben")].into();
        Ok(())
    };
    server.authority.change_person(&who("ann1"), favourite).unwrap();
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    assert!(hears(&outs, "ann1").contains(&"ben Online".to_owned()));
    server.authority.disconnected(server.now, &id("ben1"), 1);
    let batch = server.authority.take_batch();
    assert_eq!(hears(&server.authority.deliver(server.now, batch, Vec::new()), "ann1"), ["ben Offline"]);
}

#[test]
fn on_a_large_server_a_second_device_knows_whom_the_first_one_was_told_of() {
    let mut server = many().online(&["ann1", "ben1"]);
    server.settle();
    server.rings("ann1", "default:x", &["ben"]);
    server.settle();
    server.authority.end(server.now, &who("ann1"), &id("default:x")).unwrap();
    server.settle();
    let snapshot = server.authority.snapshot(server.now, &who("ben2"), Vec::new());
    let shown: Vec<&str> = snapshot.people.iter().map(|person| person.id.as_str()).collect();
    assert_eq!(shown, ["ann"], "of him no more is told, as he has been introduced");
}

#[test]
fn a_person_stands_as_the_best_of_the_devices() {
    let mut server = Server::new().online(&["ann1", "ann2"]);
    let presence = |server: &Server| server.authority.people_now(&[id("ann")])[0].presence;
    server.authority.stands(&who("ann1"), wire::Standing::Away);
    assert_eq!(presence(&server), wire::Presence::Online);
    server.authority.stands(&who("ann2"), wire::Standing::DoNotDisturb);
    assert_eq!(presence(&server), wire::Presence::Away);
    server.authority.stands(&who("ann1"), wire::Standing::DoNotDisturb);
    assert_eq!(presence(&server), wire::Presence::DoNotDisturb);
}
