//! What a participant sends: announced tracks, the offers that carry them, mutes.

use std::time::{Duration, Instant};

use livekit_protocol::{self as proto, signal_response};
use str0m::{change::SdpOffer, media::MediaKind};

use super::{Rooms, fresh_sid};
use crate::{
    participant::{Announced, ConnectionKey, DownTrack, Participant, ParticipantKey, Side, TrackKey, UpTrack},
    sdp, signal,
    token::Source,
};

/// Tracks a client may announce before it offers them.
const MOST_ANNOUNCED: usize = 20;
/// How long an announced track may take to be offered.
const ANNOUNCED_FOR: Duration = Duration::from_secs(15);

impl Rooms {
    pub(super) fn on_offer(&mut self, now: Instant, key: ParticipantKey, offer: &proto::SessionDescription) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let parsed = match SdpOffer::from_sdp_string(&offer.sdp) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::warn!(%error, "an offer cannot be read");
                return;
            }
        };
        let answer = match participant.publisher.rtc.sdp_api().accept_offer(parsed) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "an offer cannot be taken");
                return;
            }
        };
        let answer = signal::description("answer", answer.to_sdp_string(), offer.id);
        participant.signal.send(signal_response::Message::Answer(answer));
        self.touch(ConnectionKey { participant: key, side: Side::Publisher });
        self.drop_unoffered(now, key);
        self.find_unclaimed(key, &offer.sdp);
        self.claim(now, key);
    }

    /// The m-lines of an offer that send, and belong to no track yet. One that is inactive may carry the next track, but
    /// is nobody's until an offer says so.
    fn find_unclaimed(&mut self, key: ParticipantKey, offer: &str) {
        let Some(Participant { tracks, unclaimed, publisher, .. }) = self.participants.get_mut(&key) else { return };
        *unclaimed = sdp::offered_media(offer);
        unclaimed.retain(|offered| {
            let mid = offered.mid.as_str().into();
            let sends = publisher.rtc.media(mid).is_some_and(|media| media.direction().is_receiving());
            sends && tracks.iter().all(|track| track.mid != mid)
        });
    }

    /// Announced tracks that have not come in time are given up: the client is told, and may announce again.
    pub(super) fn expire_announced(&mut self, now: Instant) {
        for participant in self.participants.values_mut() {
            let Participant { announced, signal, .. } = participant;
            announced.retain(|announced| {
                let is_late = now.saturating_duration_since(announced.at) >= ANNOUNCED_FOR;
                if is_late {
                    tracing::info!(track = announced.info.sid, "an announced track has not come");
                    let gone = proto::TrackUnpublishedResponse { track_sid: announced.info.sid.clone() };
                    signal.send(signal_response::Message::TrackUnpublished(gone));
                }
                !is_late
            });
        }
    }

    /// Tracks whose m-line no longer sends are unpublished.
    fn drop_unoffered(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let Participant { tracks, publisher, .. } = participant;
        let before = tracks.len();
        tracks.retain(|track| publisher.rtc.media(track.mid).is_some_and(|media| media.direction().is_receiving()));
        if tracks.len() != before {
            self.tell_others(key, None);
            self.negotiate_others(now, key);
        }
    }

    pub(super) fn on_add_track(&mut self, now: Instant, key: ParticipantKey, add: proto::AddTrackRequest) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        if let Some(known) = participant.announced.iter().find(|announced| announced.cid == add.cid) {
            // Said twice: the client may have missed the answer.
            let published = proto::TrackPublishedResponse { cid: add.cid, track: Some(known.info.clone()) };
            participant.signal.send(signal_response::Message::TrackPublished(published));
            return;
        }
        let info = track_info(&add);
        let is_allowed = participant.admission.sources.contains(&Source::of(&info));
        if !is_allowed || participant.announced.len() >= MOST_ANNOUNCED {
            let refusal = proto::RequestResponse {
                reason: proto::request_response::Reason::NotAllowed as i32,
                message: "publishing is not allowed".to_owned(),
                request: Some(proto::request_response::Request::AddTrack(add)),
                ..proto::RequestResponse::default()
            };
            participant.signal.send(signal_response::Message::RequestResponse(refusal));
            return;
        }
        let published = proto::TrackPublishedResponse { cid: add.cid.clone(), track: Some(info.clone()) };
        participant.signal.send(signal_response::Message::TrackPublished(published));
        participant.announced.push(Announced { cid: add.cid, info, at: now });
        self.claim(now, key);
    }

    /// Matches announced tracks to offered m-lines: by the track's id, else the first of the same kind.
    fn claim(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let first_track_key = self.next_track_key;
        let mut next_track_key = first_track_key;
        while let Some((announced, offered)) = next_claim(participant) {
            let announced = participant.announced.remove(announced);
            let offered = participant.unclaimed.remove(offered);
            let mid = offered.mid.as_str().into();
            let Some(kind) = participant.publisher.rtc.media(mid).map(str0m::media::Media::kind) else { continue };
            let mut info = announced.info;
            info.mid = offered.mid;
            let key = TrackKey(next_track_key);
            next_track_key += 1;
            participant.tracks.push(UpTrack { key, info, mid, kind, layers: Vec::new(), looked_at: None });
        }
        self.next_track_key = next_track_key;
        if next_track_key != first_track_key {
            self.tell_others(key, None);
            self.negotiate_others(now, key);
        }
    }

    pub(super) fn on_mute(&mut self, now: Instant, key: ParticipantKey, mute: &proto::MuteTrackRequest) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let published = participant.tracks.iter_mut().map(|track| &mut track.info);
        let announced = participant.announced.iter_mut().map(|announced| &mut announced.info);
        let Some(info) = published.chain(announced).find(|info| info.sid == mute.sid) else { return };
        if std::mem::replace(&mut info.muted, mute.muted) == mute.muted {
            return;
        }
        let track = participant.tracks.iter().find(|track| track.info.sid == mute.sid).map(|track| track.key);
        self.tell_others(key, None);
        let Some(track) = track else { return };
        if mute.muted {
            for other in self.other_keys(key) {
                let downs = self.participants.get_mut(&other).map(|other| other.downs.iter_mut());
                let is_it = |down: &&mut DownTrack| down.track_key == track;
                downs.into_iter().flatten().filter(is_it).for_each(|down| down.forward.pause());
            }
        } else {
            self.choose_layers_of(now, key, track);
        }
    }
}

/// The places of an announced track and of the m-line that carries it.
fn next_claim(participant: &Participant) -> Option<(usize, usize)> {
    let kind_of = |mid: &str| participant.publisher.rtc.media(mid.into()).map(str0m::media::Media::kind);
    // What may be sent was decided by what was announced: an m-line of another kind is not it, whatever its name.
    let first = |is_it: &dyn Fn(&Announced, &sdp::OfferedMedia) -> bool| {
        participant.announced.iter().enumerate().find_map(|(index, announced)| {
            let kind = match announced.info.r#type() {
                proto::TrackType::Audio => MediaKind::Audio,
                proto::TrackType::Video => MediaKind::Video,
                proto::TrackType::Data => return None,
            };
            let fits = |media: &sdp::OfferedMedia| is_it(announced, media) && kind_of(&media.mid) == Some(kind);
            Some((index, participant.unclaimed.iter().position(fits)?))
        })
    };
    let exact = first(&|announced, media| media.track.as_ref() == Some(&announced.cid));
    // Only an m-line without a name of its own: a named one waits for its own announcement.
    exact.or_else(|| first(&|_, media| media.track.is_none()))
}

fn track_info(add: &proto::AddTrackRequest) -> proto::TrackInfo {
    let (letter, mime) = match add.r#type() {
        proto::TrackType::Video => ("V", "video/VP8"),
        proto::TrackType::Audio | proto::TrackType::Data => ("A", "audio/opus"),
    };
    let source = match add.source() {
        proto::TrackSource::Camera => "C",
        proto::TrackSource::Microphone => "M",
        proto::TrackSource::ScreenShare => "S",
        proto::TrackSource::ScreenShareAudio => "s",
        proto::TrackSource::Unknown => "U",
    };
    let stream = match add.source() {
        proto::TrackSource::ScreenShare | proto::TrackSource::ScreenShareAudio => "screen",
        proto::TrackSource::Camera | proto::TrackSource::Microphone | proto::TrackSource::Unknown => "camera",
    };
    proto::TrackInfo {
        sid: fresh_sid(&format!("TR_{letter}{source}")),
        r#type: add.r#type,
        name: add.name.clone(),
        muted: add.muted,
        width: add.width,
        height: add.height,
        source: add.source,
        mime_type: mime.to_owned(),
        codecs: vec![proto::SimulcastCodecInfo {
            mime_type: mime.to_owned(),
            cid: add.cid.clone(),
            layers: add.layers.clone(),
            ..proto::SimulcastCodecInfo::default()
        }],
        stream: stream.to_owned(),
        disable_red: true,
        encryption: add.encryption,
        ..proto::TrackInfo::default()
    }
}
