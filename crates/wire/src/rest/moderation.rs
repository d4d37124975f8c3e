//! Running a call: members, permissions, mutes, signs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Capability, Custom, MemberData, UserId};

/// `POST /v1/calls/{type}/{id}/members`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateMembers {
    /// Added, or changed when they are on the list.
    #[serde(default)]
    pub set: Vec<MemberData>,
    /// Removed; a member who rings or is in the call is put out.
    #[serde(default)]
    pub remove: Vec<UserId>,
}

/// `POST /v1/calls/{type}/{id}/mute`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MuteUsers {
    /// Whom; everybody but the asker if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<UserId>>,
    /// What: `microphone`, `camera`, `screen`; the microphone if absent.
    #[serde(default)]
    pub tracks: Vec<TrackSource>,
}

/// A kind of track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrackSource {
    /// The voice.
    Microphone,
    /// The camera's picture.
    Camera,
    /// The screen and its sound.
    Screen,
}

/// `POST /v1/calls/{type}/{id}/block` and `/unblock`, `/remove`, `/pin` and `/unpin`: one person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockUser {
    /// Whom.
    pub user: UserId,
}

/// `POST /v1/calls/{type}/{id}/permissions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatePermissions {
    /// Whose.
    pub user: UserId,
    /// Given, whatever the roles say.
    #[serde(default)]
    pub grant: BTreeSet<Capability>,
    /// Taken, whatever the roles say.
    #[serde(default)]
    pub revoke: BTreeSet<Capability>,
}

/// `POST /v1/calls/{type}/{id}/ask`: asks who may give it for a capability.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskPermission {
    /// Which.
    pub capabilities: BTreeSet<Capability>,
}

/// `POST /v1/calls/{type}/{id}/reaction`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendReaction {
    /// A sign, as an emoji or `raised-hand`; 1 to 32 characters.
    pub kind: String,
}

/// `POST /v1/calls/{type}/{id}/event`: the application's own event, to everybody in the call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendEvent {
    /// Free data, 5 KB of JSON at most.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Custom,
}
