//! What screens may show of the calls of this device.

use std::time::{Duration, Instant};

use wire::{Direction, HistoryEntry, Person, UnixMillis};

use super::{Calls, Toggle};
use crate::{
    call::{Call, Phase},
    clock::Now,
    state::{
        CallStateView, CallView, CallingState, ClientState, HistoryView, JoinedView, OpeningView, RingView, TargetView,
        about,
    },
};

impl Calls {
    /// Everything, as it is now.
    pub(crate) fn view(&self, now: Now) -> ClientState {
        let mut people: Vec<Person> = self.people.values().cloned().collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id.clone()));
        ClientState {
            connection: self.connection.clone(),
            server_name: self.server_name.clone(),
            me: self.person.clone(),
            people,
            people_total: self.people_total,
            favourites: self.favourites.iter().cloned().collect(),
            do_not_disturb: self.quiet_wish.clone(),
            is_quiet: self.do_not_disturb == Toggle::On,
            calls: self.calls.iter().map(|call| self.view_call(call, now)).collect(),
            history: self.history.iter().map(view_history).collect(),
            asks: self.asks.shown(),
        }
    }

    fn view_call(&self, call: &Call, now: Now) -> CallView {
        let state = &call.state;
        let mut people: Vec<_> = state.call.members.iter().map(|member| member.user.clone()).collect();
        people.retain(|user| *user != self.me.user);
        let ring = state.ring.as_ref();
        let direction = match ring {
            Some(ring) if ring.caller == self.me.user => Direction::Outgoing,
            Some(ring) if ring.target(&self.me.user).is_some() => Direction::Incoming,
            Some(_) | None => Direction::None,
        };
        let left = match &call.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => ringing.until.left(now),
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) | Phase::Left(_) | Phase::Ended(_) => Duration::ZERO,
        };
        let ring_view = ring.map(|ring| RingView {
            id: ring.id.clone(),
            ends_at: now.wall.plus(left),
            targets: ring.targets.iter().map(view_target).collect(),
        });
        CallView {
            cid: call.cid.clone(),
            is_created_by_me: state.call.created_by == self.me.user,
            direction,
            state: CallStateView {
                calling_state: call.calling_state(),
                reason: call.end_reason(),
                refusal: call.refusal().cloned(),
            },
            video: ring.is_some_and(|ring| ring.video),
            caller: ring.map(|ring| ring.caller.clone()),
            about: about(&state.call.custom).map(str::to_owned),
            people,
            own_capabilities: state.own_capabilities.iter().copied().collect(),
            ring: ring_view,
            goes_on: call.goes_on(),
            opening: self.view_opening(call, now),
            joined: view_joined(call, now),
        }
    }

    fn view_opening(&self, call: &Call, now: Now) -> OpeningView {
        let call = &call.state.call;
        let opens = call.opens_at().map(|at| self.clock.until(now, at).left(now));
        match opens {
            _ if !call.settings.backstage.enabled => OpeningView::Open,
            _ if call.is_live => OpeningView::Live,
            Some(Duration::ZERO) => OpeningView::Open,
            opens => OpeningView::Backstage { opens_at: opens.map(|left| now.wall.plus(left)) },
        }
    }
}

fn view_joined(call: &Call, now: Now) -> Option<JoinedView> {
    let in_call = call.in_call()?;
    debug_assert_ne!(call.calling_state(), CallingState::Ringing);
    let ago = |since: Instant| i64::try_from(now.instant.saturating_duration_since(since).as_millis()).unwrap_or(0);
    Some(JoinedView {
        since: in_call.since.map(|since| UnixMillis(now.wall.0 - ago(since))),
        longest_ms: call.state.call.settings.limits.max_duration_ms,
        microphone: in_call.microphone.clone(),
        camera: in_call.camera.clone(),
        speaker_on: in_call.speaker == Toggle::On,
        speaker_trouble: in_call.speaker_trouble.clone(),
        participants: in_call.participants.clone(),
    })
}

fn view_target(target: &wire::Target) -> TargetView {
    TargetView {
        user: target.user.clone(),
        outcome: target.outcome,
        alerted: target.alerted,
        reason: target.reason,
        message: target.message.clone(),
    }
}

fn view_history(entry: &HistoryEntry) -> HistoryView {
    HistoryView {
        id: entry.id,
        cid: entry.cid.clone(),
        at: entry.at,
        direction: entry.direction,
        outcome: entry.outcome,
        duration_ms: entry.duration_ms,
        caller: entry.caller.clone(),
        people: entry.people.clone(),
        video: entry.video,
        message: entry.message.clone(),
        reason: entry.reason,
        unseen: entry.unseen,
    }
}
