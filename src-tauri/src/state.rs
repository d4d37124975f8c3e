//! Everything the page may show, as one value; it goes out whole.

use call_client::ClientState;
use serde::{Deserialize, Serialize};
use specta::Type;
use wire::{ErrorBody, UnixMillis};

/// The whole state of the app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppState {
    /// Rises; the page drops older ones.
    pub(crate) revision: u32,
    pub(crate) stage: Stage,
    pub(crate) frames: FramesAddress,
    /// The server inside this app, if it runs one.
    pub(crate) server: Option<OwnServer>,
    pub(crate) one_call_at_a_time: bool,
    /// A ring that comes during a call is answered with "busy" by itself.
    pub(crate) busy_when_in_call: bool,
    /// Something people should know, as long as it is so.
    pub(crate) notice: Option<String>,
    /// What was pressed last in the popup, a notification or the tray and did not work.
    pub(crate) problem: Option<Problem>,
    pub(crate) version: String,
}

/// A wish from outside the main window that did not work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// Rises with each, so that the same one twice is seen twice.
    pub(crate) sequence: u32,
    pub(crate) error: ErrorBody,
}

/// How far this person is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "stage", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Stage {
    /// First run, or signed out: what went wrong, or what is good to know.
    Welcome { error: Option<ErrorBody>, notice: Option<String> },
    /// Something takes a moment.
    Starting { what: String },
    /// Signed in.
    Ready { client: Box<ClientState> },
}

/// Where the page gets pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FramesAddress {
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// The server inside this app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnServer {
    /// Where others reach it.
    pub(crate) address: String,
    pub(crate) name: String,
}

/// An invite to send.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InviteLink {
    pub(crate) link: String,
    pub(crate) expires_at: UnixMillis,
}

/// Every device of this machine.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Devices {
    pub(crate) microphones: Vec<DeviceChoice>,
    pub(crate) speakers: Vec<DeviceChoice>,
    pub(crate) cameras: Vec<DeviceChoice>,
}

/// One device; with an empty id whichever the system prefers.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceChoice {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DeviceKind {
    Microphone,
    Speaker,
    Camera,
}

/// The state has changed.
#[derive(Debug, Clone, Serialize, Deserialize, Type, tauri_specta::Event)]
pub(crate) struct StateChanged(pub(crate) AppState);

/// How loud everybody is; ten times a second while in a call.
#[derive(Debug, Clone, Serialize, Deserialize, Type, tauri_specta::Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LevelsChanged {
    /// 0 to 100.
    pub(crate) microphone: u8,
    pub(crate) tracks: Vec<TrackLevel>,
}

/// How loud one track is.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrackLevel {
    pub(crate) key: String,
    /// 0 to 100.
    pub(crate) level: u8,
}
