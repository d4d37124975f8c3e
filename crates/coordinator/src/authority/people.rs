//! What somebody sees of others: on a small server everybody, on a large one his contacts.

use std::collections::{BTreeMap, BTreeSet};

use wire::{CallId, Capability, Event, HistoryEntry, Person, Presence, Role, Snapshot, Standing, UnixMillis, UserId};

use super::{
    Authority, Caller, Out,
    batch::{Draft, Fact},
    call::LiveCall,
    may_read,
};
use crate::store::{PersonKind, StoredPerson};

/// With more people on a server than this, presence goes to contacts alone: it would cost more than the rings.
const EVERYBODY: usize = 100;
/// In a call with more people than this, they are not made contacts of each other.
const MOST_FACES: usize = 50;

/// Who hears of whom, among those who are connected.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    contacts: BTreeMap<UserId, BTreeSet<UserId>>,
    /// The same, the other way round.
    known_by: BTreeMap<UserId, BTreeSet<UserId>>,
}

impl Contacts {
    /// Somebody hears of these from now on.
    pub(super) fn know<'a>(&mut self, user: &UserId, others: impl Iterator<Item = &'a UserId>) {
        for other in others {
            self.add(user, other);
        }
    }

    /// Whether this is new.
    fn add(&mut self, user: &UserId, other: &UserId) -> bool {
        if user == other || self.contacts.get(user).is_some_and(|contacts| contacts.contains(other)) {
            return false;
        }
        self.contacts.entry(user.clone()).or_default().insert(other.clone());
        self.known_by.entry(other.clone()).or_default().insert(user.clone());
        true
    }

    /// Somebody is not connected any more.
    pub(super) fn forget(&mut self, user: &UserId) {
        for other in self.contacts.remove(user).into_iter().flatten() {
            if let Some(known_by) = self.known_by.get_mut(&other) {
                known_by.remove(user);
                if known_by.is_empty() {
                    self.known_by.remove(&other);
                }
            }
        }
    }
}

impl Authority {
    /// Everything a device may show now; true once what was decided is stored.
    pub(crate) fn snapshot(&self, now: UnixMillis, who: &Caller, history: Vec<HistoryEntry>) -> Snapshot {
        let calls = self.calls_of.get(&who.user).into_iter().flatten().filter_map(|cid| self.calls.get(cid));
        self.snapshot_of(now, who, calls, history)
    }

    /// Everything that is announced: what a device is shown that connects now and hears of all that follows. While a
    /// batch is being stored this is not known.
    pub(crate) fn greeting(&self, now: UnixMillis, who: &Caller, history: Vec<HistoryEntry>) -> Snapshot {
        let before = &self.batch.before;
        let held = self.calls_of.get(&who.user).into_iter().flatten();
        let unchanged = held.filter(|cid| !before.contains_key(cid)).filter_map(|cid| self.calls.get(cid));
        let concerns = |live: &&LiveCall| live.audience().contains(&who.user);
        let calls = unchanged.chain(before.values().flatten().filter(concerns));
        self.snapshot_of(now, who, calls, history)
    }

    fn snapshot_of<'a>(
        &self,
        now: UnixMillis,
        who: &Caller,
        calls: impl Iterator<Item = &'a LiveCall>,
        history: Vec<HistoryEntry>,
    ) -> Snapshot {
        let stored = self.people.get(&who.user);
        let calls: Vec<&LiveCall> = calls.filter(|live| live.is_live()).collect();
        let favourites = stored.map(|person| person.favourites.clone()).unwrap_or_default();
        let people = if self.is_small() {
            self.people.keys().filter(|id| **id != who.user).map(|id| self.person_now(id)).collect()
        } else {
            let in_history = history.iter().flat_map(|line| line.people.iter().take(MOST_FACES).chain([&line.caller]));
            let mut contacts: BTreeSet<UserId> = in_history.chain(&favourites).cloned().collect();
            contacts.extend(calls.iter().flat_map(|live| faces(live, &live.audience())));
            // His other devices have been told of these, and hear no more of who they are.
            contacts.extend(self.contacts.contacts.get(&who.user).into_iter().flatten().cloned());
            contacts.retain(|id| *id != who.user && self.people.contains_key(id));
            contacts.iter().map(|id| self.person_now(id)).collect()
        };
        Snapshot {
            revision: self.connections.revision(),
            server_time: now,
            server_name: self.server_name.clone(),
            me: self.person(&who.user, Presence::Online),
            device: who.device.clone(),
            people,
            people_total: u32::try_from(self.people.len().saturating_sub(1)).unwrap_or(u32::MAX),
            favourites,
            do_not_disturb: stored.map(|person| person.do_not_disturb.clone()).unwrap_or_default(),
            calls: calls.into_iter().map(|live| self.view(live, &who.user, now)).filter(may_read).collect(),
            history,
        }
    }

    /// People as others see them now; those there are.
    pub(crate) fn people_now(&self, users: &[UserId]) -> Vec<Person> {
        users.iter().filter(|id| self.people.contains_key(*id)).map(|id| self.person_now(id)).collect()
    }

    /// Somebody came, or was changed by others. What he chose for himself is known better here: the row that is shown was
    /// read a while ago.
    pub(crate) fn person_came(&mut self, now: UnixMillis, person: StoredPerson) {
        let user = person.id.clone();
        self.batch.people.insert(user.clone());
        let Some(known) = self.people.get_mut(&user) else {
            self.people.insert(user, person);
            return;
        };
        let may_other_things = (known.role, &known.teams) != (person.role, &person.teams);
        let StoredPerson { favourites, do_not_disturb, avatar, .. } = known.clone();
        *known = StoredPerson { favourites, do_not_disturb, avatar, ..person };
        if may_other_things {
            self.reconsider_calls_of(now, &user);
        }
    }

    pub(super) fn reconsider_calls_of(&mut self, now: UnixMillis, user: &UserId) {
        self.batch.facts.push(Fact::Person(user.clone()));
        for cid in self.calls_of.get(user).cloned().unwrap_or_default() {
            self.reconsider(now, &cid);
        }
    }

    /// What people may do in a call has changed elsewhere: everybody hears of it, the media server too, and whose team the
    /// call is no more is out of it.
    pub(super) fn reconsider(&mut self, now: UnixMillis, cid: &CallId) {
        let Some(mut live) = self.call(cid) else { return };
        let mut draft = Draft::default();
        let known = live.call.members.iter().map(|member| member.user.clone());
        let there = live.participants().map(|there| there.user.clone());
        for user in known.chain(there).collect::<BTreeSet<_>>() {
            if !self.capabilities(&live, &user).contains(Capability::ReadCall) {
                live.edit().members.retain(|member| member.user != user);
                self.put_out(now, &mut live, &user, &mut draft);
                draft.former.push(user.clone());
            }
            self.permit_media(&live, &user, &mut draft);
        }
        draft.calls.push(live);
        self.commit(draft);
    }

    /// Lets those hear of a person who hear of him at all.
    pub(super) fn tell_of(&mut self, now: UnixMillis, user: &UserId, outs: &mut Vec<Out>) {
        let event = Event::Person { person: self.person_now(user) };
        if self.is_small() {
            self.connections.tell_all(now, event, outs);
        } else {
            let known_by = self.contacts.known_by.get(user).into_iter().flatten();
            self.connections.tell_several(now, known_by.chain([user]), event, outs);
        }
    }

    /// Before somebody hears of a call he hears who is in it.
    pub(super) fn introduce(&mut self, now: UnixMillis, user: &UserId, faces: &BTreeSet<UserId>, outs: &mut Vec<Out>) {
        for face in faces {
            if self.people.contains_key(face) && self.contacts.add(user, face) {
                let person = self.person_now(face);
                self.connections.tell(now, user, Event::Person { person }, outs);
            }
        }
    }

    /// Whom somebody likes he hears of from now on.
    pub(super) fn introduce_favourites(
        &mut self,
        now: UnixMillis,
        user: &UserId,
        favourites: &BTreeSet<UserId>,
        outs: &mut Vec<Out>,
    ) {
        if !self.is_small() && self.connections.is_online(user) {
            self.introduce(now, user, favourites, outs);
        }
    }

    /// Whom everybody who hears of a call is to know.
    pub(super) fn faces(&self, live: &LiveCall, audience: &BTreeSet<UserId>) -> BTreeSet<UserId> {
        if self.is_small() { BTreeSet::new() } else { faces(live, audience) }
    }

    fn is_small(&self) -> bool {
        self.people.len() <= EVERYBODY
    }

    pub(crate) fn person_name(&self, user: &UserId) -> String {
        self.people.get(user).map_or_else(|| user.to_string(), |person| person.name.clone())
    }

    pub(super) fn person_now(&self, user: &UserId) -> Person {
        let mut calls = self.calls_of.get(user).into_iter().flatten().filter_map(|cid| self.calls.get(cid));
        let presence = match self.connections.standing(user) {
            _ if calls.any(|live| live.is_in_session(user)) => Presence::InCall,
            Some(Standing::Here) => Presence::Online,
            Some(Standing::Away) => Presence::Away,
            Some(Standing::DoNotDisturb) => Presence::DoNotDisturb,
            None => Presence::Offline,
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
            avatar: stored.and_then(|person| person.avatar.clone()),
            is_program: stored.is_some_and(|person| person.kind == PersonKind::Program),
        }
    }
}

/// Whom somebody has to know who hears of a call.
fn faces(live: &LiveCall, audience: &BTreeSet<UserId>) -> BTreeSet<UserId> {
    if audience.len() <= MOST_FACES {
        return audience.clone();
    }
    live.rings().iter().map(|ring| ring.caller.clone()).chain([live.call.created_by.clone()]).collect()
}
