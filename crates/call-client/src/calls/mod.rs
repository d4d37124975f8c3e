//! All calls of this device, sans-IO: the server's messages and the person's wishes in, requests and a view out.

/// Whether a bug was planted; never, outside the simulator.
macro_rules! planted {
    ($calls:expr, $bug:ident) => {{
        #[cfg(feature = "simulation")]
        {
            $calls.planted == Some(crate::planted::Planted::$bug)
        }
        #[cfg(not(feature = "simulation"))]
        {
            false
        }
    }};
}

mod border;
mod joining;
mod news;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use wire::{
    Call as WireCall, CallId, CallState, Custom, DoNotDisturb, HistoryEntry, Person, Presence, Reject, Role, Settings,
    UserId, WaitingAsk,
};

use crate::{
    account::Account,
    asks::Asks,
    call::{Action, Call, How, Manner, Me, Origin, Phase, Surroundings},
    clock::{Clock, Now},
    errands::{Errands, Request},
    state::{Connection, DeviceView, EndReason},
};
pub(crate) use border::{Device, Input, Output, Ticket};
pub use border::{JoinOptions, Leave, Toggle};

/// Most history entries that are kept for screens.
const HISTORY_SHOWN: usize = 200;
/// How long a request that must reach the server is tried again while the server is away.
const INSIST_FOR: Duration = Duration::from_secs(20);
/// No answer to a request comes later than this.
const LATEST_ANSWER: Duration = Duration::from_secs(20);
/// How often the clocks are compared: the machine may have slept. More often while something rings.
const LOOK_AT_CLOCKS: Duration = Duration::from_secs(5);
const LOOK_AT_CLOCKS_RINGING: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Calls {
    me: Me,
    person: Person,
    server_name: String,
    connection: Connection,
    clock: Clock,
    revision: u64,
    people: BTreeMap<UserId, Person>,
    people_total: u32,
    favourites: BTreeSet<UserId>,
    /// The person's own wish, for all devices; whether it holds here now is said to this machine by [`Input`].
    quiet_wish: DoNotDisturb,
    calls: Vec<Call>,
    /// Calls an answer told of, and the revision it was newer than: an older snapshot may not know of them.
    answered: BTreeMap<CallId, u64>,
    /// Calls that were let go, since when, and the version known then: an answer that is still on its way may be older.
    let_go: BTreeMap<CallId, (Instant, u64)>,
    history: Vec<HistoryEntry>,
    asks: Asks,
    errands: Errands,
    busy_when_in_call: Toggle,
    do_not_disturb: Toggle,
    outputs: VecDeque<Output>,
    changed: bool,
    now: Now,
    #[cfg(feature = "simulation")]
    pub(crate) planted: Option<crate::planted::Planted>,
}

impl Calls {
    /// `seed` spreads the pauses between attempts.
    pub(crate) fn new(now: Now, account: &Account, seed: u64) -> Self {
        Self {
            me: Me { user: account.user.clone(), device: account.device.clone() },
            person: Person {
                id: account.user.clone(),
                name: account.name.clone(),
                role: Role::User,
                presence: Presence::Offline,
                avatar: None,
                is_program: false,
            },
            server_name: String::new(),
            connection: Connection::Connecting,
            clock: Clock::new(now),
            revision: 0,
            people: BTreeMap::new(),
            people_total: 0,
            favourites: BTreeSet::new(),
            quiet_wish: DoNotDisturb::default(),
            calls: Vec::new(),
            answered: BTreeMap::new(),
            let_go: BTreeMap::new(),
            history: Vec::new(),
            asks: Asks::default(),
            errands: Errands::new(seed),
            busy_when_in_call: Toggle::Off,
            do_not_disturb: Toggle::Off,
            outputs: VecDeque::new(),
            changed: true,
            now,
            #[cfg(feature = "simulation")]
            planted: None,
        }
    }

    /// What to do next; ends with `Timeout`.
    pub(crate) fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        if std::mem::take(&mut self.changed) {
            return Output::Changed;
        }
        let now = self.now;
        if let Some((id, request)) = self.errands.next_due(now) {
            return Output::Request { id, request };
        }
        let is_ringing = self.calls.iter().any(Call::is_ringing);
        let look = now.instant + if is_ringing { LOOK_AT_CLOCKS_RINGING } else { LOOK_AT_CLOCKS };
        let due = self.calls.iter().filter_map(Call::deadline).chain(self.errands.deadline());
        let due = due.chain(self.asks.deadline()).chain([look]);
        Output::Timeout(due.min())
    }

    pub(crate) fn handle(&mut self, now: Now, input: Input) {
        self.now = now;
        if self.clock.has_jumped(now) {
            self.outputs.push_back(Output::Reconnect);
        }
        // What is over is over before anything that may have waited during a sleep is looked at.
        self.on_time(now);
        match input {
            Input::Timeout => {}
            Input::Server { opened_at, message } => self.on_message(now, opened_at, message),
            other => {
                self.changed = true;
                self.on_wish(now, other);
            }
        }
        self.let_go(now);
    }

    fn let_go(&mut self, now: Now) {
        let gone: Vec<Call> = self.calls.extract_if(.., |call| call.is_forgettable(now)).collect();
        self.changed |= !gone.is_empty();
        self.let_go.retain(|_, (since, _)| now.instant < *since + LATEST_ANSWER);
        self.let_go.extend(gone.into_iter().map(|call| (call.cid, (now.instant, call.state.call.version))));
    }

    fn on_wish(&mut self, now: Now, input: Input) {
        match input {
            Input::Timeout | Input::Server { .. } => {}
            Input::Disconnected { why } => self.connection = Connection::Offline { why },
            Input::WrongServer { why } => self.connection = Connection::WrongServer { why },
            Input::SignedOut => self.on_signed_out(now),
            Input::State { asked_at, state, revision } => self.on_rang(now, asked_at, state, revision),
            Input::Asks { waiting } => {
                let until = |ask: WaitingAsk| {
                    let until = self.clock.until(now, ask.expires_at);
                    (ask, until)
                };
                self.asks.list(waiting.into_iter().map(until).collect());
            }
            Input::Join { cid, options, ticket } => self.join(now, cid, options, ticket),
            Input::Accept { cid, video, ticket } => self.accept(now, cid, video, ticket),
            Input::Leave { cid, leave } => self.leave(now, &cid, leave),
            Input::Alerted { cid } => self.on_alerted(&cid),
            Input::Toggle { cid, device, to } => self.toggle(&cid, device, to),
            Input::Speaker { cid, to } => self.set_speaker(cid, to),
            Input::BusyWhenInCall { to } => self.busy_when_in_call = to,
            Input::DoNotDisturb { to } => self.on_do_not_disturb(now, to),
            Input::JoinDone { id, cid, result } => self.on_join_done(now, id, &cid, *result),
            Input::ErrandDone { id, result } => _ = self.errands.settle(now.instant, id, result.err().as_ref()),
            Input::Session { cid, join, event } => self.on_session(now, &cid, join, event),
            Input::ShutDown => self.on_shut_down(now),
        }
    }

    fn on_time(&mut self, now: Now) {
        self.changed |= self.asks.on_time(now);
        for call in &mut self.calls {
            if planted!(self, RingsForEver) && call.is_ringing() {
                continue;
            }
            self.changed |= call.on_time(now);
        }
        let is_due =
            |call: &Call| call.in_call().and_then(|in_call| in_call.look_at).is_some_and(|at| at <= now.instant);
        for index in 0..self.calls.len() {
            if is_due(&self.calls[index]) {
                let around = Surroundings { me: &self.me, now, manner: self.manner(&self.calls[index].cid) };
                let action = self.calls[index].follow(around, Origin::Event);
                self.act(now, index, action);
            }
        }
    }

    /// The person's wish for all devices.
    pub(crate) fn quiet_wish(&self) -> &DoNotDisturb {
        &self.quiet_wish
    }

    pub(crate) fn is_online(&self) -> bool {
        self.connection == Connection::Online
    }

    fn manner(&self, cid: &CallId) -> Manner {
        let mut others = self.calls.iter().filter(|call| call.cid != *cid);
        if self.do_not_disturb == Toggle::On && !planted!(self, SilentNotSilent) {
            Manner::StaySilent
        } else if self.busy_when_in_call == Toggle::On && others.any(|call| call.in_call().is_some()) {
            Manner::AnswerBusy
        } else {
            Manner::Alert
        }
    }

    /// Nothing alerts from now on, or what rings still alerts now.
    fn on_do_not_disturb(&mut self, now: Now, to: Toggle) {
        self.do_not_disturb = to;
        for index in 0..self.calls.len() {
            let manner = self.manner(&self.calls[index].cid);
            let around = Surroundings { me: &self.me, now, manner };
            let action = match &self.calls[index].phase {
                Phase::Idle | Phase::RingingIn(_) | Phase::Left(_) | Phase::Ended(_) => {
                    self.calls[index].follow(around, Origin::Event)
                }
                Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => None,
            };
            self.act(now, index, action);
        }
    }

    fn place(&mut self, now: Now, state: &CallState) -> usize {
        self.position(&state.call.cid).unwrap_or_else(|| {
            self.calls.push(Call::new(now, state.clone()));
            self.calls.len() - 1
        })
    }

    fn position(&self, cid: &CallId) -> Option<usize> {
        self.calls.iter().position(|call| call.cid == *cid)
    }

    fn act(&mut self, now: Now, index: usize, action: Option<Action>) {
        let cid = self.calls[index].cid.clone();
        match action {
            None => {}
            // A join that the person has taken back has answered what rings: he hung up, and does not come in unasked.
            Some(Action::JoinAnswered { .. }) if self.calls[index].rings_in() && self.errands.takes_back(&cid) => {
                self.calls[index].leave(now, EndReason::Answered, How::HungUp);
            }
            Some(Action::JoinAnswered { ring }) => self.join_answered(now, index, ring),
            Some(Action::CloseSession) => {
                self.outputs.push_back(Output::CloseSession { cid });
                // A newer ring may have come while this device was still in.
                let around = Surroundings { me: &self.me, now, manner: self.manner(&self.calls[index].cid) };
                let action = self.calls[index].follow(around, Origin::Event);
                self.act(now, index, action);
            }
            Some(Action::Rejoin { session }) => self.rejoin(now, index, session),
            Some(Action::TellAlerted { ring }) => self.outputs.push_back(Output::TellAlerted { cid, ring }),
            Some(Action::TellLeft { ring, session }) => {
                self.insist(now, Request::Leave { cid, leave: wire::Leave { session, ring } });
            }
            Some(Action::Refuse { ring, reason, message }) => {
                self.insist(now, Request::Reject { cid, reject: Reject { ring, reason, message } });
            }
        }
    }

    /// Tells the server, and again while it is away.
    fn insist(&mut self, now: Now, request: Request) {
        if !self.errands.has(&request) {
            let within = if planted!(self, LeavesOnce) { Duration::ZERO } else { INSIST_FOR };
            self.errands.add(now.instant, request, within, None);
        }
    }

    fn on_alerted(&mut self, cid: &CallId) {
        let Some(index) = self.position(cid) else { return };
        if let Phase::RingingIn(ringing) = &mut self.calls[index].phase
            && !ringing.alerting
        {
            ringing.alerting = true;
            let ring = ringing.ring.clone();
            self.outputs.push_back(Output::TellAlerted { cid: cid.clone(), ring });
        }
    }

    fn on_shut_down(&mut self, now: Now) {
        for index in 0..self.calls.len() {
            match &self.calls[index].phase {
                Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => {
                    let cid = self.calls[index].cid.clone();
                    self.leave(now, &cid, Leave::Plain);
                }
                Phase::Idle | Phase::RingingIn(_) | Phase::Left(_) | Phase::Ended(_) => {}
            }
        }
    }

    /// Every call.
    #[cfg(feature = "simulation")]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter()
    }

    /// Nothing is on its way to the server.
    pub(crate) fn is_quiet(&self) -> bool {
        self.errands.is_empty()
    }
}

/// A call nobody has told of yet: what it is comes with the answer to the join.
fn placeholder(cid: CallId, me: &UserId, now: Now) -> CallState {
    let call = WireCall {
        cid,
        created_by: me.clone(),
        created_at: now.wall,
        members: Vec::new(),
        settings: Settings::default(),
        custom: Custom::new(),
        starts_at: None,
        reminders_sent: 0,
        team: None,
        is_live: false,
        is_closed: false,
        blocked: BTreeSet::new(),
        pinned: BTreeSet::new(),
        grants: BTreeMap::new(),
        ended_at: None,
        session: None,
        version: 0,
    };
    CallState { call: call.into(), ring: None, own_capabilities: BTreeSet::new() }
}

fn shown(toggle: Toggle) -> DeviceView {
    match toggle {
        Toggle::On => DeviceView::On,
        Toggle::Off => DeviceView::Off,
    }
}
