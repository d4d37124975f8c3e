//! Who waits at the door of the server, as the device of an admin knows it. Sans-IO.

use std::time::Instant;

use wire::{AskId, WaitingAsk};

use crate::clock::{Deadline, Now};

#[derive(Debug, Default)]
pub(crate) struct Asks {
    waiting: Vec<Waiting>,
    /// Answered since the list was asked for, which may still have them.
    answered: Vec<AskId>,
}

#[derive(Debug)]
struct Waiting {
    ask: WaitingAsk,
    until: Deadline,
    /// Known from an earlier connection; the list says whether it still waits.
    is_old: bool,
}

impl Asks {
    /// A new connection: the list is asked for. Until it comes, what was known is shown.
    pub(crate) fn begin(&mut self) {
        self.answered.clear();
        self.waiting.iter_mut().for_each(|waiting| waiting.is_old = true);
    }

    /// The list that was asked for; whoever was heard of meanwhile stays.
    pub(crate) fn list(&mut self, asks: Vec<(WaitingAsk, Deadline)>) {
        self.waiting.retain(|waiting| !waiting.is_old);
        for (ask, until) in asks {
            if !self.answered.contains(&ask.id) {
                self.add(ask, until);
            }
        }
    }

    pub(crate) fn add(&mut self, ask: WaitingAsk, until: Deadline) {
        self.waiting.retain(|waiting| waiting.ask.id != ask.id);
        self.waiting.push(Waiting { ask, until, is_old: false });
    }

    pub(crate) fn answered(&mut self, id: AskId) {
        self.answered.push(id);
        self.waiting.retain(|waiting| waiting.ask.id != id);
    }

    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Nobody waits longer than the server lets him; whether that changed anything.
    pub(crate) fn on_time(&mut self, now: Now) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| !waiting.until.is_over(now));
        self.waiting.len() < before
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until.instant).min()
    }

    /// In the order they came.
    pub(crate) fn shown(&self) -> Vec<WaitingAsk> {
        let mut asks: Vec<_> = self.waiting.iter().map(|waiting| waiting.ask.clone()).collect();
        asks.sort_by_key(|ask| (ask.expires_at, ask.id));
        asks
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wire::UnixMillis;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
    fn begin() -> Now {
        Now { instant: Instant::now(), wall: UnixMillis(1_000_000) }
    }

    fn ask(id: u32) -> WaitingAsk {
        let (name, code) = (format!("Person {id}"), "123 456".to_owned());
        WaitingAsk { id: AskId(id), name, device_name: "desk".to_owned(), code, expires_at: UnixMillis(i64::from(id)) }
    }

    fn ids(asks: &Asks) -> Vec<u32> {
        asks.shown().iter().map(|ask| ask.id.0).collect()
    }

    #[test]
    fn the_list_and_what_was_heard_meanwhile_make_one() {
        let (until, mut asks) = (begin().after(Duration::from_secs(60)), Asks::default());
        asks.add(ask(1), until);
        asks.begin();
        assert_eq!(ids(&asks), [1], "shown until the list is here");
        asks.add(ask(4), until);
        asks.answered(AskId(3));
        asks.list(vec![(ask(2), until), (ask(3), until)]);
        assert_eq!(ids(&asks), [2, 4], "1 waits no more, 3 was answered, 4 came after the list was made");
    }

    #[test]
    fn who_waits_too_long_is_gone_by_itself() {
        let (begin, mut asks) = (begin(), Asks::default());
        asks.add(ask(1), begin.after(Duration::from_secs(60)));
        asks.add(ask(2), begin.after(Duration::from_secs(90)));
        let later = Now { instant: begin.instant + Duration::from_secs(60), ..begin };
        assert!(!asks.on_time(begin));
        assert_eq!(asks.deadline(), Some(later.instant));
        assert!(asks.on_time(later));
        assert_eq!(ids(&asks), [2]);
    }
}
