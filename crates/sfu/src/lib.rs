//! Forwards media between participants; speaks the LiveKit protocol.
//!
//! Signalling v0 with two peer connections a participant, as `livekit-client` and our own client use it. This crate
//! knows no HTTP: who serves `/rtc` hands the query to [`Sfu::connect`] and carries bytes between the WebSocket and the
//! [`SignalConnection`]. One thread (the shard) owns all rooms, all `Rtc` instances and the UDP sockets.

mod demux;
mod dtls;
mod forward;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod participant;
mod query;
mod room;
mod sdp;
mod sfu;
mod shard;
mod signal;
mod sockets;
mod token;

pub use query::{JoinQuery, Refusal};
pub use sfu::{Sfu, SfuConfig, SfuEvent, SignalConnection, StartError, Traffic};
pub use token::{ApiKey, Grant, MaySend, Source, access_token};
