//! Everything the page may show, as one value; it goes out whole.

use call_client::{CallView, ClientState, FoundServer, SecretPlace};
use serde::{Deserialize, Serialize};
use specta::Type;
use wire::{CallId, Capability, ErrorBody, Role, UnixMillis, UserId};

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
    /// Planned calls that exist now, begin soon or begin now, until they are joined, closed or long past.
    pub(crate) reminders: Vec<Reminder>,
    /// What others ask me for in calls I am in.
    pub(crate) asked: Vec<Asked>,
    /// Calls I am in that end soon, by their limit.
    pub(crate) endings: Vec<Ending>,
    /// The call that is not open yet, and that this device comes into as soon as it is.
    pub(crate) waiting: Option<CallId>,
    /// The last call that ended as nobody wanted, until it is read or another begins.
    pub(crate) unread: Option<CallView>,
    /// Servers that announce themselves on this network; looked for while nobody is signed in.
    pub(crate) nearby: Vec<ServerNearby>,
    /// Where the secret of the sign-in is; nowhere while nobody is signed in.
    pub(crate) secret_place: Option<SecretPlace>,
    pub(crate) version: String,
}

/// A call that somebody has planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reminder {
    pub(crate) cid: CallId,
    /// What it is called, or who is in it.
    pub(crate) title: String,
    /// Who told of it; nobody when its time comes.
    pub(crate) by: Option<UserId>,
    pub(crate) starts_at: Option<UnixMillis>,
}

/// Somebody asks for what I may give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    /// Rises with each, and names it.
    pub(crate) id: u32,
    pub(crate) cid: CallId,
    pub(crate) user: UserId,
    pub(crate) capabilities: Vec<Capability>,
}

/// A call that its limit ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ending {
    pub(crate) cid: CallId,
    /// By this device's clock.
    pub(crate) at: UnixMillis,
    /// How long the call could last when that was told: with another limit it ends at another time.
    pub(crate) longest_ms: Option<u32>,
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
    /// First run, or signed out: what went wrong, or what is good to know, and where one can go back to.
    Welcome { error: Option<ErrorBody>, notice: Option<String>, back: Option<Back> },
    /// Something takes a moment, and can be given up where others are waited for.
    Starting { what: String, can_stop: bool },
    /// A server was asked to let this person in; an admin compares the code with the one on his own screen.
    Asking { server: String, code: String, minutes: u32 },
    /// There is a sign-in, and it cannot be read now.
    Locked { error: ErrorBody },
    /// Signed in.
    Ready { client: Box<ClientState> },
}

/// What was there before a person came to the beginning again, and is there still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Back {
    /// A sign-in that could not be read.
    SignIn,
    /// The server inside, which did not start.
    OwnServer,
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
    pub(crate) outside: FromOutside,
}

/// Whether others come in to the server inside from outside its own network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "way", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum FromOutside {
    /// The router was not asked.
    Closed,
    /// It is being asked, or its address tried.
    Asking,
    /// It lets the outside in, and the server answers there.
    Open { address: String },
    /// Nothing answers there from here, as with most routers: only somebody outside can say.
    Untried { address: String },
    /// Another machine answers there.
    Taken { address: String },
    /// Its address is none of the internet: another router stands before it.
    Behind { address: String },
    /// It lets nobody in.
    Refused { why: String },
}

/// A server that announces itself. What it says is not proof of anything: joining checks who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerNearby {
    pub(crate) name: String,
    pub(crate) address: String,
}

impl From<&FoundServer> for ServerNearby {
    fn from(found: &FoundServer) -> Self {
        Self { name: found.name.clone(), address: found.address.to_string() }
    }
}

/// What an invite should let somebody do; what is absent is as usual: once, within a week, as a user.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InviteWish {
    pub(crate) uses: Option<u32>,
    pub(crate) expires_in_ms: Option<u32>,
    pub(crate) role: Option<Role>,
    /// It signs in one more device of who makes it.
    pub(crate) me: bool,
}

/// An invite to send, to read aloud, or to show to a camera.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InviteLink {
    pub(crate) link: String,
    /// In groups, as it is read aloud.
    pub(crate) code: String,
    /// The link as a QR code, an SVG.
    pub(crate) qr: Option<String>,
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
