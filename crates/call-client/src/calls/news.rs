//! What the server tells, by snapshot and by event.

use std::{collections::BTreeSet, time::Duration};

use wire::{CallId, CallState, Direction, Event, HistoryEntry, Role, ServerMessage, Snapshot};

use super::{Calls, HISTORY_SHOWN, Output};
use crate::{
    call::{Manner, Origin, Surroundings},
    clock::Now,
    errands::Request,
    state::Connection,
};

impl Calls {
    pub(super) fn on_message(&mut self, now: Now, opened_at: Now, message: ServerMessage) {
        self.changed = true;
        if self.clock.is_stale(opened_at) {
            return self.on_old_message(now, message);
        }
        match message {
            ServerMessage::Snapshot(snapshot) => self.on_snapshot(now, snapshot),
            ServerMessage::Event { revision, event, server_time } => {
                let age = self.clock.age(now, server_time);
                if revision > self.revision {
                    self.revision = revision;
                    self.on_event(now, event, age);
                } else {
                    tracing::debug!(revision, newest = self.revision, "an event older than what is known is dropped");
                }
            }
            ServerMessage::Pong | ServerMessage::ComeBack { .. } | ServerMessage::Unknown => self.changed = false,
        }
    }

    /// From before the machine slept: it can end what rings here, and begin nothing.
    fn on_old_message(&mut self, now: Now, message: ServerMessage) {
        match message {
            ServerMessage::Event { event: Event::Call { state }, .. } => self.on_old_state(now, state),
            ServerMessage::Snapshot(snapshot) => {
                snapshot.calls.into_iter().for_each(|state| self.on_old_state(now, state));
            }
            ServerMessage::Event { .. }
            | ServerMessage::Pong
            | ServerMessage::ComeBack { .. }
            | ServerMessage::Unknown => {}
        }
    }

    fn on_old_state(&mut self, now: Now, state: CallState) {
        if let Some(index) = self.position(&state.call.cid)
            && state.call.version >= self.calls[index].state.call.version
        {
            let around = Surroundings { me: &self.me, now, manner: Manner::Hold };
            // How long it was on its way is not known: what it says of time left is worth nothing.
            let action = self.calls[index].update(around, state, Duration::MAX, Origin::Event);
            self.act(now, index, action);
        }
    }

    fn on_snapshot(&mut self, now: Now, snapshot: Snapshot) {
        self.connection = Connection::Online;
        self.clock.connected(now, snapshot.server_time);
        self.revision = snapshot.revision;
        self.server_name = snapshot.server_name;
        self.person = snapshot.me;
        self.people = snapshot.people.into_iter().map(|person| (person.id.clone(), person)).collect();
        self.people_total = snapshot.people_total;
        self.favourites = snapshot.favourites;
        self.quiet_wish = snapshot.do_not_disturb;
        let known: BTreeSet<i64> = self.history.iter().map(|line| line.id).collect();
        self.history = snapshot.history;
        match self.person.role {
            Role::Admin => {
                self.asks.begin();
                self.outputs.push_back(Output::FetchAsks);
            }
            Role::User | Role::Guest => self.asks.forget(),
        }
        let told = |cid: &CallId| snapshot.calls.iter().any(|state| state.call.cid == *cid);
        for index in 0..self.calls.len() {
            let cid = &self.calls[index].cid;
            let is_newer = self.answered.get(cid).is_some_and(|revision| *revision >= snapshot.revision);
            if !told(cid) && !is_newer {
                // One that rang several times meanwhile does not say which line is whose.
                let is_new = |line: &&HistoryEntry| line.cid == *cid && !known.contains(&line.id);
                let mut rung = self.history.iter().filter(is_new).filter(|line| line.direction != Direction::None);
                let line = rung.next().filter(|_| rung.next().is_none());
                self.calls[index].vanished_at = Some(snapshot.revision);
                let action = self.calls[index].vanish(now, &self.me, line);
                self.act(now, index, action);
            }
        }
        self.answered.retain(|_, revision| *revision >= snapshot.revision);
        for state in snapshot.calls {
            self.on_state(now, state, Duration::ZERO, Origin::Snapshot);
        }
        self.errands.begin_again(now.instant);
    }

    fn on_event(&mut self, now: Now, event: Event, age: Duration) {
        match event {
            Event::Call { state } => {
                self.errands.hurry(now.instant, &state.call.cid);
                self.on_state(now, state, age, Origin::Event);
            }
            Event::Person { person } if person.id == self.me.user => self.person = person,
            Event::Person { person } => _ = self.people.insert(person.id.clone(), person),
            Event::History { entry } => {
                self.history.retain(|known| known.id != entry.id);
                let place = self.history.partition_point(|known| known.id > entry.id);
                self.history.insert(place, entry);
                Snapshot::keep_shown(&mut self.history, HISTORY_SHOWN);
            }
            Event::Favourites { favourites } => self.favourites = favourites,
            Event::DoNotDisturb { do_not_disturb } => self.quiet_wish = do_not_disturb,
            Event::MissedSeen { up_to } => {
                let seen = self.history.iter_mut().filter(|entry| entry.id <= up_to);
                seen.for_each(|entry| entry.unseen = false);
            }
            Event::SignedOut => self.on_signed_out(now),
            Event::Unknown => self.changed = false,
            Event::AskedIn { ask } => {
                self.asks.add(ask.clone(), self.clock.until(now, ask.expires_at));
                self.outputs.push_back(Output::Notice(Event::AskedIn { ask }));
            }
            Event::AskOver { id } => {
                self.asks.answered(id);
                self.outputs.push_back(Output::Notice(Event::AskOver { id }));
            }
            event @ (Event::Reaction { .. }
            | Event::Custom { .. }
            | Event::PermissionAsked { .. }
            | Event::Notified { .. }
            | Event::EndsSoon { .. }) => {
                self.changed = false;
                self.outputs.push_back(Output::Notice(event));
            }
        }
    }

    pub(super) fn on_signed_out(&mut self, now: Now) {
        self.connection = Connection::SignedOut;
        for index in 0..self.calls.len() {
            let action = self.calls[index].vanish(now, &self.me, None);
            self.act(now, index, action);
        }
    }

    /// The answer to a ring this device asked for.
    pub(super) fn on_rang(&mut self, now: Now, asked_at: Now, state: CallState, revision: u64) {
        let call = self.calls.iter_mut().find(|call| call.cid == state.call.cid);
        let Some(call) = call.filter(|_| !self.clock.is_stale(asked_at)) else {
            return self.on_answer(now, asked_at, state, revision);
        };
        let hung_up_on = call.has_hung_up_on(&self.me, asked_at, &state);
        if hung_up_on.is_none() {
            call.has_rung(&self.me, &state);
        }
        let cid = call.cid.clone();
        self.on_answer(now, asked_at, state, revision);
        if hung_up_on.is_some() {
            self.insist(now, Request::Leave { cid, leave: wire::Leave { session: None, ring: hung_up_on } });
        }
    }

    /// A call's state as the answer to a request of then: an older snapshot does not take it back, and one that waited
    /// while the machine slept is old.
    pub(super) fn on_answer(&mut self, now: Now, sent_at: Now, state: CallState, revision: u64) {
        self.answered.insert(state.call.cid.clone(), revision);
        if self.clock.is_stale(sent_at) {
            // Known at least, so that a snapshot from before it is not taken for newer.
            self.place(now, &state);
            return self.on_old_state(now, state);
        }
        self.on_state(now, state, Duration::ZERO, Origin::Event);
    }

    /// A call's state, from wherever: of two states of a call the one with the higher version is newer.
    pub(super) fn on_state(&mut self, now: Now, state: CallState, age: Duration, origin: Origin) {
        let let_go = self.let_go.get(&state.call.cid).filter(|_| origin == Origin::Event);
        if let_go.is_some_and(|(_, version)| state.call.version < *version) && self.position(&state.call.cid).is_none()
        {
            return;
        }
        let index = self.place(now, &state);
        let manner = self.manner(&state.call.cid);
        let mut state = state;
        if let Some(ring) = &mut state.ring {
            if planted!(self, JoinsAgain) {
                ring.caller_came = false;
            }
            if planted!(self, IgnoresOtherDevices)
                && let Some(target) = ring.targets.iter_mut().find(|target| target.user == self.me.user)
                && target.answered_on.as_ref().is_some_and(|device| *device != self.me.device)
            {
                target.outcome = wire::Outcome::Ringing;
            }
            if planted!(self, RingsOutAfterAll) && ring.caller == self.me.user && !ring.is_answered() {
                ring.targets.iter_mut().for_each(|target| target.outcome = wire::Outcome::Ringing);
            }
        }
        let around = Surroundings { me: &self.me, now, manner };
        let may_be_old = origin == Origin::Event || self.answered.contains_key(&state.call.cid);
        let is_older = may_be_old && state.call.version < self.calls[index].state.call.version;
        let is_older = is_older && !planted!(self, TakesOlderStates);
        if planted!(self, DismissedAlertsAgain) {
            self.calls[index].forget_done();
        }
        if planted!(self, JoinsAgain) {
            self.calls[index].forget_done();
        }
        let action = if is_older {
            // Told by an answer, ahead of the snapshot; an event that old was overtaken.
            None
        } else {
            self.calls[index].update(around, state, age, origin)
        };
        self.act(now, index, action);
    }
}
