//! Rings that another program starts.

use super::*;

#[test]
fn r11_a_program_has_no_device_that_could_vanish_so_its_ring_lasts_until_the_deadline() {
    let mut server = Server::new();
    server.after(60);
    let state = server.rings("pgmkey", "default:x", &["ann", "ben"]).state;
    assert!(state.call.members.iter().all(|member| member.user != id("pgm")), "it is not one of those who talk");
    server.after(44);
    assert_eq!(server.outcome("default:x", 0), Outcome::Ringing);
    server.after(2);
    assert_eq!(server.outcome("default:x", 0), Outcome::Missed);
}

#[test]
fn r17_of_two_rung_by_a_program_nobody_waits_for_one_who_misses_it() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("pgmkey", "default:x", &["ann", "ben"]).state);
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    server.has_media("default:x", "ann/ann1");
    server.after(44);
    assert!(server.call("default:x").call.session.is_some());
    server.after(2);
    assert!(server.call("default:x").call.session.is_none());
}

#[test]
fn of_two_rung_by_a_program_neither_is_rung_or_left_when_the_other_is_out() {
    let reject = |ring: &RingId| Reject { ring: ring.clone(), reason: wire::Reason::Decline, message: None };
    let mut server = Server::new();
    let ring = ring_of(&server.rings("pgmkey", "default:x", &["ann", "ben"]).state);
    server.authority.reject(server.now, &who("ben1"), &id("default:x"), reject(&ring)).unwrap();
    assert_eq!(server.outcome("default:x", 0), Outcome::Cancelled, "ann would answer to nobody");

    let ring = ring_of(&server.rings("pgmkey", "default:y", &["ann", "ben"]).state);
    server.joins("ann1", "default:y", Some(&ring)).unwrap();
    server.leaves("ann1", "default:y", &Leave::default());
    assert_eq!(server.outcome("default:y", 1), Outcome::Cancelled, "ben would");

    let ring = ring_of(&server.rings("pgmkey", "default:z", &["ann", "ben", "cem"]).state);
    server.authority.reject(server.now, &who("ben1"), &id("default:z"), reject(&ring)).unwrap();
    assert_eq!(server.outcome("default:z", 0), Outcome::Ringing, "cem may come");
    server.joins("ann1", "default:z", Some(&ring)).unwrap();
    server.authority.reject(server.now, &who("cem1"), &id("default:z"), reject(&ring)).unwrap();
    assert!(server.call("default:z").call.session.is_none(), "all agents are busy");
}

#[test]
fn s09_a_program_rings_for_somebody_from_the_device_that_connected_last() {
    let mut server = Server::new();
    server.authority.connected(&who("ann1"), 1, &[]);
    server.authority.connected(&who("ann2"), 2, &[]);
    assert_eq!(server.authority.device_for(&id("ann"), &id("default:x")).unwrap(), id("ann2"));
    server.authority.disconnected(server.now, &id("ann2"), 2);
    assert_eq!(server.authority.device_for(&id("ann"), &id("default:x")).unwrap(), id("ann1"));
    assert_eq!(server.authority.device_for(&id("ben"), &id("default:x")).unwrap_err().code, Code::Conflict);
}

#[test]
fn s14_whom_a_program_brought_together_may_ring_in_another_who_meets_the_one_that_is_left() {
    let mut server = Server::new();
    let ring = ring_of(&server.rings("pgmkey", "default:x", &["ann", "ben"]).state);
    for device in ["ann1", "ben1"] {
        server.joins(device, "default:x", Some(&ring)).unwrap();
        server.has_media("default:x", &format!("{}/{device}", &device[..3]));
    }
    let further = ring_of(&server.adds("ann1", "default:x", &["cem"]));
    server.leaves("ben1", "default:x", &Leave::default());
    assert!(server.call("default:x").has_device(&id("ann1")), "cem may come");
    server.joins("cem1", "default:x", Some(&further)).unwrap();
    assert!(server.call("default:x").has_device(&id("ann1")));
}

#[test]
fn s09_a_program_that_rings_further_people_for_somebody_brings_in_no_second_device_of_his() {
    let mut server = Server::new().online(&["ann1", "ben1", "ann2"]);
    server.talk("default:x");
    assert_eq!(server.authority.device_for(&id("ann"), &id("default:x")).unwrap(), id("ann1"), "it is in");
    assert_eq!(server.authority.device_for(&id("ann"), &id("default:y")).unwrap(), id("ann2"), "it came last");
}
