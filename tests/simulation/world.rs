//! The world: one virtual time, a queue of what is to happen, a server and the devices of a few people.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::{Duration, Instant},
};

use call_client::simulation as client;
use coordinator::simulation::{self as server, Answer, Ask, SimulatedServer};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use wire::{CallId, ErrorBody, RingId, ServerMessage, UnixMillis, UserId};

use super::{
    check::Checks,
    clocks::{Clock, drift},
    device::Device,
    variety::Faults,
};

/// When the world begins, by the server's clock.
pub(super) const EPOCH: i64 = 1_800_000_000_000;
/// How long the network must be quiet before who is connected has heard what goes on.
const HEARD_AFTER: u64 = 3_500;
/// How long the network must be quiet before everybody agrees.
const SETTLED_AFTER: u64 = 20_000;
/// After so long nothing may be half done any more: every time limit there is has passed.
const OVER_AFTER: u64 = 90_000;

/// The bugs a world has, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    Server(server::Planted),
    Device(client::Planted),
}

/// What happens.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A device tries to connect.
    Connect {
        d: usize,
        life: u32,
    },
    /// Its connection reaches the server.
    Opened {
        d: usize,
        epoch: u64,
    },
    Message {
        d: usize,
        epoch: u64,
        message: Arc<ServerMessage>,
    },
    DeviceSeesCut {
        d: usize,
        epoch: u64,
    },
    ServerSeesCut {
        d: usize,
        epoch: u64,
    },
    Alerted {
        d: usize,
        epoch: u64,
        cid: CallId,
        ring: RingId,
    },
    /// A request reaches the server.
    Ask {
        d: usize,
        key: u64,
        /// The server it was sent to: a request dies with it.
        server_life: u32,
        cid: CallId,
        ask: Box<Ask>,
    },
    /// An answer (or the news that there will be none) reaches the device.
    Answer {
        d: usize,
        key: u64,
        result: Result<Box<Answer>, Failure>,
    },
    Timer {
        d: usize,
        life: u32,
    },
    ServerTimer {
        server_life: u32,
    },
    Wrote {
        server_life: u32,
        is_stored: bool,
    },
    MediaUp {
        d: usize,
        life: u32,
        cid: CallId,
        join: u64,
    },
    Media {
        d: usize,
        life: u32,
        cid: CallId,
        join: u64,
        news: client::MediaNews,
    },
    MediaGone {
        d: usize,
        cid: CallId,
    },
    /// A device's person sees it ring.
    Notices {
        d: usize,
        life: u32,
        cid: CallId,
    },
    /// A person who wished to come in wishes that no more.
    ThinksAgain {
        d: usize,
        life: u32,
        cid: CallId,
    },
    /// Somebody does something, or something breaks.
    Act,
    StartDevice {
        d: usize,
    },
    Wake {
        d: usize,
    },
    /// A device's wall clock is set.
    ClockSet {
        d: usize,
    },
    RestartServer,
}

#[derive(Debug, Clone)]
pub(super) enum Failure {
    Refused(ErrorBody),
    Unreachable,
}

struct Queued {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

pub(super) struct World {
    pub(super) now: u64,
    order: u64,
    queue: BinaryHeap<Queued>,
    pub(super) random: StdRng,
    pub(super) base: Instant,
    pub(super) server: SimulatedServer,
    pub(super) server_life: u32,
    pub(super) server_since: u64,
    pub(super) server_timer: Option<u64>,
    pub(super) store_fails: bool,
    pub(super) store_was_bad: u64,
    pub(super) devices: Vec<Device>,
    pub(super) people: Vec<UserId>,
    pub(super) cids: Vec<CallId>,
    pub(super) next_key: u64,
    pub(super) acts_left: u32,
    /// Nothing breaks any more.
    pub(super) is_calm: bool,
    pub(super) is_rough: bool,
    pub(super) checks: Checks,
    /// What broke so far.
    pub(super) faults: Faults,
    pub(super) trace: Option<Vec<String>>,
}

/// A broken rule, with the story that led to it.
pub(super) struct Violation {
    pub(super) what: String,
    pub(super) trace: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, base: Instant, bug: Bug, is_traced: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let people: Vec<UserId> = ["ann", "ben", "cem", "dee", "eve"]
            [..random.random_range(2..=5).min(2 + (seed % 4) as usize)]
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect();
        let (server_bug, device_bug) = match bug {
            Bug::None => (None, None),
            Bug::Server(bug) => (Some(bug), None),
            Bug::Device(bug) => (None, Some(bug)),
        };
        let server = SimulatedServer::start(UnixMillis(EPOCH), random.random(), people.clone(), server_bug);
        let mut devices = Vec::new();
        for person in &people {
            for number in 1..=random.random_range(1..=2).max(random.random_range(0..=3)) {
                let id = format!("{person}{number}").parse().expect("a device");
                devices.push(Device::new(
                    base,
                    person.clone(),
                    id,
                    random.random(),
                    Clock { skew: random.random_range(-90_000..90_000), drift: drift(&mut random), set_at: None },
                    device_bug,
                ));
            }
        }
        let is_wrong = |device: &&Device| device.clock.skew.abs() > 2_000;
        let wrong_clocks = devices.iter().filter(is_wrong).count();
        let faults = Faults { wrong_clocks: u64::try_from(wrong_clocks).unwrap_or(0), ..Faults::default() };
        let mut world = Self {
            now: 0,
            order: 0,
            queue: BinaryHeap::new(),
            acts_left: random.random_range(3..16),
            is_rough: random.random_bool(0.7),
            random,
            base,
            server,
            server_life: 0,
            server_since: 0,
            server_timer: None,
            store_fails: false,
            store_was_bad: 0,
            devices,
            people,
            cids: ["default:k", "default:b", "default:x"].iter().map(|cid| cid.parse().expect("a cid")).collect(),
            next_key: 1,
            is_calm: false,
            checks: Checks::default(),
            faults,
            trace: is_traced.then(Vec::new),
        };
        for d in 0..world.devices.len() {
            let at = world.random.random_range(0..50);
            world.after(at, Event::Connect { d, life: 0 });
        }
        world.after(500, Event::Act);
        world
    }

    pub(super) fn after(&mut self, wait: u64, event: Event) {
        self.at(self.now + wait, event);
    }

    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.queue.push(Queued { at, order: self.order, event });
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>7} {}", self.now, line()));
        }
    }

    pub(super) fn server_now(&self) -> UnixMillis {
        UnixMillis(EPOCH).plus(Duration::from_millis(self.now))
    }

    /// Runs to the end; answers with the first rule that was broken.
    pub(super) fn run(&mut self) -> Result<(), Violation> {
        while self.acts_left > 0 && self.checks.broken.is_none() {
            let Queued { at, event, .. } = self.queue.pop().expect("the next act waits in the queue");
            self.now = at;
            self.happen(event);
        }
        self.calm_down();
        let calm = self.now;
        self.run_until(calm + HEARD_AFTER);
        self.check_heard();
        self.run_until(calm + SETTLED_AFTER);
        self.check_settled();
        self.run_until(calm + OVER_AFTER);
        self.check_over();
        match self.checks.broken.take() {
            Some(what) => Err(Violation { what, trace: self.trace.take().unwrap_or_default() }),
            None => Ok(()),
        }
    }

    /// Everything that happens up to a moment, and the moment itself: also when nothing happens any more.
    fn run_until(&mut self, end: u64) {
        while self.checks.broken.is_none()
            && let Some(queued) = self.queue.peek()
            && queued.at <= end
        {
            let Queued { at, event, .. } = self.queue.pop().expect("it was there");
            self.now = at;
            self.happen(event);
        }
        self.now = end;
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Connect { d, life } => self.connect(d, life),
            Event::Opened { d, epoch } => self.opened(d, epoch),
            Event::Message { d, epoch, message } => self.message(d, epoch, message),
            Event::DeviceSeesCut { d, epoch } => self.device_sees_cut(d, epoch),
            Event::ServerSeesCut { d, epoch } => {
                let (now, device) = (self.server_now(), self.devices[d].id.clone());
                self.server.disconnect(now, &device, epoch);
                if self.devices[d].served == Some(epoch) {
                    self.devices[d].served = None;
                    self.devices[d].gone_since = Some(self.now);
                }
                self.serve();
                // A server that gives a connection up closes it.
                if self.devices[d].is_connected(epoch) {
                    self.after(20, Event::DeviceSeesCut { d, epoch });
                }
            }
            Event::Alerted { d, epoch, cid, ring } => {
                if self.devices[d].is_connected(epoch) {
                    let (user, device) = self.devices[d].who();
                    self.server.alerted(user, device, &cid, &ring);
                    self.serve();
                }
            }
            Event::Ask { d, key, server_life, cid, ask } => {
                if server_life == self.server_life {
                    self.asked(d, key, &cid, *ask);
                }
            }
            Event::Answer { d, key, result } => self.answered(d, key, result),
            Event::Timer { d, life } => self.timer(d, life),
            Event::ServerTimer { server_life } => {
                if server_life == self.server_life {
                    self.server_timer = None;
                    self.serve();
                }
            }
            Event::Wrote { server_life, is_stored } => {
                if server_life == self.server_life {
                    if !is_stored {
                        self.say(|| "the store fails".to_owned());
                        self.store_was_bad = self.now;
                    }
                    self.server.wrote(self.server_now(), is_stored);
                    self.check_disk();
                    self.serve();
                }
            }
            Event::MediaUp { d, life, cid, join } => self.media_up(d, life, &cid, join),
            Event::Media { d, life, cid, join, news } => self.media_news(d, life, cid, join, news),
            Event::MediaGone { d, cid } => {
                let (user, device) = self.devices[d].who();
                self.say(|| format!("the media of device {d} in {cid} is gone"));
                if !self.devices[d].media.get(&cid).is_some_and(|media| media.is_up) {
                    self.server.media(self.server_now(), &cid, &user, &device, false);
                    self.serve();
                }
            }
            Event::Notices { d, life, cid } => self.notices(d, life, cid),
            Event::ThinksAgain { d, life, cid } => self.thinks_again(d, life, cid),
            Event::Act => self.act(),
            Event::StartDevice { d } => self.start_device(d),
            Event::Wake { d } => self.wake(d),
            Event::ClockSet { d } => self.set_clock(d),
            Event::RestartServer => self.restart_server(),
        }
    }

    /// From now on everything works and nobody does anything.
    fn calm_down(&mut self) {
        self.say(|| "— quiet from here —".to_owned());
        self.is_calm = true;
        self.store_fails = false;
        self.restart_server();
        for d in 0..self.devices.len() {
            if self.devices[d].asleep {
                self.wake(d);
            }
            self.start_device(d);
        }
    }
}

pub(super) type Media = BTreeMap<CallId, MediaSession>;

/// The media of one call on one device.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaSession {
    pub(super) join: u64,
    pub(super) is_up: bool,
    pub(super) is_hopeless: bool,
}
