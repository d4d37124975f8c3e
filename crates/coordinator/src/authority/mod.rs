//! Every decision about calls, rings, sessions and presence, sans-IO. It reads no clock and waits for nothing: what it
//! decides is handed out in batches, to be stored first and announced then.

/// Whether a bug was planted; never, outside the simulator.
macro_rules! planted {
    ($authority:expr, $bug:ident) => {{
        #[cfg(feature = "simulation")]
        {
            $authority.planted == Some(crate::planted::Planted::$bug)
        }
        #[cfg(not(feature = "simulation"))]
        {
            false
        }
    }};
}

mod abilities;
mod admission;
mod announcing;
mod batch;
mod call;
mod calls;
mod connections;
mod happenings;
mod ids;
mod members;
mod moderation;
mod people;
mod permission;
mod personal;
mod planned;
mod programs;
mod rings;
mod sessions;
mod stays;
#[cfg(test)]
mod tests;
mod timers;
mod waiting;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wire::{
    CallId, CallState, Capability, Code, DeviceId, ErrorBody, Event, Participant, ServerMessage, UnixMillis, UserId,
};

use crate::{
    kept::Kept,
    programs::KeptAnswer,
    store::{Live, StoredCall, StoredPerson},
};
pub(crate) use admission::Sending;
pub(crate) use batch::{Batch, Effect};
use batch::{Draft, Fact, Remains};
use call::LiveCall;
pub(crate) use calls::check_custom;
use connections::Connections;
pub(crate) use happenings::RingNews;
use ids::Ids;
use people::Contacts;
pub(crate) use permission::{CallType, CallTypes};
use sessions::MediaPresence;
use timers::Timers;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
}

/// What goes out once a batch is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Out {
    /// A message to connected devices.
    Message {
        to: Vec<DeviceId>,
        message: ServerMessage,
    },
    /// The device's connection is of no more use.
    Close {
        device: DeviceId,
    },
    Effect(Effect),
}

pub(crate) struct Authority {
    server_name: String,
    types: CallTypes,
    connections: Connections,
    contacts: Contacts,
    people: BTreeMap<UserId, StoredPerson>,
    calls: BTreeMap<CallId, LiveCall>,
    /// The same calls by everybody they concern.
    calls_of: BTreeMap<UserId, BTreeSet<CallId>>,
    timers: Timers,
    ids: Ids,
    /// Above every version of a call that an earlier life of the server has told and not stored: devices drop what is
    /// older than what they know.
    first_version: u64,
    batch: Batch,
    /// Calls of the batch that is being stored: what the store says of them is old.
    being_stored: BTreeSet<CallId>,
    personal: personal::Known,
    /// What the media server said last, and when, of calls with decisions that may still be taken back.
    media_news: BTreeMap<(CallId, DeviceId), (UnixMillis, MediaPresence)>,
    #[cfg(feature = "simulation")]
    pub(crate) planted: Option<crate::planted::Planted>,
}

impl Authority {
    /// `seed` feeds the ids, which are to be unique and need not be secret.
    pub(crate) fn new(now: UnixMillis, seed: u64, server_name: String, types: CallTypes, live: Live) -> Self {
        let mut authority = Self {
            server_name,
            types,
            connections: Connections::new(now),
            contacts: Contacts::default(),
            people: live.people.into_iter().map(|person| (person.id.clone(), person)).collect(),
            calls: BTreeMap::new(),
            calls_of: BTreeMap::new(),
            timers: Timers::default(),
            ids: Ids::new(seed),
            // Milliseconds: calls change less often.
            first_version: u64::try_from(now.0).unwrap_or(0),
            batch: Batch::default(),
            being_stored: BTreeSet::new(),
            personal: personal::Known::new(live.newest_line),
            media_news: BTreeMap::new(),
            #[cfg(feature = "simulation")]
            planted: None,
        };
        for (call, kept) in live.calls {
            let mut restored = LiveCall::new(call, kept);
            // After a restart everybody has to find the way back to the media.
            let awaited = |there: &Participant| (there.device.clone(), MediaPresence::Awaited { since: now });
            restored.media = restored.participants().map(awaited).collect();
            waiting::wait_on(&mut restored, now);
            authority.place(restored);
        }
        authority
    }

    /// Whether a call is held here; what is not must be loaded before it is asked about.
    pub(crate) fn knows(&self, cid: &CallId) -> bool {
        self.calls.contains_key(cid)
    }

    /// Takes a call in from the store.
    pub(crate) fn load(&mut self, call: impl Into<Arc<wire::Call>>, kept: impl Into<Arc<Kept>>) {
        self.place(LiveCall::new(call, kept));
    }

    /// Lets a call go in which nothing goes on, unless something about it is still to be stored.
    pub(crate) fn forget_idle(&mut self, cid: &CallId) {
        let is_idle = self.calls.get(cid).is_some_and(|live| !live.is_held());
        if is_idle && !self.batch.before.contains_key(cid) && !self.being_stored.contains(cid) {
            self.take_out(cid);
        }
    }

    /// Whether something was decided that is not stored yet.
    pub(crate) fn has_undelivered(&self) -> bool {
        !self.batch.is_empty()
    }

    /// What was decided since the last time, to be stored. The next is taken when this one was delivered or taken back.
    pub(crate) fn take_batch(&mut self) -> Batch {
        self.being_stored.extend(self.batch.before.keys().cloned());
        self.personal.is_being_stored(&self.batch.change.personal);
        std::mem::take(&mut self.batch)
    }

    /// The store has failed: everything is as it was before the batch. Newer batches have to be taken back first; what
    /// remains of them all is then to be [learnt](Self::learn) again.
    pub(crate) fn take_back(&mut self, batch: Batch) -> Remains {
        if planted!(self, FailureNotTakenBack) {
            return Remains::default();
        }
        self.being_stored.clear();
        self.personal.taken_back();
        for (cid, before) in batch.before {
            self.take_out(&cid);
            if let Some(mut before) = before {
                // Who is at the media server is a fact, not a decision: what is known of it now stays.
                for (device, presence) in &mut before.media {
                    let news = self.media_news.get(&(cid.clone(), device.clone()));
                    // He may have been let in again since.
                    let known = *presence;
                    let is_newer = |at| !matches!(known, MediaPresence::Awaited { since } if since > at);
                    if let Some((_, news)) = news.filter(|(at, _)| is_newer(*at)) {
                        *presence = *news;
                    }
                }
                self.place(before);
            }
        }
        Remains { people: batch.people, facts: batch.facts }
    }

    /// Acts again upon what was known when batches were decided that are taken back.
    pub(crate) fn learn(&mut self, now: UnixMillis, remains: Remains) {
        self.batch.people.extend(remains.people);
        for fact in remains.facts {
            match fact {
                Fact::Person(user) => self.reconsider_calls_of(now, &user),
                Fact::CallType(name) => self.reconsider_calls_like(now, &name),
                Fact::CameToMedia { cid, user, device } => self.permit_arrived(now, cid, user, device),
                Fact::Alerts { who, cid, ring } => self.alerted(&who, &cid, &ring),
            }
        }
    }

    /// What time alone brings: deadlines, vanished callers, sessions that stay empty.
    pub(crate) fn on_time(&mut self, now: UnixMillis) {
        while let Some(cid) = self.timers.due(now) {
            let Some(live) = self.calls.get(&cid).cloned() else { continue };
            let mut draft = Draft::default();
            let live = self.expire_rings(now, live, &mut draft);
            let live = self.expire_session(now, live, &mut draft);
            let live = self.do_planned(now, live, &mut draft);
            draft.calls.push(live);
            self.commit(draft);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<UnixMillis> {
        self.timers.next()
    }

    /// Takes a decision over; it goes out with the batch.
    fn commit(&mut self, mut draft: Draft) {
        for mut live in draft.calls {
            let before = self.calls.get(&live.call.cid).cloned();
            if let Some(before) = &before {
                self.permit_changed(before, &live, &mut draft.effects);
            }
            let version = before.as_ref().map_or(0, |before| before.call.version) + 1;
            live.edit().version = version.max(self.first_version);
            let changed = sessions::presence_changes(before.as_ref(), &live);
            self.batch.people.extend(changed);
            let cid = live.call.cid.clone();
            if draft.is_stored {
                self.store(before.as_ref(), &live);
            }
            let audience = live.audience();
            let was_concerned = before.as_ref().map(LiveCall::audience).unwrap_or_default();
            let mut former: Vec<UserId> = was_concerned.difference(&audience).cloned().collect();
            former.extend(draft.former.iter().filter(|user| audience.contains(*user)).cloned());
            let may_differ =
                |before: &&LiveCall| before.call.grants != live.call.grants || before.call.members != live.call.members;
            if let Some(before) = before.as_ref().filter(may_differ) {
                let could_read = |user: &&UserId| self.capabilities(before, user).contains(Capability::ReadCall);
                let can_read = |user: &UserId| self.capabilities(&live, user).contains(Capability::ReadCall);
                former.extend(audience.iter().filter(could_read).filter(|user| !can_read(user)).cloned());
            }
            self.batch.before.entry(cid).or_insert(before);
            self.batch.calls.push((live.clone(), former));
            self.place(live);
        }
        for ring in draft.rings {
            self.batch.change.rings.insert(ring.id.clone(), ring);
        }
        for line in draft.history {
            self.batch.change.remember(line);
        }
        self.batch.effects.extend(draft.effects);
        self.batch.notices.extend(draft.notices);
    }

    /// Puts a call into the batch as it is now.
    fn store(&mut self, before: Option<&LiveCall>, live: &LiveCall) {
        let (cid, stored) = (&live.call.cid, &mut self.batch.change);
        let is_kept_anew = before.is_none_or(|before| before.kept != live.kept);
        let is_written = stored.calls.get(cid).is_some_and(|stored| stored.kept.is_some());
        let kept = (is_kept_anew || is_written).then(|| Arc::clone(&live.kept));
        let (call, is_live) = (Arc::clone(&live.call), live.is_held());
        stored.calls.insert(cid.clone(), StoredCall { call, kept, is_live });
        for ring in live.rings().iter().filter(|_| is_kept_anew) {
            if before.and_then(|before| before.ring(&ring.id)) != Some(ring) {
                stored.rings.insert(ring.id.clone(), ring.clone());
            }
        }
    }

    /// Holds a call, in place of what was held of it.
    fn place(&mut self, live: LiveCall) {
        let cid = live.call.cid.clone();
        self.take_out(&cid);
        for user in live.audience() {
            self.calls_of.entry(user).or_default().insert(cid.clone());
        }
        self.timers.set(&cid, self.deadline_of(&live));
        self.calls.insert(cid, live);
    }

    fn take_out(&mut self, cid: &CallId) {
        let Some(live) = self.calls.remove(cid) else { return };
        self.timers.set(cid, None);
        for user in live.audience() {
            if let Some(calls) = self.calls_of.get_mut(&user) {
                calls.remove(cid);
                if calls.is_empty() {
                    self.calls_of.remove(&user);
                }
            }
        }
    }

    /// A device came or went: what that means for the calls of its person is due at another time.
    fn reset_timers_of(&mut self, user: &UserId) {
        for cid in self.calls_of.get(user).cloned().unwrap_or_default() {
            if let Some(live) = self.calls.get(&cid) {
                let at = self.deadline_of(live);
                self.timers.set(&cid, at);
            }
        }
    }

    fn deadline_of(&self, live: &LiveCall) -> Option<UnixMillis> {
        let session = waiting::deadline(live, &self.connections);
        self.ring_deadline(live).into_iter().chain(session).chain(planned::deadline(live)).min()
    }

    /// A call as somebody sees it; what was just committed included.
    fn seen_by(&self, user: &UserId, cid: &CallId, now: UnixMillis) -> Result<CallState, ErrorBody> {
        self.calls.get(cid).map(|live| self.view(live, user, now)).ok_or_else(no_such_call)
    }

    fn call(&self, cid: &CallId) -> Option<LiveCall> {
        self.calls.get(cid).cloned()
    }

    /// A call somebody may know of.
    fn call_of(&self, who: &Caller, cid: &CallId) -> Result<LiveCall, ErrorBody> {
        let live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::ReadCall)?;
        Ok(live)
    }

    /// What one reader sees of a call.
    fn view(&self, live: &LiveCall, user: &UserId, now: UnixMillis) -> CallState {
        let own_capabilities = self.capabilities(live, user).into();
        CallState { call: Arc::clone(&live.call), ring: live.ring_as_seen_by(user, now), own_capabilities }
    }

    /// Tells some people something that is not kept; it goes out with the batch.
    fn notice(&mut self, users: Vec<UserId>, event: Event) {
        self.batch.notices.push((users, event));
    }

    /// An answer that is stored together with what was decided.
    pub(crate) fn keep_answer(&mut self, answer: KeptAnswer) {
        self.batch.change.answers.push(answer);
    }

    /// Every call type as it is now.
    pub(crate) fn call_types(&self) -> &CallTypes {
        &self.types
    }

    /// A call type was added or changed.
    pub(crate) fn set_call_type(&mut self, now: UnixMillis, name: &str, call_type: CallType) {
        self.types.set(name, call_type);
        self.reconsider_calls_like(now, name);
    }

    fn reconsider_calls_like(&mut self, now: UnixMillis, name: &str) {
        self.batch.facts.push(Fact::CallType(name.to_owned()));
        let of_type: Vec<CallId> = self.calls.keys().filter(|cid| cid.call_type() == name).cloned().collect();
        for cid in of_type {
            self.reconsider(now, &cid);
        }
    }
}

/// Whether this reader may know of the call at all.
fn may_read(state: &CallState) -> bool {
    state.own_capabilities.contains(&Capability::ReadCall)
}

/// No difference between "not there" and "not yours".
fn no_such_call() -> ErrorBody {
    ErrorBody::new(
        Code::CallNotFound,
        "there is no such call, or you are not on its list: ask somebody in it to add you",
    )
}
