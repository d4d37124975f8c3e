//! Devices that connect: their history is read while everything else goes on, and what changes of it meanwhile is put in.

use std::collections::BTreeMap;

use wire::{DeviceId, HistoryEntry, Snapshot, UserId};

use super::{Caller, Outlet};
use crate::store::Personal;

/// A device of which everything is read, to be greeted.
pub(super) struct Arrival {
    pub(super) who: Caller,
    pub(super) outlet: Outlet,
    pub(super) history: Vec<HistoryEntry>,
}

struct Awaited {
    who: Caller,
    outlet: Outlet,
    /// What was read, by id; absent while it is read.
    read: Option<BTreeMap<i64, HistoryEntry>>,
    /// What was stored since: newer than what is read.
    news: BTreeMap<i64, HistoryEntry>,
    /// Up to which line the person has looked at the missed calls since.
    seen_up_to: i64,
}

impl Awaited {
    fn greeted(self) -> Arrival {
        let mut lines = self.read.unwrap_or_default();
        lines.range_mut(..=self.seen_up_to).for_each(|(_, line)| line.unseen = false);
        lines.extend(self.news);
        let mut history = lines.into_values().rev().collect();
        Snapshot::keep_shown(&mut history, Snapshot::NEWEST);
        Arrival { who: self.who, outlet: self.outlet, history }
    }
}

#[derive(Default)]
pub(super) struct Arrivals {
    awaited: BTreeMap<UserId, Vec<Awaited>>,
    ready: Vec<(UserId, u64)>,
}

impl Arrivals {
    pub(super) fn add(&mut self, who: Caller, outlet: Outlet) {
        let awaited = self.awaited.entry(who.user.clone()).or_default();
        awaited.push(Awaited { who, outlet, read: None, news: BTreeMap::new(), seen_up_to: 0 });
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The history of an arrival was read.
    pub(super) fn read(&mut self, user: &UserId, epoch: u64, lines: Vec<HistoryEntry>) {
        let awaited = self.awaited.get_mut(user).into_iter().flatten().find(|arrival| arrival.outlet.epoch == epoch);
        if let Some(arrival) = awaited {
            arrival.read = Some(lines.into_iter().map(|line| (line.id, line)).collect());
            self.ready.push((user.clone(), epoch));
        }
    }

    /// A line of somebody's history was stored: whoever arrives and is not connected yet would not hear of it.
    pub(super) fn add_line(&mut self, user: &UserId, line: &HistoryEntry) {
        for arrival in self.awaited.get_mut(user).into_iter().flatten() {
            arrival.news.insert(line.id, line.clone());
        }
    }

    /// What people changed about themselves was stored: who has looked at missed calls, and which devices are let in no more.
    pub(super) fn stored(&mut self, personal: &Personal) {
        for (user, up_to) in &personal.seen {
            for arrival in self.awaited.get_mut(user).into_iter().flatten() {
                arrival.seen_up_to = arrival.seen_up_to.max(*up_to);
                arrival.news.range_mut(..=*up_to).for_each(|(_, line)| line.unseen = false);
            }
        }
        if !personal.signed_out.is_empty() {
            let stays = |device: &DeviceId| !personal.signed_out.contains_key(device);
            self.awaited.values_mut().for_each(|awaited| awaited.retain(|arrival| stays(&arrival.who.device)));
            self.awaited.retain(|_, awaited| !awaited.is_empty());
        }
    }

    pub(super) fn remove(&mut self, user: &UserId, epoch: u64) -> Option<Arrival> {
        let awaited = self.awaited.get_mut(user)?;
        let index = awaited.iter().position(|arrival| arrival.outlet.epoch == epoch)?;
        let arrival = awaited.swap_remove(index);
        if awaited.is_empty() {
            self.awaited.remove(user);
        }
        Some(arrival.greeted())
    }

    /// Those of whom everything is read.
    pub(super) fn take_ready(&mut self) -> Vec<Arrival> {
        let ready = std::mem::take(&mut self.ready);
        ready.into_iter().filter_map(|(user, epoch)| self.remove(&user, epoch)).collect()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use wire::{CallId, Direction, HistoryOutcome, UnixMillis};

    use super::*;

    fn line(id: i64, outcome: HistoryOutcome) -> HistoryEntry {
        HistoryEntry {
            id,
            cid: CallId::new("default", "x").unwrap(),
            at: UnixMillis(id),
            direction: Direction::Incoming,
            outcome,
            duration_ms: 0,
            caller: "ann".parse().unwrap(),
            people: Vec::new(),
            video: false,
            custom: wire::Custom::new(),
            message: None,
            reason: None,
            unseen: outcome == HistoryOutcome::Missed,
        }
    }

    fn arrive() -> (Arrivals, UserId) {
        let mut arrivals = Arrivals::default();
        let user: UserId = "ben".parse().unwrap();
        let who = Caller { user: user.clone(), device: "laptop".parse().unwrap() };
        arrivals.add(who, Outlet { epoch: 7, sender: mpsc::channel(1).0 });
        (arrivals, user)
    }

    #[test]
    fn what_is_stored_during_the_read_is_in_the_snapshot() {
        let (mut arrivals, ben) = arrive();
        arrivals.add_line(&ben, &line(2, HistoryOutcome::Missed));
        arrivals.add_line(&ben, &line(3, HistoryOutcome::Missed));
        assert!(!arrivals.has_ready());
        arrivals.read(&ben, 7, vec![line(2, HistoryOutcome::Ongoing), line(1, HistoryOutcome::Missed)]);
        let history = arrivals.take_ready().remove(0).history;
        let seen: Vec<_> = history.iter().map(|line| (line.id, line.outcome)).collect();
        let missed = HistoryOutcome::Missed;
        assert_eq!(seen, [(3, missed), (2, missed), (1, missed)]);
    }

    #[test]
    fn what_was_looked_at_during_the_read_is_seen() {
        let (mut arrivals, ben) = arrive();
        arrivals.add_line(&ben, &line(2, HistoryOutcome::Missed));
        arrivals.stored(&Personal { seen: [(ben.clone(), 2)].into(), ..Personal::default() });
        arrivals.add_line(&ben, &line(3, HistoryOutcome::Missed));
        arrivals.read(&ben, 7, vec![line(1, HistoryOutcome::Missed)]);
        let history = arrivals.take_ready().remove(0).history;
        let unseen: Vec<_> = history.iter().map(|line| (line.id, line.unseen)).collect();
        assert_eq!(unseen, [(3, true), (2, false), (1, false)]);
    }

    #[test]
    fn what_was_not_looked_at_is_shown_however_old_it_is() {
        let (mut arrivals, ben) = arrive();
        let lines = (1..=300).map(|id| match id {
            ..=50 => line(id, HistoryOutcome::Missed),
            _ => line(id, HistoryOutcome::Answered),
        });
        arrivals.read(&ben, 7, lines.collect());
        let history = arrivals.take_ready().remove(0).history;
        assert_eq!((history.len(), history[0].id, history[99].id, history[100].id), (150, 300, 201, 50));
    }

    #[test]
    fn who_is_signed_out_while_he_arrives_is_not_let_in() {
        let (mut arrivals, ben) = arrive();
        let signed_out = [("laptop".parse().unwrap(), UnixMillis(1))].into();
        arrivals.stored(&Personal { signed_out, ..Personal::default() });
        arrivals.read(&ben, 7, Vec::new());
        assert!(arrivals.take_ready().is_empty());
    }
}
