//! What comes: tracks, packets of sound to the audio thread, pictures to the hub when they are due.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use str0m::{
    format::CodecExtra,
    media::{Frequency, KeyframeRequestKind, MediaData, Mid},
};

use super::Call;
use crate::{
    audio::call::TrackSlot,
    frame::EncodedFrame,
    peer::{PeerEvent, TrackKind, msid::Offered},
};

/// Key frames are asked for no more often than this.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(300);

/// A track we get.
pub(super) struct Receiving {
    pub(super) offered: Offered,
    pub(super) audio: Option<TrackSlot>,
    /// Nothing can be shown before the next key frame.
    pub(super) waits_for_key: bool,
    pub(super) asked_at: Option<Instant>,
    pub(super) size: (u16, u16),
    pub(super) frames: u32,
}

impl Call {
    /// Takes the tracks of an offer over: new ones are added, missing ones are gone.
    pub(super) async fn follow(&mut self, offered: Vec<Offered>) {
        let is_gone = |mid: &Mid, known: &Receiving| {
            !offered
                .iter()
                .any(|track| Mid::from(track.mid.as_str()) == *mid && track.track_sid == known.offered.track_sid)
        };
        let gone: Vec<Mid> =
            self.receiving.iter().filter(|(mid, known)| is_gone(mid, known)).map(|(mid, _)| *mid).collect();
        for mid in gone {
            let Some(known) = self.receiving.remove(&mid) else { continue };
            self.lip_sync.forget(mid);
            if let Some(slot) = known.audio {
                self.setup.call.downlink.remove_track(slot);
            }
            self.emit(PeerEvent::TrackRemoved { track_sid: known.offered.track_sid }).await;
        }
        for track in offered {
            let mid = Mid::from(track.mid.as_str());
            if self.receiving.contains_key(&mid) {
                continue;
            }
            let audio = match track.kind {
                TrackKind::Audio => Some(self.setup.call.downlink.add_track(&track.track_sid)),
                TrackKind::Video => None,
            };
            let (participant_sid, track_sid) = (track.participant_sid.clone(), track.track_sid.clone());
            let kind = track.kind;
            let receiving =
                Receiving { offered: track, audio, waits_for_key: true, asked_at: None, size: (0, 0), frames: 0 };
            self.receiving.insert(mid, receiving);
            self.emit(PeerEvent::TrackAdded { participant_sid, track_sid, kind }).await;
        }
    }

    pub(super) fn on_media(&mut self, data: MediaData) {
        let Some(track) = self.receiving.get_mut(&data.mid) else { return };
        if let Some(slot) = track.audio {
            let sequence = **data.seq_range.start();
            let rtp_time = data.time.rebase(Frequency::FORTY_EIGHT_KHZ).numer() as u32;
            self.setup.call.downlink.push(slot, sequence, rtp_time, data.network_time, &data.data);
            return;
        }
        let key = matches!(&data.codec_extra, CodecExtra::Vp8(extra) if extra.is_keyframe);
        if !data.contiguous {
            track.waits_for_key = true;
        }
        if track.waits_for_key && !key {
            return self.ask_key_frame(data.network_time, data.mid);
        }
        track.waits_for_key = false;
        if key && let Some(size) = key_frame_size(&data.data) {
            track.size = size;
        }
        let frame = EncodedFrame {
            key,
            timestamp: Duration::from_micros(data.time.rebase(Frequency::MICROS).numer()),
            width: track.size.0,
            height: track.size.1,
            data: bytes::Bytes::copy_from_slice(&data.data),
        };
        track.frames += 1;
        let has_sound = self.receiving.values().any(|track| track.audio.is_some());
        let waits = Duration::from_millis(u64::from(self.setup.call.delay_ms.load(Ordering::Relaxed)));
        self.lip_sync.hold(data.network_time, data.mid, frame, has_sound.then_some(waits));
        self.show(data.network_time);
    }

    /// Hands out the pictures that are due.
    pub(super) fn show(&mut self, now: Instant) {
        while let Some((mid, frame)) = self.lip_sync.pop(now) {
            let Some(track) = self.receiving.get(&mid) else { continue };
            if self.setup.video.publish(&track.offered.track_sid, &frame) {
                self.ask_key_frame(now, mid);
            }
        }
    }

    fn ask_key_frame(&mut self, now: Instant, mid: Mid) {
        let Some(track) = self.receiving.get_mut(&mid) else { return };
        if track.asked_at.is_some_and(|asked| now.saturating_duration_since(asked) < KEY_FRAME_PAUSE) {
            return;
        }
        track.asked_at = Some(now);
        if let Some(mut writer) = self.subscriber.rtc.writer(mid) {
            _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        }
        // Sent with the connection's next turn, which is at most a few milliseconds away.
        self.subscriber.wake = now;
    }
}

/// Width and height in the header of a VP8 key frame (RFC 6386, section 9.1).
fn key_frame_size(frame: &[u8]) -> Option<(u16, u16)> {
    let header: &[u8; 10] = frame.first_chunk()?;
    if header[0] & 1 != 0 || header[3..6] != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let size = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
    Some((size(header[6], header[7]), size(header[8], header[9])))
}
