//! The packet path: what a connection tells, and media from one publisher to its subscribers.

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use prost::Message as _;
use str0m::{
    Event,
    channel::ChannelId,
    format::{Codec, PayloadParams},
    media::{MediaKind, Mid, Rid},
    rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc},
};

use super::{Rooms, Work};
use crate::{
    forward::{Arrived, starts_vp8_key_frame},
    participant::{ConnectionKey, DownTrack, Layer, Participant, ParticipantKey, Side, TrackKey},
    sfu::SfuEvent,
};

/// The longest time between two frames that is believed: what is longer is a pause.
const LONGEST_GAP: Duration = Duration::from_millis(500);
/// Packets that come closer together than this are of one frame.
const FRAME_BURST: Duration = Duration::from_millis(5);

impl Rooms {
    pub(super) fn on_event(&mut self, now: Instant, key: ConnectionKey, event: Event) {
        match event {
            Event::RtpPacket(packet) => self.forward(now, key.participant, &packet),
            Event::Connected if key.side == Side::Subscriber => self.on_active(key.participant),
            Event::KeyframeRequest(request) => self.on_key_frame_request(now, key.participant, request.mid),
            Event::ChannelOpen(channel, label) if key.side == Side::Publisher => {
                if let Some(participant) = self.participants.get_mut(&key.participant) {
                    match label.as_str() {
                        "_reliable" => participant.channels.from_reliable = Some(channel),
                        "_lossy" => participant.channels.from_lossy = Some(channel),
                        _ => {}
                    }
                }
            }
            Event::ChannelData(data) if key.side == Side::Publisher => {
                self.relay_data(key.participant, data.id, &data.data);
            }
            _ => {}
        }
    }

    fn on_active(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        if std::mem::replace(&mut participant.is_active, true) {
            return;
        }
        let (room, identity) = (participant.room.clone(), participant.admission.identity.clone());
        tracing::info!(room, identity, "media can flow");
        self.work.push_back(Work::Tell(SfuEvent::ParticipantJoined { room, identity }));
        self.tell_others(key, None);
    }

    fn forward(&mut self, now: Instant, publisher: ParticipantKey, packet: &RtpPacket) {
        let Some(participant) = self.participants.get_mut(&publisher) else { return };
        let ssrc = packet.header.ssrc;
        let Some((index, rid, is_new)) = find_layer(participant, ssrc, now) else { return };
        let track = &participant.tracks[index];
        if track.info.muted {
            return;
        }
        let kind = track.kind;
        let starts_key_frame = match kind {
            MediaKind::Audio => true,
            MediaKind::Video => starts_vp8_key_frame(&packet.payload),
        };
        let (sequence, time) = (*packet.seq_no, packet.header.timestamp);
        let arrived = Arrived { rid, sequence, time, at: now, starts_key_frame };
        let extensions = ExtensionValues {
            audio_level: packet.header.ext_vals.audio_level,
            voice_activity: packet.header.ext_vals.voice_activity,
            video_orientation: packet.header.ext_vals.video_orientation,
            ..ExtensionValues::default()
        };
        let track_key = track.key;
        // The list is taken out while packets go out, so that it need not be copied for each of them.
        let Some(room) = self.rooms.get_mut(&participant.room) else { return };
        let subscribers = std::mem::take(&mut room.participants);
        for subscriber in subscribers.iter().copied().filter(|subscriber| *subscriber != publisher) {
            if self.send(subscriber, track_key, kind, arrived, &extensions, packet) {
                self.touch(ConnectionKey { participant: subscriber, side: Side::Subscriber });
            }
        }
        if let Some(participant) = self.participants.get(&publisher)
            && let Some(room) = self.rooms.get_mut(&participant.room)
        {
            room.participants = subscribers;
        }
        match kind {
            MediaKind::Video if is_new => self.choose_layers(now, publisher, index),
            MediaKind::Video => self.look_at_layers(now, publisher, index),
            MediaKind::Audio => {}
        }
    }

    /// One packet to one subscriber; says whether it went out.
    fn send(
        &mut self,
        subscriber: ParticipantKey,
        track: TrackKey,
        kind: MediaKind,
        arrived: Arrived,
        extensions: &ExtensionValues,
        packet: &RtpPacket,
    ) -> bool {
        let Some(participant) = self.participants.get_mut(&subscriber) else { return false };
        let Participant { downs, subscriber: connection, .. } = participant;
        let is_it = |down: &&mut DownTrack| down.track_key == track && down.is_answered && !down.is_paused;
        let Some(down) = downs.iter_mut().find(is_it) else { return false };
        let Some(outgoing) = down.forward.pass(arrived) else { return false };
        let codec = if kind == MediaKind::Audio { Codec::Opus } else { Codec::Vp8 };
        let params = connection.rtc.codec_config().find(|params| params.spec().codec == codec);
        let Some(pt) = params.map(PayloadParams::pt) else { return false };
        let mut api = connection.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(down.mid, None) else { return false };
        let write = RtpWrite::new(pt, outgoing.sequence, outgoing.time, packet.timestamp, packet.payload.clone())
            .marker(packet.header.marker)
            .ext_vals(extensions.clone())
            .nackable(kind == MediaKind::Video);
        stream.write_rtp(write);
        true
    }

    /// A subscriber's decoder is stuck: pass its wish on.
    fn on_key_frame_request(&mut self, now: Instant, subscriber: ParticipantKey, mid: Mid) {
        let Some(participant) = self.participants.get(&subscriber) else { return };
        let Some(down) = participant.downs.iter().find(|down| down.mid == mid) else { return };
        let (publisher, track, rid) = (down.publisher, down.track_key, down.forward.wanted());
        self.ask_key_frame(now, publisher, track, rid);
    }

    /// Data of one participant to the others, with the sender's name set by us.
    fn relay_data(&mut self, from: ParticipantKey, channel: ChannelId, data: &[u8]) {
        let Some(participant) = self.participants.get(&from) else { return };
        if !participant.admission.can_publish_data {
            return;
        }
        let is_lossy = participant.channels.from_lossy == Some(channel);
        let Ok(mut packet) = proto::DataPacket::decode(data) else { return };
        packet.participant_identity.clone_from(&participant.admission.identity);
        packet.participant_sid.clone_from(&participant.sid);
        let bytes = packet.encode_to_vec();
        for other in self.other_keys(from) {
            let Some(other_participant) = self.participants.get_mut(&other) else { continue };
            let identity = &other_participant.admission.identity;
            if !packet.destination_identities.is_empty() && !packet.destination_identities.contains(identity) {
                continue;
            }
            let channels = &other_participant.channels;
            let to = if is_lossy { channels.to_lossy } else { channels.to_reliable };
            if let Some(mut channel) = to.and_then(|to| other_participant.subscriber.rtc.channel(to)) {
                _ = channel.write(true, &bytes);
            }
            self.touch(ConnectionKey { participant: other, side: Side::Subscriber });
        }
    }
}

/// The track and layer a packet belongs to; learns them from its first packet.
fn find_layer(participant: &mut Participant, ssrc: Ssrc, now: Instant) -> Option<(usize, Option<Rid>, bool)> {
    for (index, track) in participant.tracks.iter_mut().enumerate() {
        if let Some(layer) = track.layers.iter_mut().find(|layer| layer.ssrc == ssrc) {
            let gap = now.saturating_duration_since(std::mem::replace(&mut layer.heard, now)).min(LONGEST_GAP);
            // Packets of one frame come together; the time between two frames is what counts.
            if gap > FRAME_BURST {
                layer.gap = (layer.gap * 7 + gap) / 8;
            }
            return Some((index, layer.rid, false));
        }
    }
    let mut api = participant.publisher.rtc.direct_api();
    let (mid, rid) = api.stream_rx(&ssrc).map(|stream| (stream.mid(), stream.rid()))?;
    let index = participant.tracks.iter().position(|track| track.mid == mid)?;
    participant.tracks[index].layers.push(Layer { ssrc, rid, heard: now, gap: Duration::ZERO, asked_at: None });
    Some((index, rid, true))
}
