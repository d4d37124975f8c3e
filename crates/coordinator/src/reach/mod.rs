//! How others find their way to this server: announced on the network, asked at its door, through the router.

mod address;
mod announce;
mod door;
#[cfg(test)]
mod fake_router;
mod outside;
mod router;

pub(crate) use address::{advertised, check_advertised, outside_media, with_a_port};
pub(crate) use announce::Announcement;
pub(crate) use door::Door;
pub(crate) use outside::keep;
pub(crate) use router::{Inside, OpenPorts};
pub use router::{Outside, Router, RouterError, RouterProtocol};
