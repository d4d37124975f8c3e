//! Codecs, each behind a few safe calls.

pub(crate) mod opus;
pub(crate) mod vp8;
