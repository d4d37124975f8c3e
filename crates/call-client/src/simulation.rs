//! A device without network, media and clock, for the simulator: the same machine, every delay and failure in the hands
//! of the test.

use std::{sync::Arc, time::Instant};

use wire::{CallId, CallState, DeviceId, ErrorBody, Join, Joined, Reject, RingId, ServerAddress, ServerMessage};
use wire::{UnixMillis, UserId};

pub use crate::planted::Planted;
use crate::{
    account::Account,
    call::{Media, Phase},
    calls::{Calls, Input, JoinOptions, Leave, Output, Ticket, Toggle},
    clock::Now,
    errands,
    error::ClientError,
    session::SessionEvent,
    state::EndReason,
};

/// What the device wants done.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Send a request once.
    Request {
        /// Its number.
        id: u64,
        /// About this call.
        cid: CallId,
        /// What.
        request: Request,
    },
    /// Open a new connection.
    Reconnect,
    /// Set the media up.
    OpenSession {
        /// Of this call.
        cid: CallId,
        /// For this join.
        join: u64,
    },
    /// Close it.
    CloseSession {
        /// Of this call.
        cid: CallId,
    },
    /// Tell that this device alerts.
    Alerted {
        /// For this call.
        cid: CallId,
        /// And this ring.
        ring: RingId,
    },
    /// A wish of the person was granted or not.
    Reply {
        /// Which.
        ticket: u64,
        /// How it went.
        result: Result<(), ClientError>,
    },
}

/// A request of a device.
#[derive(Debug, Clone)]
pub enum Request {
    /// Come in.
    Join(Join),
    /// Refuse.
    Reject(Reject),
    /// Go out.
    Leave(wire::Leave),
}

/// What happens to the media of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaNews {
    /// It flows.
    Up,
    /// It does not any more, for now.
    Lost,
    /// The media server has put this device out.
    PutOut,
    /// The media server has put everybody out.
    Over,
    /// Given up.
    Failed,
}

/// Where a call stands on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing goes on here.
    Idle,
    /// It rings here.
    RingingIn(RingId),
    /// It rings somebody from here.
    RingingOut(RingId),
    /// On the way in; the server has (or has not yet) let it in.
    Joining {
        /// By this ring.
        ring: Option<RingId>,
        /// The server has let it in.
        is_let_in: bool,
    },
    /// In.
    Joined,
    /// Out, for this reason.
    Left(EndReason),
    /// Over for everyone.
    Ended(EndReason),
}

/// A device.
pub struct SimulatedDevice {
    calls: Calls,
    timeout: Option<Instant>,
}

impl SimulatedDevice {
    /// A device of a person, just started.
    #[must_use]
    pub fn start(
        (instant, wall): (Instant, UnixMillis),
        user: UserId,
        device: DeviceId,
        seed: u64,
        planted: Option<Planted>,
    ) -> Self {
        let account = Account {
            server: ServerAddress { host: "localhost".to_owned(), port: 1 },
            pin: None,
            name: user.to_string(),
            user,
            device,
            refresh_secret: String::new(),
        };
        let mut calls = Calls::new(Now { instant, wall }, &account, seed);
        calls.planted = planted;
        Self { calls, timeout: None }
    }

    fn handle(&mut self, instant: Instant, wall: UnixMillis, input: Input) -> Vec<Wanted> {
        self.calls.handle(Now { instant, wall }, input);
        let mut wanted = Vec::new();
        loop {
            match self.calls.poll() {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return wanted;
                }
                Output::Changed
                | Output::Switch { .. }
                | Output::RefreshSession { .. }
                | Output::Hear { .. }
                | Output::Notice(_)
                | Output::FetchAsks => {}
                Output::Request { id, request } => {
                    let (cid, request) = match request {
                        errands::Request::Join { cid, join } => (cid, Request::Join(join)),
                        errands::Request::Reject { cid, reject } => (cid, Request::Reject(reject)),
                        errands::Request::Leave { cid, leave } => (cid, Request::Leave(leave)),
                    };
                    wanted.push(Wanted::Request { id, cid, request });
                }
                Output::Reconnect => wanted.push(Wanted::Reconnect),
                Output::OpenSession { cid, join, .. } => wanted.push(Wanted::OpenSession { cid, join }),
                Output::CloseSession { cid } => wanted.push(Wanted::CloseSession { cid }),
                Output::TellAlerted { cid, ring } => wanted.push(Wanted::Alerted { cid, ring }),
                Output::Reply { ticket, result } => wanted.push(Wanted::Reply { ticket: ticket.0, result }),
            }
        }
    }

    /// The server speaks.
    pub fn message(
        &mut self,
        instant: Instant,
        wall: UnixMillis,
        opened_at: (Instant, UnixMillis),
        message: &Arc<ServerMessage>,
    ) -> Vec<Wanted> {
        let opened_at = Now { instant: opened_at.0, wall: opened_at.1 };
        self.handle(instant, wall, Input::Server { opened_at, message: ServerMessage::clone(message) })
    }

    /// The connection is gone.
    pub fn disconnected(&mut self, instant: Instant, wall: UnixMillis) -> Vec<Wanted> {
        self.handle(instant, wall, Input::Disconnected { why: "cut".to_owned() })
    }

    /// The answer to a ring this device asked for.
    pub fn rang(
        &mut self,
        (instant, wall): (Instant, UnixMillis),
        asked_at: (Instant, UnixMillis),
        state: CallState,
        revision: u64,
    ) -> Vec<Wanted> {
        let asked_at = Now { instant: asked_at.0, wall: asked_at.1 };
        self.handle(instant, wall, Input::State { asked_at, state, revision })
    }

    /// The person comes in, or answers.
    pub fn join(&mut self, instant: Instant, wall: UnixMillis, cid: CallId, ticket: u64) -> Vec<Wanted> {
        let options = JoinOptions { create: false, video: Toggle::Off };
        self.handle(instant, wall, Input::Join { cid, options, ticket: Ticket(ticket) })
    }

    /// The person goes out, dismisses, cancels or refuses.
    pub fn leave(&mut self, instant: Instant, wall: UnixMillis, cid: CallId, leave: Leave) -> Vec<Wanted> {
        self.handle(instant, wall, Input::Leave { cid, leave })
    }

    /// This device alerts.
    pub fn alerted(&mut self, instant: Instant, wall: UnixMillis, cid: CallId) -> Vec<Wanted> {
        self.handle(instant, wall, Input::Alerted { cid })
    }

    /// R13.
    pub fn busy_when_in_call(&mut self, instant: Instant, wall: UnixMillis, to: Toggle) -> Vec<Wanted> {
        self.handle(instant, wall, Input::BusyWhenInCall { to })
    }

    /// R14.
    pub fn do_not_disturb(&mut self, instant: Instant, wall: UnixMillis, to: Toggle) -> Vec<Wanted> {
        self.handle(instant, wall, Input::DoNotDisturb { to })
    }

    /// A join was answered, or could not be sent.
    pub fn join_done(
        &mut self,
        instant: Instant,
        wall: UnixMillis,
        id: u64,
        cid: CallId,
        result: Result<Joined, ClientError>,
    ) -> Vec<Wanted> {
        self.handle(instant, wall, Input::JoinDone { id, cid, result: Box::new(result) })
    }

    /// Another request was.
    pub fn request_done(
        &mut self,
        instant: Instant,
        wall: UnixMillis,
        id: u64,
        result: Result<(), ClientError>,
    ) -> Vec<Wanted> {
        self.handle(instant, wall, Input::ErrandDone { id, result })
    }

    /// News of the media of a join.
    pub fn media(
        &mut self,
        instant: Instant,
        wall: UnixMillis,
        cid: CallId,
        join: u64,
        news: MediaNews,
    ) -> Vec<Wanted> {
        let event = match news {
            MediaNews::Up => SessionEvent::Connected,
            MediaNews::Lost => SessionEvent::Reconnecting,
            MediaNews::PutOut => SessionEvent::Closed(EndReason::PutOut),
            MediaNews::Over => SessionEvent::Closed(EndReason::Ended),
            MediaNews::Failed => SessionEvent::Closed(EndReason::MediaFailed),
        };
        self.handle(instant, wall, Input::Session { cid, join, event })
    }

    /// Time passes.
    pub fn on_time(&mut self, instant: Instant, wall: UnixMillis) -> Vec<Wanted> {
        self.handle(instant, wall, Input::Timeout)
    }

    /// When time alone brings something.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Every call it knows, with the ring as it knows it.
    pub fn seen(&self) -> impl Iterator<Item = (&CallId, Seen, Option<&wire::Ring>)> {
        self.calls.all().map(|call| {
            let seen = match &call.phase {
                Phase::Idle => Seen::Idle,
                Phase::RingingIn(ringing) => Seen::RingingIn(ringing.ring.clone()),
                Phase::RingingOut(ringing) => Seen::RingingOut(ringing.ring.clone()),
                Phase::Joining(in_call) => {
                    Seen::Joining { ring: in_call.ring.clone(), is_let_in: in_call.media != Media::Requested }
                }
                Phase::Joined(_) => Seen::Joined,
                Phase::Left(over) => Seen::Left(over.reason),
                Phase::Ended(over) => Seen::Ended(over.reason),
            };
            (&call.cid, seen, call.state.ring.as_ref())
        })
    }

    /// Nothing is on its way to the server.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.calls.is_quiet()
    }

    /// A refusal of the server, as the device's HTTP client would report it.
    #[must_use]
    pub fn refused(body: ErrorBody) -> ClientError {
        ClientError::Refused(body)
    }
}
