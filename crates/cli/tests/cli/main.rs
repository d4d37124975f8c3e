//! The command line against the real server: real processes, conditions awaited, every wait bounded.

mod acting;
mod between;
mod contract;
mod hosting;
mod inviting;
mod keyring;
mod keys;
mod lists;
mod person;
mod ringing;
mod sdk;
mod signing;
mod slow;
mod sound;
mod talking;
mod terminal;
