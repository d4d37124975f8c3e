//! What clients say, and what they get: subscriptions, and the one offer in flight to each of them.

use std::time::Instant;

use bytes::Bytes;
use livekit_protocol::{self as proto, DisconnectReason, signal_request, signal_response};
use prost::Message as _;
use str0m::{
    Candidate,
    change::SdpAnswer,
    channel::{ChannelConfig, Reliability},
    media::{Direction, MediaKind},
};

use super::{Rooms, layers, unix_millis};
use crate::{
    forward::Forward,
    participant::{ConnectionKey, DownTrack, Participant, ParticipantKey, Quality, Side, TrackKey},
    signal,
};

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
            signal_request::Message::Mute(mute) => self.on_mute(now, key, &mute),
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
            downs.push(DownTrack {
                publisher: track.publisher,
                track: track.sid,
                track_key: track.key,
                mid,
                forward: Forward::new(track.kind),
                most: Quality::High,
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
        let mut begun = Vec::new();
        for down in participant.downs.iter_mut().filter(|down| !down.is_answered) {
            down.is_answered = true;
            begun.push((down.publisher, down.track_key));
        }
        self.touch(ConnectionKey { participant: key, side: Side::Subscriber });
        for (publisher, track) in begun {
            self.choose_layers_of(now, publisher, track);
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
        let Some(participant) = self.participants.get(&key) else { return };
        let named = participant.downs.iter().filter(|down| setting.track_sids.contains(&down.track));
        let named: Vec<_> = named.map(|down| (down.publisher, down.track_key)).collect();
        for (publisher, track) in named {
            let tracks = self.participants.get(&publisher).map(|publisher| publisher.tracks.as_slice());
            let known = tracks.and_then(|tracks| tracks.iter().find(|known| known.key == track));
            let most = known.map_or(Quality::High, |known| layers::quality_for(setting, &known.info));
            let downs = self.participants.get_mut(&key).map(|participant| participant.downs.iter_mut());
            for down in downs.into_iter().flatten().filter(|down| down.track_key == track) {
                down.most = most;
                down.is_paused = setting.disabled;
                if setting.disabled {
                    down.forward.pause();
                }
            }
            self.choose_layers_of(now, publisher, track);
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
