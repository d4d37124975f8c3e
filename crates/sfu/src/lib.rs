//! Forwards media between participants; speaks the LiveKit protocol.
