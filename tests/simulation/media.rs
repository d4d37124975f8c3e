//! The media: it comes up soon, late or never, and is lost with the server, the device or the machine's sleep.

use call_client::simulation::MediaNews;
use rand::Rng as _;
use wire::{CallId, DeviceId};

use super::world::{Event, MediaSession, World};

/// No request is under way for longer.
const HELD_BACK: u64 = 20_000;
/// After so long a session without media is given up.
const GIVE_UP: u64 = 60_000;

impl World {
    pub(super) fn open_media(&mut self, d: usize, cid: CallId, join: u64) {
        self.check_open(d, &cid, join);
        self.say(|| format!("device {d} opens its media of {cid}"));
        let life = self.devices[d].life;
        let is_hopeless = self.is_rough && self.random.random_bool(0.03);
        self.devices[d].media.insert(cid.clone(), MediaSession { join, is_up: false, is_hopeless });
        if is_hopeless {
            return self.after(GIVE_UP, Event::Media { d, life, cid, join, news: MediaNews::Failed });
        }
        let is_late = self.is_rough && self.random.random_bool(0.05);
        let wait = if is_late { self.random.random_range(2_000..25_000) } else { self.random.random_range(20..1_000) };
        self.after(wait, Event::MediaUp { d, life, cid, join });
    }

    pub(super) fn close_media(&mut self, d: usize, cid: &CallId) {
        if let Some(session) = self.devices[d].media.remove(cid)
            && session.is_up
        {
            self.after(5, Event::MediaGone { d, cid: cid.clone() });
        }
    }

    pub(super) fn media_up(&mut self, d: usize, life: u32, cid: &CallId, join: u64) {
        let event = Event::MediaUp { d, life, cid: cid.clone(), join };
        if self.devices[d].life != life || self.park(d, event.clone()) {
            return;
        }
        if !self.server.is_up() {
            return self.after(500, event);
        }
        let Some(session) = self.devices[d].media.get_mut(cid).filter(|session| session.join == join) else { return };
        if session.is_hopeless {
            return;
        }
        session.is_up = true;
        self.say(|| format!("the media of device {d} in {cid} is up"));
        let (user, device) = self.devices[d].who();
        self.server.media(self.server_now(), cid, &user, &device, true);
        self.serve();
        self.media_news(d, life, cid.clone(), join, MediaNews::Up);
    }

    pub(super) fn media_news(&mut self, d: usize, life: u32, cid: CallId, join: u64, news: MediaNews) {
        if self.devices[d].life != life || self.park(d, Event::Media { d, life, cid: cid.clone(), join, news }) {
            return;
        }
        if self.devices[d].media.get(&cid).is_none_or(|session| session.join != join) {
            return;
        }
        // A request to be out that the network holds back, or sends twice, may come when its device is in again.
        let has_asked = self.checks.left.get(&(d, cid.clone())).is_some_and(|at| self.now - at < HELD_BACK);
        if news == MediaNews::PutOut && !has_asked {
            return self.checks.fail(format!("device {d} is put out of {cid}, which nobody wished"));
        }
        self.step(d, &mut |machine, instant, wall| machine.media(instant, wall, cid.clone(), join, news));
    }

    /// The media server puts one device (or everybody) out of a call.
    pub(super) fn put_out(&mut self, cid: &CallId, only: Option<&DeviceId>, news: MediaNews) {
        for d in 0..self.devices.len() {
            let is_meant = only.is_none_or(|device| *device == self.devices[d].id);
            let Some(session) = self.devices[d].media.get(cid).copied().filter(|session| is_meant && session.is_up)
            else {
                continue;
            };
            let (wait, life, join) = (self.delay(), self.devices[d].life, session.join);
            self.after(wait, Event::Media { d, life, cid: cid.clone(), join, news });
        }
    }

    /// The media server lets a device go that is to come again, which it does by itself.
    pub(super) fn ask_again(&mut self, cid: &CallId, device: &DeviceId) {
        let Some(d) = self.devices.iter().position(|known| known.id == *device) else { return };
        let (wait, life) = (self.delay(), self.devices[d].life);
        let Some(session) = self.devices[d].media.get_mut(cid).filter(|session| session.is_up) else { return };
        session.is_up = false;
        let join = session.join;
        self.after(wait, Event::Media { d, life, cid: cid.clone(), join, news: MediaNews::Lost });
        let pause = self.random.random_range(50..500);
        self.after(wait + pause, Event::MediaUp { d, life, cid: cid.clone(), join });
    }

    /// The embedded media server goes down with the server.
    pub(super) fn lose_all_media(&mut self) {
        for d in 0..self.devices.len() {
            let life = self.devices[d].life;
            for (cid, session) in self.devices[d].media.clone() {
                if let Some(media) = self.devices[d].media.get_mut(&cid).filter(|media| media.is_up) {
                    media.is_up = false;
                    self.after(20, Event::Media { d, life, cid, join: session.join, news: MediaNews::Lost });
                }
            }
        }
    }

    pub(super) fn media_comes_back(&mut self) {
        for d in 0..self.devices.len() {
            let life = self.devices[d].life;
            for (cid, session) in self.devices[d].media.clone() {
                let wait = self.random.random_range(100..3_000);
                self.after(wait, Event::MediaUp { d, life, cid, join: session.join });
            }
        }
    }
}
