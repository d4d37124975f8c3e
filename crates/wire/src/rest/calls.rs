//! Making, ringing, joining and leaving calls.

use serde::{Deserialize, Serialize};

use crate::{CallState, Custom, Reason, RingId, SessionId, UnixMillis, UserId};

/// `POST /v1/calls/{type}/{id}`: get or create a call, ring its members if asked to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallData {
    /// The list; a caller missing from it is added.
    #[serde(default)]
    pub members: Vec<MemberData>,
    /// The application's data.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberData {
    /// Who.
    pub user: UserId,
    /// `member` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The application's data.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub custom: Custom,
}

/// Answer to [`GetOrCreate`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MediaCredentials {
    /// Where it is.
    pub server: MediaServer,
    /// A LiveKit access token for the room of the call.
    pub token: String,
}

/// Where the media server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateCall {
    /// The application's data, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub custom: Option<Custom>,
    /// Override of the settings: an object of their shape with only what differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// When it is planned; `null` takes it off the calendar.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UnixMillis>))]
    pub starts_at: Option<Option<UnixMillis>>,
}

/// What is there, be it `null`; what is absent never gets here.
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(input: D) -> Result<Option<T>, D::Error> {
    T::deserialize(input).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_taken_off_is_told_from_one_that_stays() {
        let read = |text: &str| serde_json::from_str::<UpdateCall>(text).unwrap().starts_at;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"starts_at": null}"#), Some(None));
        assert_eq!(read(r#"{"starts_at": 5}"#), Some(Some(UnixMillis(5))));
        let off = UpdateCall { starts_at: Some(None), ..UpdateCall::default() };
        assert_eq!(serde_json::to_string(&off).unwrap(), r#"{"starts_at":null}"#);
    }
}
