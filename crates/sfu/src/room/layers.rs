//! Which encoding of a picture each subscriber gets, and the key frames that a change of it needs.

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use str0m::media::{KeyframeRequestKind, MediaKind, Rid};

use super::Rooms;
use crate::participant::{ConnectionKey, Layer, ParticipantKey, Quality, Side, TrackKey};

/// Key frames are asked for no more often than this, whoever wants them: each costs as much as many frames.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(300);
/// How often the layers of a track are looked at while its packets come.
const LOOK: Duration = Duration::from_millis(50);
/// A layer that has been silent for this long has been paused by the publisher; slow ones are given three frames.
const LAYER_SILENT: Duration = Duration::from_millis(200);
/// What a subscriber asks for may be this much larger than the layer it gets, in percent of what it asks for.
const TOLERANCE: u32 = 90;

impl Rooms {
    /// A packet of a picture has come: looks at the layers of its track, unless it has just done so.
    pub(super) fn look_at_layers(&mut self, now: Instant, publisher: ParticipantKey, index: usize) {
        let track = self.participants.get(&publisher).and_then(|participant| participant.tracks.get(index));
        let looked_at = track.and_then(|track| track.looked_at);
        if looked_at.is_none_or(|at| now.saturating_duration_since(at) >= LOOK) {
            self.choose_layers(now, publisher, index);
        }
    }

    /// The same, for a track that is known by its key.
    pub(super) fn choose_layers_of(&mut self, now: Instant, publisher: ParticipantKey, track: TrackKey) {
        let tracks = self.participants.get(&publisher).map(|participant| participant.tracks.as_slice());
        if let Some(index) = tracks.and_then(|tracks| tracks.iter().position(|known| known.key == track)) {
            self.choose_layers(now, publisher, index);
        }
    }

    /// Gives every subscriber of a track the best living layer it can use, and asks for the key frames they wait for.
    pub(super) fn choose_layers(&mut self, now: Instant, publisher: ParticipantKey, index: usize) {
        let Some(participant) = self.participants.get_mut(&publisher) else { return };
        let Some(track) = participant.tracks.get_mut(index) else { return };
        if track.kind != MediaKind::Video || track.info.muted {
            return;
        }
        track.looked_at = Some(now);
        let best = Quality::ALL.map(|most| best_layer(&track.layers, most, now));
        let (track, room) = (track.key, &participant.room);
        let mut is_waited_for = [false; Quality::ALL.len()];
        // The list is taken out meanwhile, so that it need not be copied.
        let Some(room) = self.rooms.get_mut(room) else { return };
        let subscribers = std::mem::take(&mut room.participants);
        for subscriber in &subscribers {
            let Some(subscriber) = self.participants.get_mut(subscriber) else { continue };
            for down in subscriber.downs.iter_mut().filter(|down| down.track_key == track && !down.is_paused) {
                if let Some(rid) = best[down.most as usize] {
                    is_waited_for[down.most as usize] |= down.forward.want(rid) && down.is_answered;
                }
            }
        }
        if let Some(participant) = self.participants.get(&publisher)
            && let Some(room) = self.rooms.get_mut(&participant.room)
        {
            room.participants = subscribers;
        }
        for (rid, is_waited_for) in best.into_iter().zip(is_waited_for) {
            if let Some(rid) = rid.filter(|_| is_waited_for) {
                self.ask_key_frame(now, publisher, track, rid);
            }
        }
    }

    /// Asks a publisher for a key frame of one layer. A wish that comes too soon after another is made again with one
    /// of the next packets, as long as somebody waits.
    pub(super) fn ask_key_frame(&mut self, now: Instant, publisher: ParticipantKey, track: TrackKey, rid: Option<Rid>) {
        let Some(participant) = self.participants.get_mut(&publisher) else { return };
        let Some(track) = participant.tracks.iter_mut().find(|known| known.key == track) else { return };
        if track.kind == MediaKind::Audio {
            return;
        }
        let mut api = participant.publisher.rtc.direct_api();
        for layer in track.layers.iter_mut().filter(|layer| layer.rid == rid) {
            if layer.asked_at.is_some_and(|asked| now.saturating_duration_since(asked) < KEY_FRAME_PAUSE) {
                continue;
            }
            if let Some(stream) = api.stream_rx(&layer.ssrc) {
                layer.asked_at = Some(now);
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
        self.touch(ConnectionKey { participant: publisher, side: Side::Publisher });
    }
}

/// The best living layer that is not above `most`; the least one if all are above it.
fn best_layer(layers: &[Layer], most: Quality, now: Instant) -> Option<Option<Rid>> {
    let alive = || layers.iter().filter(|layer| is_alive(layer, now)).map(|layer| layer.rid);
    let rank = |rid: &Option<Rid>| rid.map_or(Quality::Low, Quality::of);
    let allowed = alive().filter(|rid| rank(rid) <= most).max_by_key(rank);
    allowed.or_else(|| alive().min_by_key(rank))
}

fn is_alive(layer: &Layer, now: Instant) -> bool {
    now.saturating_duration_since(layer.heard) < LAYER_SILENT.max(3 * layer.gap)
}

/// The least quality that fills what a subscriber shows.
pub(super) fn quality_for(setting: &proto::UpdateTrackSettings, info: &proto::TrackInfo) -> Quality {
    if setting.width == 0 || setting.height == 0 {
        return Quality::from_wire(setting.quality());
    }
    // A picture that stands upright is measured across, like one that lies.
    let short = |width: u32, height: u32| width.min(height);
    let wanted = short(setting.width, setting.height) * TOLERANCE / 100;
    let layers = info.codecs.first().map(|codec| codec.layers.as_slice()).unwrap_or_default();
    let fitting = layers.iter().filter(|layer| short(layer.width, layer.height) >= wanted);
    fitting.map(|layer| Quality::from_wire(layer.quality())).min().unwrap_or(Quality::High)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> proto::TrackInfo {
        let layer = |quality: proto::VideoQuality, width, height| proto::VideoLayer {
            quality: quality as i32,
            width,
            height,
            ..proto::VideoLayer::default()
        };
        let layers = vec![
            layer(proto::VideoQuality::Low, 320, 180),
            layer(proto::VideoQuality::Medium, 640, 360),
            layer(proto::VideoQuality::High, 1280, 720),
        ];
        let codecs = vec![proto::SimulcastCodecInfo { layers, ..proto::SimulcastCodecInfo::default() }];
        proto::TrackInfo { codecs, ..proto::TrackInfo::default() }
    }

    #[test]
    fn the_size_that_is_shown_decides_and_else_the_quality() {
        let wish = |width, height, quality: proto::VideoQuality| {
            let quality = quality as i32;
            let setting =
                proto::UpdateTrackSettings { width, height, quality, ..proto::UpdateTrackSettings::default() };
            quality_for(&setting, &info())
        };
        assert_eq!(wish(300, 170, proto::VideoQuality::High), Quality::Low);
        assert_eq!(wish(340, 190, proto::VideoQuality::Low), Quality::Low, "a little larger will do");
        assert_eq!(wish(640, 360, proto::VideoQuality::Low), Quality::Medium);
        assert_eq!(wish(1920, 1080, proto::VideoQuality::Low), Quality::High);
        assert_eq!(wish(360, 640, proto::VideoQuality::Low), Quality::Medium, "upright");
        assert_eq!(wish(0, 0, proto::VideoQuality::Medium), Quality::Medium);
    }
}
