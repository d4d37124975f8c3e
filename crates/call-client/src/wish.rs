//! What a person wishes when he rings, made into the request that says it.

use std::time::Duration;

use wire::{CallData, CallId, Custom, GetOrCreate, MemberData, UserId};

use crate::calls::Toggle;

/// Whom to ring, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingWish {
    /// Everybody to reach; the caller need not be among them.
    pub people: Vec<UserId>,
    /// The call to ring for; a new one if absent.
    pub cid: Option<CallId>,
    /// Whether video is wanted.
    pub video: Toggle,
    /// What it is about; a new call carries it as `message` in its custom data.
    pub message: Option<String>,
    /// How long it rings, 5 to 180 seconds; for a new call only.
    pub timeout: Option<Duration>,
}

impl RingWish {
    /// A plain ring: a new call, and the server's ring length.
    #[must_use]
    pub fn new(people: Vec<UserId>, video: Toggle) -> Self {
        Self { people, cid: None, video, message: None, timeout: None }
    }

    /// The call, and what to ask of the server.
    pub(crate) fn into_request(self) -> (CallId, GetOrCreate) {
        let members = self.people.into_iter().map(|user| MemberData { user, role: None, custom: Custom::new() });
        let settings = self.timeout.map(|timeout| {
            let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
            serde_json::json!({ "ring": { "timeout_ms": timeout_ms } })
        });
        let data = CallData {
            members: members.collect(),
            custom: self.message.into_iter().map(|message| ("message".to_owned(), message.into())).collect(),
            settings,
            ..CallData::default()
        };
        let cid = self.cid.unwrap_or_else(fresh_call);
        (cid, GetOrCreate { ring: true, video: self.video == Toggle::On, data, ..GetOrCreate::default() })
    }
}

/// Twelve random bytes as text: unguessable, so that only who is invited knows the call.
fn fresh_call() -> CallId {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
    CallId::new("default", &id).expect("a random id keeps the rule for ids")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_says_only_what_was_wished() {
        let plain = RingWish::new(vec!["ben".parse().unwrap()], Toggle::Off);
        let (cid, request) = plain.clone().into_request();
        assert_ne!(cid, plain.clone().into_request().0, "a call of its own each time");
        assert!(request.ring && request.data.settings.is_none() && request.data.custom.is_empty());
        let cid: CallId = "default:standup".parse().unwrap();
        let wish = RingWish {
            cid: Some(cid.clone()),
            message: Some("lunch?".to_owned()),
            timeout: Some(Duration::from_secs(5)),
            ..plain
        };
        let (named, request) = wish.into_request();
        assert_eq!((named, request.data.settings.unwrap()["ring"]["timeout_ms"].as_u64()), (cid, Some(5_000)));
        assert_eq!(request.data.custom["message"], "lunch?");
    }
}
