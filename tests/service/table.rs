//! The table of section 5 of the calling model, written out a second time and by hand: what the server says and does is held
//! against this, never against itself.

use std::collections::BTreeSet;

use wire::Capability;

/// Somebody's place in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Guest,
    User,
    Speaker,
    Host,
    Owner,
    Admin,
}

const EVERYTHING: &str = "create-call read-call join-call join-backstage join-ended-call update-call update-settings \
                          end-call update-members ring send-audio send-video share-screen mute-users remove-participant \
                          block-user update-permissions pin-for-everyone send-reaction send-event go-live record";

/// What somebody may do in an open call of a type.
pub(super) fn granted(call_type: &str, place: Place) -> BTreeSet<Capability> {
    let all = named(EVERYTHING);
    assert_eq!(all.len(), Capability::ALL.len(), "the table names every capability there is");
    let without = |fewer: &str| all.difference(&named(fewer)).copied().collect();
    match (call_type, place) {
        ("default", Place::Guest) => named("read-call join-call send-audio send-video send-reaction"),
        ("default", Place::User | Place::Speaker) => named(
            "read-call join-call send-audio send-video send-reaction create-call ring share-screen send-event \
             update-members",
        ),
        ("default", Place::Host) => without("join-backstage"),
        ("audio_room", Place::Guest) => named("read-call join-call send-reaction"),
        ("audio_room", Place::User) => named("read-call join-call send-reaction create-call"),
        ("audio_room", Place::Speaker) => named("read-call join-call send-reaction create-call send-audio"),
        ("audio_room", Place::Host | Place::Owner) => without("send-video share-screen"),
        // "All", and the type has no video for anybody.
        ("audio_room", Place::Admin) => without("send-video"),
        ("livestream", Place::Guest) => named("read-call join-call"),
        ("livestream", Place::User | Place::Speaker) => {
            named("read-call join-call create-call send-reaction send-event")
        }
        ("default", Place::Owner | Place::Admin)
        | ("livestream", Place::Host | Place::Owner | Place::Admin)
        | ("development", _) => all,
        (other, _) => panic!("the table has no type {other}"),
    }
}

fn named(names: &str) -> BTreeSet<Capability> {
    let find = |name: &str| Capability::ALL.iter().copied().find(|capability| capability.as_str() == name);
    names.split_whitespace().map(|name| find(name).unwrap_or_else(|| panic!("no capability {name}"))).collect()
}
