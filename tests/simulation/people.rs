//! What people do, and what breaks around them, at random.

use call_client::{Leave, Toggle, simulation::Seen};
use coordinator::simulation::Ask;
use rand::{Rng as _, seq::IndexedRandom as _};
use wire::{CallData, CallId, Custom, GetOrCreate, MemberData, Reason};

use super::{
    device::Asked,
    world::{Event, World},
};

impl World {
    pub(super) fn act(&mut self) {
        if self.acts_left == 0 {
            return;
        }
        self.acts_left -= 1;
        let wait = match self.random.random_range(0..10) {
            0..5 => self.random.random_range(0..400),
            5..8 => self.random.random_range(400..4_000),
            _ => self.random.random_range(4_000..20_000),
        };
        self.after(wait, Event::Act);
        let d = self.random.random_range(0..self.devices.len());
        if self.is_rough && self.random.random_bool(0.25) {
            return self.break_something(d);
        }
        if self.devices[d].machine.is_none() || self.devices[d].asleep {
            return;
        }
        if self.random.random_bool(0.05) {
            return self.change_manners(d);
        }
        let cid = self.a_call_of(d);
        match self.devices[d].seen(&cid) {
            Seen::RingingIn(_) => match self.random.random_range(0..10) {
                0..6 => self.come(d, cid),
                6..8 => self.refuse(d, cid),
                _ => self.go(d, cid),
            },
            Seen::RingingOut(_) => match self.random.random_range(0..10) {
                0..5 => self.go(d, cid),
                5..7 => self.ring(d, cid),
                _ => {}
            },
            Seen::Joining { .. } => {
                if self.random.random_bool(0.4) {
                    self.go(d, cid);
                }
            }
            Seen::Joined => match self.random.random_range(0..10) {
                0..5 => self.go(d, cid),
                5 => self.end(d, cid),
                6 => self.ring(d, cid),
                _ => {}
            },
            Seen::Idle | Seen::Left(_) | Seen::Ended(_) => match self.random.random_range(0..10) {
                0..8 => self.ring(d, cid),
                _ => self.come(d, cid),
            },
        }
    }

    /// The call in which something goes on for this device, or any.
    fn a_call_of(&mut self, d: usize) -> CallId {
        let busy = |cid: &&CallId| !matches!(self.devices[d].seen(cid), Seen::Idle | Seen::Left(_) | Seen::Ended(_));
        let busy: Vec<CallId> = self.cids.iter().filter(busy).cloned().collect();
        if self.random.random_bool(0.85)
            && let Some(cid) = busy.choose(&mut self.random)
        {
            return cid.clone();
        }
        self.cids.choose(&mut self.random).cloned().expect("there are calls")
    }

    fn ring(&mut self, d: usize, cid: CallId) {
        let me = &self.devices[d].user;
        let mut others: Vec<_> = self.people.iter().filter(|person| *person != me).cloned().collect();
        if self.random.random_bool(0.7) {
            let keep = self.random.random_range(0..others.len());
            others = vec![others.swap_remove(keep)];
        }
        let member = |user| MemberData { user, role: None, custom: Custom::new() };
        let timeout = self.random.random_range(5_000..15_000);
        let settings = serde_json::json!({
            "ring": { "timeout_ms": timeout },
            "session": { "inactivity_timeout_ms": 5_000 },
        });
        let members = others.into_iter().map(member).collect();
        let data = CallData { members, settings: Some(settings), ..CallData::default() };
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        self.ask(
            d,
            Asked { id: None, cid, asked_at: self.clocks(d), is_join: false, ring: None },
            Ask::GetOrCreate(request),
        );
    }

    fn come(&mut self, d: usize, cid: CallId) {
        self.say(|| format!("device {d}: its person comes into {cid}"));
        self.checks.comes(d, &cid);
        let ticket = self.next_key;
        self.next_key += 1;
        self.checks.wishes(d, self.devices[d].life, ticket, cid.clone(), &self.devices[d].seen(&cid));
        self.step(d, &mut |machine, instant, wall| machine.join(instant, wall, cid.clone(), ticket));
        if self.random.random_bool(0.1) {
            let (wait, life) = (self.random.random_range(1..60), self.devices[d].life);
            self.after(wait, Event::ThinksAgain { d, life, cid });
        }
    }

    pub(super) fn thinks_again(&mut self, d: usize, life: u32, cid: CallId) {
        let device = &self.devices[d];
        if device.life == life && device.machine.is_some() && !device.asleep && self.acts_left > 0 {
            self.go(d, cid);
        }
    }

    fn go(&mut self, d: usize, cid: CallId) {
        let seen = self.devices[d].seen(&cid);
        self.say(|| format!("device {d}: its person goes out of {cid} ({seen:?})"));
        let life = self.devices[d].life;
        self.checks.goes(d, life, &cid, &seen);
        self.step(d, &mut |machine, instant, wall| machine.leave(instant, wall, cid.clone(), Leave::Plain));
    }

    fn refuse(&mut self, d: usize, cid: CallId) {
        self.say(|| format!("device {d}: its person refuses {cid}"));
        let (seen, life) = (self.devices[d].seen(&cid), self.devices[d].life);
        self.checks.goes(d, life, &cid, &seen);
        let reason = if self.random.random_bool(0.8) { Reason::Decline } else { Reason::Busy };
        let leave = Leave::Reject { reason, message: None };
        self.step(d, &mut |machine, instant, wall| machine.leave(instant, wall, cid.clone(), leave.clone()));
    }

    fn end(&mut self, d: usize, cid: CallId) {
        self.ask(d, Asked { id: None, cid, asked_at: self.clocks(d), is_join: false, ring: None }, Ask::End);
    }

    fn change_manners(&mut self, d: usize) {
        if self.random.random_bool(0.5) {
            let to = if self.random.random_bool(0.8) { Toggle::On } else { Toggle::Off };
            return self.step(d, &mut |machine, instant, wall| machine.busy_when_in_call(instant, wall, to));
        }
        let is_silent = !self.devices[d].is_silent;
        self.say(|| format!("device {d}: do not disturb: {is_silent}"));
        self.devices[d].is_silent = is_silent;
        self.step(d, &mut |machine, instant, wall| machine.do_not_disturb(instant, wall, is_silent.into()));
    }

    fn break_something(&mut self, d: usize) {
        match self.random.random_range(0..10) {
            0..3 => self.cut(d),
            3..5 => self.crash_device(d),
            5 => self.sleep(d),
            6 if self.random.random_bool(0.7) => self.set_clock(d),
            6 | 7 => {
                if self.server.is_up() {
                    self.crash_server();
                }
            }
            _ => {
                self.store_fails = !self.store_fails;
                self.faults.disk += u64::from(self.store_fails);
                let fails = self.store_fails;
                self.say(|| format!("the disk fails from now on: {fails}"));
            }
        }
    }

    pub(super) fn notices(&mut self, d: usize, life: u32, cid: CallId) {
        if self.devices[d].life != life || self.park(d, Event::Notices { d, life, cid: cid.clone() }) {
            return;
        }
        self.step(d, &mut |machine, instant, wall| machine.alerted(instant, wall, cid.clone()));
    }
}
