//! The error body and its closed set of codes.

use serde::{Deserialize, Serialize};

/// What went wrong, for programs. A code exists only if somebody acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Code {
    /// No token, or one that is not ours, or a device that was signed out.
    Unauthenticated,
    /// The access token is too old: fetch a new one and try again.
    TokenExpired,
    /// Known, but not allowed.
    PermissionDenied,
    /// There is no such call (or it is not yours to know of).
    CallNotFound,
    /// The call is over for everyone.
    CallEnded,
    /// The ring is over: cancelled, timed out or ended.
    RingOver,
    /// Another device of the same person was first.
    AnsweredElsewhere,
    /// Not open yet.
    InBackstage,
    /// The limit of participants is reached.
    CallFull,
    /// The person is blocked from this call.
    Blocked,
    /// A field breaks its rule; `field` says which.
    InvalidRequest,
    /// Too many of these; `retry_after_ms` says how long to wait.
    RateLimited,
    /// Two changes met; fetch and try again.
    Conflict,
    /// The server (or its disk) cannot do it now.
    Unavailable,
    /// Client and server are of versions that do not fit.
    UnsupportedVersion,
    /// A fault of ours.
    Internal,
}

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message}")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ErrorBody {
    /// For programs.
    pub code: Code,
    /// For people: what happened, what it means, what to do.
    pub message: String,
    /// The field that breaks its rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When to try again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl ErrorBody {
    /// An error without field or wait.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_ms: None }
    }

    /// `field` breaks its rule.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(Code::InvalidRequest, message) }
    }
}
