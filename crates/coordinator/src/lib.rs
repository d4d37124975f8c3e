//! The server people sign in to: calls, rings, members, access.
//!
//! [`Server::start`] runs it inside any program. One task, the hub, owns everything live; what it decides is stored
//! before it is announced.

mod access;
mod authority;
mod avatar;
mod backup;
mod certificate;
mod clock;
mod config;
mod desk;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod housekeeping;
mod http;
mod hub;
mod kept;
mod limits;
mod listener;
mod lock;
mod media_plane;
mod metrics;
mod own_backend;
#[cfg(feature = "simulation")]
mod planted;
mod programs;
mod reach;
mod ring;
mod server;
#[cfg(feature = "simulation")]
pub mod simulation;
mod store;
mod visitors;
mod vitals;
mod webhooks;

pub use access::Secret;
pub use backup::back_up;
pub use certificate::CertificateFiles;
pub use config::Config;
pub use error::StartError;
pub use own_backend::{ClaimNames, OwnBackend};
pub use reach::{Outside, Router, RouterError, RouterProtocol};
pub use server::{Server, kept_media_key, room_token};
pub use sfu::ApiKey;
pub use webhooks::Reach;
