//! One track on its way to one subscriber: picks a layer, and rewrites numbers and times so that the stream stays one.

use std::time::Instant;

use str0m::{
    media::{MediaKind, Rid},
    rtp::SeqNo,
};

/// A packet of the publisher, reduced to what the choice depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) rid: Option<Rid>,
    pub(crate) sequence: u64,
    pub(crate) time: u32,
    pub(crate) at: Instant,
    /// The first packet of a frame that can be decoded alone (always true for sound).
    pub(crate) starts_key_frame: bool,
}

/// What the packet becomes for the subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) sequence: SeqNo,
    pub(crate) time: u32,
}

/// The rewriting of one down-track.
///
/// One layer flows at a time; another one takes over only with a key frame, and the numbers go on as if nothing had
/// happened. Within a layer, gaps and reordering stay visible, so that the subscriber asks for what is missing.
#[derive(Debug)]
pub(crate) struct Forward {
    wanted: Option<Rid>,
    flowing: Option<Flow>,
    last_sequence: u64,
    last_time: u32,
    last_at: Option<Instant>,
    /// RTP time of a second.
    clock: u32,
    /// The least RTP time from what flowed before to what takes over: a packet of sound, a frame of a picture.
    step: u32,
}

#[derive(Debug, Clone, Copy)]
struct Flow {
    rid: Option<Rid>,
    sequence_offset: i64,
    time_offset: u32,
    /// Nothing older is let through: it belongs to what flowed before.
    first: u64,
}

impl Forward {
    pub(crate) fn new(kind: MediaKind) -> Self {
        let (clock, step) = match kind {
            MediaKind::Audio => (48_000, 960),
            MediaKind::Video => (90_000, 3_000),
        };
        Self { wanted: None, flowing: None, last_sequence: 0, last_time: 0, last_at: None, clock, step }
    }

    /// Chooses a layer; it takes over with its next key frame. Says whether one should be asked for.
    pub(crate) fn want(&mut self, rid: Option<Rid>) -> bool {
        self.wanted = rid;
        self.flowing.is_none_or(|flow| flow.rid != rid)
    }

    /// The layer that flows, or takes over with its next key frame.
    pub(crate) fn wanted(&self) -> Option<Rid> {
        self.wanted
    }

    /// Starts anew: the next packet that goes out must start a key frame.
    pub(crate) fn pause(&mut self) {
        self.flowing = None;
    }

    /// What becomes of a packet; `None` if it is not for this subscriber.
    pub(crate) fn pass(&mut self, packet: Arrived) -> Option<Outgoing> {
        let flow = match self.flowing {
            Some(flow) if flow.rid == packet.rid => flow,
            _ if packet.rid == self.wanted && packet.starts_key_frame => self.take_over(packet),
            _ => return None,
        };
        if packet.sequence < flow.first {
            return None;
        }
        let sequence = packet.sequence.checked_add_signed(flow.sequence_offset)?;
        let time = packet.time.wrapping_add(flow.time_offset);
        if sequence > self.last_sequence {
            self.last_sequence = sequence;
            self.last_time = time;
            self.last_at = Some(packet.at);
        }
        Some(Outgoing { sequence: sequence.into(), time })
    }

    fn take_over(&mut self, packet: Arrived) -> Flow {
        // Starts low (below 2^16), so that the receiver guesses the roll-over counter of SRTP rightly.
        let next_sequence = self.last_sequence + 1;
        // The clock goes on during a pause: else all that follows would look late by its length.
        let passed = self.last_at.map_or(0, |last| packet.at.saturating_duration_since(last).as_millis());
        let passed = u32::try_from(passed * u128::from(self.clock) / 1000 % (1 << 32)).unwrap_or(0);
        let next_time = self.last_time.wrapping_add(passed.max(self.step));
        let sequence_offset = i64::try_from(next_sequence).unwrap_or(0) - i64::try_from(packet.sequence).unwrap_or(0);
        let flow = Flow {
            rid: packet.rid,
            sequence_offset,
            time_offset: next_time.wrapping_sub(packet.time),
            first: packet.sequence,
        };
        self.flowing = Some(flow);
        flow
    }
}

/// Whether an RTP payload of VP8 begins a key frame (RFC 7741, sections 4.2 and 4.3).
pub(crate) fn starts_vp8_key_frame(payload: &[u8]) -> bool {
    let Some((&first, mut rest)) = payload.split_first() else { return false };
    let (extended, starts_partition, partition) = (first & 0x80 != 0, first & 0x10 != 0, first & 0x07);
    if !starts_partition || partition != 0 {
        return false;
    }
    if extended {
        let Some((&flags, tail)) = rest.split_first() else { return false };
        rest = tail;
        if flags & 0x80 != 0 {
            let Some((&id, tail)) = rest.split_first() else { return false };
            rest = if id & 0x80 != 0 { tail.get(1..).unwrap_or(&[]) } else { tail };
        }
        if flags & 0x40 != 0 {
            rest = rest.get(1..).unwrap_or(&[]);
        }
        if flags & 0x30 != 0 {
            rest = rest.get(1..).unwrap_or(&[]);
        }
    }
    // The P bit of the payload header: 0 for key frames.
    rest.first().is_some_and(|header| header & 0x01 == 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(rid: &str, sequence: u64, time: u32, starts_key_frame: bool) -> Arrived {
        Arrived { rid: Some(rid.into()), sequence, time, at: start(), starts_key_frame }
    }

    #[expect(clippy::disallowed_methods, reason = "a start to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn after_a_pause_numbers_go_on_and_time_has_passed() {
        let mut forward = Forward::new(MediaKind::Audio);
        let sound = |sequence, time, at| Arrived { rid: None, sequence, time, at, starts_key_frame: true };
        let begun = start();
        forward.pass(sound(500, 1_000, begun)).unwrap();
        forward.pause();
        let second = begun + Duration::from_secs(1);
        let next = forward.pass(sound(550, 900_000, second)).unwrap();
        assert_eq!((*next.sequence, next.time), (2, 960 + 48_000));
    }

    #[test]
    fn nothing_flows_before_a_key_frame_and_numbers_start_low() {
        let mut forward = Forward::new(MediaKind::Video);
        forward.want(Some("q".into()));
        assert_eq!(forward.pass(packet("q", 70_000, 10, false)), None);
        let first = forward.pass(packet("q", 70_001, 3010, true)).unwrap();
        assert_eq!((*first.sequence, first.time), (1, 3000));
        let next = forward.pass(packet("q", 70_003, 6010, false)).unwrap();
        assert_eq!((*next.sequence, next.time), (3, 6000), "a gap stays a gap");
        let late = forward.pass(packet("q", 70_002, 6010, false)).unwrap();
        assert_eq!(*late.sequence, 2, "what comes late keeps its place");
    }

    #[test]
    fn another_layer_takes_over_with_its_key_frame_without_a_seam() {
        let mut forward = Forward::new(MediaKind::Video);
        forward.want(Some("q".into()));
        forward.pass(packet("q", 100, 0, true)).unwrap();
        assert!(forward.want(Some("f".into())), "a key frame is asked for");
        assert_eq!(forward.pass(packet("f", 900, 77, false)), None);
        assert_eq!(*forward.pass(packet("q", 101, 3000, false)).unwrap().sequence, 2, "the old one flows on");
        let switched = forward.pass(packet("f", 901, 3077, true)).unwrap();
        assert_eq!((*switched.sequence, switched.time), (3, 9000));
        assert_eq!(forward.pass(packet("q", 102, 6000, false)), None);
        assert_eq!(forward.pass(packet("f", 900, 77, false)), None, "older than the key frame");
    }

    #[test]
    fn key_frames_are_seen_behind_every_form_of_descriptor() {
        assert!(starts_vp8_key_frame(&[0x10, 0x00]));
        assert!(!starts_vp8_key_frame(&[0x10, 0x01]));
        assert!(!starts_vp8_key_frame(&[0x00, 0x00]), "not the start of a frame");
        assert!(starts_vp8_key_frame(&[0x90, 0x80, 0x11, 0x00]), "7-bit picture id");
        assert!(starts_vp8_key_frame(&[0x90, 0x80, 0x81, 0x11, 0x00]), "15-bit picture id");
        assert!(starts_vp8_key_frame(&[0x90, 0xf0, 0x81, 0x11, 0x05, 0x20, 0x00]), "all fields");
        for length in 0..6 {
            starts_vp8_key_frame(&[0x90, 0xf0, 0x81, 0x11, 0x05, 0x20][..length]);
        }
    }
}
