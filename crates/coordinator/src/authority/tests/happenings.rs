//! What webhooks are told and what is counted.

use super::*;

/// What webhooks would be told since the last time.
fn told(server: &mut Server) -> Vec<&'static str> {
    let batch = server.authority.take_batch();
    let mut count = 0;
    let mint = || {
        count += 1;
        id(&format!("e{count}"))
    };
    let events = batch.happenings(server.now, mint);
    server.authority.deliver(server.now, batch, Vec::new());
    events.into_iter().map(|event| event.kind.as_str()).collect()
}

#[test]
fn webhooks_are_told_of_every_change_once_in_the_order_of_decisions() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    assert_eq!(told(&mut server), ["call.created", "ring.started"]);
    server.authority.alerted(&who("ben1"), &id("default:x"), &ring);
    assert_eq!(told(&mut server), [""; 0], "an alert is none of theirs");
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    let joined = ["ring.answered", "call.started", "participant.joined", "participant.joined"];
    assert_eq!(told(&mut server), joined, "two decisions in one batch");
    for identity in ["ann/ann1", "ben/ben1"] {
        server.has_media("default:x", identity);
    }
    server.rings("ann1", "default:x", &["cem"]);
    assert_eq!(told(&mut server), ["ring.missed", "ring.ended", "ring.started"], "the old ring, then the new one");
    server.after(46);
    assert_eq!(told(&mut server), ["ring.missed", "ring.ended"]);
    server.authority.end(server.now, &who("ann1"), &id("default:x")).unwrap();
    assert_eq!(told(&mut server), ["participant.left", "participant.left", "call.ended"]);
}

#[test]
fn webhooks_are_told_of_two_rings_that_become_one() {
    let mut server = Server::new();
    server.rings("ann1", "default:a", &["ben"]);
    told(&mut server);
    server.rings("ben1", "default:b", &["ann"]);
    assert_eq!(told(&mut server), ["ring.answered", "ring.ended", "call.started"]);
}

#[test]
fn what_is_counted_of_rings_is_each_start_and_each_outcome_once() {
    let mut server = Server::new();
    let news = |server: &mut Server| {
        let batch = server.authority.take_batch();
        let news = batch.ring_news();
        server.authority.deliver(server.now, batch, Vec::new());
        (news.started_at.len(), news.outcomes)
    };
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    assert_eq!(news(&mut server), (1, vec![]));
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    assert_eq!(news(&mut server), (0, vec![Outcome::Accepted]));
    server.rings("ann1", "default:x", &["cem"]);
    assert_eq!(news(&mut server), (1, vec![Outcome::Cancelled]));
    server.after(46);
    assert_eq!(news(&mut server), (0, vec![Outcome::Missed]));
    server.rings("ann1", "default:y", &["ben"]);
    server.joins("ben1", "default:y", None).unwrap();
    assert_eq!(news(&mut server), (1, vec![Outcome::Accepted]), "both in one batch");
}
