//! Other programs that use the server: their keys, what those may do, requests that come again.

mod keys;
mod repeats;
mod routes;

pub(crate) use keys::{Keys, StoredKey, unknown_key};
pub(crate) use repeats::{KEPT, KeptAnswer, RepeatId, Repeats};
#[cfg(test)]
pub(crate) use routes::all;
pub(crate) use routes::{is_own_matter, scopes_of};
