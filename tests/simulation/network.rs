//! The network: one connection per device that is cut and comes back, and requests beside it that overtake its events.

use std::sync::Arc;

use call_client::{
    ClientError,
    simulation::{MediaNews, SimulatedDevice},
};
use coordinator::simulation::{Answer, Ask, Sent};
use rand::Rng as _;
use wire::{CallId, Code, ServerMessage};

use super::{
    device::{Asked, Connection},
    world::{Event, Failure, World},
};

/// How long a device waits for an answer.
const HTTP_TIMEOUT: u64 = 10_000;

impl World {
    /// How long something is on its way.
    pub(super) fn delay(&mut self) -> u64 {
        if self.is_rough && !self.is_calm && self.random.random_bool(0.1) {
            self.random.random_range(50..800)
        } else {
            self.random.random_range(1..30)
        }
    }

    fn is_lost(&mut self) -> bool {
        let is_lost = self.is_rough && !self.is_calm && self.random.random_bool(0.04);
        self.faults.losses += u64::from(is_lost);
        is_lost
    }

    /// Something between the two sends a request a second time.
    fn is_doubled(&mut self) -> bool {
        let is_doubled = self.is_rough && !self.is_calm && self.random.random_bool(0.04);
        self.faults.doubles += u64::from(is_doubled);
        is_doubled
    }

    pub(super) fn connect(&mut self, d: usize, life: u32) {
        let device = &self.devices[d];
        if device.life != life || device.machine.is_none() || device.connection.is_some() {
            return;
        }
        if self.park(d, Event::Connect { d, life }) {
            return;
        }
        if !self.server.is_up() || self.is_lost() {
            let wait = self.random.random_range(50..2_000);
            return self.after(wait, Event::Connect { d, life });
        }
        let epoch = self.next_key;
        self.next_key += 1;
        let opened_at = self.clocks(d);
        self.devices[d].connection = Some(Connection { epoch, opened_at, last_down: 0 });
        let wait = self.delay();
        self.after(wait, Event::Opened { d, epoch });
    }

    pub(super) fn opened(&mut self, d: usize, epoch: u64) {
        if !self.devices[d].is_connected(epoch) {
            return;
        }
        if !self.server.is_up() {
            return self.after(5, Event::DeviceSeesCut { d, epoch });
        }
        let (user, device) = self.devices[d].who();
        self.server.connect(user, device, epoch);
        self.serve();
    }

    pub(super) fn cut(&mut self, d: usize) {
        let Some(epoch) = self.devices[d].connection.as_ref().map(|connection| connection.epoch) else { return };
        self.say(|| format!("the connection of device {d} is cut"));
        self.faults.cuts += 1;
        // One side may notice much later than the other.
        let device_notices = if self.random.random_bool(0.3) { self.random.random_range(50..15_000) } else { 5 };
        let server_notices = if self.random.random_bool(0.3) { self.random.random_range(50..15_000) } else { 5 };
        self.after(server_notices, Event::ServerSeesCut { d, epoch });
        self.after(device_notices, Event::DeviceSeesCut { d, epoch });
        if let Some(connection) = &mut self.devices[d].connection {
            // Nothing comes through any more.
            connection.last_down = u64::MAX;
        }
    }

    pub(super) fn device_sees_cut(&mut self, d: usize, epoch: u64) {
        if !self.devices[d].is_connected(epoch) || self.park(d, Event::DeviceSeesCut { d, epoch }) {
            return;
        }
        self.devices[d].connection = None;
        self.after(1, Event::ServerSeesCut { d, epoch });
        self.step(d, &mut |machine, instant, wall| machine.disconnected(instant, wall));
        let (wait, life) = (self.random.random_range(1..1_500), self.devices[d].life);
        self.after(wait, Event::Connect { d, life });
    }

    pub(super) fn message(&mut self, d: usize, epoch: u64, message: Arc<ServerMessage>) {
        let opened_at = match &self.devices[d].connection {
            Some(connection) if connection.epoch == epoch && connection.last_down != u64::MAX => connection.opened_at,
            Some(_) | None => return,
        };
        if self.park(d, Event::Message { d, epoch, message: Arc::clone(&message) }) {
            return;
        }
        self.check_message(d, &message);
        self.step(d, &mut |machine, instant, wall| machine.message(instant, wall, opened_at, &message));
        self.check_told(d, &message);
    }

    /// A device sends a request.
    pub(super) fn ask(&mut self, d: usize, asked: Asked, ask: Ask) {
        let key = self.next_key;
        self.next_key += 1;
        self.say(|| format!("device {d} asks [{key}] {ask:?} about {}", asked.cid));
        let cid = asked.cid.clone();
        if matches!(ask, Ask::Leave(_)) {
            self.checks.left.insert((d, cid.clone()), self.now);
        }
        self.devices[d].asked.insert(key, asked);
        if !self.server.is_up() {
            let wait = self.random.random_range(1..20);
            return self.after(wait, Event::Answer { d, key, result: Err(Failure::Unreachable) });
        }
        if !self.is_lost() {
            let (ask, server_life) = (Box::new(ask), self.server_life);
            if self.is_doubled() {
                let wait = self.delay();
                self.after(wait, Event::Ask { d, key, server_life, cid: cid.clone(), ask: ask.clone() });
            }
            let wait = self.delay();
            self.after(wait, Event::Ask { d, key, server_life, cid, ask });
        }
        let patience = if self.is_rough && self.random.random_bool(0.3) { 1_000 } else { HTTP_TIMEOUT };
        self.after(patience, Event::Answer { d, key, result: Err(Failure::Unreachable) });
    }

    pub(super) fn asked(&mut self, d: usize, key: u64, cid: &CallId, ask: Ask) {
        let (user, device) = self.devices[d].who();
        self.server.ask(self.server_now(), key, user, device, cid, ask);
        self.serve();
    }

    /// What leaves the server goes its way.
    pub(super) fn carry(&mut self, sent: Sent) {
        match sent {
            Sent::Message { device, epoch, message } => {
                self.check_sent(&message);
                let Some(d) = self.devices.iter().position(|known| known.id == device) else { return };
                if matches!(*message, ServerMessage::Snapshot(_)) {
                    self.devices[d].served = Some(epoch);
                    self.devices[d].gone_since = None;
                }
                let at = self.now + self.delay();
                let Some(connection) = &mut self.devices[d].connection else { return };
                if connection.epoch != epoch || connection.last_down == u64::MAX {
                    return;
                }
                connection.last_down = connection.last_down.max(at);
                let at = connection.last_down;
                self.at(at, Event::Message { d, epoch, message });
            }
            Sent::Answer { id: key, result } => {
                self.say(|| match &result {
                    Ok(answer) => {
                        let text = format!("{answer:?}");
                        format!("the server answers [{key}] {}", text.split(['(', '{']).next().unwrap_or(""))
                    }
                    Err(error) => format!("the server refuses [{key}] {:?}", error.code),
                });
                let Some(d) = self.devices.iter().position(|device| device.asked.contains_key(&key)) else { return };
                self.check_answer(d, key, &result);
                if self.is_lost() {
                    return;
                }
                let wait = self.delay();
                let result = result.map(Box::new).map_err(Failure::Refused);
                self.after(wait, Event::Answer { d, key, result });
            }
            Sent::RemoveParticipant { cid, device } => self.put_out(&cid, Some(&device), MediaNews::PutOut),
            Sent::TellOver { cid, device } => self.put_out(&cid, Some(&device), MediaNews::Over),
            Sent::AskAgain { cid, device } => self.ask_again(&cid, &device),
            Sent::CloseRoom { cid } => self.put_out(&cid, None, MediaNews::Over),
        }
    }

    pub(super) fn answered(&mut self, d: usize, key: u64, result: Result<Box<Answer>, Failure>) {
        if self.park(d, Event::Answer { d, key, result: result.clone() }) {
            return;
        }
        let Some(asked) = self.devices[d].asked.remove(&key) else { return };
        let state = match &result {
            Ok(answer) => state_of(answer).cloned(),
            Err(_) => None,
        };
        self.answer_is_taken(d, key, asked, result);
        if let Some(state) = state {
            self.check_state_told(d, &state);
        }
    }

    fn answer_is_taken(&mut self, d: usize, key: u64, asked: Asked, result: Result<Box<Answer>, Failure>) {
        if matches!(result, Err(Failure::Unreachable)) {
            self.say(|| format!("device {d} gets no answer to [{key}]"));
        }
        let error = |failure: Failure| match failure {
            Failure::Refused(body) => SimulatedDevice::refused(body),
            Failure::Unreachable => ClientError::Unreachable { why: "lost".to_owned() },
        };
        let result = result.map_err(error);
        let Some(id) = asked.id else {
            if let Ok(answer) = result
                && let Answer::Created(created) = *answer
            {
                self.step(d, &mut |machine, instant, wall| {
                    machine.rang((instant, wall), asked.asked_at, created.state.clone(), created.revision)
                });
            }
            return;
        };
        if asked.is_join {
            self.checks.joining(id, asked.ring.clone());
            let may_try_again = result.as_ref().is_err_and(is_passing);
            let was_coming = self.is_coming(d, &asked.cid);
            let result = result.map(|answer| match *answer {
                Answer::Joined(joined) => joined,
                Answer::Created(_) | Answer::Done => unreachable!("a join is answered with a join"),
            });
            self.step(d, &mut |machine, instant, wall| {
                machine.join_done(instant, wall, id, asked.cid.clone(), result.clone())
            });
            if was_coming && may_try_again {
                self.check_perseverance(d, id, &asked);
            }
        } else {
            let result = result.map(|_| ());
            self.step(d, &mut |machine, instant, wall| machine.request_done(instant, wall, id, result.clone()));
        }
    }
}

/// The state of the call that an answer carries.
fn state_of(answer: &Answer) -> Option<&wire::CallState> {
    match answer {
        Answer::Created(created) => Some(&created.state),
        Answer::Joined(joined) => Some(&joined.state),
        Answer::Done => None,
    }
}

/// A failure that says nothing about what was asked for.
fn is_passing(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable { .. }) || error.code() == Some(Code::Unavailable)
}
