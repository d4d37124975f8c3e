//! Who is connected now, and what goes out to them, in order and without waiting for anybody.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use wire::{DeviceId, ErrorBody, Event, Person, Presence, Role, ServerMessage, Snapshot, UnixMillis, UserId};

use super::{Caller, Hub};

/// History lines of a snapshot.
const HISTORY_IN_SNAPSHOT: u32 = 100;

/// The way out to one connected device: text messages, bounded. A reader too slow to keep it from filling is cut off.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// Tells this connection from an older one of the same device.
    pub(crate) epoch: u64,
    pub(crate) sender: mpsc::Sender<String>,
}

#[derive(Debug)]
struct Connection {
    user: UserId,
    outlet: Outlet,
}

#[derive(Debug)]
pub(crate) struct Connections {
    devices: BTreeMap<DeviceId, Connection>,
    /// When devices went away; who is not in here has been away since the start.
    gone: BTreeMap<DeviceId, UnixMillis>,
    started_at: UnixMillis,
    revision: u64,
}

impl Connections {
    pub(super) fn new(now: UnixMillis) -> Self {
        // Above every revision of an earlier run of this server.
        let revision = u64::try_from(now.0).unwrap_or(0) * 1_000;
        Self { devices: BTreeMap::new(), gone: BTreeMap::new(), started_at: now, revision }
    }

    pub(super) fn is_connected(&self, device: &DeviceId) -> bool {
        self.devices.contains_key(device)
    }

    pub(super) fn is_online(&self, user: &UserId) -> bool {
        self.devices.values().any(|connection| connection.user == *user)
    }

    /// Since when a device has had no connection; `None` while it has one.
    pub(super) fn gone_since(&self, device: &DeviceId) -> Option<UnixMillis> {
        (!self.is_connected(device)).then(|| self.gone.get(device).copied().unwrap_or(self.started_at))
    }

    /// The device is gone, if this was its newest connection; says whose it was.
    pub(super) fn remove(&mut self, now: UnixMillis, device: &DeviceId, epoch: u64) -> Option<UserId> {
        if self.devices.get(device)?.outlet.epoch != epoch {
            return None;
        }
        let connection = self.devices.remove(device)?;
        self.gone.insert(device.clone(), now);
        Some(connection.user)
    }

    pub(super) fn sign_out(&mut self, now: UnixMillis, device: &DeviceId) {
        let message = self.next_event(now, &Event::SignedOut);
        if let Some(connection) = self.devices.remove(device) {
            _ = connection.outlet.sender.try_send(message);
        }
    }

    /// To every device of a person.
    pub(super) fn tell(&mut self, now: UnixMillis, user: &UserId, event: &Event) {
        self.send(now, event, |connection| connection.user == *user);
    }

    pub(super) fn tell_all(&mut self, now: UnixMillis, event: &Event) {
        self.send(now, event, |_| true);
    }

    fn send(&mut self, now: UnixMillis, event: &Event, concerns: impl Fn(&Connection) -> bool) {
        if !self.devices.values().any(&concerns) {
            return;
        }
        let message = self.next_event(now, event);
        let mut slow = Vec::new();
        for (device, connection) in self.devices.iter().filter(|(_, connection)| concerns(connection)) {
            if connection.outlet.sender.try_send(message.clone()).is_err() {
                slow.push(device.clone());
            }
        }
        for device in slow {
            tracing::warn!(%device, "a device reads too slowly and is cut off; it comes back with a snapshot");
            self.devices.remove(&device);
            self.gone.insert(device, now);
        }
    }

    fn next_event(&mut self, now: UnixMillis, event: &Event) -> String {
        self.revision += 1;
        let message = ServerMessage::Event { revision: self.revision, server_time: now, event: event.clone() };
        serde_json::to_string(&message).expect("events are plain data")
    }
}

impl Hub {
    /// A device connects: the snapshot first, then it is in the list of those who get events.
    pub(super) async fn on_connect(&mut self, now: UnixMillis, who: Caller, outlet: Outlet) {
        // A store that fails has said so; the device will try again.
        let Ok(snapshot) = self.snapshot(now, &who).await else { return };
        let came = !self.connections.is_online(&who.user);
        let message = serde_json::to_string(&ServerMessage::Snapshot(snapshot)).expect("a snapshot is plain data");
        if outlet.sender.try_send(message).is_err() {
            return;
        }
        self.connections.gone.remove(&who.device);
        self.connections.devices.insert(who.device, Connection { user: who.user.clone(), outlet });
        if came {
            self.announce_person(now, &who.user);
        }
    }

    /// Everything a device may show.
    pub(super) async fn snapshot(&self, now: UnixMillis, who: &Caller) -> Result<Snapshot, ErrorBody> {
        let history = self.store.history(&who.user, HISTORY_IN_SNAPSHOT).await?;
        let calls = self.calls.values().filter(|live| live.is_live() && live.audience().contains(&who.user));
        Ok(Snapshot {
            revision: self.connections.revision,
            server_time: now,
            server_name: self.server_name.clone(),
            me: self.person(&who.user, Presence::Online),
            device: who.device.clone(),
            people: self.people.keys().filter(|id| **id != who.user).map(|id| self.person_now(id)).collect(),
            calls: calls.map(|live| live.state_for(&who.user, now)).collect(),
            history,
        })
    }

    pub(super) fn announce_person(&mut self, now: UnixMillis, user: &UserId) {
        let person = self.person_now(user);
        self.connections.tell_all(now, &Event::Person { person });
    }

    pub(super) fn person_name(&self, user: &UserId) -> String {
        self.people.get(user).map_or_else(|| user.to_string(), |person| person.name.clone())
    }

    fn person_now(&self, user: &UserId) -> Person {
        let mut participants =
            self.calls.values().filter_map(|live| live.call.session.as_ref()).flat_map(|session| &session.participants);
        let presence = if participants.any(|there| there.user == *user) {
            Presence::InCall
        } else if self.connections.is_online(user) {
            Presence::Online
        } else {
            Presence::Offline
        };
        self.person(user, presence)
    }

    fn person(&self, user: &UserId, presence: Presence) -> Person {
        let stored = self.people.get(user);
        Person {
            id: user.clone(),
            name: self.person_name(user),
            role: stored.map_or(Role::Guest, |person| person.role),
            presence,
        }
    }
}
