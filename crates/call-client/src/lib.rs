//! The SDK: sign in, ring, answer, join, watch.
//!
//! [`sign_in`] turns an invite into an [`Account`]; [`Client::start`] connects it and stays connected. What a screen may
//! show is one value, [`ClientState`], watched with [`Client::state`]. The server decides about every ring; this crate
//! mirrors it.
//!
//! ```no_run
//! use call_client::{CallView, Client, Engine, EngineOptions, SignInWish, Toggle, sign_in};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let account = sign_in(&"bellbird://join/…".parse()?, SignInWish::named("Ann")).await?;
//! let client = Client::start(account, Some(Engine::start(EngineOptions::default())?))?;
//! let cid = client.ring(vec!["ben".parse()?], Toggle::Off).await?;
//! client.state().wait_for(|state| state.call(&cid).is_some_and(CallView::is_over)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! **Threads.** A [`Client`] is a handle; one task behind it owns the connection, and every change of state is a whole new
//! value in a `watch`. Who looks late sees the newest and has missed nothing. Everything needs a tokio runtime.
//!
//! **Cancelling.** Every future may be dropped at any moment, as `tokio::select!` and timeouts do. What it had asked for
//! before may still happen: a request that is on its way is not called back. It is then in the state like anything else,
//! so that nothing happens behind a program's back. In detail: [`Client::join`], [`Client::leave`], [`Client::alerted`] and
//! the switches are carried out even if nobody waits for the answer; [`Client::ring`] and what is asked through
//! [`Client::server`] may or may not have reached the server.
//!
//! **Coming back.** A lost connection is opened again by itself: after 0.25 s at first and 15 s at most, each wait anywhere
//! between nothing and that (full jitter); at once when the network changes or the machine wakes; and when the server has
//! said at its shutdown when to come back, then. Joining and leaving wait for the server meanwhile.
//!
//! **Errors** are [`ClientError`], by what the caller can do about them.

mod account;
mod asks;
mod backoff;
mod call;
mod calls;
mod client;
mod clock;
#[cfg(feature = "discovery")]
mod discovery;
mod door;
mod errands;
mod error;
#[cfg(test)]
mod fake_server;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
#[cfg(feature = "keyring")]
mod keeping;
#[cfg(feature = "simulation")]
mod planted;
mod pool;
mod product;
mod profile;
mod qr;
mod quiet;
mod reach;
mod rest;
mod roster;
mod session;
mod signal;
#[cfg(feature = "simulation")]
pub mod simulation;
mod socket;
mod state;
mod tls;
mod way;
mod wish;

pub use account::{Account, SignInWish, sign_in};
pub use calls::{JoinOptions, Leave, Toggle};
pub use client::Client;
#[cfg(feature = "discovery")]
pub use discovery::{DiscoveryError, FoundServer, Search, find_servers};
pub use door::{Admission, Asking, invite_by_code};
pub use error::ClientError;
#[cfg(feature = "keyring")]
pub use keeping::{AccountFolder, KeepError, SecretPlace};
pub use media::{Choice, Engine, EngineError, EngineOptions};
pub use product::{Refresh, sign_in_by_token};
pub use qr::{Qr, TooLong};
pub use reach::{Answers, answers_at, is_public};
pub use rest::Rest;
pub use state::{
    CallStateView, CallView, CallingState, ClientState, Connection, DeviceView, EndReason, HistoryView, JoinedView,
    OpeningView, ParticipantView, RingView, TargetView, about,
};
pub use wire;
pub use wish::RingWish;
