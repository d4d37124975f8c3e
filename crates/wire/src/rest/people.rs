//! Signing in, invites, devices.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, InviteCode, InviteId, Person, Role, UnixMillis, UserId};

/// `POST /v1/sign-in`: an invite for a device of its own.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// The invite's code.
    pub code: InviteCode,
    /// The id the person would like; made from the name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The name people read.
    pub name: String,
    /// What the person's list of devices shows.
    pub device_name: String,
}

debug_without_secrets!(SignIn: user_id, device_name);

/// Answer to [`SignIn`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The person this device is signed in as.
    pub me: Person,
    /// This device.
    pub device: DeviceId,
    /// The long-lived secret; the server stores only its hash.
    pub refresh_secret: String,
    /// The first access token.
    pub access: AccessToken,
    /// The name of the server, for people.
    pub server_name: String,
    /// What it shows for new access tokens.
    #[serde(default)]
    pub renewal: Renewal,
}

debug_without_secrets!(SignedIn: me, device, renewal);

/// `POST /v1/devices`: a person of an existing product signs a device in with a token of the operator's own, a JWT with
/// the person's id, name, role and teams. Answered like [`SignIn`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInByToken {
    /// The JWT.
    pub user_token: String,
    /// What the person's list of devices shows.
    pub device_name: String,
}

debug_without_secrets!(SignInByToken: device_name);

/// What a device shows for a new access token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// Its refresh secret.
    #[default]
    Secret,
    /// Its refresh secret and a fresh token of the operator's own.
    Token,
}

/// `POST /v1/token`: the refresh secret for a new access token. Where a token of the operator's own is wanted beside it
/// ([`Renewal::Token`]), one that is missing or too old is refused with `token-expired` and the field `user_token`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenRequest {
    /// The device.
    pub device: DeviceId,
    /// Its secret.
    pub refresh_secret: String,
    /// A fresh token of the operator's own, of the same person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_token: Option<String>,
}

debug_without_secrets!(TokenRequest: device);

/// A short-lived bearer token.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// How long it is good for, in milliseconds.
    pub expires_in_ms: u32,
}

debug_without_secrets!(AccessToken: expires_in_ms);

/// `POST /v1/invites`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateInvite {
    /// How often it can be used; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// How long it is good for, in milliseconds; a week if absent. One more device of oneself has an hour, and a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    // Half of its values do not fit into what the document calls an int32.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub expires_in_ms: Option<u32>,
    /// The role of who comes by it; `user` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The team of who comes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Signs in one more device of the person who makes it.
    #[serde(default)]
    pub me: bool,
}

/// Answer to [`CreateInvite`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvite {
    /// By which it is listed and revoked.
    pub id: InviteId,
    /// The link to send.
    pub link: String,
    /// Its secret part.
    pub code: InviteCode,
    /// When it stops working.
    pub expires_at: UnixMillis,
}

debug_without_secrets!(CreatedInvite: id, expires_at);

/// `GET /v1/invites`: an invite that can still be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteEntry {
    /// Which; its code is known only to who was given it.
    pub id: InviteId,
    /// Who made it; absent if it was the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<UserId>,
    /// The role of who comes by it.
    pub role: Role,
    /// The team of who comes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whom it signs in on one more device; absent if it is for somebody new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<UserId>,
    /// How often it can still be used.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it stops working.
    pub expires_at: UnixMillis,
}

/// A device in its person's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DeviceEntry {
    /// Which.
    pub id: DeviceId,
    /// What the person called it.
    pub name: String,
    /// Since when it has been signed in.
    pub created_at: UnixMillis,
    /// The device that asks.
    pub is_this: bool,
}

/// `PUT /v1/me/name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rename {
    /// The name people read.
    pub name: String,
}

/// `GET /v1/people`: whom to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct PeopleQuery {
    /// Part of a name or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Where the page before ended: its `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Most people of a page, 1 to 100; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// People by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct PeoplePage {
    /// The page.
    pub people: Vec<Person>,
    /// What `after` has to be for the next; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_for_developers_holds_no_secret() {
        let token = AccessToken { token: "hunter22".to_owned(), expires_in_ms: 7 };
        assert_eq!(format!("{token:?}"), "AccessToken { expires_in_ms: 7, .. }");
        let made = CreatedInvite {
            id: "i1".parse().unwrap(),
            link: "bellbird://join/x:1/hunter22".to_owned(),
            code: "hunter22".parse().unwrap(),
            expires_at: UnixMillis(7),
        };
        assert!(!format!("{made:?}").contains("hunter22"), "{made:?}");
    }
}
