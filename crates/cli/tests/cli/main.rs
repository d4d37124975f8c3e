//! The command line against the real server: real processes, conditions awaited, every wait bounded.

mod acting;
mod hosting;
mod person;
mod ringing;
mod sdk;
mod signing;
mod sound;
mod talking;
