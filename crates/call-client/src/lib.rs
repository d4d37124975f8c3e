//! The SDK: sign in, ring, answer, join, watch.
//!
//! [`sign_in`] turns an invite into an [`Account`]; [`Client::start`] connects it and stays connected. What a screen may
//! show is one value, [`ClientState`], watched with [`Client::state`]. The server decides about every ring; this crate
//! mirrors it.

mod account;
mod backoff;
mod call;
mod calls;
mod client;
mod clock;
mod errands;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "simulation")]
mod planted;
mod profile;
mod quiet;
mod rest;
mod roster;
mod session;
mod signal;
#[cfg(feature = "simulation")]
pub mod simulation;
mod socket;
mod state;
mod tls;
mod wish;

pub use account::{Account, SignInWish, sign_in};
pub use calls::{JoinOptions, Leave, Toggle};
pub use client::Client;
pub use error::ClientError;
pub use rest::Rest;
pub use state::{
    CallStateView, CallView, CallingState, ClientState, Connection, DeviceView, EndReason, HistoryView, JoinedView,
    ParticipantView, RingView, TargetView,
};
pub use wish::RingWish;
