//! Requests and answers of the HTTP interface. Paths are in the server's `http` folder and the client's `rest.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    CallState, Capability, Custom, DeviceId, HistoryEntry, InviteCode, Person, Reason, RingId, Role, SessionId,
    UnixMillis, UserId,
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
    /// The team of who comes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
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
    /// Tell every member but the caller natively that the call exists, without ringing.
    #[serde(default)]
    pub notify: bool,
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
    /// Override of the type's settings: an object of their shape with only what differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// When it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// The only team that sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
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

/// `POST /v1/calls/{type}/{id}/ring`: rings members of a call that exists.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RingMembers {
    /// Whom; every member but the caller if absent. Who is not on the list yet is added, with `update-members`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<UserId>>,
    /// Whether video is wanted.
    #[serde(default)]
    pub video: bool,
    /// Only tell them that the call exists.
    #[serde(default)]
    pub notify: bool,
}

/// `PATCH /v1/calls/{type}/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdateCall {
    /// The application's data, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// Override of the settings: an object of their shape with only what differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// When it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
}

/// `POST /v1/calls/{type}/{id}/members`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
pub struct BlockUser {
    /// Whom.
    pub user: UserId,
}

/// `POST /v1/calls/{type}/{id}/permissions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
pub struct AskPermission {
    /// Which.
    pub capabilities: BTreeSet<Capability>,
}

/// `POST /v1/calls/{type}/{id}/reaction`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendReaction {
    /// A sign, as an emoji or `raised-hand`; 1 to 32 characters.
    pub kind: String,
}

/// `POST /v1/calls/{type}/{id}/event`: the application's own event, to everybody in the call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendEvent {
    /// Free data, 5 KB of JSON at most.
    pub data: Custom,
}

/// `POST /v1/calls/query`: calls the asker may read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFilter {
    /// Of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// With this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<UserId>,
    /// Of this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// With (or without) a session now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_session: Option<bool>,
    /// Planned at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_from: Option<UnixMillis>,
    /// Planned before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_before: Option<UnixMillis>,
    /// With these values in the custom data.
    #[serde(skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// The order: newest first if absent.
    pub sort: CallOrder,
    /// Most calls of the answer, 1 to 100; 25 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The order of a list of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOrder {
    /// By creation, newest first.
    #[default]
    Newest,
    /// By creation, oldest first.
    Oldest,
    /// By planned time, the earliest first; calls without one are left out.
    StartsAt,
}

/// A page of calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallPage {
    /// In the asked order.
    pub calls: Vec<CallState>,
    /// For the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A page of a person's history, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryPage {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Ask with `before` this id for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// `PUT /v1/me/name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The name people read.
    pub name: String,
}

/// `GET /v1/people`: whom to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleQuery {
    /// Part of a name or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// The last person of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserId>,
    /// Most people of a page, 1 to 100; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// People by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    /// The page.
    pub people: Vec<Person>,
    /// What `after` has to be for the next; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<UserId>,
}

/// A device in its person's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// A call type: `PUT /v1/call-types/{type}`, for admins; the four built-in ones can be changed, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallTypeData {
    /// Override of the default type's settings.
    pub settings: Option<serde_json::Value>,
    /// What each role may do; roles that are not named may do nothing.
    pub grants: BTreeMap<String, BTreeSet<Capability>>,
}
