//! What can go wrong for a program that uses the client, by what it can do about it.

use wire::{Code, ErrorBody};

/// A request did not do what was asked.
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

    /// The refusal's code, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(body) => Some(body.code),
            Self::Unreachable { .. } | Self::WrongServer | Self::Unreadable { .. } | Self::Stopped => None,
        }
    }
}
