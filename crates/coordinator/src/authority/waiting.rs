//! How long a session waits: for media, for who was answered and has yet to come, for company.

use std::time::Duration;

use wire::{DeviceId, UnixMillis};

use super::{
    call::LiveCall,
    connections::Connections,
    sessions::{MediaPresence, people_in},
};

/// Who was let in must reach the media within this time, and who was answered must come in: later, he comes only by his
/// own wish.
const AWAITED: Duration = Duration::from_secs(30);
/// Whose media was lost may come back within this time…
const MEDIA_LOST: Duration = Duration::from_secs(10);
/// …or within this, if the device has lost its connection to us as well.
const ALL_LOST: Duration = Duration::from_secs(3);

/// People came or went: since when somebody is awaited, and since when there is no company.
pub(super) fn wait_on(live: &mut LiveCall, now: UnixMillis) {
    live.awaited_since = live.awaits_somebody().then(|| live.awaited_since.unwrap_or(now));
    live.lonely_since = loneliness(live, now);
}

/// When time alone changes a session.
pub(super) fn deadline(live: &LiveCall, connections: &Connections) -> Option<UnixMillis> {
    let lost = live.media.iter().filter_map(|(device, presence)| give_up_at(device, presence, connections)).min();
    lost.into_iter().chain(awaited_until(live)).chain(lonely_until(live)).min()
}

/// When the media of a participant is not waited for any more.
pub(super) fn give_up_at(device: &DeviceId, presence: &MediaPresence, connections: &Connections) -> Option<UnixMillis> {
    match presence {
        MediaPresence::Up => None,
        MediaPresence::Awaited { since } => Some(since.plus(AWAITED)),
        MediaPresence::Lost { since } => match connections.gone_since(device) {
            Some(gone) => Some(gone.max(*since).plus(ALL_LOST)),
            None => Some(since.plus(MEDIA_LOST)),
        },
    }
}

/// When who was answered, or has answered, is not waited for any more.
pub(super) fn awaited_until(live: &LiveCall) -> Option<UnixMillis> {
    let since = live.awaited_since.filter(|_| live.awaits_somebody())?;
    Some(since.plus(AWAITED))
}

/// R17: on by default for calls rung with two members.
pub(super) fn ends_when_alone(live: &LiveCall) -> bool {
    // A ring of long ago says nothing of a session that people came into by themselves.
    let last = || live.rings().last().filter(|ring| ring.is_live() || live.leads_here(ring));
    let rung_with = || live.kept.rung_with.or(last().map(|ring| ring.members));
    live.call.settings.ring.end_when_alone.unwrap_or_else(|| rung_with() == Some(2))
}

/// Since when nobody is in, or one alone who is not to wait: whom others have left, or who answered a ring.
fn loneliness(live: &LiveCall, now: UnixMillis) -> Option<UnixMillis> {
    live.call.session.as_ref()?;
    let others_were_in = live.kept.rung_with.is_some() || live.kept.stays.len() > 1;
    let few = if ends_when_alone(live) && others_were_in { 1 } else { 0 };
    (people_in(live) <= few).then(|| live.lonely_since.unwrap_or(now))
}

/// When a session that is empty, or one alone, ends.
pub(super) fn lonely_until(live: &LiveCall) -> Option<UnixMillis> {
    let since = live.lonely_since?;
    live.call.session.as_ref()?;
    // Somebody is still being rung: he may come.
    if live.rings_somebody() {
        return None;
    }
    let limit = Duration::from_millis(u64::from(live.call.settings.session.inactivity_timeout_ms));
    // Whose answer is on its way to him comes a moment later.
    Some(since.plus(if live.awaits_somebody() { limit.max(AWAITED) } else { limit }))
}
