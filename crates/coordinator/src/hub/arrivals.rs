//! Devices that connect: their history is read while everything else goes on, and what changes of it meanwhile is put in.

use std::collections::BTreeMap;

use wire::{HistoryEntry, UserId};

use super::{Caller, Outlet};

/// History lines of a snapshot.
pub(crate) const HISTORY_IN_SNAPSHOT: u32 = 100;

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
    /// The person has looked at the missed calls since.
    is_seen: bool,
}

impl Awaited {
    fn greeted(self) -> Arrival {
        let mut lines = self.read.unwrap_or_default();
        if self.is_seen {
            lines.values_mut().for_each(|line| line.unseen = false);
        }
        lines.extend(self.news);
        let newest = lines.into_values().rev().take(HISTORY_IN_SNAPSHOT as usize).collect();
        Arrival { who: self.who, outlet: self.outlet, history: newest }
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
        awaited.push(Awaited { who, outlet, read: None, news: BTreeMap::new(), is_seen: false });
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

    /// Somebody has looked at the missed calls.
    pub(super) fn seen(&mut self, user: &UserId) {
        for arrival in self.awaited.get_mut(user).into_iter().flatten() {
            arrival.is_seen = true;
            arrival.news.values_mut().for_each(|line| line.unseen = false);
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
        arrivals.seen(&ben);
        arrivals.add_line(&ben, &line(3, HistoryOutcome::Missed));
        arrivals.read(&ben, 7, vec![line(1, HistoryOutcome::Missed)]);
        let history = arrivals.take_ready().remove(0).history;
        let unseen: Vec<_> = history.iter().map(|line| (line.id, line.unseen)).collect();
        assert_eq!(unseen, [(3, true), (2, false), (1, false)]);
    }
}
