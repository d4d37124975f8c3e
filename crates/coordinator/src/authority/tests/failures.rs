//! What is known and what was decided when the store fails: decisions are taken back, facts are not.

use super::*;

impl Server {
    /// The store fails: everything since the last batch is taken back.
    fn fails(&mut self) {
        let lost = self.authority.take_batch();
        let remains = self.authority.take_back(lost);
        self.authority.learn(self.now, remains);
    }
}

#[test]
fn whose_team_was_taken_away_while_the_disk_was_full_is_out_when_it_has_room_again() {
    let mut server = Server::new();
    let ben = server.authority.people[&id("ben")].clone();
    for name in ["ann", "ben"] {
        let person = server.authority.people[&id(name)].clone();
        server.authority.person_came(server.now, StoredPerson { teams: ["sales".to_owned()].into(), ..person });
    }
    let data = CallData { team: Some("sales".to_owned()), ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    server.joins("ann1", "default:x", None).unwrap();
    server.joins("ben1", "default:x", None).unwrap();
    server.settle();
    server.authority.person_came(server.now, ben);
    assert!(!server.call("default:x").has_device(&id("ben1")));
    server.fails();
    assert!(!server.call("default:x").has_device(&id("ben1")), "his team is not the call's, whatever the disk says");
    let out = |effect: &Effect| matches!(effect, Effect::RemoveParticipant { device, .. } if *device == id("ben1"));
    assert!(server.effects().iter().any(out), "and the media server hears of it");
}

#[test]
fn who_comes_to_the_media_and_is_in_no_call_is_put_out_also_when_the_disk_was_full_at_that_moment() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    server.settle();
    server.has_media("default:x", "ben/ben1");
    server.rings("ann1", "default:y", &["cem"]);
    server.fails();
    let over = Effect::TellOver { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    assert!(server.effects().contains(&over), "nobody has answered there");
}

#[test]
fn a_device_that_alerts_is_known_to_although_the_disk_was_full_at_that_moment() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.settle();
    server.authority.alerted(&who("ben1"), &id("default:x"), &ring);
    server.rings("ann1", "default:y", &["cem"]);
    server.fails();
    assert!(server.call("default:x").rings()[0].targets[0].alerted);
    assert!(server.authority.has_undelivered(), "and the caller will hear of it");
}

#[test]
fn who_went_away_while_the_disk_was_full_is_seen_to_be_away() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.settle();
    server.authority.disconnected(server.now, &id("ben1"), 1);
    server.rings("ann1", "default:y", &["cem"]);
    server.fails();
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    let tells = |out: &Out| match out {
        Out::Message { message: ServerMessage::Event { event: Event::Person { person }, .. }, .. } => {
            person.id == id("ben") && person.presence == wire::Presence::Offline
        }
        _ => false,
    };
    assert!(outs.iter().any(tells));
}
