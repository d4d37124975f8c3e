//! What must reach the server: in order for each call, one at a time, tried again while the server is away. Sans-IO.
//!
//! A server that was away is told by the next snapshot's answer what it missed; one that answers and cannot store (its disk
//! is full) gets no news of its own, so a going out or a refusal is repeated to it until it can.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use wire::{CallId, Code, Join, Leave, Reject, SessionId};

use crate::{backoff, calls::Ticket, clock::Now, error::ClientError};

/// Who wants to come in does not wait longer between two attempts than after so many: 4 s at most.
const EAGER: u32 = 4;

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
    /// Nothing else would ever tell the server.
    fn must_be_heard(&self) -> bool {
        match self {
            Self::Leave { .. } | Self::Reject { .. } => true,
            Self::Join { .. } => false,
        }
    }

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
    /// Sent then: its answer may wait for as long as the machine sleeps.
    Sent(Now),
}

#[derive(Debug)]
struct Errand {
    id: ErrandId,
    request: Request,
    /// Somebody waits for the answer.
    ticket: Option<Ticket>,
    within: Duration,
    give_up: Instant,
    attempt: u32,
    stage: Stage,
    /// Nobody wants it any more: it is not tried again.
    is_forgotten: bool,
}

impl Errand {
    fn hurry(&mut self, now: Instant) {
        if let Stage::Due(at) = &mut self.stage {
            *at = now.min(*at);
        }
    }
}

/// What an answer means for its errand.
#[derive(Debug)]
pub(crate) enum Settled {
    /// It is tried again.
    Again,
    /// It is done, one way or the other; an attempt may have been heard whose answer never came. The answer may be as old
    /// as `sent_at`.
    Done { ticket: Option<Ticket>, may_be_heard: bool, sent_at: Option<Now> },
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
        let give_up = now + within;
        self.waiting.push(Errand { id, request, ticket, within, give_up, attempt: 0, stage, is_forgotten: false });
        id
    }

    /// The next request to send now.
    pub(crate) fn next_due(&mut self, now: Now) -> Option<(ErrandId, Request)> {
        let index = (0..self.waiting.len()).find(|index| match self.waiting[*index].stage {
            Stage::Due(at) => at <= now.instant && self.is_first(*index),
            Stage::Sent(_) => false,
        })?;
        let errand = &mut self.waiting[index];
        errand.stage = Stage::Sent(now);
        Some((errand.id, errand.request.clone()))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = self.waiting.iter().enumerate().filter_map(|(index, errand)| match errand.stage {
            Stage::Due(at) if self.is_first(index) => Some(at),
            Stage::Due(_) | Stage::Sent(_) => None,
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
        if errand.request.must_be_heard() && error.is_some_and(is_unavailable) {
            // It is connected, so no snapshot would remind it: a later request that is lost ends nothing. Long enough for
            // the longest pause and for one answer that does not come.
            errand.give_up = errand.give_up.max(now + 2 * errand.within);
        }
        let may_go_again =
            now < errand.give_up || (errand.request.must_be_heard() && error.is_some_and(is_unavailable));
        if let Some(pause) = error.and_then(ClientError::retry_after)
            && may_go_again
            && !errand.is_forgotten
        {
            let attempt = if errand.request.must_be_heard() { errand.attempt } else { errand.attempt.min(EAGER) };
            let pause = pause.max(backoff::wait(attempt, self.random.random()));
            errand.attempt += 1;
            errand.stage = Stage::Due(now + pause);
            return Settled::Again;
        }
        let errand = self.waiting.remove(index);
        let is_lost = error.is_some_and(|error| matches!(error, ClientError::Unreachable { .. }));
        let sent_at = match errand.stage {
            Stage::Sent(at) => Some(at),
            Stage::Due(_) => None,
        };
        Settled::Done { ticket: errand.ticket, may_be_heard: is_lost || errand.attempt > 0, sent_at }
    }

    /// The server is there again: no need to wait out the pause, nor to be shy after a further failure.
    pub(crate) fn begin_again(&mut self, now: Instant) {
        for errand in &mut self.waiting {
            errand.attempt = 0;
            errand.hurry(now);
        }
    }

    /// The server has news of this call: no need to wait out the pause.
    pub(crate) fn hurry(&mut self, now: Instant, cid: &CallId) {
        self.waiting.iter_mut().filter(|errand| errand.request.cid() == cid).for_each(|errand| errand.hurry(now));
    }

    /// Whether a coming in that was taken back is still on its way.
    pub(crate) fn takes_back(&self, cid: &CallId) -> bool {
        let is_join = |request: &Request| matches!(request, Request::Join { cid: of, .. } if of == cid);
        self.waiting.iter().any(|errand| errand.is_forgotten && is_join(&errand.request))
    }

    /// Comes in anew: what would take this device out again is not tried any more.
    pub(crate) fn forget_leaving(&mut self, cid: &CallId) {
        self.forget(|request| matches!(request, Request::Leave { cid: of, .. } if of == cid));
    }

    /// Goes out: no more attempts to come in. Answers with whom to tell.
    pub(crate) fn forget_joining(&mut self, cid: &CallId) -> Vec<Ticket> {
        self.forget(|request| matches!(request, Request::Join { cid: of, .. } if of == cid))
    }

    fn forget(&mut self, is_meant: impl Fn(&Request) -> bool) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        self.waiting.retain_mut(|errand| {
            if !is_meant(&errand.request) {
                return true;
            }
            tickets.extend(errand.ticket.take());
            errand.is_forgotten = true;
            matches!(errand.stage, Stage::Sent(_))
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

    /// Whether the same is already under way, and still wanted.
    pub(crate) fn has(&self, request: &Request) -> bool {
        self.waiting.iter().any(|errand| errand.request == *request && !errand.is_forgotten)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The server is there and cannot store anything now.
fn is_unavailable(error: &ClientError) -> bool {
    error.code() == Some(Code::Unavailable)
}

#[cfg(test)]
mod tests {
    use wire::ErrorBody;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(20);

    fn cid() -> CallId {
        "default:x".parse().unwrap()
    }

    fn leave() -> Request {
        Request::Leave { cid: cid(), leave: Leave::default() }
    }

    fn unavailable() -> ClientError {
        ClientError::Refused(ErrorBody::new(Code::Unavailable, "the disk is full"))
    }

    fn away() -> ClientError {
        ClientError::Unreachable { why: "away".to_owned() }
    }

    /// The wall clock says nothing here.
    fn at(instant: Instant) -> Now {
        Now { instant, wall: wire::UnixMillis(0) }
    }

    #[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
    fn begin() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_going_out_is_repeated_for_as_long_as_the_server_answers_that_it_cannot_store() {
        let (begin, mut errands) = (begin(), Errands::new(1));
        let id = errands.add(begin, leave(), WITHIN, None);
        for minute in 0..10 {
            let now = begin + Duration::from_secs(minute * 60);
            assert_eq!(errands.next_due(at(now)), Some((id, leave())), "after {minute} minutes");
            assert!(matches!(errands.settle(now, id, Some(&unavailable())), Settled::Again));
        }
        let now = begin + Duration::from_secs(600);
        assert_eq!(errands.next_due(at(now)), Some((id, leave())));
        assert!(matches!(errands.settle(now, id, Some(&away())), Settled::Done { .. }), "the next snapshot will tell");
        assert!(errands.is_empty());
    }

    #[test]
    fn a_request_that_is_lost_after_a_refusal_for_want_of_room_is_repeated() {
        let (begin, mut errands) = (begin(), Errands::new(1));
        let id = errands.add(begin, leave(), WITHIN, None);
        let late = begin + 2 * WITHIN;
        assert_eq!(errands.next_due(at(late)), Some((id, leave())));
        assert!(matches!(errands.settle(late, id, Some(&unavailable())), Settled::Again));
        // The longest pause, and the time in which a request is answered.
        let lost = late + Duration::from_secs(15) + Duration::from_secs(10);
        assert_eq!(errands.next_due(at(lost)), Some((id, leave())));
        assert!(matches!(errands.settle(lost, id, Some(&away())), Settled::Again));
        assert_eq!(errands.next_due(at(lost + WITHIN)), Some((id, leave())));
        assert!(matches!(errands.settle(lost + WITHIN, id, Some(&away())), Settled::Done { .. }), "not for ever");
    }

    #[test]
    fn a_join_is_given_up_in_time() {
        let (begin, mut errands) = (begin(), Errands::new(1));
        let id = errands.add(begin, Request::Join { cid: cid(), join: Join::default() }, WITHIN, None);
        assert!(errands.next_due(at(begin)).is_some());
        assert!(matches!(errands.settle(begin + WITHIN, id, Some(&unavailable())), Settled::Done { .. }));
    }

    #[test]
    fn after_a_long_absence_the_first_failure_costs_a_moment_only() {
        let (begin, mut errands) = (begin(), Errands::new(1));
        let id = errands.add(begin, Request::Join { cid: cid(), join: Join::default() }, 100 * WITHIN, None);
        let mut now = begin;
        for _ in 0..20 {
            assert!(errands.next_due(at(now)).is_some());
            errands.settle(now, id, Some(&away()));
            now = errands.deadline().unwrap();
        }
        assert!(errands.next_due(at(now)).is_some());
        errands.begin_again(now);
        errands.settle(now, id, Some(&away()));
        assert!(errands.deadline().unwrap() <= now + backoff::wait(0, 1.0));
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_repeated_and_stands_in_the_way_of_nothing() {
        let (begin, mut errands) = (begin(), Errands::new(1));
        let id = errands.add(begin, leave(), WITHIN, None);
        assert!(errands.next_due(at(begin)).is_some());
        errands.forget_leaving(&cid());
        assert!(!errands.has(&leave()), "gone out of again, it has to be told again");
        assert!(matches!(errands.settle(begin, id, Some(&unavailable())), Settled::Done { .. }));
        assert!(errands.is_empty());
    }
}
