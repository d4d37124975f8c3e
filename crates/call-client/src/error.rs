//! What can go wrong for a program that uses the client, by what it can do about it.

use std::time::Duration;

use wire::{Code, ErrorBody};

/// A request did not do what was asked.
///
/// | variant | who says it | what the caller can do |
/// |---|---|---|
/// | [`Refused`](Self::Refused) | the server | show its words; [`code`](Self::code) tells programs what it was, [`retry_after`](Self::retry_after) whether waiting helps |
/// | [`Unreachable`](Self::Unreachable) | the network | try again: a [`Client`](crate::Client) does by itself for joining and leaving |
/// | [`WrongServer`](Self::WrongServer) | TLS | nothing by itself: ask the person, who needs a new invite |
/// | [`Unreadable`](Self::Unreadable) | the parser | update the older of the two programs |
/// | [`Stopped`](Self::Stopped) | this crate | nothing: [`Client::shutdown`](crate::Client::shutdown) was called |
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server refused, with its reason.
    #[error(transparent)]
    Refused(#[from] ErrorBody),
    /// The server could not be reached; nothing is known of the request's fate.
    #[error("the server cannot be reached ({why}): check the network and whether the server runs, then try again")]
    Unreachable {
        /// The network's own words.
        why: String,
    },
    /// Somebody else answers at the server's address.
    #[error(
        "the server's certificate is not the one of the invite: somebody may be listening in, or the server was set up anew; ask for a new invite"
    )]
    WrongServer,
    /// The answer made no sense.
    #[error("the server's answer cannot be read ({why}): app and server may be of versions that do not fit")]
    Unreadable {
        /// What the parser said.
        why: String,
    },
    /// The client was shut down while the request ran.
    #[error("the client is shutting down")]
    Stopped,
}

impl ClientError {
    /// The error as the body the server would have sent.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::Refused(body) => body.clone(),
            Self::Unreachable { .. } | Self::Stopped => ErrorBody::new(Code::Unavailable, self.to_string()),
            Self::WrongServer => ErrorBody::new(Code::Unauthenticated, self.to_string()),
            Self::Unreadable { .. } => ErrorBody::new(Code::UnsupportedVersion, self.to_string()),
        }
    }

    /// How long to wait before the same may be tried again; `None` when another attempt would end alike.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable { .. } => Some(Duration::ZERO),
            Self::Refused(body) => match body.code {
                Code::Unavailable => Some(Duration::ZERO),
                Code::RateLimited => Some(Duration::from_millis(u64::from(body.retry_after_ms.unwrap_or(1_000)))),
                Code::Unauthenticated
                | Code::TokenExpired
                | Code::PermissionDenied
                | Code::CallNotFound
                | Code::CallEnded
                | Code::RingOver
                | Code::AnsweredElsewhere
                | Code::InBackstage
                | Code::CallFull
                | Code::Blocked
                | Code::InvalidRequest
                | Code::Conflict
                | Code::UnsupportedVersion
                | Code::Internal => None,
            },
            Self::WrongServer | Self::Unreadable { .. } | Self::Stopped => None,
        }
    }

    /// The refusal's code, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(body) => Some(body.code),
            Self::Unreachable { .. } | Self::WrongServer | Self::Unreadable { .. } | Self::Stopped => None,
        }
    }
}
