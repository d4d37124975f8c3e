//! Ids as types, so that a user id is never passed for a device id. Parsed once, at the edge.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

/// Longest id of any kind, in bytes.
const MAX_ID_BYTES: usize = 64;

/// An id broke its character or length rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to 64 of the characters {allowed}")]
pub struct IdError {
    what: &'static str,
    allowed: &'static str,
}

/// The schema of a text with a rule.
macro_rules! text_schema {
    ($name:ident, $pattern:literal) => {
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let text = utoipa::openapi::schema::Type::String;
                utoipa::openapi::ObjectBuilder::new().schema_type(text).pattern(Some($pattern)).into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $allowed:literal, $pattern:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        #[cfg_attr(feature = "bindings", derive(specta::Type), specta(type = String))]
        // Shared: ids are copied into every message, and compared; their text never changes.
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let rule: fn(u8) -> bool = $rule;
                if text.is_empty() || text.len() > MAX_ID_BYTES || !text.bytes().all(rule) {
                    return Err(IdError { what: $what, allowed: $allowed });
                }
                Ok(Self(text.into()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        text_schema!($name, $pattern);
    };
}

macro_rules! minted {
    ($name:ident, $prefix:literal) => {
        impl $name {
            /// A new id: sortable by time, unguessable enough to name things, never a secret.
            #[must_use]
            pub fn mint(ulid: ulid::Ulid) -> Self {
                Self(format!(concat!($prefix, "{}"), ulid.to_string().to_lowercase()).into())
            }
        }
    };
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_user(byte: u8) -> bool {
    is_plain(byte) || matches!(byte, b'.' | b'@')
}

id!(
    /// A person.
    UserId, "a user id", "a-z A-Z 0-9 _ - . @", "^[A-Za-z0-9_.@-]{1,64}$", is_user
);
id!(
    /// One installation signed in as a user.
    DeviceId, "a device id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// One attempt to reach people.
    RingId, "a ring id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// One occurrence of a call.
    SessionId, "a session id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// The secret part of an invite.
    InviteCode, "an invite code", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// An invite in the lists of those who may revoke it; never its code.
    InviteId, "an invite's id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// What a program shows; its public part.
    ApiKeyId, "an API key's id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// A URL that events are sent to.
    WebhookId, "a webhook's id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
id!(
    /// Something that webhooks are told of.
    EventId, "an event's id", "a-z A-Z 0-9 _ -", "^[A-Za-z0-9_-]{1,64}$", is_plain
);
minted!(ApiKeyId, "k");
minted!(InviteId, "i");
minted!(WebhookId, "h");
minted!(EventId, "e");
minted!(DeviceId, "d");
minted!(RingId, "r");
minted!(SessionId, "s");

/// A lasting place to meet, named by type and id; written `type:id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "bindings", derive(specta::Type), specta(type = String))]
pub struct CallId {
    cid: Arc<str>,
    colon: usize,
}

text_schema!(CallId, "^[A-Za-z0-9_-]{1,64}:[A-Za-z0-9_-]{1,64}$");

impl CallId {
    /// The call `id` of the type `call_type`.
    ///
    /// # Errors
    /// When one of the two breaks the id rule.
    pub fn new(call_type: &str, id: &str) -> Result<Self, IdError> {
        let valid = |text: &str| !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(is_plain);
        if !valid(call_type) || !valid(id) {
            return Err(IdError { what: "a call's type and its id", allowed: "a-z A-Z 0-9 _ - (written type:id)" });
        }
        Ok(Self { cid: format!("{call_type}:{id}").into(), colon: call_type.len() })
    }

    /// The bundle of settings and grants the call follows.
    #[must_use]
    pub fn call_type(&self) -> &str {
        &self.cid[..self.colon]
    }

    /// The part after the colon.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.cid[self.colon + 1..]
    }

    /// `type:id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.cid
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.cid)
    }
}

impl FromStr for CallId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (call_type, id) = text.split_once(':').unwrap_or((text, ""));
        Self::new(call_type, id)
    }
}

impl TryFrom<String> for CallId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CallId> for String {
    fn from(cid: CallId) -> Self {
        cid.cid.as_ref().to_owned()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.cid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_type_and_id() {
        let cid: CallId = "default:standup-1".parse().unwrap();
        assert_eq!((cid.call_type(), cid.id()), ("default", "standup-1"));
        assert_eq!(serde_json::to_string(&cid).unwrap(), "\"default:standup-1\"");
    }

    #[test]
    fn ids_refuse_what_would_not_fit_a_path_or_a_log() {
        for bad in ["", "default", "default:", ":x", "a:b:c", "a:b/c", "a:ü", &format!("a:{}", "x".repeat(65))] {
            assert!(bad.parse::<CallId>().is_err(), "{bad}");
        }
        for bad in ["", "a b", "a/b", "a:b", &"x".repeat(65)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
        assert!("ann.smith@example.org".parse::<UserId>().is_ok());
    }
}
