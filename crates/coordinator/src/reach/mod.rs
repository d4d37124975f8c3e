//! How others find their way to this server: announced on the network, asked at its door, through the router.

mod door;

pub(crate) use door::Door;
