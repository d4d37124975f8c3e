//! Sound: from the microphone to packets, from packets to the speaker, on one thread for both directions.

pub(crate) mod call;
pub(crate) mod device;
mod file;
pub(crate) mod jitter;
pub(crate) mod level;
pub(crate) mod mixer;
pub(crate) mod processing;
pub(crate) mod thread;
pub(crate) mod tick;
pub(crate) mod tones;
pub(crate) mod wav;

/// Samples a second, everywhere inside.
pub(crate) const RATE: u32 = 48_000;
/// Samples of one step of the audio thread: 10 ms.
pub(crate) const STEP: usize = 480;
/// Samples of one Opus frame: 20 ms.
pub(crate) const FRAME: usize = 960;
