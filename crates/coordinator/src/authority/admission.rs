//! Whether somebody is let in now: ended calls, backstages, full rooms. And what he may send once he is in.

use wire::{Capability, Code, ErrorBody, TrackSource, UnixMillis, UserId};

use super::{Authority, Caller, call::LiveCall};

/// What a person may send through the media server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) tracks: Vec<TrackSource>,
    /// Messages through the data channels.
    pub(crate) data: bool,
}

impl Authority {
    pub(super) fn admit(&self, now: UnixMillis, live: &LiveCall, who: &Caller) -> Result<(), ErrorBody> {
        self.allow(live, &who.user, Capability::JoinCall)?;
        let call = &live.call;
        let capabilities = self.capabilities(live, &who.user);
        if call.ended_at.is_some() && !capabilities.contains(Capability::JoinEndedCall) {
            return Err(ErrorBody::new(Code::CallEnded, "the call was ended for everyone: start a new one"));
        }
        if !call.is_open(now) && !capabilities.contains(Capability::JoinBackstage) {
            return Err(ErrorBody::new(
                Code::InBackstage,
                "the call is not open yet: it opens when its host goes live",
            ));
        }
        // Whose answer brought the others together has his place, also before he is there.
        let awaited = live.awaited().into_iter().filter(|device| *device != who.device && !live.has_device(device));
        let there = call.session.as_ref().map_or(0, |session| session.participants.len()) + awaited.count();
        let is_full = call.settings.limits.max_participants.is_some_and(|most| there >= most as usize);
        if is_full && !live.has_device(&who.device) {
            return Err(ErrorBody::new(Code::CallFull, "the call is full: try again when somebody has left"));
        }
        Ok(())
    }

    /// What the media server lets a person send. Data channels carry an application's own events.
    pub(super) fn sending(&self, live: &LiveCall, user: &UserId) -> Sending {
        let capabilities = self.capabilities(live, user);
        let pairs = [
            (Capability::SendAudio, TrackSource::Microphone),
            (Capability::SendVideo, TrackSource::Camera),
            (Capability::ShareScreen, TrackSource::Screen),
        ];
        let tracks = pairs
            .into_iter()
            .filter(|(capability, _)| capabilities.contains(*capability))
            .map(|(_, source)| source)
            .collect();
        Sending { tracks, data: capabilities.contains(Capability::SendEvent) }
    }
}
