//! Requests and answers of the HTTP interface. Paths are in the server's `http` folder and the client's `rest.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    CallState, Custom, DeviceId, InviteCode, Person, Reason, RingId, Role, SessionId, Settings, UnixMillis, UserId,
};

/// `POST /v1/sign-in`: an invite for a device of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// Answer to [`SignIn`].
#[derive(Debug, Clone, Serialize, Deserialize)]
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
}

/// `POST /v1/token`: the refresh secret for a new access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The device.
    pub device: DeviceId,
    /// Its secret.
    pub refresh_secret: String,
}

/// A short-lived bearer token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// How long it is good for, in milliseconds.
    pub expires_in_ms: u32,
}

/// `POST /v1/invites`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CreateInvite {
    /// How often it can be used; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// How long it is good for, in milliseconds; a week if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u32>,
    /// The role of who comes by it; `user` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Signs in one more device of the person who makes it.
    #[serde(default)]
    pub me: bool,
}

/// Answer to [`CreateInvite`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedInvite {
    /// The link to send.
    pub link: String,
    /// Its secret part.
    pub code: InviteCode,
    /// When it stops working.
    pub expires_at: UnixMillis,
}

/// `POST /v1/calls/{type}/{id}`: get or create a call, ring its members if asked to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GetOrCreate {
    /// Ring every member but the caller.
    #[serde(default)]
    pub ring: bool,
    /// Whether the ring wants video.
    #[serde(default)]
    pub video: bool,
    /// What a new call gets; ignored for a call that exists, but for members who are added when ringing.
    #[serde(default)]
    pub data: CallData,
}

/// What a new call gets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CallData {
    /// The list; a caller missing from it is added.
    #[serde(default)]
    pub members: Vec<MemberData>,
    /// The application's data.
    #[serde(default)]
    pub custom: Custom,
    /// Override of the type's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

/// A member to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MemberData {
    /// Who.
    pub user: UserId,
    /// `member` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The application's data.
    #[serde(default)]
    pub custom: Custom,
}

/// Answer to [`GetOrCreate`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetOrCreated {
    /// The call did not exist before.
    pub created: bool,
    /// The call, with the ring if one was started.
    pub state: CallState,
    /// Newer than every event up to this revision.
    #[serde(default)]
    pub revision: u64,
}

/// `POST /v1/calls/{type}/{id}/join`: come in. While this call rings the person, joining accepts (R3: accept and
/// credentials in one step).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Make the call if it does not exist.
    #[serde(default)]
    pub create: bool,
    /// The ring this device answers; absent when it joins without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<RingId>,
    /// The session this device comes back into; absent when any will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// Answer to [`Join`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Joined {
    /// The call.
    pub state: CallState,
    /// The way to the media.
    pub media: MediaCredentials,
    /// Newer than every event up to this revision.
    #[serde(default)]
    pub revision: u64,
}

/// The way to the media server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MediaCredentials {
    /// Where it is.
    pub server: MediaServer,
    /// A LiveKit access token for the room of the call.
    pub token: String,
}

/// Where the media server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaServer {
    /// The same address this answer came from.
    Here,
    /// A LiveKit URL (`wss://…`).
    At(String),
}

/// `POST /v1/calls/{type}/{id}/leave`: go out, cancel the unanswered ring, or (as somebody who is only rung) nothing.
/// What it names must be what goes on, so that a request that comes late does not end something newer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// The session this device goes out of; absent when it knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The ring this device is done with; absent when it knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<RingId>,
}

/// `POST /v1/calls/{type}/{id}/reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Which ring.
    pub ring: RingId,
    /// `decline` or `busy`.
    pub reason: Reason,
    /// A short word for the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
