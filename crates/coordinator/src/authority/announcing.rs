//! What is stored is told to everybody it concerns, by one text to all who see the same.

use std::collections::BTreeSet;

use wire::{Capability, Event, HistoryEntry, UnixMillis, UserId};

use super::{
    Authority, Batch, Out,
    abilities::Abilities,
    batch,
    call::{LiveCall, RingSeen},
};

/// What somebody sees of a call beside what all see.
#[derive(PartialEq, Eq)]
struct Seen<'a> {
    abilities: Abilities,
    ring: Option<RingSeen<'a>>,
}

impl Authority {
    /// The store has a batch: now everybody hears of it. `entries` are its history lines as they now stand.
    pub(crate) fn deliver(&mut self, now: UnixMillis, batch: Batch, entries: Vec<HistoryEntry>) -> Vec<Out> {
        let mut outs = Vec::new();
        self.being_stored.clear();
        self.media_news.retain(|(cid, _), _| self.batch.before.contains_key(cid));
        for (live, former) in batch::last_of_each(batch.calls) {
            self.tell_of_call(now, &live, &former, &mut outs);
            self.forget_idle(&live.call.cid);
        }
        self.deliver_personal(now, batch.change.personal, &entries, &mut outs);
        for ((person, _), entry) in batch.change.history.into_keys().zip(entries) {
            self.connections.tell(now, &person, Event::History { entry }, &mut outs);
        }
        for (users, event) in batch.notices {
            for user in users {
                self.connections.tell(now, &user, event.clone(), &mut outs);
            }
        }
        for user in batch.people {
            self.tell_of(now, &user, &mut outs);
        }
        outs.extend(batch.effects.into_iter().map(Out::Effect));
        outs
    }

    /// A call as it is now, to everybody it concerns, and once more to whom it concerns no more: they hear that, and nothing
    /// after it. To all who see the same of it, be they a thousand, it is one text.
    fn tell_of_call(&mut self, now: UnixMillis, live: &LiveCall, former: &BTreeSet<UserId>, outs: &mut Vec<Out>) {
        let audience = live.audience();
        let faces = self.faces(live, &audience);
        let mut views: Vec<(Seen<'_>, Vec<&UserId>)> = Vec::new();
        for user in audience.union(former) {
            if planted!(self, OthersNotTold) && !live.is_in_session(user) {
                continue;
            }
            if !self.connections.is_online(user) {
                continue;
            }
            let abilities = self.capabilities(live, user);
            if !abilities.contains(Capability::ReadCall) && !former.contains(user) {
                continue;
            }
            self.introduce(now, user, &faces, outs);
            let seen = Seen { abilities, ring: live.ring_seen_by(user) };
            match views.iter_mut().find(|(known, _)| *known == seen) {
                Some((_, users)) => users.push(user),
                None => views.push((seen, vec![user])),
            }
        }
        for (_, users) in views {
            let state = self.view(live, users[0], now);
            self.connections.tell_several(now, users.into_iter(), Event::Call { state }, outs);
        }
    }
}
