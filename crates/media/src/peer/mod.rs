//! A joined call: two connections to the media server, driven by one thread.

mod command;
mod link;
mod lip_sync;
pub(crate) mod msid;
mod path;
mod run;

use tokio::sync::{mpsc, watch};

pub use self::command::{ConnectionState, DeviceKind, PeerCommand, PeerEvent, Target, Toggle, TrackKind};
use crate::{
    audio::{processing::Processing, thread::Audio},
    choice::Choice,
    stats::{Levels, PeerStats},
    video::{hub::VideoHub, picture::Picture},
};

/// Commands wait here; signalling is slow compared to the thread.
const COMMANDS: usize = 64;
/// Events wait here for the signalling.
const EVENTS: usize = 64;

/// How a peer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerOptions {
    /// Whether the microphone is sent from the start.
    pub microphone: Toggle,
    /// Whether the camera is sent from the start.
    pub camera: Toggle,
    /// Whether the others are heard from the start.
    pub speaker: Toggle,
    /// What is done to the sound of the microphone.
    pub processing: Processing,
    /// The camera's pictures.
    pub picture: Picture,
}

/// The handle of a joined call; dropping it leaves.
#[derive(Debug)]
pub struct Peer {
    commands: mpsc::Sender<PeerCommand>,
    levels: watch::Receiver<Levels>,
    stats: watch::Receiver<PeerStats>,
}

impl Peer {
    /// Tells the peer what to do; never blocks. A command that finds the queue full is dropped with a warning.
    pub fn send(&self, command: PeerCommand) {
        if let Err(error) = self.commands.try_send(command) {
            tracing::warn!(%error, "the peer does not take commands");
        }
    }

    /// How loud everybody is.
    #[must_use]
    pub fn levels(&self) -> watch::Receiver<Levels> {
        self.levels.clone()
    }

    /// How the call fares.
    #[must_use]
    pub fn stats(&self) -> watch::Receiver<PeerStats> {
        self.stats.clone()
    }
}

/// Starts the thread of a joined call.
pub(crate) fn start(
    options: PeerOptions,
    audio: Audio,
    video: VideoHub,
    camera: Choice,
) -> (Peer, mpsc::Receiver<PeerEvent>) {
    let (commands, queue) = mpsc::channel(COMMANDS);
    let (event_sender, events) = mpsc::channel(EVENTS);
    let (stats_sender, stats) = watch::channel(PeerStats::default());
    let (slot, call) = audio.open_call(options.microphone, options.speaker, options.processing);
    let levels = call.levels.clone();
    let setup = run::Setup { options, audio, slot, call, video, camera, events: event_sender, stats: stats_sender };
    let spawned = std::thread::Builder::new().name("peer".to_owned()).spawn(move || run::run(setup, queue));
    if let Err(error) = spawned {
        // The signalling sees the end of the events, as when a connection is lost.
        tracing::error!(%error, "the thread of a call cannot be made");
    }
    (Peer { commands, levels, stats }, events)
}
