//! Who may change the list and the roles on it, and that the media server hears of every change.

use wire::{Capability, MemberData, RingMembers, TrackSource, UpdateMembers, UpdatePermissions};

use super::*;

impl Server {
    fn sets(&mut self, device: &str, cid: &str, set: &[(&str, Option<&str>)], remove: &[&str]) -> Result<(), Code> {
        let update = UpdateMembers {
            set: set.iter().map(|(name, role)| member(name, *role)).collect(),
            remove: remove.iter().map(|name| id(name)).collect(),
        };
        let done = self.authority.update_members(self.now, &who(device), &id(cid), &update);
        done.map(|_| ()).map_err(|error| error.code)
    }

    /// Rings with this list in the request.
    fn rings_with(&mut self, device: &str, cid: &str, list: &[(&str, Option<&str>)]) -> Result<(), Code> {
        let data =
            CallData { members: list.iter().map(|(name, role)| member(name, *role)).collect(), ..CallData::default() };
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        let done = self.authority.get_or_create(self.now, &who(device), &id(cid), request);
        done.map(|_| ()).map_err(|error| error.code)
    }

    fn takes(&mut self, device: &str, cid: &str, user: &str, capability: Capability) -> Result<(), Code> {
        let update = UpdatePermissions { user: id(user), grant: BTreeSet::new(), revoke: [capability].into() };
        let done = self.authority.update_permissions(self.now, &who(device), &id(cid), &update);
        done.map(|_| ()).map_err(|error| error.code)
    }

    fn role(&self, cid: &str, name: &str) -> Option<String> {
        let call = &self.call(cid).call;
        call.members.iter().find(|member| member.user.as_str() == name).map(|member| member.role.clone())
    }

    /// What the media server is told, and forgotten here.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        let batch = self.authority.take_batch();
        let effects = batch.effects.clone();
        self.authority.deliver(self.now, batch, Vec::new());
        effects
    }
}

fn member(name: &str, role: Option<&str>) -> MemberData {
    MemberData { user: id(name), role: role.map(str::to_owned), custom: wire::Custom::new() }
}

fn permits(effects: &[Effect], device: &str) -> Option<Vec<TrackSource>> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::PermitMedia { device: permitted, sending, .. } if permitted.as_str() == device => {
            Some(sending.tracks.clone())
        }
        _ => None,
    })
}

#[test]
fn nobody_makes_himself_host_by_ringing() {
    let mut server = Server::new();
    server.rings("ann1", "default:x", &["ben"]);
    let denied = Err(Code::PermissionDenied);
    assert_eq!(server.rings_with("ben1", "default:x", &[("ben", Some("host")), ("cem", None)]), denied);
    assert_eq!(server.rings_with("ben1", "default:x", &[("cem", Some("host"))]), denied, "nor anybody else");
    assert_eq!(server.rings_with("ben1", "default:x", &[("ann", Some("member"))]), denied, "nor takes a role away");
    assert_eq!(server.rings_with("ben1", "default:x", &[("cem", None)]), Ok(()));
    assert_eq!(server.role("default:x", "ann").as_deref(), Some("host"));
    assert_eq!(server.rings_with("ann1", "default:x", &[("cem", Some("host"))]), Ok(()), "who may give it does");
}

#[test]
fn who_may_only_add_people_demotes_nobody_and_puts_nobody_out() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("cem1", "default:x", Some(&ring)).unwrap();
    server.sets("ann1", "default:x", &[("cem", Some("host"))], &[]).unwrap();
    let denied = Err(Code::PermissionDenied);
    assert_eq!(server.sets("ben1", "default:x", &[("cem", Some("member"))], &[]), denied);
    assert_eq!(server.sets("ben1", "default:x", &[], &["cem"]), denied);
    assert_eq!(server.sets("ben1", "default:x", &[("dee", None)], &[]), Ok(()));
    assert_eq!(server.sets("ben1", "default:x", &[], &["dee"]), Ok(()), "whom he may add he may take off");
    assert_eq!(server.sets("ben1", "default:x", &[], &["ben"]), Ok(()), "and himself");
}

#[test]
fn a_role_that_changes_reaches_the_media_server() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let settings = serde_json::json!({"backstage": {"enabled": false}});
    let data = CallData { settings: Some(settings), members: vec![member("ben", None)], ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("audio_room:x"), request).unwrap();
    server.joins("ben1", "audio_room:x", None).unwrap();
    server.effects();
    server.sets("ann1", "audio_room:x", &[("ben", Some("speaker"))], &[]).unwrap();
    assert_eq!(permits(&server.effects(), "ben1"), Some(vec![TrackSource::Microphone]));
    server.sets("ann1", "audio_room:x", &[("ben", Some("member"))], &[]).unwrap();
    assert_eq!(permits(&server.effects(), "ben1"), Some(vec![]));
}

#[test]
fn a_media_token_is_worth_what_its_bearer_may_now() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    let update = UpdatePermissions { user: id("ben"), grant: BTreeSet::new(), revoke: [Capability::SendAudio].into() };
    server.authority.update_permissions(server.now, &who("ann1"), &id("default:x"), &update).unwrap();
    server.effects();
    server.has_media("default:x", "ben/ben1");
    let allowed = permits(&server.effects(), "ben1").expect("told when he comes, also by an older token");
    assert!(!allowed.contains(&TrackSource::Microphone), "{allowed:?}");
    server.authority.block(server.now, &who("ann1"), &id("default:x"), &id("ben"), true).unwrap();
    server.effects();
    let put_out = Effect::RemoveParticipant { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    server.has_media("default:x", "ben/ben1");
    assert_eq!(server.effects(), [put_out]);
    server.has_media("default:gone", "ben/ben1");
    let over = Effect::TellOver { cid: id("default:gone"), user: id("ben"), device: id("ben1") };
    assert_eq!(server.effects(), [over], "nor into a call in which nothing goes on");
}

#[test]
fn telling_people_of_a_call_is_for_who_may_ring() {
    let mut server = Server::new();
    let mut guest = StoredPerson::new(id("gus"), "Gus".to_owned(), Role::Guest, BTreeSet::new());
    server.authority.person_came(server.now, guest.clone());
    server.rings("ann1", "default:x", &["ben"]);
    let asks = |server: &mut Server| {
        let request = GetOrCreate { notify: true, ..GetOrCreate::default() };
        let done = server.authority.get_or_create(server.now, &who("gus1"), &id("default:x"), request);
        done.map(|_| ()).map_err(|error| error.code)
    };
    assert_eq!(asks(&mut server), Err(Code::PermissionDenied));
    guest.role = Role::User;
    server.authority.person_came(server.now, guest);
    assert_eq!(asks(&mut server), Ok(()));
}

#[test]
fn whoever_leaves_a_team_is_out_of_its_calls_and_hears_of_that_and_of_nothing_after_it() {
    let of_team = |name: &str| StoredPerson::new(id(name), name.to_owned(), Role::User, ["red".to_owned()].into());
    let people = vec![of_team("ann"), of_team("ben")];
    let mut server = Server::restored(Live { people, ..Live::default() }).online(&["ann1", "ben1"]);
    let starts_at = Some(server.now.plus(Duration::from_secs(3_600)));
    let (team, members) = (Some("red".to_owned()), vec![member("ben", None)]);
    let data = CallData { team, members, starts_at, ..CallData::default() };
    let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    server.joins("ben1", "default:x", None).unwrap();
    server.settle();
    let hears = |server: &mut Server, device: &str| {
        let batch = server.authority.take_batch();
        let outs = server.authority.deliver(server.now, batch, Vec::new());
        let is_call = |out: &Out| match out {
            Out::Message { to, message: ServerMessage::Event { event: Event::Call { .. }, .. } } => {
                to.contains(&id(device))
            }
            _ => false,
        };
        outs.iter().filter(|out| is_call(out)).count()
    };
    let ben = StoredPerson::new(id("ben"), "ben".to_owned(), Role::User, BTreeSet::new());
    server.authority.person_came(server.now, ben);
    assert!(!server.call("default:x").has_device(&id("ben1")));
    assert_eq!(hears(&mut server, "ben1"), 1);
    let update =
        wire::UpdateCall { custom: Some(serde_json::from_str(r#"{"secret": 1}"#).unwrap()), ..Default::default() };
    server.authority.update_call(server.now, &who("ann1"), &id("default:x"), update).unwrap();
    assert_eq!(hears(&mut server, "ben1"), 0);
    let request = RingMembers { members: Some(vec![id("ben")]), ..RingMembers::default() };
    assert!(server.authority.ring_members(server.now, &who("ann1"), &id("default:x"), request).is_err());
}

#[test]
fn who_is_blocked_hears_of_that_and_of_nothing_after_it() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.rings("ann1", "default:x", &["ben", "cem"]);
    server.settle();
    server.authority.block(server.now, &who("ann1"), &id("default:x"), &id("ben"), true).unwrap();
    let batch = server.authority.take_batch();
    assert!(batch.calls.iter().any(|(_, former)| former.contains(&id("ben"))));
    server.authority.deliver(server.now, batch, Vec::new());
    assert!(!server.call("default:x").audience().contains(&id("ben")));
    assert!(server.authority.snapshot(server.now, &who("ben1"), Vec::new()).calls.is_empty());
}

#[test]
fn who_is_blocked_learns_nothing_by_refusing_a_ring_that_is_over() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.authority.block(server.now, &who("ann1"), &id("default:x"), &id("ben"), true).unwrap();
    let no = Reject { ring, reason: wire::Reason::Decline, message: None };
    let refused = server.authority.reject(server.now, &who("ben1"), &id("default:x"), no);
    assert_eq!(refused.unwrap_err().code, Code::Blocked);
}

#[test]
fn joining_as_if_to_make_a_call_tells_no_guest_which_calls_there_are() {
    let mut server = Server::new();
    let guest = StoredPerson::new(id("gus"), "Gus".to_owned(), Role::Guest, BTreeSet::new());
    server.authority.person_came(server.now, guest);
    let red = StoredPerson::new(id("ann"), "ann".to_owned(), Role::User, ["red".to_owned()].into());
    server.authority.person_came(server.now, red);
    let data = CallData { team: Some("red".to_owned()), ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:theirs"), request).unwrap();
    let asks = |server: &mut Server, cid: &str| {
        let join = Join { create: true, ..Join::default() };
        server.authority.join(server.now, &who("gus1"), &id(cid), join).map(|_| ()).unwrap_err()
    };
    assert_eq!(asks(&mut server, "default:theirs"), asks(&mut server, "default:none"));
}

#[test]
fn a_call_that_was_closed_again_is_not_opened_by_its_time() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let starts_at = Some(server.now.plus(Duration::from_secs(60)));
    let data = CallData { starts_at, ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("livestream:x"), request).unwrap();
    assert_eq!(server.joins("ben1", "livestream:x", None).map(|_| ()), Err(Code::InBackstage));
    server.after(61);
    server.joins("ben1", "livestream:x", None).unwrap();
    server.leaves("ben1", "livestream:x", &Leave::default());
    server.authority.go_live(server.now, &who("ann1"), &id("livestream:x"), false).unwrap();
    assert_eq!(server.joins("ben1", "livestream:x", None).map(|_| ()), Err(Code::InBackstage));
    server.authority.go_live(server.now, &who("ann1"), &id("livestream:x"), true).unwrap();
    assert!(server.joins("ben1", "livestream:x", None).is_ok());
}

#[test]
fn a_device_that_was_signed_out_is_out_of_its_call() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
    server.effects();
    server.authority.sign_out(server.now, &id("ben1"));
    let put_out = Effect::RemoveParticipant { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    assert_eq!(server.effects(), [put_out]);
    assert!(!server.call("default:x").has_device(&id("ben1")));
}

#[test]
fn who_may_not_send_events_sends_none_through_the_media_server() {
    let data = |effects: &[Effect]| {
        effects.iter().rev().find_map(|effect| match effect {
            Effect::PermitMedia { sending, .. } => Some(sending.data),
            _ => None,
        })
    };
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    server.effects();
    for (revoke, may) in [(true, false), (false, true)] {
        let (event, none) = (BTreeSet::from([Capability::SendEvent]), BTreeSet::new());
        let (grant, revoke) = if revoke { (none, event) } else { (event, none) };
        let update = UpdatePermissions { user: id("ben"), grant, revoke };
        server.authority.update_permissions(server.now, &who("ann1"), &id("default:x"), &update).unwrap();
        assert_eq!(data(&server.effects()), Some(may));
    }
}

#[test]
fn s09_a_full_call_keeps_the_place_of_whom_it_waits_for() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    let settings = serde_json::json!({ "limits": { "max_participants": 2 } });
    let member = |name: &str| MemberData { user: id(name), role: None, custom: wire::Custom::new() };
    let data =
        CallData { members: vec![member("ben"), member("cem")], settings: Some(settings), ..CallData::default() };
    let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
    let state = server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap().state;
    let ring = ring_of(&state);
    server.joins("ben1", "default:x", Some(&ring)).unwrap();
    assert_eq!(server.joins("cem1", "default:x", Some(&ring)), Err(Code::CallFull), "it is the caller's");
    server.joins("ann1", "default:x", Some(&ring)).unwrap();
}

#[test]
fn whose_ringing_device_is_signed_out_rings_nobody_any_more() {
    let mut server = Server::new().online(&["ann1", "ann2", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben"]).state);
    server.authority.sign_out(server.now, &id("ann1"));
    assert_eq!(server.outcome("default:x", 0), Outcome::Cancelled);
    assert_eq!(server.joins("ben1", "default:x", Some(&ring)), Err(Code::RingOver));
    // And who was answered on it is waited for no longer.
    let ring = ring_of(&server.rings("ann2", "default:y", &["ben"]).state);
    server.joins("ben1", "default:y", Some(&ring)).unwrap();
    server.authority.sign_out(server.now, &id("ann2"));
    assert!(server.call("default:y").call.session.is_none());
}

#[test]
fn who_may_see_a_call_no_more_or_not_come_into_it_is_out_of_it_at_once() {
    for lost in [Capability::ReadCall, Capability::JoinCall] {
        let mut server = Server::new().online(&["ann1", "ben1"]);
        let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
        for device in ["ben1", "ann1"] {
            server.joins(device, "default:x", Some(&ring)).unwrap();
        }
        server.effects();
        for user in ["ben", "cem"] {
            server.takes("ann1", "default:x", user, lost).unwrap();
        }
        assert!(!server.call("default:x").has_device(&id("ben1")), "{lost:?}");
        assert_eq!(server.outcomes("default:x")["cem"], [Outcome::Cancelled], "{lost:?}");
    }
}

#[test]
fn who_may_give_capabilities_gives_no_role_that_may_more_than_he() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    server.rings("ann1", "default:x", &["ben", "cem"]);
    let denied = Err(Code::PermissionDenied);
    let update =
        UpdatePermissions { user: id("ben"), grant: [Capability::UpdatePermissions].into(), revoke: BTreeSet::new() };
    server.authority.update_permissions(server.now, &who("ann1"), &id("default:x"), &update).unwrap();
    for user in ["ben", "cem"] {
        assert_eq!(server.sets("ben1", "default:x", &[(user, Some("host"))], &[]), denied);
    }
    assert_eq!(server.sets("ann1", "default:x", &[("cem", Some("host"))], &[]), Ok(()), "who made it may all of it");
    assert_eq!(server.sets("ben1", "default:x", &[("cem", Some("member"))], &[]), denied, "nor takes he one away");
    assert_eq!(server.sets("ben1", "default:x", &[], &["cem"]), denied);
    assert_eq!(server.sets("cem1", "default:x", &[("ben", Some("host"))], &[]), Ok(()), "a host makes hosts");
}

#[test]
fn a_host_makes_hosts_also_where_nobody_sends_a_picture() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let settings = Some(serde_json::json!({ "video": { "enabled": false }, "screen_share": { "enabled": false } }));
    let data = CallData { settings, members: vec![member("ben", Some("host"))], ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    assert_eq!(server.sets("ben1", "default:x", &[("cem", Some("host"))], &[]), Ok(()));
}

#[test]
fn who_finds_back_to_the_media_before_he_is_in_again_is_not_put_out() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    for device in ["ben1", "ann1"] {
        server.joins(device, "default:x", Some(&ring)).unwrap();
    }
    server.effects();
    // His machine slept for so long that he was given up.
    server.leaves("ben1", "default:x", &Leave::default());
    server.effects();
    let asks = Effect::AskAgain { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    server.has_media("default:x", "ben/ben1");
    assert_eq!(server.effects(), [asks]);
    server.joins("ben1", "default:x", None).unwrap();
    server.has_media("default:x", "ben/ben1");
    assert!(permits(&server.effects(), "ben1").is_some(), "by then he is");
    server.takes("ann1", "default:x", "ben", Capability::JoinCall).unwrap();
    server.effects();
    let out = Effect::RemoveParticipant { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    server.has_media("default:x", "ben/ben1");
    assert_eq!(server.effects(), [out], "who may not come in is");
}

#[test]
fn who_is_off_the_list_knows_nothing_more_of_a_call_that_is_for_its_list_alone() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let all = || Capability::ALL.iter().copied().collect::<BTreeSet<_>>();
    let grants = BTreeMap::from([
        ("user".to_owned(), [Capability::CreateCall].into()),
        ("owner".to_owned(), all()),
        ("member".to_owned(), [Capability::ReadCall, Capability::JoinCall].into()),
    ]);
    server.authority.set_call_type(server.now, "private", CallType { grants, ..CallType::default() });
    let ring = ring_of(&server.rings("ann1", "private:x", &["ben"]).state);
    server.joins("ben1", "private:x", Some(&ring)).unwrap();
    server.joins("ann1", "private:x", Some(&ring)).unwrap();
    server.settle();
    server.sets("ann1", "private:x", &[], &["ben"]).unwrap();
    let batch = server.authority.take_batch();
    assert!(batch.calls.iter().any(|(_, former)| former.contains(&id("ben"))), "he hears that");
    server.authority.deliver(server.now, batch, Vec::new());
    let reads = |server: &Server, device: &str| server.authority.read(server.now, &who(device), &id("private:x"));
    assert_eq!(reads(&server, "ben1").map(|_| ()).unwrap_err().code, Code::CallNotFound);
    assert_eq!(reads(&server, "eve1").map(|_| ()), reads(&server, "ben1").map(|_| ()), "as who never was on it");
    assert!(server.authority.snapshot(server.now, &who("ben1"), Vec::new()).calls.is_empty());
}

#[test]
fn who_made_a_call_is_kept_out_of_it_by_an_admin_alone() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    server.rings("ann1", "default:x", &["ben"]);
    server.sets("ann1", "default:x", &[("ben", Some("host"))], &[]).unwrap();
    let keeps = [Capability::ReadCall, Capability::JoinCall, Capability::UpdatePermissions];
    for capability in keeps {
        assert_eq!(server.takes("ben1", "default:x", "ann", capability), Err(Code::PermissionDenied));
    }
    assert_eq!(server.takes("ben1", "default:x", "ann", Capability::JoinBackstage), Err(Code::PermissionDenied));
    assert_eq!(server.takes("ben1", "default:x", "ann", Capability::SendVideo), Ok(()), "what a host may take");
    let dee = server.authority.people[&id("dee")].clone();
    server.authority.person_came(server.now, StoredPerson { role: Role::Admin, ..dee });
    for capability in keeps {
        assert_eq!(server.takes("dee1", "default:x", "ann", capability), Ok(()));
    }
}

#[test]
fn who_makes_calls_is_nothing_that_one_call_says() {
    let mut server = Server::new().online(&["ann1"]);
    let guest = StoredPerson::new(id("gus"), "Gus".to_owned(), Role::Guest, BTreeSet::new());
    server.authority.person_came(server.now, guest);
    server.rings("ann1", "default:x", &["ben"]);
    server.sets("ann1", "default:x", &[("gus", Some("host"))], &[]).unwrap();
    let told = server.authority.read(server.now, &who("gus1"), &id("default:x")).unwrap().own_capabilities;
    assert!(told.contains(&Capability::EndCall) && !told.contains(&Capability::CreateCall), "{told:?}");
    let give = |capability| UpdatePermissions { user: id("gus"), grant: [capability].into(), revoke: [].into() };
    let asked =
        server.authority.update_permissions(server.now, &who("ann1"), &id("default:x"), &give(Capability::CreateCall));
    let refused = asked.map(|_| ()).unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidRequest, Some("grant")));
    assert_eq!(server.takes("ann1", "default:x", "ben", Capability::CreateCall), Err(Code::InvalidRequest));
}

#[test]
fn who_finds_back_to_the_media_of_a_call_that_is_full_by_then_is_out() {
    let mut server = Server::new().online(&["ann1", "ben1", "cem1"]);
    let settings = Some(serde_json::json!({ "limits": { "max_participants": 2 } }));
    let request = GetOrCreate { data: CallData { settings, ..CallData::default() }, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("default:x"), request).unwrap();
    for device in ["ann1", "ben1"] {
        server.joins(device, "default:x", None).unwrap();
    }
    server.leaves("ben1", "default:x", &Leave::default());
    server.joins("cem1", "default:x", None).unwrap();
    server.effects();
    server.has_media("default:x", "ben/ben1");
    let out = Effect::RemoveParticipant { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    assert_eq!(server.effects(), [out], "to be asked again would lead nowhere");
}

#[test]
fn who_was_put_out_while_he_was_away_does_not_come_back_by_himself() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let ring = ring_of(&server.rings("ann1", "default:x", &["ben", "cem"]).state);
    for device in ["ben1", "ann1"] {
        server.joins(device, "default:x", Some(&ring)).unwrap();
    }
    let session = server.call("default:x").call.session.as_ref().unwrap().id.clone();
    server.authority.remove(server.now, &who("ann1"), &id("default:x"), &id("ben")).unwrap();
    server.effects();
    let out = Effect::RemoveParticipant { cid: id("default:x"), user: id("ben"), device: id("ben1") };
    server.has_media("default:x", "ben/ben1");
    assert_eq!(server.effects(), [out]);
    let again = Join { session: Some(session), ..Join::default() };
    let refused = server.authority.join(server.now, &who("ben1"), &id("default:x"), again);
    assert_eq!(refused.map(|_| ()).unwrap_err().code, Code::PermissionDenied);
    server.joins("ben1", "default:x", None).unwrap();
    assert!(server.call("default:x").has_device(&id("ben1")), "by his own wish he may");
}

#[test]
fn what_somebody_does_not_have_is_taken_by_anybody_who_may_take() {
    let mut server = Server::new().online(&["ann1", "ben1"]);
    let data = CallData { members: vec![member("ben", Some("speaker"))], ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("ann1"), &id("audio_room:x"), request).unwrap();
    let revoke = [Capability::SendAudio, Capability::SendVideo, Capability::ShareScreen].into();
    let update = UpdatePermissions { user: id("ben"), grant: BTreeSet::new(), revoke };
    let state = server.authority.update_permissions(server.now, &who("ann1"), &id("audio_room:x"), &update);
    assert!(state.is_ok(), "a room without pictures has nobody who may send them: {state:?}");
    let told = server.authority.read(server.now, &who("ben1"), &id("audio_room:x")).unwrap().own_capabilities;
    assert!(!told.contains(&Capability::SendAudio));
}

#[test]
fn a_role_that_lists_the_right_to_make_calls_is_given_by_who_has_the_rest() {
    let mut server = Server::new().online(&["ann1"]);
    let all = || Capability::ALL.iter().copied().collect::<BTreeSet<_>>();
    let user = all().into_iter().filter(|capability| *capability != Capability::CreateCall).collect();
    let grants = BTreeMap::from([("admin".to_owned(), all()), ("user".to_owned(), user), ("host".to_owned(), all())]);
    server.authority.set_call_type(server.now, "desk", CallType { grants, ..CallType::default() });
    let dee = server.authority.people[&id("dee")].clone();
    server.authority.person_came(server.now, StoredPerson { role: Role::Admin, ..dee });
    let data = CallData { members: vec![member("ann", Some("host"))], ..CallData::default() };
    let request = GetOrCreate { data, ..GetOrCreate::default() };
    server.authority.get_or_create(server.now, &who("dee1"), &id("desk:x"), request).unwrap();
    assert_eq!(server.sets("ann1", "desk:x", &[("ben", Some("host"))], &[]), Ok(()));
}
