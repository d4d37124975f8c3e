//! What the pages may show: the client's state with the app's own around it, whole, in one event.

use call_client::ClientState;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri_specta::Event;
use wire::ErrorBody;

/// Everything a page may show. Goes out whole; a page that missed one loses nothing with the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppState {
    /// Rises with every change; a page drops what is older than what it shows.
    pub revision: u32,
    /// How far this installation is.
    pub stage: Stage,
    /// Where the page gets pictures.
    pub frames: FramesAddress,
    /// The server inside this app, if it runs one.
    pub server: Option<OwnServer>,
    /// Answering a call leaves the one before.
    pub one_call_at_a_time: bool,
    /// Something people should know, such as a missing notification host.
    pub notice: Option<String>,
    /// The app's version.
    pub version: String,
}

/// How far this installation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "stage", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Stage {
    /// Nobody is signed in: start a server of one's own, or redeem an invite.
    Welcome {
        /// Why the last attempt, or the sign-in of before, did not hold.
        error: Option<ErrorBody>,
        /// The invite link the app was opened with.
        invite: Option<String>,
    },
    /// Something takes a moment.
    Starting {
        /// What, for people.
        what: String,
    },
    /// Signed in.
    Ready {
        /// Everything about people and calls.
        client: ClientState,
    },
}

/// The loopback socket for pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FramesAddress {
    /// `ws://127.0.0.1:PORT/frames`.
    pub url: String,
    /// Made anew at each start; the socket answers nobody without it.
    pub secret: String,
}

/// The server inside this app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OwnServer {
    /// `host:port` where others reach it.
    pub address: String,
    /// The name people read.
    pub name: String,
}

/// What can be heard with, spoken into and seen with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// For my voice.
    pub microphones: Vec<DeviceChoice>,
    /// For the others' voices and the tones.
    pub speakers: Vec<DeviceChoice>,
    /// For my picture.
    pub cameras: Vec<DeviceChoice>,
}

/// One device in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DeviceChoice {
    /// The operating system's name; empty stands for "follow the system's default".
    pub id: String,
    /// The name people read.
    pub name: String,
    /// The one that is used.
    pub chosen: bool,
}

/// Which of the three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// For my voice.
    Microphone,
    /// For the others' voices and the tones.
    Speaker,
    /// For my picture.
    Camera,
}

/// An invite, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InviteLink {
    /// The link.
    pub link: String,
    /// When it stops working.
    pub expires_at: wire::UnixMillis,
}

/// The state changed: here is the new one, whole, for every window.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
pub struct StateChanged(pub AppState);

/// How loud things are, ten times a second while in a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub struct LevelsChanged {
    /// My microphone, 0 to 1.
    #[specta(type = specta_typescript::Number)]
    pub microphone: f32,
    /// Each audio track.
    pub tracks: Vec<TrackLevel>,
}

/// How loud one audio track is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TrackLevel {
    /// The participant's `audioTrack`.
    pub key: String,
    /// 0 to 1.
    #[specta(type = specta_typescript::Number)]
    pub level: f32,
}
