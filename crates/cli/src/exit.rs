//! How a command ends: the exit status that scripts rely on, and failures in words and for programs.

use std::{path::Path, process::ExitCode};

use call_client::ClientError;
use coordinator::StartError;
use wire::{CallId, Code, ErrorBody};

use crate::{note, say};

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for a call: it took place.
    Done = 0,
    /// Standard output could not be written, and not because its reader had gone.
    Unwritten = 1,
    Usage = 2,
    /// Declined by all.
    Declined = 3,
    NoAnswer = 4,
    Busy = 5,
    Cancelled = 6,
    Refused = 7,
    Unreachable = 8,
    AnsweredElsewhere = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    body: ErrorBody,
}

impl Failure {
    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, body: ErrorBody::new(Code::InvalidRequest, message) }
    }

    /// The server, or this program in its place, says no.
    pub(crate) fn refused(code: Code, message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, body: ErrorBody::new(code, message) }
    }

    /// A call in which nothing will ring any more.
    pub(crate) fn ended_before(cid: &CallId) -> Self {
        let message = format!("{cid} was ended: nobody can be rung in it any more");
        Self { exit: Exit::NoAnswer, body: ErrorBody::new(Code::CallEnded, message) }
    }

    /// The server cannot be reached.
    pub(crate) fn unreachable(why: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, body: ErrorBody::new(Code::Unavailable, why) }
    }

    /// A signal came before the server had answered.
    pub(crate) fn interrupted() -> Self {
        let body = ErrorBody::new(Code::Unavailable, "interrupted before the server had answered");
        Self { exit: Exit::Cancelled, body }
    }

    /// A signal came while everything was copied.
    pub(crate) fn interrupted_copy(into: &Path) -> Self {
        let message = format!("interrupted: nothing of the copy is left in {}", into.display());
        Self { exit: Exit::Cancelled, body: ErrorBody::new(Code::Unavailable, message) }
    }

    /// This device was signed out.
    pub(crate) fn signed_out() -> Self {
        let message = "this device is not signed in any more: ask for a new invite, then `bellbird sign-in INVITE`";
        Self::refused(Code::Unauthenticated, message)
    }

    /// The same, with one thing more that can be done.
    #[must_use]
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.body.message = format!("{}; {advice}", self.body.message);
        self
    }

    /// What happened, what it means, what to do.
    pub(crate) fn message(&self) -> &str {
        &self.body.message
    }

    /// In words on standard error, and for programs on standard output.
    pub(crate) fn tell(&self, json: bool) {
        note(&format!("bellbird: {}", self.body.message));
        if json {
            self.say();
        }
    }

    /// For programs.
    pub(crate) fn say(&self) {
        say(&serde_json::json!({ "error": self.body }).to_string());
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Unreachable { .. } | ClientError::Stopped => Exit::Unreachable,
            ClientError::Refused(_) | ClientError::WrongServer | ClientError::Unreadable { .. } => Exit::Refused,
        };
        Self { exit, body: error.body() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            // What was given on the command line, or in its file.
            StartError::CertificateFiles { .. }
            | StartError::ConfiguredCallType { .. }
            | StartError::Advertise { .. }
            | StartError::NameWanted
            | StartError::OwnBackend(_) => Self::usage(error.to_string()),
            StartError::Data(_)
            | StartError::InUse { .. }
            | StartError::Database(_)
            | StartError::NewerDatabase
            | StartError::DamagedDatabase(_)
            | StartError::Copy { .. }
            | StartError::Certificate(_)
            | StartError::HalfCertificate { .. }
            | StartError::Webhooks(_)
            | StartError::Listen { .. }
            | StartError::Media { .. } => Self::refused(Code::Unavailable, error.to_string()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::refused(Code::Internal, format!("{error:#}"))
    }
}
