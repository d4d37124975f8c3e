//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex, PoisonError},
};

use futures_util::FutureExt as _;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::de::DeserializeOwned;
use wire::{
    AskPermission, BlockUser, CallId, CallTypeData, ClientMessage, CreateInvite, ErrorBody, GetOrCreate, Join, Leave,
    MuteUsers, Reject, RingMembers, Role, SendEvent, SendReaction, Settings, SignIn, TokenRequest, UnixMillis,
    UpdateCall, UpdateMembers, UpdatePermissions,
};

use crate::{
    access::{self, Tokens},
    authority::{Authority, CallType, CallTypes, Caller},
    http,
    own_backend::{OwnBackend, UserTokens},
    programs::{Keys, StoredKey},
    store::{Live, StoredPerson},
    webhooks::{Reach, check_url},
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
    ("key_set", key_set),
    ("user_token", user_token),
    ("api_key", api_key),
    ("queries", queries),
    ("hook_url", hook_url),
];

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const TOKENS_SECRET: &str = "a secret of thirty-two characters";
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(TOKENS_SECRET));
static USER_TOKENS: LazyLock<UserTokens> = LazyLock::new(|| {
    let config = OwnBackend { secret: Some(TOKENS_SECRET.into()), ..OwnBackend::default() };
    UserTokens::new(&config).expect("a secret of 32 bytes is enough")
});
/// `bbk_k1_secret` is good.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let key = StoredKey {
        id: "k1".parse().expect("an id"),
        name: "shop".to_owned(),
        person: "shop".parse().expect("an id"),
        secret_hash: access::hash("secret"),
        scopes: BTreeSet::new(),
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
    };
    Keys::new(vec![key])
});
/// A server on which ann rings ben; whatever a body does to it is taken back.
static RINGING: LazyLock<Mutex<Authority>> =
    LazyLock::new(|| Mutex::new(ringing(&who("ann"), &"default:x".parse().expect("a cid"))));

/// A body of a request, which the first byte chooses, to a server on which ann rings ben.
pub fn http_body(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let (ann, ben) = (who("ann"), who("ben"));
    let cid: CallId = "default:x".parse().expect("a cid");
    let authority = &mut RINGING.lock().unwrap_or_else(PoisonError::into_inner);
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
        other => http::fuzzing::body_beside_calls(*other, body),
    };
    let decided = authority.take_batch();
    authority.deliver(NOW, decided.clone(), Vec::new());
    for at in [60_000, 4_000_000, 600_000_000] {
        authority.on_time(UnixMillis(NOW.0 + at));
    }
    let due = authority.take_batch();
    // Nothing of it is to remain.
    _ = (authority.take_back(due), authority.take_back(decided));
}

/// A text message on a device's WebSocket.
pub fn socket_message(data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<ClientMessage>(data) else { return };
    if let ClientMessage::Alerted { cid, ring } = message {
        ringing(&who("ann"), &cid).alerted(&who("ben"), &cid, &ring);
    }
}

/// An access token of a device; of claims alone, one that is well signed.
pub fn access_token(data: &[u8]) {
    if let Some(token) = signed(data, TOKENS_SECRET) {
        _ = TOKENS.check(&token, UnixMillis(0));
    }
}

/// A token of the operator's own product, the same way.
pub fn user_token(data: &[u8]) {
    if let Some(token) = signed(data, TOKENS_SECRET) {
        // With a secret there is nothing to wait for.
        _ = USER_TOKENS.check(&token).now_or_never();
    }
}

/// The token in the bytes; an object is taken for claims, which nobody but the harness can sign.
fn signed(data: &[u8], secret: &str) -> Option<String> {
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(data) {
        Ok(claims) => encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).ok(),
        Err(_) => std::str::from_utf8(data).ok().map(str::to_owned),
    }
}

/// The public keys of an operator's product.
pub fn key_set(data: &[u8]) {
    _ = crate::own_backend::reads_key_set(data);
}

/// What a program shows, to a server that knows one key.
pub fn api_key(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    if Keys::is_key(token) {
        _ = KEYS.check(token, NOW);
    }
}

/// A query, a path or a header of a request.
pub fn queries(data: &[u8]) {
    http::fuzzing::queries(data);
}

/// Where a hook is to lie: what is taken is the same when it is read again, and where anything may lie what is public may.
pub fn hook_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (public, anywhere) = (check_url(text, Reach::Public), check_url(text, Reach::Anywhere));
    if let Ok(url) = public {
        // Written out, signs may have become longer than a URL may be.
        assert!(url.as_str().len() > 2_000 || check_url(url.as_str(), Reach::Public).as_ref() == Ok(&url));
        assert_eq!(anywhere, Ok(url));
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
    // It is kept small: to scale and encode a large one takes the same way, for longer, whatever was read.
    _ = crate::avatar::kept_as(data, 8);
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
    let made = authority.take_batch();
    authority.deliver(NOW, made, Vec::new());
    authority
}
