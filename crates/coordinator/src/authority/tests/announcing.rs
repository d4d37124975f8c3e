//! Who hears of a change of a call, and in how many texts.

use super::*;

/// Stores everything decided and answers the states that are told of calls, each with the devices it goes to.
fn told(server: &mut Server) -> Vec<(Vec<DeviceId>, CallState)> {
    let batch = server.authority.take_batch();
    let outs = server.authority.deliver(server.now, batch, Vec::new());
    let state = |out| match out {
        Out::Message { to, message: ServerMessage::Event { event: Event::Call { state }, .. } } => Some((to, state)),
        Out::Message { .. } | Out::Close { .. } | Out::Effect(_) => None,
    };
    outs.into_iter().filter_map(state).collect()
}

fn devices(names: &[&str]) -> Vec<DeviceId> {
    names.iter().map(|name| id(name)).collect()
}

#[test]
fn who_sees_the_same_of_a_call_gets_the_same_text() {
    let mut server = Server::new().online(&["ann1", "ann2", "ben1", "cem1", "dee1"]);
    server.rings("ann1", "default:x", &["ben", "cem"]);
    let texts = told(&mut server);
    let to: Vec<_> = texts.iter().map(|(to, _)| to.clone()).collect();
    assert_eq!(
        to,
        [devices(&["ann1", "ann2"]), devices(&["ben1", "cem1"])],
        "the owner may do more; Dee is not called"
    );
    assert_ne!(texts[0].1.own_capabilities, texts[1].1.own_capabilities);
    // Whom another ring reaches sees that one.
    let people = Some(vec![id("dee")]);
    let more = wire::RingMembers { members: people, ..wire::RingMembers::default() };
    server.authority.ring_members(server.now, &who("ben1"), &id("default:x"), more).unwrap();
    let texts = told(&mut server);
    let ring = |device: &str| {
        let (_, state) = texts.iter().find(|(to, _)| to.contains(&id(device))).unwrap();
        state.ring.as_ref().unwrap().caller.to_string()
    };
    assert_eq!((ring("cem1"), ring("dee1")), ("ann".to_owned(), "ben".to_owned()));
}

#[test]
fn what_was_decided_together_is_told_once_as_it_is_at_the_end() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    told(&mut server);
    for device in ["ben1", "cem1"] {
        server.authority.alerted(&who(device), &id("default:x"), &ring);
    }
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let texts = told(&mut server);
    assert_eq!(texts.len(), 2, "one for Ann, one for Ben and Cem");
    for (to, state) in texts {
        let ring = state.ring.unwrap();
        assert!(ring.targets.iter().all(|target| target.alerted), "{to:?}");
        assert_eq!(ring.targets[0].outcome, Outcome::Accepted);
    }
}

#[test]
fn who_is_put_out_and_let_in_again_by_one_batch_hears_that_he_is_in() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.rings("ann1", "default:x", &["ben", "cem"]);
    told(&mut server);
    let update = |members: wire::UpdateMembers, server: &mut Server| {
        server.authority.update_members(server.now, &who("ann1"), &id("default:x"), &members).unwrap();
    };
    update(wire::UpdateMembers { remove: vec![id("ben")], ..wire::UpdateMembers::default() }, &mut server);
    let member = MemberData { user: id("ben"), role: None, custom: wire::Custom::new() };
    update(wire::UpdateMembers { set: vec![member], ..wire::UpdateMembers::default() }, &mut server);
    let texts = told(&mut server);
    let of_ben: Vec<_> = texts.iter().filter(|(to, _)| to.contains(&id("ben1"))).collect();
    assert_eq!(of_ben.len(), 1);
    assert!(of_ben[0].1.own_capabilities.contains(&Capability::ReadCall));
}

#[test]
fn a_change_of_a_call_of_a_thousand_is_a_few_texts() {
    let names: Vec<String> = (0..wire::MAX_MEMBERS).map(|number| format!("p{number:03}")).collect();
    let human = |name: &String| StoredPerson::new(id(name), name.clone(), Role::User, BTreeSet::new());
    let people = names.iter().map(human).collect();
    let mut server = Server::restored(Live { people, ..Live::default() });
    for name in &names {
        let device = Caller { user: id(name), device: id(&format!("{name}-1")) };
        server.authority.connected(&device, 1, &[]);
    }
    let member = |name: &String| MemberData { user: id(name), role: None, custom: wire::Custom::new() };
    let data = CallData { members: names.iter().map(member).collect(), ..CallData::default() };
    let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
    let caller = Caller { user: id("p000"), device: id("p000-1") };
    let made = server.authority.get_or_create(server.now, &caller, &id("default:x"), request).unwrap();
    let texts = told(&mut server);
    assert_eq!(texts.iter().map(|(to, _)| to.len()).collect::<Vec<_>>(), [1, 999]);
    let ring = ring_of(&made.state);
    for name in &names[1..] {
        let device = Caller { user: id(name), device: id(&format!("{name}-1")) };
        server.authority.alerted(&device, &id("default:x"), &ring);
    }
    let texts = told(&mut server);
    assert_eq!(texts.len(), 2, "a thousand alerts at once, too");
    assert!(texts[0].1.ring.as_ref().unwrap().targets.iter().all(|target| target.alerted));
}
