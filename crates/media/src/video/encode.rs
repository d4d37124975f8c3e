//! The encode thread: takes the newest picture, makes VP8 of it, hands it to the call and to the own preview.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    hub::{LOCAL, VideoHub},
    latest::{Taken, Taker},
    picture::Picture,
};
use crate::{
    codec::vp8::{Vp8Encoder, Wish},
    frame::{Captured, EncodedFrame},
};

/// Where the encoder begins, and between what the network may move it, in bits a second.
pub(crate) const START_BITRATE: u64 = 500_000;
/// The least that still looks like a person.
pub(crate) const LEAST_BITRATE: u64 = 150_000;
/// More does not look better at this size.
pub(crate) const MOST_BITRATE: u64 = 1_500_000;
/// Key frames come no more often than this: each costs as much as many frames.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(500);
/// A new bitrate must differ by this much (an eighth) to be worth a change.
const WORTH: u64 = 8;

/// What the call's thread tells the encoder while it runs.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    /// Somebody cannot decode: the next picture must stand alone.
    pub(crate) key_frame: AtomicBool,
    /// Bits a second; 0 means the start value.
    pub(crate) bitrate: AtomicU64,
}

/// Times of frames count from `origin`. Runs until the camera's slot is closed or nobody takes the frames.
pub(crate) fn start(
    pictures: Taker<Captured>,
    frames: mpsc::Sender<EncodedFrame>,
    hub: VideoHub,
    steering: Arc<Steering>,
    picture: Picture,
    origin: Instant,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("encode".to_owned()).spawn(move || {
        if let Err(error) = run(&pictures, &frames, &hub, &steering, picture, origin) {
            tracing::error!(%error, "the encoder has stopped");
        }
    })?;
    Ok(())
}

fn run(
    pictures: &Taker<Captured>,
    frames: &mpsc::Sender<EncodedFrame>,
    hub: &VideoHub,
    steering: &Steering,
    picture: Picture,
    origin: Instant,
) -> Result<(), crate::codec::vp8::Vp8Error> {
    let mut bitrate = START_BITRATE;
    let mut encoder = Vp8Encoder::new(picture.width, picture.height, bitrate)?;
    let mut key_at: Option<Instant> = None;
    loop {
        let captured = match pictures.take(Duration::from_millis(500)) {
            Taken::Value(captured) => captured,
            Taken::Nothing if frames.is_closed() => return Ok(()),
            Taken::Nothing => continue,
            Taken::Closed => return Ok(()),
        };
        let wanted = match steering.bitrate.load(Ordering::Relaxed) {
            0 => START_BITRATE,
            wanted => wanted.clamp(LEAST_BITRATE, MOST_BITRATE),
        };
        if wanted.abs_diff(bitrate) > bitrate / WORTH {
            bitrate = wanted;
            encoder.set_bitrate(bitrate)?;
        }
        let may_be_key = key_at.is_none_or(|at| captured.at.saturating_duration_since(at) >= KEY_FRAME_PAUSE);
        let wish =
            if may_be_key && steering.key_frame.swap(false, Ordering::Relaxed) { Wish::KeyFrame } else { Wish::Any };
        let at = captured.at.saturating_duration_since(origin);
        let Some(frame) = encoder.encode(&captured.picture, at, wish)? else { continue };
        if frame.key {
            key_at = Some(captured.at);
        }
        if hub.publish(LOCAL, &frame) {
            steering.key_frame.store(true, Ordering::Relaxed);
        }
        match frames.try_send(frame) {
            Ok(()) => {}
            // The call's thread is behind: what follows is of no use without this frame.
            Err(mpsc::error::TrySendError::Full(_)) => steering.key_frame.store(true, Ordering::Relaxed),
            Err(mpsc::error::TrySendError::Closed(_)) => return Ok(()),
        }
    }
}
