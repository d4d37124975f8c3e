//! API keys: what other programs show, and what they may do by it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ApiKeyId, Role, UnixMillis, UserId};

/// Names the person a program acts for, in a request with an API key that has [`Scope::OnBehalf`].
pub const ON_BEHALF_OF: &str = "bellbird-on-behalf-of";

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// What a program may do by its key, where the permissions of the person it acts as allow it, too.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Scope {
            $($(#[$doc])* $name,)*
        }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name as it travels.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

scopes! {
    /// Read calls and history.
    CallsRead => "calls-read",
    /// Make, change and end calls.
    CallsWrite => "calls-write",
    /// Ring people, and cancel that.
    Ring => "ring",
    /// Read the list of people.
    PeopleRead => "people-read",
    /// Make and change people, and sign their devices out.
    PeopleWrite => "people-write",
    /// Make invites.
    Invites => "invites",
    /// Register webhooks and see what became of their deliveries.
    Webhooks => "webhooks",
    /// Read the server's metrics.
    Metrics => "metrics",
    /// Act for other people than the program's own, admins excepted.
    OnBehalf => "on-behalf",
}

/// `POST /v1/api-keys`, for admins.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateApiKey {
    /// What it is for; the name of the program's own person, too, when that is made.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The program's own person, whom calls and history name; made if there is none, from the name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// How long it is good for, in milliseconds; until it is revoked if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
}

/// Answer to [`CreateApiKey`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// The key in the list of keys.
    #[serde(flatten)]
    pub entry: ApiKeyEntry,
    /// The bearer token, shown this once: the server stores only its hash.
    pub token: String,
}

debug_without_secrets!(CreatedApiKey: entry);

/// An API key in the list of keys: `GET /v1/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyEntry {
    /// Which.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// The program's own person.
    pub user: UserId,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
    /// When it was used last, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixMillis>,
}

/// `PUT /v1/people/{user}`: makes a person, or changes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PutPerson {
    /// The name people read.
    pub name: String,
    /// What it was if absent, `user` for somebody new. Only an admin makes admins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The person's teams, all of them; those that there were if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<BTreeSet<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_travels_by_its_name() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_string(scope).unwrap(), format!("\"{}\"", scope.as_str()));
        }
    }
}
