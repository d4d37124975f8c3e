//! A device in the world: its machine, its clocks, its connection, its sleep.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use call_client::simulation::{MediaNews, Planted, Request, Seen, SimulatedDevice, Wanted};
use coordinator::simulation::Ask;
use rand::Rng as _;
use wire::{CallId, DeviceId, RingId, UnixMillis, UserId};

use super::{
    clocks::{Clock, LOOKS_EVERY},
    world::{EPOCH, Event, Media, World},
};

/// A connection as the device has it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) epoch: u64,
    pub(super) opened_at: (Instant, UnixMillis),
    /// Messages arrive in order.
    pub(super) last_down: u64,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The machine's number; `None` for a ring, which the person asked for.
    pub(super) id: Option<u64>,
    pub(super) cid: CallId,
    pub(super) asked_at: (Instant, UnixMillis),
    pub(super) is_join: bool,
    pub(super) ring: Option<RingId>,
}

pub(super) struct Device {
    pub(super) user: UserId,
    pub(super) id: DeviceId,
    pub(super) machine: Option<SimulatedDevice>,
    pub(super) life: u32,
    seed: u64,
    pub(super) clock: Clock,
    /// How long it has slept in its life.
    slept: u64,
    pub(super) asleep: bool,
    fell_asleep: u64,
    parked: Vec<Event>,
    pub(super) connection: Option<Connection>,
    /// Since when the server has had no connection of it.
    pub(super) gone_since: Option<u64>,
    /// The connection the server serves.
    pub(super) served: Option<u64>,
    pub(super) media: Media,
    pub(super) asked: BTreeMap<u64, Asked>,
    timer: Option<u64>,
    pub(super) is_silent: bool,
    planted: Option<Planted>,
}

impl Device {
    pub(super) fn new(
        base: Instant,
        user: UserId,
        id: DeviceId,
        seed: u64,
        clock: Clock,
        planted: Option<Planted>,
    ) -> Self {
        let begin = (base, UnixMillis(EPOCH + clock.skew));
        let machine = Some(SimulatedDevice::start(begin, user.clone(), id.clone(), seed, planted));
        Self {
            user,
            id,
            machine,
            life: 0,
            seed,
            clock,
            slept: 0,
            asleep: false,
            fell_asleep: 0,
            parked: Vec::new(),
            connection: None,
            gone_since: Some(0),
            served: None,
            media: Media::new(),
            asked: BTreeMap::new(),
            timer: None,
            is_silent: false,
            planted,
        }
    }

    pub(super) fn who(&self) -> (UserId, DeviceId) {
        (self.user.clone(), self.id.clone())
    }

    pub(super) fn is_connected(&self, epoch: u64) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.epoch == epoch)
    }

    /// Nothing is on its way to the server.
    pub(super) fn is_quiet(&self) -> bool {
        self.machine.as_ref().is_some_and(SimulatedDevice::is_quiet)
    }

    pub(super) fn seen(&self, cid: &CallId) -> Seen {
        let mut calls = self.machine.iter().flat_map(SimulatedDevice::seen);
        calls.find(|(known, _, _)| *known == cid).map_or(Seen::Idle, |(_, seen, _)| seen)
    }
}

impl Device {
    /// In another call: it may have said so instead of ringing.
    pub(super) fn machine_is_busy(&self, cid: &CallId) -> bool {
        self.media.keys().any(|other| other != cid)
    }
}

type Step<'a> = &'a mut dyn FnMut(&mut SimulatedDevice, Instant, UnixMillis) -> Vec<Wanted>;

impl World {
    /// What a device's two clocks say.
    pub(super) fn clocks(&self, d: usize) -> (Instant, UnixMillis) {
        (self.base + Duration::from_millis(self.now - self.devices[d].slept), self.wall(d))
    }

    /// Lets a device's machine take one step, does what it wants, and looks whether all is well.
    pub(super) fn step(&mut self, d: usize, step: Step<'_>) {
        let (instant, wall) = self.clocks(d);
        let Some(machine) = &mut self.devices[d].machine else { return };
        let wanted = step(machine, instant, wall);
        let timeout = machine.timeout();
        for wanted in wanted {
            self.want(d, wanted);
        }
        if let Some(timeout) = timeout {
            let since = timeout.saturating_duration_since(self.base).as_millis();
            let at = (u64::try_from(since).unwrap_or(0) + self.devices[d].slept).max(self.now + 1);
            let device = &mut self.devices[d];
            if device.timer.is_none_or(|set| at < set || set <= self.now) {
                device.timer = Some(at);
                let life = device.life;
                self.at(at, Event::Timer { d, life });
            }
        }
        self.check_device(d);
        self.check_patience(d);
    }

    fn want(&mut self, d: usize, wanted: Wanted) {
        let life = self.devices[d].life;
        match wanted {
            Wanted::Request { id, cid, request } => {
                let (ask, ring) = match request {
                    Request::Join(join) => (Ask::Join(join.clone()), join.ring),
                    Request::Reject(reject) => (Ask::Reject(reject), None),
                    Request::Leave(leave) => (Ask::Leave(leave), None),
                };
                let is_join = matches!(ask, Ask::Join(_));
                if is_join {
                    self.checks.first_asked.entry((d, life, id)).or_insert(self.now);
                }
                self.ask(d, Asked { id: Some(id), cid, asked_at: self.clocks(d), is_join, ring }, ask);
            }
            Wanted::Reconnect => {
                if let Some(epoch) = self.devices[d].connection.as_ref().map(|connection| connection.epoch) {
                    self.devices[d].connection = None;
                    self.after(5, Event::ServerSeesCut { d, epoch });
                    self.after(10, Event::Connect { d, life });
                }
            }
            Wanted::OpenSession { cid, join } => self.open_media(d, cid, join),
            Wanted::CloseSession { cid } => self.close_media(d, &cid),
            Wanted::Alerted { cid, ring } => {
                if let Some(epoch) = self.devices[d].connection.as_ref().map(|connection| connection.epoch) {
                    let wait = self.delay();
                    self.after(wait, Event::Alerted { d, epoch, cid, ring });
                }
            }
            Wanted::Reply { ticket, result } => self.check_reply(d, ticket, &result),
        }
    }

    pub(super) fn timer(&mut self, d: usize, life: u32) {
        if self.devices[d].life != life || self.park(d, Event::Timer { d, life }) {
            return;
        }
        self.devices[d].timer = None;
        self.step(d, &mut |machine, instant, wall| machine.on_time(instant, wall));
    }

    /// While a device sleeps nothing happens to it; what came meanwhile waits.
    pub(super) fn park(&mut self, d: usize, event: Event) -> bool {
        if self.devices[d].asleep {
            self.devices[d].parked.push(event);
        }
        self.devices[d].asleep
    }

    pub(super) fn sleep(&mut self, d: usize) {
        // Nor before it has looked at a clock that was set: how long it slept would be unknown to it.
        let looks_yet = self.devices[d].clock.set_at.is_some_and(|set_at| set_at + LOOKS_EVERY > self.now);
        if self.devices[d].asleep || self.devices[d].machine.is_none() || looks_yet {
            return;
        }
        let wait = self.random.random_range(3_000..90_000);
        self.say(|| format!("device {d} sleeps for {wait}"));
        self.faults.sleeps += 1;
        self.devices[d].asleep = true;
        self.devices[d].fell_asleep = self.now;
        if let Some(epoch) = self.devices[d].connection.as_ref().map(|connection| connection.epoch) {
            self.after(15_000, Event::ServerSeesCut { d, epoch });
        }
        for cid in self.devices[d].media.keys().cloned().collect::<Vec<_>>() {
            self.after(8_000, Event::MediaGone { d, cid });
        }
        self.after(wait, Event::Wake { d });
    }

    pub(super) fn wake(&mut self, d: usize) {
        let now = self.now;
        let device = &mut self.devices[d];
        if !std::mem::take(&mut device.asleep) {
            return;
        }
        let slept = now - device.fell_asleep;
        device.slept += slept;
        let life = device.life;
        // The server may have given the connection up meanwhile; the device learns of it when it looks.
        let dead = device.connection.as_ref().filter(|_| slept > 15_000).map(|connection| connection.epoch);
        let parked = std::mem::take(&mut device.parked);
        self.say(|| format!("device {d} wakes, {} things waited", parked.len()));
        // In their order, and before what comes now.
        for event in parked {
            self.happen(event);
        }
        if let Some(epoch) = dead {
            self.after(500, Event::DeviceSeesCut { d, epoch });
        }
        self.after(300, Event::Timer { d, life });
        if !self.is_calm && self.random.random_bool(0.3) {
            // The network is back, and with it the right time.
            let wait = self.random.random_range(0..3_000);
            self.after(wait, Event::ClockSet { d });
        }
        for (cid, session) in self.devices[d].media.clone() {
            if slept > 8_000 {
                let join = session.join;
                if let Some(media) = self.devices[d].media.get_mut(&cid) {
                    media.is_up = false;
                }
                self.after(20, Event::Media { d, life, cid: cid.clone(), join, news: MediaNews::Lost });
                self.after(600, Event::MediaUp { d, life, cid, join });
            }
        }
    }

    pub(super) fn crash_device(&mut self, d: usize) {
        if self.devices[d].asleep || self.devices[d].machine.take().is_none() {
            return;
        }
        self.say(|| format!("device {d} crashes"));
        self.faults.device_crashes += 1;
        let device = &mut self.devices[d];
        device.life += 1;
        device.timer = None;
        device.is_silent = false;
        device.asked.clear();
        let media = std::mem::take(&mut device.media);
        let epoch = device.connection.take().map(|connection| connection.epoch);
        if let Some(epoch) = epoch {
            let wait = if self.random.random_bool(0.8) { 10 } else { 15_000 };
            self.after(wait, Event::ServerSeesCut { d, epoch });
        }
        for (cid, _) in media {
            let wait = self.random.random_range(10..8_000);
            self.after(wait, Event::MediaGone { d, cid });
        }
        let wait = self.random.random_range(500..30_000);
        self.after(wait, Event::StartDevice { d });
    }

    pub(super) fn start_device(&mut self, d: usize) {
        if self.devices[d].machine.is_some() {
            return;
        }
        self.say(|| format!("device {d} starts"));
        let (instant, wall) = self.clocks(d);
        let device = &mut self.devices[d];
        let seed = device.seed + u64::from(device.life);
        device.machine =
            Some(SimulatedDevice::start((instant, wall), device.user.clone(), device.id.clone(), seed, device.planted));
        let life = device.life;
        self.after(20, Event::Connect { d, life });
    }
}
