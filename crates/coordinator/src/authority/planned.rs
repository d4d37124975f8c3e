//! What is planned ahead: members are reminded before a call starts, and warned before its time is over.

use std::{collections::BTreeSet, time::Duration};

use wire::{ErrorBody, Event, UnixMillis, UserId};

use super::{Authority, batch::Draft, call::LiveCall};
use crate::ring::Stop;

/// Members are reminded this long before a call is to start, and when it is.
const REMINDED_BEFORE: [Duration; 2] = [Duration::from_secs(5 * 60), Duration::ZERO];
/// A reminder that could not be given in time (the server was down) is given up after this.
const TOO_LATE: Duration = Duration::from_secs(10 * 60);
/// Who is in a call is warned this long before its time is over; in the last tenth, if that is shorter.
const WARNED_BEFORE: Duration = Duration::from_secs(60);
/// The last moment of the year 9999, beyond which a time is a mistake.
const LAST_MOMENT: i64 = 253_402_300_799_999;

/// Reminders that are never given: their time was over when the call was planned.
pub(super) fn reminders_passed(now: UnixMillis, starts_at: UnixMillis) -> u8 {
    let passed = REMINDED_BEFORE.iter().filter(|before| starts_at.0 - millis(**before) <= now.0).count();
    u8::try_from(passed).unwrap_or(u8::MAX)
}

/// A planned time is one that clocks can show.
pub(super) fn check_starts_at(field: &str, starts_at: UnixMillis) -> Result<(), ErrorBody> {
    if (0..=LAST_MOMENT).contains(&starts_at.0) {
        return Ok(());
    }
    Err(ErrorBody::invalid(field, "a time is in UNIX milliseconds, from 0 to the end of the year 9999"))
}

/// When members are reminded next.
fn reminded_at(live: &LiveCall) -> Option<UnixMillis> {
    let call = &live.call;
    let starts_at = call.starts_at.filter(|_| call.ended_at.is_none())?;
    let before = REMINDED_BEFORE.get(usize::from(call.reminders_sent))?;
    Some(UnixMillis(starts_at.0 - millis(*before)))
}

/// When the time of the session is over.
fn over_at(live: &LiveCall) -> Option<UnixMillis> {
    let session = live.call.session.as_ref()?;
    let most = live.call.settings.limits.max_duration_ms?;
    Some(session.started_at.plus(Duration::from_millis(u64::from(most))))
}

/// When those in it are warned of that, if they were not yet: another end wants another warning.
fn warned_at(live: &LiveCall) -> Option<UnixMillis> {
    let session = live.call.session.as_ref()?;
    let most = Duration::from_millis(u64::from(live.call.settings.limits.max_duration_ms?));
    let is_warned = live.warned == over_at(live).map(|over| (session.id.clone(), over));
    (!is_warned).then(|| session.started_at.plus(most - WARNED_BEFORE.min(most / 10)))
}

/// Something is still to happen at a planned time: the call is held although nothing goes on in it.
pub(super) fn is_awaited(live: &LiveCall) -> bool {
    reminded_at(live).is_some()
}

/// When time alone brings something that was planned.
pub(super) fn deadline(live: &LiveCall) -> Option<UnixMillis> {
    reminded_at(live).into_iter().chain(over_at(live)).chain(warned_at(live)).min()
}

impl Authority {
    /// Reminds, warns and ends, as far as it is time.
    pub(super) fn do_planned(&self, now: UnixMillis, mut live: LiveCall, draft: &mut Draft) -> LiveCall {
        while let Some(at) = reminded_at(&live).filter(|at| *at <= now) {
            live.edit().reminders_sent += 1;
            if now < at.plus(TOO_LATE) {
                let members: Vec<UserId> = self.members_who_see(&live).cloned().collect();
                let (cid, starts_at) = (live.call.cid.clone(), live.call.starts_at);
                draft.notices.push((members, Event::Notified { cid, by: None, starts_at }));
            }
        }
        if let Some(over) = over_at(&live) {
            if over <= now {
                tracing::info!(cid = %live.call.cid, "the call has lasted as long as it may and is ended");
                self.stop_rings(now, &mut live, Stop::Cancel, draft, |_, _| true);
                self.close_session(now, &mut live, draft);
                live.edit().ended_at = Some(now);
            } else if warned_at(&live).is_some_and(|at| at <= now) {
                let inside: BTreeSet<UserId> = live.participants().map(|there| there.user.clone()).collect();
                let in_ms = u32::try_from(over.since(now).as_millis()).unwrap_or(u32::MAX);
                draft
                    .notices
                    .push((inside.into_iter().collect(), Event::EndsSoon { cid: live.call.cid.clone(), in_ms }));
                live.warned = live.call.session.as_ref().map(|session| (session.id.clone(), over));
            }
        }
        live
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
