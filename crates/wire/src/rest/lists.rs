//! Calls by filter, history by page, call types.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{CallState, Capability, Custom, HistoryEntry, UnixMillis, UserId};

/// `POST /v1/calls/query`: calls the asker may read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// With these values in the custom data, of the same types: `null` is not the same as nothing.
    #[serde(skip_serializing_if = "Custom::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallPage {
    /// In the asked order.
    pub calls: Vec<CallState>,
    /// For the next page; absent on the last. A page can be shorter than asked for, even empty, and not be the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /v1/missed/seen`: missed calls were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissedSeen {
    /// The newest line of the history that was; everything told so far if absent. What was missed since stays unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
}

/// A page of a person's history, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Ask with `before` this id for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A call type: `PUT /v1/call-types/{type}`, for admins; the four built-in ones can be changed, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CallTypeData {
    /// Override of the default type's settings.
    pub settings: Option<serde_json::Value>,
    /// What each role may do; roles that are not named may do nothing.
    pub grants: BTreeMap<String, BTreeSet<Capability>>,
}
