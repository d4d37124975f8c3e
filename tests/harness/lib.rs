//! The real server, real clients, real app windows, and the harness they need.
//!
//! A [`Desktop`] is one person's machine: screen, window manager, session bus with notification and tray hosts, sound
//! server and camera, none of which the app can tell from real ones. [`Desktop::open`] starts the app on it, and
//! [`AppWindow::press`] presses what a person would press, with the mouse.

#![expect(clippy::disallowed_methods, reason = "a harness waits, and measures how long it waited")]

mod app;
mod bus;
pub mod camera;
mod desktop;
mod guest;
mod process;
mod program;
mod receiver;
mod router;
mod screen;
mod server;
pub mod service;
mod sound;
pub mod steps;
mod wait;

pub use app::{App, AppWindow, Look};
pub use bus::{Hosts, notifications::Shown, tray::TrayState};
pub use desktop::{Desktop, Keyring};
pub use guest::{Guest, Report};
pub use program::{Answer, Program};
pub use receiver::{Delivery, Mood, Receiver};
pub use router::Router;
pub use screen::{Colour, Picture, Rect};
pub use server::{Log, ServerProcess, room_token};
pub use sound::{Heard, Voice};
pub use wait::{PATIENCE, eventually, stays};
