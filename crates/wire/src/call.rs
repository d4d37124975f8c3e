//! Calls, people and history as they travel.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{CallId, Capability, DeviceId, Direction, Outcome, Reason, Ring, SessionId, Settings, UnixMillis, UserId};

/// Free data that an application hangs on a call or a member: a JSON object.
pub type Custom = serde_json::Map<String, serde_json::Value>;

/// What a person may do on the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Role {
    /// Runs the server.
    Admin,
    /// Calls and is called.
    User,
    /// Came for one call.
    Guest,
}

/// Whether a person can be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Presence {
    /// A device is connected, and somebody uses it.
    Online,
    /// Devices are connected, and nobody has used one for a while.
    Away,
    /// A device is in a call.
    InCall,
    /// Wants no ring to be heard now.
    DoNotDisturb,
    /// No device is connected.
    Offline,
}

/// A person as others on the server see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name people read.
    pub name: String,
    /// What he may do here.
    pub role: Role,
    /// Whether he can be reached now.
    pub presence: Presence,
    /// Changes with the picture, which is at `/v1/people/{id}/avatar`; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Another program, with an API key: it rings people and cannot be rung, so lists of whom to call leave it out.
    #[serde(default)]
    pub is_program: bool,
}

/// A user on a call's list. May never join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// `host`, `speaker`, `member` or an operator's own.
    pub role: String,
    /// The application's data.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub custom: Custom,
}

/// One device that is in the session now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// Whose.
    pub user: UserId,
    /// Which; media identity is per device.
    pub device: DeviceId,
    /// Since when.
    pub joined_at: UnixMillis,
}

/// One occurrence of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// When the first participant came.
    pub started_at: UnixMillis,
    /// Who is in it now.
    pub participants: Vec<Participant>,
}

/// A call: its lasting part and the session that runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// Its name.
    pub cid: CallId,
    /// Who made the call object.
    pub created_by: UserId,
    /// When.
    pub created_at: UnixMillis,
    /// The list.
    pub members: Vec<Member>,
    /// The type's settings with this call's overrides.
    pub settings: Settings,
    /// The application's data.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub custom: Custom,
    /// When it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// How many of the reminders of that are given or were too late: of two, 5 minutes before and at the time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reminders_sent: u8,
    /// The only team that sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether the backstage is open to everybody.
    #[serde(default)]
    pub is_live: bool,
    /// Whether it was closed again: its planned time does not open it any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_closed: bool,
    /// Who is kept out for good.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blocked: BTreeSet<UserId>,
    /// Who is shown large to everyone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<UserId>,
    /// What single people were given and denied, beside their roles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<UserId, PersonalGrants>,
    /// When it was ended for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<UnixMillis>,
    /// The session that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Rises with every change of the call, its ring and its session: of two states the one with more is newer, whether
    /// it came as event, in a snapshot or as answer.
    #[serde(default)]
    pub version: u64,
}

impl Call {
    /// Whether everybody who may join gets in at this moment; else only who may be behind the scenes.
    #[must_use]
    pub fn is_open(&self, now: UnixMillis) -> bool {
        !self.settings.backstage.enabled || self.is_live || self.opens_at().is_some_and(|at| now >= at)
    }

    /// When a call with a backstage opens by itself; not one that was closed by hand, or that has no plan.
    #[must_use]
    pub fn opens_at(&self) -> Option<UnixMillis> {
        let ahead = i64::from(self.settings.backstage.join_ahead_ms);
        self.starts_at.filter(|_| !self.is_closed).map(|at| UnixMillis(at.0.saturating_sub(ahead)))
    }
}

/// What one person was given and denied in one call, beside the grants of his roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PersonalGrants {
    /// Beside what the roles give.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub granted: BTreeSet<Capability>,
    /// Of what the roles give; stronger than everything.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<Capability>,
}

/// Everything a device needs to know of one call, whole: an event carries the new one in place of the old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallState {
    /// The call. Shared: its readers are told the same.
    pub call: Arc<Call>,
    /// The newest ring of the call that concerns the reader, live or just over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
    /// What the reader may do here: exactly what the server's door would let him.
    #[serde(default)]
    pub own_capabilities: BTreeSet<Capability>,
}

/// One call in a person's history, from that person's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct HistoryEntry {
    /// Rises with time; unique per server.
    #[cfg_attr(feature = "bindings", specta(type = u32))]
    pub id: i64,
    /// The call.
    pub cid: CallId,
    /// When the ring (or the session without one) began.
    pub at: UnixMillis,
    /// From the ring's caller.
    pub direction: Direction,
    /// How it went for this person.
    pub outcome: HistoryOutcome,
    /// Time in the call, in milliseconds; 0 if it was not answered.
    pub duration_ms: u32,
    /// Who rang (or made the call).
    pub caller: UserId,
    /// Everybody else on the call.
    pub people: Vec<UserId>,
    /// Whether video was wanted.
    pub video: bool,
    /// The application's data of the call, as it was when this line was written last: what it was about.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    #[cfg_attr(feature = "bindings", specta(skip))]
    pub custom: Custom,
    /// The callee's words with a decline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// A missed call that the person has not looked at yet.
    #[serde(default)]
    pub unseen: bool,
}

/// How a call went, for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum HistoryOutcome {
    /// It took place and is running.
    Ongoing,
    /// It took place.
    Answered,
    /// The callee (me or the other) said no.
    Declined,
    /// The callee was in another call.
    Busy,
    /// Nobody answered, or the caller gave up before.
    Missed,
}

impl From<Outcome> for HistoryOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ringing => Self::Ongoing,
            Outcome::Accepted => Self::Answered,
            Outcome::Declined => Self::Declined,
            Outcome::Busy => Self::Busy,
            Outcome::Missed | Outcome::Cancelled => Self::Missed,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u8) -> bool {
    *count == 0
}
