//! The command line against the real server: real processes, conditions awaited, every wait bounded.

mod acting;
mod person;
mod ringing;
mod signing;
mod sound;
mod talking;
