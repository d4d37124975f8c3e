//! How long each person was in a session: one line in his history, however often and by however many devices he came.

use wire::{Direction, HistoryEntry, HistoryOutcome, Outcome, Participant, Target, UnixMillis, UserId};

use super::{
    Caller,
    batch::Draft,
    call::LiveCall,
    calls::{history_line, ring_line},
};
use crate::{kept::Stay, ring::Ring, store::Remembered};

/// How a person comes into the session, at first; again, it goes on where it was.
pub(super) fn begin_stay(now: UnixMillis, who: &Caller, live: &mut LiveCall, draft: &mut Draft) {
    if live.is_in_session(&who.user) {
        return;
    }
    let Some(session) = &live.call.session else { return };
    let has_accepted = |target: &Target| target.user == who.user && target.outcome == Outcome::Accepted;
    let answered = |ring: &&Ring| live.leads_here(ring) && ring.targets.iter().any(has_accepted);
    let brought = |ring: &&Ring| {
        let is_mine = ring.caller == who.user;
        (is_mine && (ring.is_live() || live.leads_here(ring))) || answered(ring)
    };
    // Who was rung in again comes by the newest: that is another call to him.
    let newest = live.rings().iter().rev().find(answered);
    let stay = match newest.or_else(|| live.rings().iter().find(brought)) {
        Some(ring) => stay_by_ring(now, ring, &who.user),
        None => Stay {
            occasion: session.id.to_string(),
            direction: Direction::None,
            caller: live.call.created_by.clone(),
            at: session.started_at,
            video: false,
            spent_ms: 0,
            counted_until: now,
        },
    };
    let (by_himself, had_taken_place) = (stay.direction == Direction::None, takes_place(live));
    let known = live.kept.stays.get(&who.user);
    let is_back = known.is_some_and(|known| by_himself || known.occasion == stay.occasion);
    if !is_back {
        live.keep().stays.insert(who.user.clone(), stay);
    }
    if !had_taken_place && takes_place(live) {
        // Until now there was nobody to talk to for who came first.
        let first: Vec<UserId> = live.kept.stays.keys().filter(|user| **user != who.user).cloned().collect();
        for user in first.iter().filter(|user| live.is_in_session(user)) {
            remember(live, user, HistoryOutcome::Ongoing, draft);
        }
    }
    // The answer to a ring has written that line.
    if takes_place(live) && (by_himself || is_back) {
        remember(live, &who.user, HistoryOutcome::Ongoing, draft);
    }
}

/// A person was brought into the session by a ring.
pub(super) fn stay_by_ring(now: UnixMillis, ring: &Ring, person: &UserId) -> Stay {
    Stay {
        occasion: ring.id.to_string(),
        direction: ring.direction_for(person),
        caller: ring.caller.clone(),
        at: ring.started_at,
        video: ring.video,
        spent_ms: 0,
        counted_until: now,
    }
}

/// Whether the session has had two people, or was rung into: one alone has no call to remember.
pub(super) fn takes_place(live: &LiveCall) -> bool {
    live.kept.rung_with.is_some() || live.kept.stays.len() > 1
}

/// One device of a person goes; what it adds to his time in the call is in his history.
pub(super) fn remember_stay(now: UnixMillis, live: &mut LiveCall, gone: &Participant, draft: &mut Draft) {
    let stays_on = live.is_in_session(&gone.user);
    let Some(stay) = live.keep().stays.get_mut(&gone.user) else { return };
    stay.spend(gone.joined_at, now);
    if takes_place(live) {
        let outcome = if stays_on { HistoryOutcome::Ongoing } else { HistoryOutcome::Answered };
        remember(live, &gone.user, outcome, draft);
    }
}

/// A person's line about his stay in the session that runs, or has just been closed.
pub(super) fn remember(live: &LiveCall, user: &UserId, outcome: HistoryOutcome, draft: &mut Draft) {
    let Some(stay) = live.kept.stays.get(user) else { return };
    let entry = HistoryEntry {
        outcome,
        duration_ms: u32::try_from(stay.spent_ms).unwrap_or(u32::MAX),
        ..history_line(live, user, &stay.caller, stay.at, stay.video, stay.direction)
    };
    draft.history.retain(|line| line.person != *user || line.occasion != stay.occasion);
    draft.history.push(Remembered { person: user.clone(), occasion: stay.occasion.clone(), entry });
}

/// Somebody was answered, or answered, and never came in: the call took place without him.
pub(super) fn remember_absent(live: &LiveCall, ring: &Ring, user: &UserId, draft: &mut Draft) {
    // Who came by another way has his own line.
    if live.kept.stays.contains_key(user) {
        return;
    }
    let mut entry = ring_line(live, ring, user);
    entry.outcome = HistoryOutcome::Answered;
    draft.history.push(Remembered { person: user.clone(), occasion: ring.id.to_string(), entry });
}
