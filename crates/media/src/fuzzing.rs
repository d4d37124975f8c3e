//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::io::Cursor;

use nokhwa::{
    Buffer,
    utils::{FrameFormat, Resolution},
};

use crate::{
    audio::wav::Voice,
    peer::msid::offered_tracks,
    video::camera::{convert::to_i420, y4m::Y4m},
};

/// Every target of this crate: its name in fuzz/, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
pub const TARGETS: &[(&str, fn(&[u8]))] =
    &[("wav", wav), ("y4m", y4m), ("camera_picture", camera_picture), ("offered_tracks", offered)];

/// A file that speaks in place of a microphone. Only one in sixteen has a rate of its own: to make a filter for it takes a
/// thousand times as long as to read the file.
pub fn wav(data: &[u8]) {
    let mut data = data.to_vec();
    if data.last().is_some_and(|last| last % 16 != 0)
        && let Some(&[low, high]) = data.get(32..34)
    {
        // Samples a second, and bytes a second, which must be as many blocks.
        let block = u32::from(u16::from_le_bytes([low, high]));
        data[24..28].copy_from_slice(&48_000_u32.to_le_bytes());
        data[28..32].copy_from_slice(&(48_000 * block).to_le_bytes());
    }
    if let Ok(mut voice) = Voice::read_from(Cursor::new(data)) {
        for _ in 0..20 {
            assert!(voice.step().iter().all(|sample| sample.is_finite()), "the mixer adds samples up");
        }
    }
}

/// A file in place of a camera.
pub fn y4m(data: &[u8]) {
    if let Ok(mut pictures) = Y4m::read_from(Cursor::new(data)) {
        for _ in 0..4 {
            if pictures.advance().is_err() {
                return;
            }
        }
    }
}

/// A picture of a camera: its format in a byte, width and height in two each, and what the driver gave.
pub fn camera_picture(data: &[u8]) {
    let Some((&[format, w1, w0, h1, h0], picture)) = data.split_first_chunk::<5>() else { return };
    let format = match format % 4 {
        0 => FrameFormat::YUYV,
        1 => FrameFormat::NV12,
        2 => FrameFormat::MJPEG,
        _ => FrameFormat::GRAY,
    };
    let size = Resolution::new(u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
    _ = to_i420(&Buffer::new(size, picture, format), 64, 48);
}

/// What is read from a media server's offer besides what str0m reads.
pub fn offered(data: &[u8]) {
    if let Ok(sdp) = std::str::from_utf8(data) {
        _ = offered_tracks(sdp);
    }
}
