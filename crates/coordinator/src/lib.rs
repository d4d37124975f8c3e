//! The server people sign in to: calls, rings, members, access.
