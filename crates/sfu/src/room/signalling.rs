//! What clients say: descriptions, tracks, mutes, subscriptions; and the one offer in flight to each of them.

use std::time::Instant;

use bytes::Bytes;
use livekit_protocol::{self as proto, DisconnectReason, signal_request, signal_response};
use prost::Message as _;
use str0m::{
    Candidate,
    change::{SdpAnswer, SdpOffer},
    channel::{ChannelConfig, Reliability},
    media::{Direction, MediaKind},
};

use super::{Rooms, fresh_sid, unix_millis};
use crate::{
    forward::Forward,
    participant::{Announced, ConnectionKey, DownTrack, Participant, ParticipantKey, Side, TrackKey, UpTrack},
    sdp, signal,
    token::Source,
};

/// Tracks a client may announce before it offers them.
const MOST_ANNOUNCED: usize = 20;

impl Rooms {
    pub(crate) fn signal(&mut self, now: Instant, key: ParticipantKey, request: Bytes) {
        let Ok(request) = proto::SignalRequest::decode(request) else {
            tracing::debug!("a signal that cannot be read is passed over");
            return;
        };
        let Some(message) = request.message else { return };
        match message {
            signal_request::Message::Offer(offer) => self.on_offer(now, key, &offer),
            signal_request::Message::Answer(answer) => self.on_answer(now, key, &answer),
            signal_request::Message::Trickle(trickle) => self.on_trickle(key, &trickle),
            signal_request::Message::AddTrack(add) => self.on_add_track(now, key, add),
            signal_request::Message::Mute(mute) => self.on_mute(key, &mute),
            signal_request::Message::Subscription(subscription) => self.on_subscription(now, key, subscription),
            signal_request::Message::TrackSetting(setting) => self.on_track_setting(now, key, &setting),
            signal_request::Message::Leave(_) => self.take_out(key, DisconnectReason::ClientInitiated),
            signal_request::Message::Ping(sent) => {
                if let Some(participant) = self.participants.get_mut(&key) {
                    participant.signal.send(signal_response::Message::Pong(sent));
                }
            }
            signal_request::Message::PingReq(ping) => {
                if let Some(participant) = self.participants.get_mut(&key) {
                    let pong = proto::Pong { last_ping_timestamp: ping.timestamp, timestamp: unix_millis() };
                    participant.signal.send(signal_response::Message::PongResp(pong));
                }
            }
            // Nothing this server does depends on the others.
            _ => {}
        }
    }

    fn on_offer(&mut self, now: Instant, key: ParticipantKey, offer: &proto::SessionDescription) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        if participant.admission.sources.is_empty() && !participant.admission.can_publish_data {
            return;
        }
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
        let claimed: Vec<String> = participant.tracks.iter().map(|track| track.mid.to_string()).collect();
        participant.unclaimed = sdp::offered_media(&offer.sdp);
        participant.unclaimed.retain(|media| !claimed.contains(&media.mid));
        self.touch(ConnectionKey { participant: key, side: Side::Publisher });
        self.drop_unoffered(now, key);
        self.claim(now, key);
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

    fn on_add_track(&mut self, now: Instant, key: ParticipantKey, add: proto::AddTrackRequest) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let is_known = participant.announced.iter().any(|announced| announced.cid == add.cid);
        let info = track_info(&add);
        let is_allowed = participant.admission.sources.contains(&Source::of(&info));
        if !is_allowed || participant.announced.len() >= MOST_ANNOUNCED || is_known {
            let refusal = proto::RequestResponse {
                reason: proto::request_response::Reason::NotAllowed as i32,
                message: "publishing is not allowed".to_owned(),
                ..proto::RequestResponse::default()
            };
            participant.signal.send(signal_response::Message::RequestResponse(refusal));
            return;
        }
        let published = proto::TrackPublishedResponse { cid: add.cid.clone(), track: Some(info.clone()) };
        participant.signal.send(signal_response::Message::TrackPublished(published));
        participant.announced.push(Announced { cid: add.cid, info });
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
            participant.tracks.push(UpTrack { key, info, mid, kind, layers: Vec::new(), asked_at: None });
        }
        self.next_track_key = next_track_key;
        if next_track_key != first_track_key {
            self.tell_others(key, None);
            self.negotiate_others(now, key);
        }
    }

    pub(super) fn negotiate_others(&mut self, now: Instant, key: ParticipantKey) {
        for other in self.other_keys(key) {
            self.negotiate(now, other);
        }
    }

    /// Brings what a participant gets in line with what there is, one offer at a time.
    pub(super) fn negotiate(&mut self, _now: Instant, key: ParticipantKey) {
        let wanted = self.wanted_tracks(key);
        let Some(participant) = self.participants.get_mut(&key) else { return };
        if participant.pending_offer.is_some() {
            return;
        }
        let is_first = participant.offer_id == 0;
        let Participant { subscriber, downs, channels, .. } = participant;
        let mut changes = subscriber.rtc.sdp_api();
        if is_first {
            let channel = |label: &str, ordered, reliability| ChannelConfig {
                label: label.to_owned(),
                ordered,
                reliability,
                negotiated: None,
                protocol: String::new(),
            };
            let lossy = Reliability::MaxRetransmits { retransmits: 0 };
            channels.to_reliable =
                Some(changes.add_channel_with_config(channel("_reliable", true, Reliability::Reliable)));
            channels.to_lossy = Some(changes.add_channel_with_config(channel("_lossy", false, lossy)));
        }
        downs.retain(|down| {
            let is_wanted = wanted.iter().any(|track| track.sid == down.track);
            if !is_wanted {
                changes.stop_media(down.mid);
            }
            is_wanted
        });
        for track in wanted {
            if downs.iter().any(|down| down.track == track.sid) {
                continue;
            }
            let (stream, name) = (Some(track.stream), Some(track.sid.clone()));
            let mid = changes.add_media(track.kind, Direction::SendOnly, stream, name, None);
            let step = match track.kind {
                MediaKind::Audio => 960,
                MediaKind::Video => 3_000,
            };
            downs.push(DownTrack {
                publisher: track.publisher,
                track: track.sid,
                track_key: track.key,
                mid,
                forward: Forward::new(step),
                is_paused: false,
                is_answered: false,
            });
        }
        if let Some((offer, pending)) = changes.apply() {
            participant.offer_id += 1;
            participant.pending_offer = Some(pending);
            let offer = signal::description("offer", offer.to_sdp_string(), participant.offer_id);
            participant.signal.send(signal_response::Message::Offer(offer));
        }
        self.touch(ConnectionKey { participant: key, side: Side::Subscriber });
    }

    fn wanted_tracks(&self, key: ParticipantKey) -> Vec<Wanted> {
        let Some(participant) = self.participants.get(&key) else { return Vec::new() };
        let mut wanted = Vec::new();
        for publisher in self.other_keys(key) {
            let Some(other) = self.participants.get(&publisher) else { continue };
            for track in other.tracks.iter().filter(|track| participant.wants(&track.info.sid)) {
                let stream = if track.info.stream.is_empty() { "camera" } else { track.info.stream.as_str() };
                wanted.push(Wanted {
                    publisher,
                    key: track.key,
                    sid: track.info.sid.clone(),
                    stream: format!("{}|{stream}", other.sid),
                    kind: track.kind,
                });
            }
        }
        wanted
    }

    fn on_answer(&mut self, now: Instant, key: ParticipantKey, answer: &proto::SessionDescription) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        if answer.id != 0 && answer.id != participant.offer_id {
            return;
        }
        let Some(pending) = participant.pending_offer.take() else { return };
        let accepted = SdpAnswer::from_sdp_string(&answer.sdp).map_err(|error| error.to_string()).and_then(|answer| {
            participant.subscriber.rtc.sdp_api().accept_answer(pending, answer).map_err(|error| error.to_string())
        });
        if let Err(error) = accepted {
            tracing::warn!(error, "an answer cannot be taken");
            return self.take_out(key, DisconnectReason::JoinFailure);
        }
        let mut need_key_frame = Vec::new();
        for down in participant.downs.iter_mut().filter(|down| !down.is_answered) {
            down.is_answered = true;
            need_key_frame.push((down.publisher, down.track.clone()));
        }
        self.touch(ConnectionKey { participant: key, side: Side::Subscriber });
        for (publisher, track) in need_key_frame {
            self.ask_key_frame(now, publisher, &track, None);
        }
        self.negotiate(now, key);
    }

    fn on_trickle(&mut self, key: ParticipantKey, trickle: &proto::TrickleRequest) {
        let side = match trickle.target() {
            proto::SignalTarget::Publisher => Side::Publisher,
            proto::SignalTarget::Subscriber => Side::Subscriber,
        };
        let parsed: Option<serde_json::Value> = serde_json::from_str(&trickle.candidate_init).ok();
        let line = parsed.as_ref().and_then(|init| init.get("candidate")).and_then(|line| line.as_str());
        // Names under .local (mDNS) cannot be looked up here; the client's checks tell its address.
        let Some(candidate) = line.and_then(|line| Candidate::from_sdp_string(line).ok()) else { return };
        if let Some(participant) = self.participants.get_mut(&key) {
            participant.connection(side).rtc.add_remote_candidate(candidate);
            self.touch(ConnectionKey { participant: key, side });
        }
    }

    fn on_mute(&mut self, key: ParticipantKey, mute: &proto::MuteTrackRequest) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let published = participant.tracks.iter_mut().map(|track| &mut track.info);
        let announced = participant.announced.iter_mut().map(|announced| &mut announced.info);
        let Some(info) = published.chain(announced).find(|info| info.sid == mute.sid) else { return };
        if std::mem::replace(&mut info.muted, mute.muted) != mute.muted {
            self.tell_others(key, None);
        }
    }

    fn on_subscription(&mut self, now: Instant, key: ParticipantKey, subscription: proto::UpdateSubscription) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let by_participant = subscription.participant_tracks.into_iter().flat_map(|tracks| tracks.track_sids);
        for sid in subscription.track_sids.into_iter().chain(by_participant) {
            let is_exception = subscription.subscribe != participant.auto_subscribe;
            participant.exceptions.retain(|known| *known != sid);
            if is_exception && participant.exceptions.len() < 1_000 {
                participant.exceptions.push(sid);
            }
        }
        self.negotiate(now, key);
    }

    fn on_track_setting(&mut self, now: Instant, key: ParticipantKey, setting: &proto::UpdateTrackSettings) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let mut need_key_frame = Vec::new();
        for down in participant.downs.iter_mut().filter(|down| setting.track_sids.contains(&down.track)) {
            if std::mem::replace(&mut down.is_paused, setting.disabled) && !setting.disabled {
                need_key_frame.push((down.publisher, down.track.clone()));
            }
            if setting.disabled {
                down.forward.pause();
            }
        }
        for (publisher, track) in need_key_frame {
            self.ask_key_frame(now, publisher, &track, None);
        }
    }
}

/// A track somebody should get.
struct Wanted {
    publisher: ParticipantKey,
    key: TrackKey,
    sid: String,
    stream: String,
    kind: MediaKind,
}

/// The places of an announced track and of the m-line that carries it.
fn next_claim(participant: &Participant) -> Option<(usize, usize)> {
    let kind_of = |mid: &str| participant.publisher.rtc.media(mid.into()).map(str0m::media::Media::kind);
    let exact = participant.announced.iter().enumerate().find_map(|(index, announced)| {
        let is_same = |media: &sdp::OfferedMedia| media.track.as_ref() == Some(&announced.cid);
        Some((index, participant.unclaimed.iter().position(is_same)?))
    });
    exact.or_else(|| {
        participant.announced.iter().enumerate().find_map(|(index, announced)| {
            let kind = match announced.info.r#type() {
                proto::TrackType::Audio => MediaKind::Audio,
                proto::TrackType::Video => MediaKind::Video,
                proto::TrackType::Data => return None,
            };
            // Only an m-line without a name of its own: a named one waits for its own announcement.
            let fits = |media: &sdp::OfferedMedia| media.track.is_none() && kind_of(&media.mid) == Some(kind);
            Some((index, participant.unclaimed.iter().position(fits)?))
        })
    })
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
