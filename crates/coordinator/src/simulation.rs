//! The server without network, disk and clock, for the simulator: the same desk and authority, a disk that holds exactly
//! what was stored, and every delay, failure and crash in the hands of the test.

use std::{collections::BTreeMap, sync::Arc};

use wire::{
    CallId, Code, DeviceId, ErrorBody, Event, GetOrCreate, GetOrCreated, HistoryEntry, Join, Joined, Leave,
    MediaCredentials, MediaServer, Outcome, Reject, RingId, Role, ServerMessage, Target, UnixMillis, UserId,
};

pub use crate::planted::Planted;
use crate::{
    authority::{Authority, Batch, CallTypes, Caller, Effect, Out},
    desk::Desk,
    kept::Kept,
    ring::Ring,
    store::{Change, Live, StoredCall, StoredPerson},
};
use sfu::SfuEvent;

/// A request, as HTTP would bring it.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Make a call, ring.
    GetOrCreate(GetOrCreate),
    /// Come in.
    Join(Join),
    /// Refuse.
    Reject(Reject),
    /// Go out.
    Leave(Leave),
    /// End for everyone.
    End,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of `GetOrCreate`.
    Created(GetOrCreated),
    /// Of `Join`.
    Joined(Joined),
    /// Of the others.
    Done,
}

/// What leaves the server.
#[derive(Debug, Clone)]
pub enum Sent {
    /// On the connection with this number.
    Message {
        /// To whom.
        device: DeviceId,
        /// On which connection.
        epoch: u64,
        /// What.
        message: Arc<ServerMessage>,
    },
    /// The answer to a request.
    Answer {
        /// Which request.
        id: u64,
        /// What came of it.
        result: Result<Answer, ErrorBody>,
    },
    /// The media server puts a device out.
    RemoveParticipant {
        /// Of this call.
        cid: CallId,
        /// Which.
        device: DeviceId,
    },
    /// The media server asks a device to come again.
    AskAgain {
        /// To this call.
        cid: CallId,
        /// Which.
        device: DeviceId,
    },
    /// The media server tells a device that the call is over.
    TellOver {
        /// Which call.
        cid: CallId,
        /// Which.
        device: DeviceId,
    },
    /// The media server puts everybody out.
    CloseRoom {
        /// Of this call.
        cid: CallId,
    },
}

/// What is in the database.
#[derive(Debug, Default, Clone)]
struct Disk {
    calls: BTreeMap<CallId, StoredCall>,
    rings: BTreeMap<RingId, Ring>,
    history: BTreeMap<(UserId, String), HistoryEntry>,
    next_entry: i64,
}

impl Disk {
    fn write(&mut self, change: &Change, bug: Option<Planted>) -> Vec<HistoryEntry> {
        for (cid, stored) in &change.calls {
            let before = self.calls.get(cid).and_then(|before| before.kept.clone());
            let kept = stored.kept.clone().or(before);
            self.calls.insert(cid.clone(), StoredCall { kept, ..stored.clone() });
        }
        let cancelled = |ring: &&Ring| ring.targets.iter().any(|target| target.outcome == Outcome::Cancelled);
        let kept = |ring: &&Ring| bug != Some(Planted::CancelNotStored) || !cancelled(ring);
        self.rings.extend(change.rings.values().filter(kept).map(|ring| (ring.id.clone(), ring.clone())));
        let mut entries = Vec::new();
        for (about, entry) in &change.history {
            let next = self.next_entry;
            let kept = self.history.entry(about.clone()).or_insert_with(|| {
                self.next_entry += 1;
                HistoryEntry { id: next, ..entry.clone() }
            });
            *kept = HistoryEntry { id: kept.id, ..entry.clone() };
            entries.push(kept.clone());
        }
        entries
    }

    /// What is kept of a call, with its rings as they are on the disk.
    fn kept(&self, stored: &StoredCall) -> Kept {
        let mut kept = stored.kept.as_deref().cloned().unwrap_or_default();
        for ring in &mut kept.rings {
            if let Some(on_disk) = self.rings.get(&ring.id) {
                ring.clone_from(on_disk);
            }
        }
        kept
    }

    fn live(&self, people: &[UserId]) -> Live {
        let live = self.calls.values().filter(|stored| stored.is_live);
        let calls = live.map(|stored| (Arc::clone(&stored.call), Arc::new(self.kept(stored)))).collect();
        let people =
            people.iter().map(|id| StoredPerson::new(id.clone(), id.to_string(), Role::User, Default::default()));
        Live { people: people.collect(), calls, ..Live::default() }
    }
}

type Waiting = (u64, Result<Answer, ErrorBody>);

/// What is gone with a crash.
struct Running {
    desk: Desk<Waiting>,
    epochs: BTreeMap<DeviceId, u64>,
    arrivals: Vec<(Caller, u64)>,
    writing: Option<(Batch, Vec<Waiting>)>,
}

/// The server.
pub struct SimulatedServer {
    people: Vec<UserId>,
    disk: Disk,
    running: Option<Running>,
    sent: Vec<Sent>,
    planted: Option<Planted>,
}

impl SimulatedServer {
    /// A server that these people use, started.
    #[must_use]
    pub fn start(now: UnixMillis, seed: u64, people: Vec<UserId>, planted: Option<Planted>) -> Self {
        let mut server = Self { people, disk: Disk::default(), running: None, sent: Vec::new(), planted };
        server.restart(now, seed);
        server
    }

    /// Everything but the disk is gone. What was being stored is on it, or not.
    pub fn crash(&mut self, was_stored: bool) {
        let Some(running) = self.running.take() else { return };
        if let Some((batch, _)) = running.writing
            && was_stored
        {
            self.disk.write(&batch.change, self.planted);
        }
        self.sent.clear();
    }

    /// Comes up again from the disk.
    pub fn restart(&mut self, now: UnixMillis, seed: u64) {
        let mut authority = Authority::new(
            now,
            seed,
            "simulated".to_owned(),
            CallTypes::new(BTreeMap::new()),
            self.disk.live(&self.people),
        );
        authority.planted = self.planted;
        let desk = Desk::new(authority);
        self.running = Some(Running { desk, epochs: BTreeMap::new(), arrivals: Vec::new(), writing: None });
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// A device opens its socket.
    pub fn connect(&mut self, user: UserId, device: DeviceId, epoch: u64) {
        if let Some(running) = &mut self.running {
            running.arrivals.push((Caller { user, device }, epoch));
        }
    }

    /// The server notices that a connection is gone.
    pub fn disconnect(&mut self, now: UnixMillis, device: &DeviceId, epoch: u64) {
        let Some(running) = &mut self.running else { return };
        running.arrivals.retain(|(who, known)| who.device != *device || *known != epoch);
        if running.epochs.get(device) == Some(&epoch) {
            running.epochs.remove(device);
        }
        running.desk.authority.disconnected(now, device, epoch);
    }

    /// A request.
    pub fn ask(&mut self, now: UnixMillis, id: u64, user: UserId, device: DeviceId, cid: &CallId, ask: Ask) {
        let Some(running) = &mut self.running else { return };
        let authority = &mut running.desk.authority;
        if !authority.knows(cid)
            && let Some(stored) = self.disk.calls.get(cid)
        {
            authority.load(stored.call.clone(), self.disk.kept(stored));
        }
        let who = Caller { user, device };
        let result = match ask {
            Ask::GetOrCreate(request) => authority.get_or_create(now, &who, cid, request).map(Answer::Created),
            Ask::Join(join) => authority.join(now, &who, cid, join).map(|(state, _)| {
                let media = MediaCredentials { server: MediaServer::Here, token: String::new() };
                Answer::Joined(Joined { state, media, revision: 0 })
            }),
            Ask::Reject(reject) => authority.reject(now, &who, cid, reject).map(|_| Answer::Done),
            Ask::Leave(leave) => authority.leave(now, &who, cid, &leave).map(|()| Answer::Done),
            Ask::End => authority.end(now, &who, cid).map(|()| Answer::Done),
        };
        authority.forget_idle(cid);
        running.desk.answer((id, result));
    }

    /// A device says that it alerts its person.
    pub fn alerted(&mut self, user: UserId, device: DeviceId, cid: &CallId, ring: &RingId) {
        if let Some(running) = &mut self.running {
            running.desk.authority.alerted(&Caller { user, device }, cid, ring);
        }
    }

    /// A device came to the media server, or left it.
    pub fn media(&mut self, now: UnixMillis, cid: &CallId, user: &UserId, device: &DeviceId, is_there: bool) {
        let Some(running) = &mut self.running else { return };
        let (room, identity) = (cid.to_string(), format!("{user}/{device}"));
        running.desk.authority.on_media(
            now,
            match is_there {
                true => SfuEvent::ParticipantJoined { room, identity },
                false => SfuEvent::ParticipantLeft { room, identity },
            },
        );
    }

    /// Does what is due. Says whether something is now on its way to the disk, for [`SimulatedServer::wrote`].
    pub fn turn(&mut self, now: UnixMillis) -> bool {
        let Some(running) = &mut self.running else { return false };
        let mut is_new = false;
        running.desk.on_time(now);
        if running.desk.may_greet() {
            for (who, epoch) in std::mem::take(&mut running.arrivals) {
                let mut snapshot = running.desk.authority.greeting(now, &who, Vec::new());
                if self.planted == Some(Planted::SnapshotWithoutRings) {
                    snapshot.calls.retain(|state| !state.ring.as_ref().is_some_and(wire::Ring::is_live));
                }
                running.desk.authority.connected(&who, epoch, &snapshot.people);
                running.epochs.insert(who.device.clone(), epoch);
                let message = Arc::new(ServerMessage::Snapshot(snapshot));
                self.sent.push(Sent::Message { device: who.device, epoch, message });
            }
        }
        while let Some((batch, waiting)) = running.desk.next_batch() {
            if batch.change.is_empty() {
                let waiting = dated(running.desk.authority.revision(), waiting);
                let outs = running.desk.stored(now, batch, Vec::new());
                Self::send(&mut self.sent, &running.epochs, waiting, outs);
                continue;
            }
            if self.planted == Some(Planted::AnnouncedBeforeStored) {
                let outs = running.desk.authority.deliver(now, batch.clone(), Vec::new());
                Self::send(&mut self.sent, &running.epochs, Vec::new(), outs);
            }
            running.writing = Some((batch, waiting));
            is_new = true;
            break;
        }
        is_new
    }

    /// What was on its way to the disk is there, or could not be written.
    pub fn wrote(&mut self, now: UnixMillis, is_stored: bool) {
        let Some(running) = &mut self.running else { return };
        let Some((batch, waiting)) = running.writing.take() else { return };
        if is_stored {
            let entries = self.disk.write(&batch.change, self.planted);
            let waiting = dated(running.desk.authority.revision(), waiting);
            let outs = running.desk.stored(now, batch, entries);
            Self::send(&mut self.sent, &running.epochs, waiting, outs);
        } else {
            let refusal = ErrorBody::new(Code::Unavailable, "the disk is full");
            let refused = waiting.into_iter().chain(running.desk.failed(now, batch));
            self.sent.extend(refused.map(|(id, _)| Sent::Answer { id, result: Err(refusal.clone()) }));
        }
    }

    fn send(sent: &mut Vec<Sent>, epochs: &BTreeMap<DeviceId, u64>, waiting: Vec<Waiting>, outs: Vec<Out>) {
        sent.extend(waiting.into_iter().map(|(id, result)| Sent::Answer { id, result }));
        for out in outs {
            match out {
                // Presence and history bear on no ring; a hundred thousand worlds are quicker without them.
                Out::Message { message: ServerMessage::Event { event: Event::Person { .. }, .. }, .. }
                | Out::Message { message: ServerMessage::Event { event: Event::History { .. }, .. }, .. } => {}
                Out::Message { to, message } => {
                    let message = Arc::new(message);
                    for device in to {
                        if let Some(epoch) = epochs.get(&device).copied() {
                            sent.push(Sent::Message { device, epoch, message: Arc::clone(&message) });
                        }
                    }
                }
                Out::Close { .. } => {}
                Out::Effect(Effect::RemoveParticipant { cid, device, .. }) => {
                    sent.push(Sent::RemoveParticipant { cid, device });
                }
                Out::Effect(Effect::TellOver { cid, device, .. }) => sent.push(Sent::TellOver { cid, device }),
                Out::Effect(Effect::AskAgain { cid, device, .. }) => sent.push(Sent::AskAgain { cid, device }),
                Out::Effect(Effect::CloseRoom { cid }) => sent.push(Sent::CloseRoom { cid }),
                Out::Effect(Effect::PermitMedia { .. } | Effect::Mute { .. }) => {}
            }
        }
    }

    /// What left it since the last time, in order.
    pub fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// When time alone brings something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixMillis> {
        self.running.as_ref()?.desk.next_deadline()
    }

    /// A ring as the disk has it, with its deadline.
    #[must_use]
    pub fn stored_ring(&self, id: &RingId, now: UnixMillis) -> Option<(wire::Ring, UnixMillis)> {
        self.disk.rings.get(id).map(|ring| (ring.view(now), ring.deadline))
    }

    /// The deadline of a ring as the disk has it.
    #[must_use]
    pub fn stored_deadline(&self, id: &RingId) -> Option<UnixMillis> {
        self.disk.rings.get(id).map(|ring| ring.deadline)
    }

    /// The targets of every ring the disk has.
    pub fn stored_targets(&self) -> impl Iterator<Item = (&RingId, &[Target])> {
        self.disk.rings.iter().map(|(id, ring)| (id, ring.targets.as_slice()))
    }

    /// Every ring the disk has.
    pub fn stored_rings(&self, now: UnixMillis) -> impl Iterator<Item = (wire::Ring, UnixMillis)> {
        self.disk.rings.values().map(move |ring| (ring.view(now), ring.deadline))
    }

    /// Every call the disk has.
    pub fn stored_calls(&self) -> impl Iterator<Item = &wire::Call> {
        self.disk.calls.values().map(|stored| &*stored.call)
    }

    /// Whether a device is in a call, as the disk has it.
    #[must_use]
    pub fn is_stored_in(&self, cid: &CallId, device: &DeviceId) -> bool {
        let session = self.disk.calls.get(cid).and_then(|stored| stored.call.session.as_ref());
        session.is_some_and(|session| session.participants.iter().any(|there| there.device == *device))
    }

    /// A person's history line about a ring.
    #[must_use]
    pub fn stored_history(&self, person: &UserId, ring: &RingId) -> Option<&HistoryEntry> {
        self.disk.history.get(&(person.clone(), ring.to_string()))
    }
}

/// Answers say which news they are newer than, as the hub's do.
fn dated(revision: u64, waiting: Vec<Waiting>) -> Vec<Waiting> {
    let date = |answer: Answer| match answer {
        Answer::Created(created) => Answer::Created(GetOrCreated { revision, ..created }),
        Answer::Joined(joined) => Answer::Joined(Joined { revision, ..joined }),
        Answer::Done => Answer::Done,
    };
    waiting.into_iter().map(|(id, result)| (id, result.map(date))).collect()
}
