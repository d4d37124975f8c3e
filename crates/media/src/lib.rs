//! Devices, processing, codecs, jitter, RTP. Knows no users and no calls.
//!
//! One [`Engine`] a process owns the devices; a joined call is a [`Peer`], two WebRTC connections to a media server that
//! speaks LiveKit. Pictures are handed out by the [`VideoHub`], encoded.

mod audio;
mod choice;
mod codec;
mod engine;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod peer;
mod stats;
mod video;

pub use audio::{processing::Processing, tones::Tone};
pub use choice::Choice;
pub use codec::vp8::{Vp8Decoder, Vp8Error};
pub use engine::{DeviceInfo, Devices, Engine, EngineError, EngineOptions, PlayingTone};
pub use frame::{EncodedFrame, I420};
pub use peer::{ConnectionState, DeviceKind, Peer, PeerCommand, PeerEvent, PeerOptions, Target, Toggle, TrackKind};
pub use stats::{Levels, PeerStats};
pub use video::{
    hub::{VideoHub, VideoSubscription},
    picture::Picture,
};
