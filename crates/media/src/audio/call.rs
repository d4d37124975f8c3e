//! The seam between the audio thread and the thread of a call: packets both ways, through bounded rings.

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Instant,
};

use tokio::sync::{Notify, watch};

use crate::{codec::opus::Payload, stats::Levels};

/// Packets on their way out; the call's thread takes them within milliseconds.
pub(super) const UPLINK: usize = 32;
/// Packets on their way in; the audio thread takes them every 10 ms.
pub(super) const DOWNLINK: usize = 512;

/// One 20 ms packet of the microphone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncodedAudio {
    /// In units of 1/48,000 s.
    pub(crate) rtp_time: u32,
    /// As RFC 6464 sends it: -127 to 0.
    pub(crate) level_dbov: i8,
    pub(crate) is_voice: bool,
    pub(crate) payload: Payload,
}

/// Names a remote track on the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TrackSlot(pub(super) u32);

/// What goes over the downlink ring.
pub(crate) enum Downward {
    Add { slot: TrackSlot, key: String },
    Remove { slot: TrackSlot },
    Packet { slot: TrackSlot, sequence: u64, rtp_time: u32, arrived: Instant, payload: Payload },
}

/// The call's end of the seam; dropping it takes the call out of the mix.
pub(crate) struct AudioCall {
    pub(crate) uplink: rtrb::Consumer<EncodedAudio>,
    pub(crate) uplink_ready: Arc<Notify>,
    pub(crate) downlink: Downlink,
    pub(crate) levels: watch::Receiver<Levels>,
    /// How long remote sound waits to be played, in milliseconds.
    pub(crate) delay_ms: Arc<AtomicU32>,
}

/// Packets of all remote tracks, towards the audio thread.
pub(crate) struct Downlink {
    pub(super) ring: rtrb::Producer<Downward>,
    pub(super) next_slot: u32,
}

impl Downlink {
    pub(crate) fn add_track(&mut self, key: &str) -> TrackSlot {
        let slot = TrackSlot(self.next_slot);
        self.next_slot += 1;
        self.push_or_warn(Downward::Add { slot, key: key.to_owned() });
        slot
    }

    pub(crate) fn remove_track(&mut self, slot: TrackSlot) {
        self.push_or_warn(Downward::Remove { slot });
    }

    /// A full ring loses the packet, as the network would.
    pub(crate) fn push(&mut self, slot: TrackSlot, sequence: u64, rtp_time: u32, arrived: Instant, payload: &[u8]) {
        if let Some(payload) = Payload::new(payload) {
            _ = self.ring.push(Downward::Packet { slot, sequence, rtp_time, arrived, payload });
        }
    }

    fn push_or_warn(&mut self, message: Downward) {
        if self.ring.push(message).is_err() {
            tracing::warn!("the audio thread does not follow; a track change is lost");
        }
    }
}
