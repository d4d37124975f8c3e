//! What a participant may send, changed while it is in, and muting from outside.

use std::time::Instant;

use livekit_protocol::{self as proto, signal_response};

use super::Rooms;
use crate::token::{self, MaySend, Source};

impl Rooms {
    /// From now on it may send this and nothing else; tracks of other sources end at once.
    pub(crate) fn permit(&mut self, now: Instant, room: &str, identity: &str, may_send: MaySend) {
        let Some(key) = self.find_identity(room, identity) else { return };
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let admission = &mut participant.admission;
        if admission.sources == may_send.sources && admission.can_publish_data == may_send.data {
            return;
        }
        (admission.sources, admission.can_publish_data) = (may_send.sources, may_send.data);
        let allowed = participant.admission.sources.clone();
        participant.announced.retain(|announced| allowed.contains(&Source::of(&announced.info)));
        let (kept, ended) = std::mem::take(&mut participant.tracks)
            .into_iter()
            .partition(|track| allowed.contains(&Source::of(&track.info)));
        participant.tracks = kept;
        for track in &ended {
            let ended = proto::TrackUnpublishedResponse { track_sid: track.info.sid.clone() };
            participant.signal.send(signal_response::Message::TrackUnpublished(ended));
        }
        let token = token::refreshed(&self.key, &participant.admission, crate::sfu::REFRESHED_TOKEN);
        participant.signal.send(signal_response::Message::RefreshToken(token));
        self.tell_others(key, None);
        self.negotiate_others(now, key);
    }

    /// Mutes its tracks of these sources; it may unmute itself.
    pub(crate) fn mute(&mut self, room: &str, identity: &str, sources: &[Source]) {
        let Some(key) = self.find_identity(room, identity) else { return };
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let mut is_changed = false;
        for track in participant.tracks.iter_mut().filter(|track| sources.contains(&Source::of(&track.info))) {
            if !std::mem::replace(&mut track.info.muted, true) {
                is_changed = true;
                let mute = proto::MuteTrackRequest { sid: track.info.sid.clone(), muted: true };
                participant.signal.send(signal_response::Message::Mute(mute));
            }
        }
        if is_changed {
            self.tell_others(key, None);
        }
    }
}
