//! Pictures: from the camera to the network, and from the network to whoever watches.

pub(crate) mod camera;
pub(crate) mod encode;
pub(crate) mod hub;
pub(crate) mod latest;
pub(crate) mod picture;
