//! Numbers that change all the time: how loud, how far, how much.

use std::{collections::BTreeMap, time::Duration};

/// How loud everybody is, 0 to 1; ten times a second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels {
    /// Our own microphone, as it is sent.
    pub microphone: f32,
    /// Each remote audio track, by track sid.
    pub tracks: BTreeMap<String, f32>,
}

/// How a joined call fares; once a second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerStats {
    /// There and back to the media server.
    pub rtt: Option<Duration>,
    /// Share of our packets that got lost on the way to the server, 0 to 1.
    pub loss_sent: f32,
    /// Share of the packets meant for us that got lost, 0 to 1.
    pub loss_received: f32,
    /// How long sound waits to be played so that late packets still count.
    pub jitter_delay: Duration,
    /// Bits a second that leave us, media only.
    pub sent_bitrate: u64,
    /// Bits a second that reach us, media only.
    pub received_bitrate: u64,
    /// What the video encoder may spend at the moment, bits a second.
    pub video_target_bitrate: u64,
    /// Own pictures that were sent in the last second.
    pub frames_sent: u32,
    /// Whole remote pictures in the last second, by track sid.
    pub frames_received: BTreeMap<String, u32>,
}
