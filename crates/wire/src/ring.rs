//! A ring as it travels: who is called by whom, with an outcome for each.

use serde::{Deserialize, Serialize};

use crate::{CallId, DeviceId, RingId, SessionId, UserId};

/// One attempt to reach people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ring {
    /// Its name; ringing the same people again makes a new one.
    pub id: RingId,
    /// The call it invites to.
    pub cid: CallId,
    /// Who rings.
    pub caller: UserId,
    /// The device it was started from: the one that joins by itself at the first accept.
    pub caller_device: DeviceId,
    /// Whether the caller wants video.
    pub video: bool,
    /// Time left until the deadline, in milliseconds, when this message was made; 0 when the ring is over.
    pub remaining_ms: u32,
    /// The people it tries to reach.
    pub targets: Vec<Target>,
    /// The caller's device has come into the call, or has said that it will not: it does not come by itself (again).
    #[serde(default)]
    pub caller_came: bool,
    /// The session that its first answer led into; absent before. Nobody comes into a later one by this ring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

impl Ring {
    /// A ring is live while somebody it tries to reach has not answered.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.targets.iter().any(|target| target.outcome == Outcome::Ringing)
    }

    /// The target that is `user`.
    #[must_use]
    pub fn target(&self, user: &UserId) -> Option<&Target> {
        self.targets.iter().find(|target| target.user == *user)
    }

    /// Somebody has accepted.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.targets.iter().any(|target| target.outcome == Outcome::Accepted)
    }
}

/// One person a ring tries to reach. Once out of `ringing`, the outcome never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all(serialize = "snake_case", deserialize = "snake_case"))]
pub struct Target {
    /// The person.
    pub user: UserId,
    /// Where it stands.
    pub outcome: Outcome,
    /// One of the person's devices has confirmed that it alerts.
    #[serde(default)]
    pub alerted: bool,
    /// Why it was declined or missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The person's words with a decline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The device that accepted or declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_on: Option<DeviceId>,
    /// The device that accepted has come into the call, or has said that it will not. Rings that are folded into
    /// another (R16) are accepted before anybody comes.
    #[serde(default)]
    pub came: bool,
}

/// Where one target of a ring stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Outcome {
    /// Being alerted.
    Ringing,
    /// Came.
    Accepted,
    /// Said no.
    Declined,
    /// In another call, and set to say so.
    Busy,
    /// Did not answer in time.
    Missed,
    /// The caller gave up first. Stored for the callee as a missed call.
    Cancelled,
}

/// Why somebody was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Reason {
    /// Said no.
    Decline,
    /// In another call.
    Busy,
    /// The deadline passed.
    Timeout,
    /// The caller gave up.
    Cancel,
}

/// Direction of a ringing call as one device sees it; from the ring's caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Direction {
    /// Somebody rings me.
    Incoming,
    /// I ring.
    Outgoing,
    /// Joined without a ring.
    None,
}
