//! What must reach the server: in order for each call, one at a time, tried again while the server is away. Sans-IO.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use wire::{CallId, Join, Leave, Reject, SessionId};

use crate::{backoff, calls::Ticket, error::ClientError};

/// Names an errand; rises. The number of a join is also the name of the media session that comes of it.
pub(crate) type ErrandId = u64;

/// A request, to be sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Join { cid: CallId, join: Join },
    Reject { cid: CallId, reject: Reject },
    Leave { cid: CallId, leave: Leave },
}

impl Request {
    fn cid(&self) -> &CallId {
        match self {
            Self::Join { cid, .. } | Self::Reject { cid, .. } | Self::Leave { cid, .. } => cid,
        }
    }

    /// Comings and goings of one call happen in the order the person wanted them.
    fn is_ordered(&self) -> bool {
        match self {
            Self::Join { .. } | Self::Leave { .. } => true,
            Self::Reject { .. } => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not sent, or to be sent again, from then on.
    Due(Instant),
    Sent,
}

#[derive(Debug)]
struct Errand {
    id: ErrandId,
    request: Request,
    /// Somebody waits for the answer.
    ticket: Option<Ticket>,
    give_up: Instant,
    attempt: u32,
    stage: Stage,
}

/// What an answer means for its errand.
#[derive(Debug)]
pub(crate) enum Settled {
    /// It is tried again.
    Again,
    /// It is done, one way or the other.
    Done { ticket: Option<Ticket> },
    /// Nobody knows of it any more.
    Forgotten,
}

#[derive(Debug)]
pub(crate) struct Errands {
    waiting: Vec<Errand>,
    next: ErrandId,
    random: StdRng,
}

impl Errands {
    pub(crate) fn new(seed: u64) -> Self {
        Self { waiting: Vec::new(), next: 1, random: StdRng::seed_from_u64(seed) }
    }

    /// Adds an errand that is given up `within` this time if the server stays away.
    pub(crate) fn add(&mut self, now: Instant, request: Request, within: Duration, ticket: Option<Ticket>) -> ErrandId {
        let id = self.next;
        self.next += 1;
        let stage = Stage::Due(now);
        self.waiting.push(Errand { id, request, ticket, give_up: now + within, attempt: 0, stage });
        id
    }

    /// The next request to send now.
    pub(crate) fn next_due(&mut self, now: Instant) -> Option<(ErrandId, Request)> {
        let index = (0..self.waiting.len()).find(|index| match self.waiting[*index].stage {
            Stage::Due(at) => at <= now && self.is_first(*index),
            Stage::Sent => false,
        })?;
        let errand = &mut self.waiting[index];
        errand.stage = Stage::Sent;
        Some((errand.id, errand.request.clone()))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = self.waiting.iter().enumerate().filter_map(|(index, errand)| match errand.stage {
            Stage::Due(at) if self.is_first(index) => Some(at),
            Stage::Due(_) | Stage::Sent => None,
        });
        due.min()
    }

    fn is_first(&self, index: usize) -> bool {
        let errand = &self.waiting[index];
        let is_before =
            |earlier: &Errand| earlier.request.is_ordered() && earlier.request.cid() == errand.request.cid();
        !errand.request.is_ordered() || !self.waiting[..index].iter().any(is_before)
    }

    /// An answer came, or none did.
    pub(crate) fn settle(&mut self, now: Instant, id: ErrandId, error: Option<&ClientError>) -> Settled {
        let Some(index) = self.waiting.iter().position(|errand| errand.id == id) else { return Settled::Forgotten };
        let errand = &mut self.waiting[index];
        if let Some(pause) = error.and_then(ClientError::retry_after)
            && now < errand.give_up
        {
            let pause = pause.max(backoff::wait(errand.attempt, self.random.random()));
            errand.attempt += 1;
            errand.stage = Stage::Due(now + pause);
            return Settled::Again;
        }
        let errand = self.waiting.remove(index);
        Settled::Done { ticket: errand.ticket }
    }

    /// The server is there again (or has news of this call): no need to wait out the pause.
    pub(crate) fn hurry(&mut self, now: Instant, cid: Option<&CallId>) {
        for errand in self.waiting.iter_mut().filter(|errand| cid.is_none_or(|cid| errand.request.cid() == cid)) {
            if let Stage::Due(at) = &mut errand.stage {
                *at = now.min(*at);
            }
        }
    }

    /// Comes in anew: what would take this device out again is not tried any more.
    pub(crate) fn forget_leaving(&mut self, now: Instant, cid: &CallId) {
        self.forget(now, |request| matches!(request, Request::Leave { cid: of, .. } if of == cid));
    }

    /// Goes out: no more attempts to come in. Answers with whom to tell.
    pub(crate) fn forget_joining(&mut self, now: Instant, cid: &CallId) -> Vec<Ticket> {
        self.forget(now, |request| matches!(request, Request::Join { cid: of, .. } if of == cid))
    }

    fn forget(&mut self, now: Instant, is_meant: impl Fn(&Request) -> bool) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        self.waiting.retain_mut(|errand| {
            if !is_meant(&errand.request) {
                return true;
            }
            tickets.extend(errand.ticket.take());
            errand.give_up = now;
            errand.stage == Stage::Sent
        });
        tickets
    }

    /// Whether this device is about to go out of a call; if so, of this session.
    pub(crate) fn leaving(&mut self, cid: &CallId, session: Option<&SessionId>) -> bool {
        let mut leaves = self.waiting.iter_mut().filter_map(|errand| match (&mut errand.request, errand.stage) {
            (Request::Leave { cid: of, leave }, Stage::Due(_)) if of == cid => Some(leave),
            (Request::Leave { .. } | Request::Join { .. } | Request::Reject { .. }, _) => None,
        });
        let Some(leave) = leaves.next() else { return false };
        if session.is_some() {
            leave.session = session.cloned();
        }
        true
    }

    /// Whether the same is already under way.
    pub(crate) fn has(&self, request: &Request) -> bool {
        self.waiting.iter().any(|errand| errand.request == *request)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
