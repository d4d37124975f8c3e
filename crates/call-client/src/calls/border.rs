//! What goes into the machine and what comes out of it.

use std::time::Instant;

use wire::{CallId, CallState, Event, Joined, MediaCredentials, Reason, RingId, ServerMessage, Settings, WaitingAsk};

use crate::{
    clock::Now,
    errands::{ErrandId, Request},
    error::ClientError,
    session::SessionEvent,
};

/// Names a wish until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// Whether something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggle {
    /// It is sent.
    On,
    /// It is not.
    Off,
}

impl From<bool> for Toggle {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// How to come into a call; by default only into one that exists, and without a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinOptions {
    /// Make the call if it does not exist.
    pub create: bool,
    /// Whether the camera is on at the start, unless the call's settings say that nobody's is (`camera_default_on`): then
    /// it is switched on [in the call](crate::Client::set_camera).
    pub video: Toggle,
}

impl Default for JoinOptions {
    fn default() -> Self {
        Self { create: false, video: Toggle::Off }
    }
}

/// How to go out of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// Hang up; while my own ring is unanswered: cancel it; while I am rung: dismiss it on this device alone.
    Plain,
    /// Refuse the ring.
    Reject {
        /// `Decline` or `Busy`.
        reason: Reason,
        /// A short word for the caller.
        message: Option<String>,
    },
}

/// What happens to the calls of this device.
#[derive(Debug)]
pub(crate) enum Input {
    /// The server speaks, on the connection that was opened then.
    Server {
        opened_at: Now,
        message: ServerMessage,
    },
    /// The server is away.
    Disconnected {
        why: String,
    },
    /// Somebody else answers at the server's address.
    WrongServer {
        why: String,
    },
    SignedOut,
    /// An answer that carries a call's new state; newer than every event up to `revision`.
    State {
        /// When it was asked for.
        asked_at: Now,
        state: CallState,
        revision: u64,
    },
    Join {
        cid: CallId,
        options: JoinOptions,
        ticket: Ticket,
    },
    Accept {
        cid: CallId,
        video: Toggle,
        ticket: Ticket,
    },
    Leave {
        cid: CallId,
        leave: Leave,
    },
    Alerted {
        cid: CallId,
    },
    Toggle {
        cid: CallId,
        device: Device,
        to: Toggle,
    },
    /// Whether the others are heard here.
    Speaker {
        cid: CallId,
        to: Toggle,
    },
    /// R13.
    BusyWhenInCall {
        to: Toggle,
    },
    /// R14.
    DoNotDisturb {
        to: Toggle,
    },
    /// Who waits at the door, as the server answered.
    Asks {
        waiting: Vec<WaitingAsk>,
    },
    /// A join was answered, or could not be sent.
    JoinDone {
        id: ErrandId,
        cid: CallId,
        result: Box<Result<Joined, ClientError>>,
    },
    /// Another errand was.
    ErrandDone {
        id: ErrandId,
        result: Result<(), ClientError>,
    },
    Session {
        cid: CallId,
        join: ErrandId,
        event: SessionEvent,
    },
    /// The program ends: everything is left.
    ShutDown,
    Timeout,
}

/// A device a person switches during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Microphone,
    Camera,
}

/// What has to be done outside.
#[derive(Debug)]
pub(crate) enum Output {
    /// Sleep until then (or for ever), then say so.
    Timeout(Option<Instant>),
    /// The view changed.
    Changed,
    /// Send this once and say how it went.
    Request {
        id: ErrandId,
        request: Request,
    },
    /// Ask who waits at the door, once.
    FetchAsks,
    /// Something that is told and not kept.
    Notice(Event),
    /// The connection may be as old as the sleep the machine woke from: open a new one.
    Reconnect,
    OpenSession {
        cid: CallId,
        join: ErrandId,
        media: MediaCredentials,
        microphone: Toggle,
        camera: Toggle,
        speaker: Toggle,
        /// The call's, as it is joined.
        settings: Box<Settings>,
    },
    CloseSession {
        cid: CallId,
    },
    /// What lets the session in again, should it be lost.
    RefreshSession {
        cid: CallId,
        media: MediaCredentials,
    },
    Switch {
        cid: CallId,
        device: Device,
        to: Toggle,
    },
    Hear {
        cid: CallId,
        to: Toggle,
    },
    TellAlerted {
        cid: CallId,
        ring: RingId,
    },
    Reply {
        ticket: Ticket,
        result: Result<(), ClientError>,
    },
}
