//! Who is connected now, and the messages that go out to them.

use std::collections::{BTreeMap, BTreeSet};

use wire::{DeviceId, Event, Person, Role, ServerMessage, Standing, UnixMillis, UserId};

use super::{Authority, Caller, Out};

#[derive(Debug)]
struct Connection {
    user: UserId,
    /// Tells this connection from an older one of the same device.
    epoch: u64,
    standing: Standing,
}

#[derive(Debug)]
pub(super) struct Connections {
    devices: BTreeMap<DeviceId, Connection>,
    devices_of: BTreeMap<UserId, BTreeSet<DeviceId>>,
    /// When devices went away; who is not in here has been away since the start.
    gone: BTreeMap<DeviceId, UnixMillis>,
    started_at: UnixMillis,
    revision: u64,
}

impl Connections {
    pub(super) fn new(now: UnixMillis) -> Self {
        // Above every revision of an earlier run of this server.
        let revision = u64::try_from(now.0).unwrap_or(0) * 1_000;
        Self { devices: BTreeMap::new(), devices_of: BTreeMap::new(), gone: BTreeMap::new(), started_at: now, revision }
    }

    pub(super) fn is_online(&self, user: &UserId) -> bool {
        self.devices_of.contains_key(user)
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// How somebody can be reached: the best of the devices; `None` without one.
    pub(super) fn standing(&self, user: &UserId) -> Option<Standing> {
        let devices = self.devices_of.get(user)?;
        let standings = devices.iter().filter_map(|device| self.devices.get(device)).map(|there| there.standing);
        standings.min_by_key(|standing| match standing {
            Standing::Here => 0,
            Standing::Away => 1,
            Standing::DoNotDisturb => 2,
        })
    }

    /// Since when a device has had no connection; `None` while it has one.
    pub(super) fn gone_since(&self, device: &DeviceId) -> Option<UnixMillis> {
        let is_gone = !self.devices.contains_key(device);
        is_gone.then(|| self.gone.get(device).copied().unwrap_or(self.started_at))
    }

    /// The one that connected last.
    pub(super) fn newest_device(&self, user: &UserId) -> Option<DeviceId> {
        let devices = self.devices_of.get(user)?.iter();
        devices.max_by_key(|device| self.devices.get(*device).map(|connection| connection.epoch)).cloned()
    }

    fn add(&mut self, who: &Caller, epoch: u64) {
        self.gone.remove(&who.device);
        self.devices_of.entry(who.user.clone()).or_default().insert(who.device.clone());
        let connection = Connection { user: who.user.clone(), epoch, standing: Standing::default() };
        self.devices.insert(who.device.clone(), connection);
    }

    fn remove(&mut self, now: UnixMillis, device: &DeviceId) -> Option<UserId> {
        let connection = self.devices.remove(device)?;
        self.gone.insert(device.clone(), now);
        if let Some(devices) = self.devices_of.get_mut(&connection.user) {
            devices.remove(device);
            if devices.is_empty() {
                self.devices_of.remove(&connection.user);
            }
        }
        Some(connection.user)
    }

    /// To every device of a person.
    pub(super) fn tell(&mut self, now: UnixMillis, user: &UserId, event: Event, outs: &mut Vec<Out>) {
        let Some(devices) = self.devices_of.get(user) else { return };
        let to = devices.iter().cloned().collect();
        outs.push(self.message(now, to, event));
    }

    /// To every device of several people.
    pub(super) fn tell_several<'a>(
        &mut self,
        now: UnixMillis,
        users: impl Iterator<Item = &'a UserId>,
        event: Event,
        outs: &mut Vec<Out>,
    ) {
        let to: Vec<DeviceId> = users.filter_map(|user| self.devices_of.get(user)).flatten().cloned().collect();
        if !to.is_empty() {
            outs.push(self.message(now, to, event));
        }
    }

    pub(super) fn tell_all(&mut self, now: UnixMillis, event: Event, outs: &mut Vec<Out>) {
        let to = self.devices.keys().cloned().collect();
        outs.push(self.message(now, to, event));
    }

    fn message(&mut self, now: UnixMillis, to: Vec<DeviceId>, event: Event) -> Out {
        self.revision += 1;
        Out::Message { to, message: ServerMessage::Event { revision: self.revision, server_time: now, event } }
    }
}

impl Authority {
    /// A device is there, and has been told everything: from now on it gets events. The driver must have sent
    /// [`Authority::greeting`] first, with these people in it.
    pub(crate) fn connected(&mut self, who: &Caller, epoch: u64, people: &[Person]) {
        let before = self.connections.standing(&who.user);
        self.contacts.know(&who.user, people.iter().map(|person| &person.id));
        self.connections.add(who, epoch);
        if self.connections.standing(&who.user) != before {
            self.batch.people.insert(who.user.clone());
        }
        self.reset_timers_of(&who.user);
    }

    /// What the next events rise above.
    pub(crate) fn revision(&self) -> u64 {
        self.connections.revision
    }

    /// A device is gone, if this was its newest connection.
    pub(crate) fn disconnected(&mut self, now: UnixMillis, device: &DeviceId, epoch: u64) {
        if self.connections.devices.get(device).is_some_and(|known| known.epoch == epoch) {
            self.remove_device(now, device);
        }
    }

    /// A device was signed out: it hears of it, and nothing more.
    pub(super) fn signed_out(&mut self, now: UnixMillis, device: &DeviceId) -> Vec<Out> {
        if !self.connections.devices.contains_key(device) {
            return Vec::new();
        }
        let farewell = self.connections.message(now, vec![device.clone()], Event::SignedOut);
        self.remove_device(now, device);
        vec![farewell, Out::Close { device: device.clone() }]
    }

    fn remove_device(&mut self, now: UnixMillis, device: &DeviceId) {
        let Some(connection) = self.connections.devices.get(device) else { return };
        let before = self.connections.standing(&connection.user);
        let Some(user) = self.connections.remove(now, device) else { return };
        self.reset_timers_of(&user);
        let after = self.connections.standing(&user);
        if after.is_none() {
            self.contacts.forget(&user);
        }
        if after != before {
            self.batch.people.insert(user);
        }
    }

    /// Something that only admins decide about.
    pub(crate) fn tell_admins(&mut self, now: UnixMillis, event: &Event) -> Vec<Out> {
        let mut outs = Vec::new();
        for admin in self.people.values().filter(|person| person.role == Role::Admin) {
            self.connections.tell(now, &admin.id, event.clone(), &mut outs);
        }
        outs
    }

    /// A device says how its person can be reached on it.
    pub(crate) fn stands(&mut self, who: &Caller, standing: Standing) {
        let Some(connection) = self.connections.devices.get_mut(&who.device) else { return };
        if std::mem::replace(&mut connection.standing, standing) != standing {
            self.batch.people.insert(who.user.clone());
        }
    }
}
