//! The handle of the engine: devices, tones, and the way into calls.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

use crate::{
    audio::{
        device::{self, Way},
        thread::Audio,
        tones::Tone,
        wav::{Recording, Voice},
    },
    choice::Choice,
    peer::{self, DeviceKind, Peer, PeerEvent, PeerOptions},
    video::{camera, hub::VideoHub},
};

/// The engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A thread could not be made.
    #[error("the media engine cannot start: {0}")]
    Thread(#[from] std::io::Error),
    /// A file cannot stand for a device.
    #[error("{} cannot be used: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
}

/// What an engine hears, plays and sees with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Takes the voice.
    pub microphone: Choice,
    /// Plays the others.
    pub speaker: Choice,
    /// Takes the picture.
    pub camera: Choice,
}

/// Every device of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// They take the voice.
    pub microphones: Vec<DeviceInfo>,
    /// They play the others.
    pub speakers: Vec<DeviceInfo>,
    /// They take the picture.
    pub cameras: Vec<DeviceInfo>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stays the same when it is plugged out and in.
    pub id: String,
    /// For people.
    pub name: String,
    /// The system's choice.
    pub is_default: bool,
}

/// The media engine of a process. Cheap to clone; its threads end with the last handle.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    audio: Audio,
    video: VideoHub,
    camera: Mutex<Choice>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Engine")
    }
}

impl Engine {
    /// Starts the engine. No device is opened before something sounds or a call sends; files are looked at now.
    ///
    /// # Errors
    /// When a thread cannot be made, or a file cannot stand for its device.
    pub fn start(options: EngineOptions) -> Result<Self, EngineError> {
        check_files(&options)?;
        let audio = Audio::start(options.microphone, options.speaker)?;
        let shared = Shared { audio, video: VideoHub::default(), camera: Mutex::new(options.camera) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Every device there is now. Asks the system: takes a moment.
    #[must_use]
    pub fn devices(&self) -> Devices {
        let listed = |way| {
            let devices = device::list(way).into_iter();
            devices.map(|known| DeviceInfo { id: known.id, name: known.name, is_default: known.is_default }).collect()
        };
        Devices { microphones: listed(Way::In), speakers: listed(Way::Out), cameras: camera::list() }
    }

    /// Chooses a device, from now on, also in running calls.
    pub fn choose(&self, kind: DeviceKind, choice: Choice) {
        match kind {
            DeviceKind::Microphone | DeviceKind::Speaker => self.shared.audio.choose(kind, choice),
            DeviceKind::Camera => *self.shared.camera.lock().unwrap_or_else(PoisonError::into_inner) = choice,
        }
    }

    /// Plays a tone until the guard is dropped; it is silent within 20 ms.
    #[must_use]
    pub fn play(&self, tone: Tone) -> PlayingTone {
        PlayingTone { id: self.shared.audio.play(tone), engine: self.clone() }
    }

    /// Joins: two connections to a media server, told and telling by commands and events.
    #[must_use]
    pub fn peer(&self, options: PeerOptions) -> (Peer, mpsc::Receiver<PeerEvent>) {
        peer::start(options, self.shared.audio.clone(), self.shared.video.clone(), self.chosen_camera())
    }

    /// The pictures of all calls, by track.
    #[must_use]
    pub fn video(&self) -> VideoHub {
        self.shared.video.clone()
    }

    fn chosen_camera(&self) -> Choice {
        self.shared.camera.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A wrong file is told at the start, not in the middle of a call.
fn check_files(options: &EngineOptions) -> Result<(), EngineError> {
    let check = |choice: &Choice, look: fn(&Path) -> Result<(), String>| match choice {
        Choice::File(file) => look(file).map_err(|why| EngineError::File { file: file.clone(), why }),
        Choice::Default | Choice::Device(_) | Choice::None => Ok(()),
    };
    check(&options.microphone, |file| Voice::open(file).map(|_| ()).map_err(|error| error.to_string()))?;
    check(&options.speaker, |file| Recording::create(file).map(|_| ()).map_err(|error| error.to_string()))?;
    check(&options.camera, |file| camera::Y4m::open(file).map(|_| ()))
}

/// A tone that plays; dropping it stops it.
#[derive(Debug)]
pub struct PlayingTone {
    id: u64,
    engine: Engine,
}

impl Drop for PlayingTone {
    fn drop(&mut self) {
        self.engine.shared.audio.stop(self.id);
    }
}
