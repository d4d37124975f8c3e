//! What a new call may be.

use super::*;

#[test]
fn a_call_has_a_thousand_members_at_most() {
    let names: Vec<String> = (0..wire::MAX_MEMBERS).map(|number| format!("p{number}")).collect();
    let person = |name: &String| StoredPerson::new(id(name), name.clone(), Role::User, BTreeSet::new());
    let people = names.iter().map(person).chain([person(&"ann".to_owned())]).collect();
    let mut server = Server::restored(Live { people, ..Live::default() });
    let mut makes = |cid: &str, names: &[String]| {
        let member = |name: &String| MemberData { user: id(name), role: None, custom: wire::Custom::new() };
        let data = CallData { members: names.iter().map(member).collect(), ..CallData::default() };
        let request = GetOrCreate { data, ..GetOrCreate::default() };
        let made = server.authority.get_or_create(server.now, &who("ann1"), &id(cid), request);
        made.map(|made| made.state.call.members.len()).map_err(|error| error.field)
    };
    assert_eq!(makes("default:many", &names), Err(Some("data.members".to_owned())), "and the one who makes it");
    assert_eq!(makes("default:most", &names[1..]), Ok(wire::MAX_MEMBERS));
    assert!(!server.authority.knows(&id("default:many")));
}

#[test]
fn a_time_that_no_calendar_has_is_refused() {
    let mut server = Server::new();
    for at in [i64::MIN, -1, i64::MAX] {
        let data = CallData { starts_at: Some(UnixMillis(at)), ..CallData::default() };
        let request = GetOrCreate { data, ..GetOrCreate::default() };
        let made = server.authority.get_or_create(server.now, &who("ann1"), &id("audio_room:x"), request);
        assert_eq!(made.map(|_| ()).map_err(|error| error.field), Err(Some("data.starts_at".to_owned())), "{at}");
    }
}
