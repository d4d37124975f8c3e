//! Which device takes or plays something: the system's, a chosen one, a file in its place, or none.

use std::path::PathBuf;

/// A microphone, speaker or camera, as an engine is told to use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// Follows the system's default.
    #[default]
    Default,
    /// The device with this id; the default while it is not plugged in.
    Device(String),
    /// A file in real time. A microphone says a WAV once and is silent then; a speaker writes a WAV (48 kHz, mono,
    /// 16 bit); a camera shows a Y4M (4:2:0) again and again. Its time begins with the first use and goes on, so a
    /// sound file stays in step with the clock also while nothing is sent.
    File(PathBuf),
    /// Silence, or no picture.
    None,
}

impl From<Option<String>> for Choice {
    fn from(id: Option<String>) -> Self {
        id.map_or(Self::Default, Self::Device)
    }
}
