//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::de::DeserializeOwned;
use wire::{
    AskPermission, BlockUser, CallFilter, CallId, CallTypeData, ClientMessage, CreateInvite, ErrorBody, GetOrCreate,
    Join, Leave, MuteUsers, Reject, RingMembers, Role, SendEvent, SendReaction, Settings, SignIn, TokenRequest,
    UnixMillis, UpdateCall, UpdateMembers, UpdatePermissions,
};

use crate::{
    access::Tokens,
    authority::{Authority, CallType, CallTypes, Caller},
    http,
    store::{Live, StoredPerson},
};

/// Every target of this crate: its name in fuzz/, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("http_body", http_body),
    ("socket_message", socket_message),
    ("access_token", access_token),
    ("settings_override", settings_override),
    ("call_type", call_type),
    ("avatar", avatar),
];

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new("a secret of thirty-two characters"));

/// A body of a request, which the first byte chooses, to a server on which ann rings ben.
pub fn http_body(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let (ann, ben) = (who("ann"), who("ben"));
    let cid: CallId = "default:x".parse().expect("a cid");
    let mut authority = ringing(&ann, &cid);
    let authority = &mut authority;
    // What comes of it is of no interest here: only that something does.
    _ = match kind {
        b'a' => read(body).map(|request: GetOrCreate| _ = authority.get_or_create(NOW, &ben, &cid, request)),
        b'b' => read(body).map(|request: UpdateCall| _ = authority.update_call(NOW, &ann, &cid, request)),
        b'c' => read(body).map(|request: RingMembers| _ = authority.ring_members(NOW, &ann, &cid, request)),
        b'd' => read(body).map(|request: Join| _ = authority.join(NOW, &ben, &cid, request)),
        b'e' => read(body).map(|request: Reject| _ = authority.reject(NOW, &ben, &cid, request)),
        b'f' => read(body).map(|request: Leave| _ = authority.leave(NOW, &ann, &cid, &request)),
        b'g' => read(body).map(|request: UpdateMembers| _ = authority.update_members(NOW, &ann, &cid, &request)),
        b'h' => read(body).map(|BlockUser { user }| _ = authority.block(NOW, &ann, &cid, &user, true)),
        b'i' => {
            read(body).map(|request: UpdatePermissions| _ = authority.update_permissions(NOW, &ann, &cid, &request))
        }
        b'j' => read(body).map(|request: AskPermission| _ = authority.ask_permission(&ben, &cid, request.capabilities)),
        b'k' => read(body).map(|request: MuteUsers| _ = authority.mute(&ann, &cid, &request)),
        b'l' => read(body).map(|SendReaction { kind }| _ = authority.react(&ann, &cid, &kind)),
        b'm' => read(body).map(|SendEvent { data }| _ = authority.send_event(&ann, &cid, data)),
        b'n' => read(body).map(|request: SignIn| _ = wire::NAME.check(&request.name)),
        b'o' => read(body).map(|_: TokenRequest| ()),
        b'p' => read(body).map(|_: CreateInvite| ()),
        b'q' => read(body).map(|_: CallFilter| ()),
        _ => Ok(()),
    };
    if authority.has_undelivered() {
        let batch = authority.take_batch();
        authority.deliver(NOW, batch, Vec::new());
    }
    for at in [60_000, 4_000_000, 600_000_000] {
        authority.on_time(UnixMillis(NOW.0 + at));
    }
}

/// A text message on a device's WebSocket.
pub fn socket_message(data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<ClientMessage>(data) else { return };
    if let ClientMessage::Alerted { cid, ring } = message {
        ringing(&who("ann"), &cid).alerted(&who("ben"), &cid, &ring);
    }
}

/// An access token of a device.
pub fn access_token(data: &[u8]) {
    if let Ok(token) = std::str::from_utf8(data) {
        _ = TOKENS.check(token, UnixMillis(0));
    }
}

/// A call's override of its type's settings: taken whole, it keeps every rule and is the same when it is read again.
pub fn settings_override(data: &[u8]) {
    let Ok(patch) = serde_json::from_slice::<serde_json::Value>(data) else { return };
    if let Ok(settings) = Settings::default().overridden(&patch) {
        let whole = serde_json::to_value(&settings).expect("settings are plain data");
        assert_eq!(Settings::default().overridden(&whole).as_ref(), Ok(&settings));
    }
}

/// An operator's own call type.
pub fn call_type(data: &[u8]) {
    if let Ok(data) = serde_json::from_slice::<CallTypeData>(data) {
        _ = CallType::parse(&data);
    }
}

/// An uploaded picture.
pub fn avatar(data: &[u8]) {
    _ = crate::avatar::kept(data);
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorBody> {
    http::parse(body)
}

fn who(user: &str) -> Caller {
    Caller { user: user.parse().expect("an id"), device: format!("{user}1").parse().expect("an id") }
}

/// A server on which this person has just rung ben in this call, if its type allows that.
fn ringing(ann: &Caller, cid: &CallId) -> Authority {
    let person =
        |name: &str| StoredPerson::new(name.parse().expect("an id"), name.to_owned(), Role::User, BTreeSet::new());
    let live = Live { people: ["ann", "ben", "cem"].map(person).into(), ..Live::default() };
    let mut authority = Authority::new(NOW, 1, String::new(), CallTypes::new(BTreeMap::new()), live);
    for name in ["ann", "ben"] {
        authority.connected(&who(name), 1, &[]);
    }
    let ben = r#"{"ring": true, "data": {"members": [{"user": "ben"}]}}"#;
    let request: GetOrCreate = read(ben.as_bytes()).expect("a request");
    _ = authority.get_or_create(NOW, ann, cid, request);
    authority
}
