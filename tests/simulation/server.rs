//! The server in the world: its timers, its disk, its crashes.

use rand::Rng as _;

use super::world::{EPOCH, Event, Failure, World};

impl World {
    /// Lets the server do what is due, and carries away what it sends.
    pub(super) fn serve(&mut self) {
        let now = self.server_now();
        loop {
            if self.server.turn(now) {
                let wait = if self.random.random_bool(0.1) { self.random.random_range(5..150) } else { 1 };
                let is_stored = !(self.store_fails && self.random.random_bool(0.7));
                self.after(wait, Event::Wrote { server_life: self.server_life, is_stored });
            }
            let sent = self.server.take_sent();
            if sent.is_empty() {
                break;
            }
            for sent in sent {
                self.carry(sent);
            }
        }
        if let Some(at) = self.server.next_deadline() {
            let at = u64::try_from(at.0 - EPOCH).unwrap_or(0).max(self.now + 1);
            if self.server_timer.is_none_or(|set| at < set || set <= self.now) {
                self.server_timer = Some(at);
                self.at(at, Event::ServerTimer { server_life: self.server_life });
            }
        }
    }

    pub(super) fn crash_server(&mut self) {
        let was_stored = self.random.random_bool(0.5);
        self.say(|| format!("the server crashes (stored what it wrote: {was_stored})"));
        self.faults.server_crashes += 1;
        self.server.crash(was_stored);
        self.server_life += 1;
        self.server_timer = None;
        for d in 0..self.devices.len() {
            self.devices[d].served = None;
            self.devices[d].gone_since = Some(self.now);
            if let Some(epoch) = self.devices[d].connection.as_ref().map(|connection| connection.epoch) {
                let wait = self.random.random_range(1..100);
                self.after(wait, Event::DeviceSeesCut { d, epoch });
            }
            for key in self.devices[d].asked.keys().copied().collect::<Vec<_>>() {
                let wait = self.random.random_range(1..50);
                self.after(wait, Event::Answer { d, key, result: Err(Failure::Unreachable) });
            }
        }
        self.lose_all_media();
        let wait = self.random.random_range(50..8_000);
        self.after(wait, Event::RestartServer);
    }

    pub(super) fn restart_server(&mut self) {
        if self.server.is_up() {
            return;
        }
        self.say(|| "the server is back".to_owned());
        let seed = self.random.random();
        self.server.restart(self.server_now(), seed);
        self.server_since = self.now;
        self.check_disk();
        self.media_comes_back();
        self.serve();
    }
}
