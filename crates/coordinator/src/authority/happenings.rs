//! What a batch tells other programs and the metrics of: the differences between each call before and after.

use std::collections::BTreeMap;

use wire::{EventId, Outcome, RingId, Target, UnixMillis, UserId, WebhookEvent, WebhookKind, WebhookRing};

use super::{batch::Batch, call::LiveCall};
use crate::ring::{Ring, ringing};

impl Batch {
    /// Everything that happens by this batch, in order. `mint` makes the ids.
    pub(crate) fn happenings(&self, now: UnixMillis, mint: impl FnMut() -> EventId) -> Vec<WebhookEvent> {
        let mut story = Story { now, mint, events: Vec::new() };
        let mut known: BTreeMap<_, Option<&LiveCall>> =
            self.before.iter().map(|(cid, live)| (cid, live.as_ref())).collect();
        for (after, _) in &self.calls {
            let before = known.insert(&after.call.cid, Some(after)).flatten();
            story.tell(before, after, &self.change.rings);
        }
        story.events
    }

    /// What is counted of the rings in this batch.
    pub(crate) fn ring_news(&self) -> RingNews {
        let mut news = RingNews::default();
        for ring in self.change.rings.values() {
            let before = self.before.get(&ring.cid).and_then(|live| live.as_ref()?.ring(&ring.id));
            if before.is_none() {
                news.started_at.push(ring.started_at);
            }
            let was = |target: &Target| {
                let mut known = before.into_iter().flat_map(|before| &before.targets);
                known.find(|known| known.user == target.user).map(|known| known.outcome)
            };
            let changed = ring.targets.iter().filter(|target| {
                target.outcome != Outcome::Ringing && was(target).is_none_or(|was| was == Outcome::Ringing)
            });
            news.outcomes.extend(changed.map(|target| target.outcome));
        }
        news
    }
}

/// Rings that began, and what came of people who were rung.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RingNews {
    pub(crate) started_at: Vec<UnixMillis>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl RingNews {
    pub(crate) fn is_empty(&self) -> bool {
        self.started_at.is_empty() && self.outcomes.is_empty()
    }
}

struct Story<M> {
    now: UnixMillis,
    mint: M,
    events: Vec<WebhookEvent>,
}

impl<M: FnMut() -> EventId> Story<M> {
    fn tell(&mut self, before: Option<&LiveCall>, after: &LiveCall, rings: &BTreeMap<RingId, Ring>) {
        if before.is_none() {
            self.add(WebhookKind::CallCreated, after);
        }
        self.rings(before, after, rings);
        self.session(before, after);
    }

    fn rings(&mut self, before: Option<&LiveCall>, after: &LiveCall, rings: &BTreeMap<RingId, Ring>) {
        for old in before.map(LiveCall::rings).unwrap_or_default() {
            // One that is kept no more is stored as it ended.
            let now = after.ring(&old.id).or_else(|| rings.get(&old.id));
            self.outcomes(&old.targets, now.unwrap_or(old), after);
        }
        let is_new = |ring: &&Ring| before.is_none_or(|before| before.ring(&ring.id).is_none());
        for new in after.rings().iter().filter(is_new) {
            let fresh: Vec<Target> = new.targets.iter().map(|target| ringing(target.user.clone())).collect();
            let begun = Ring { targets: fresh.clone(), ..new.clone() };
            self.add(WebhookKind::RingStarted, after).ring = Some(told(&begun));
            self.outcomes(&fresh, new, after);
        }
    }

    /// Who was reached and who was not, and whether anybody is being rung any more.
    fn outcomes(&mut self, before: &[Target], ring: &Ring, call: &LiveCall) {
        let still_rang =
            |user: &UserId| before.iter().any(|target| target.user == *user && target.outcome == Outcome::Ringing);
        for target in ring.targets.iter().filter(|target| still_rang(&target.user)) {
            let kind = match target.outcome {
                Outcome::Ringing => continue,
                Outcome::Accepted => WebhookKind::RingAnswered,
                Outcome::Declined | Outcome::Busy => WebhookKind::RingDeclined,
                Outcome::Missed | Outcome::Cancelled => WebhookKind::RingMissed,
            };
            let event = self.add(kind, call);
            event.ring = Some(told(ring));
            event.user = Some(target.user.clone());
            event.reason = target.reason;
            event.message.clone_from(&target.message);
        }
        if !ring.is_live() && before.iter().any(|target| target.outcome == Outcome::Ringing) {
            self.add(WebhookKind::RingEnded, call).ring = Some(told(ring));
        }
    }

    fn session(&mut self, before: Option<&LiveCall>, after: &LiveCall) {
        let old = before.and_then(|before| before.call.session.as_ref());
        let new = after.call.session.as_ref();
        let is_same = old.map(|session| &session.id) == new.map(|session| &session.id);
        for gone in old.iter().flat_map(|session| &session.participants) {
            let stays = is_same && after.has_device(&gone.device);
            if !stays {
                let event = self.add(WebhookKind::ParticipantLeft, after);
                event.session = old.map(|session| session.id.clone());
                event.user = Some(gone.user.clone());
            }
        }
        let was_ended = before.is_none_or(|before| before.call.ended_at.is_some());
        let ends = after.call.ended_at.is_some() && !was_ended;
        if let Some(over) = old.filter(|_| !is_same) {
            let lasted = self.now.since(over.started_at).as_millis();
            let event = self.add(WebhookKind::CallEnded, after);
            event.session = Some(over.id.clone());
            event.duration_ms = u64::try_from(lasted).ok();
        } else if ends {
            self.add(WebhookKind::CallEnded, after);
        }
        if let Some(begun) = new.filter(|_| !is_same) {
            self.add(WebhookKind::CallStarted, after).session = Some(begun.id.clone());
        }
        for came in new.iter().flat_map(|session| &session.participants) {
            let was_there = is_same && before.is_some_and(|before| before.has_device(&came.device));
            if !was_there {
                let event = self.add(WebhookKind::ParticipantJoined, after);
                event.session = new.map(|session| session.id.clone());
                event.user = Some(came.user.clone());
            }
        }
    }

    fn add(&mut self, kind: WebhookKind, live: &LiveCall) -> &mut WebhookEvent {
        self.events.push(WebhookEvent {
            id: (self.mint)(),
            kind,
            at: self.now,
            cid: live.call.cid.clone(),
            custom: live.call.custom.clone(),
            ring: None,
            session: None,
            user: None,
            reason: None,
            message: None,
            duration_ms: None,
        });
        self.events.last_mut().expect("one was just added")
    }
}

fn told(ring: &Ring) -> WebhookRing {
    WebhookRing { id: ring.id.clone(), caller: ring.caller.clone(), video: ring.video, targets: ring.targets.clone() }
}
