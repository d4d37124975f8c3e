//! What a call hears, plays and shows: the machine's devices, or files in their place.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use media::{Choice, Engine, EngineOptions};

use crate::exit::Failure;

/// Files in place of devices.
#[derive(Args)]
pub(crate) struct Files {
    /// What is said: a WAV file, once and in real time, then silence; or `none`. The microphone if absent.
    #[arg(long, value_name = "FILE")]
    mic: Option<PathBuf>,
    /// Where what is heard goes: a WAV file; or `none`. The speaker if absent.
    #[arg(long, value_name = "FILE")]
    speaker: Option<PathBuf>,
    /// What is shown: a Y4M file (4:2:0), again and again; or `none`.
    #[arg(long, value_name = "FILE")]
    camera: Option<PathBuf>,
}

/// What was given a file: its person wants it used, whatever the call's settings say is on at the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given {
    pub(crate) microphone: bool,
    pub(crate) speaker: bool,
    pub(crate) camera: bool,
}

impl Files {
    pub(crate) fn given(&self) -> Given {
        let given = |file: &Option<PathBuf>| matches!(choice(file.clone()), Choice::File(_));
        Given { microphone: given(&self.mic), speaker: given(&self.speaker), camera: given(&self.camera) }
    }

    /// A picture was given.
    pub(crate) fn has_picture(&self) -> bool {
        self.given().camera
    }

    /// The engine with these files. A camera is switched on only by who asks for pictures: see the commands.
    pub(crate) fn engine(self) -> Result<Engine, Failure> {
        self.are_apart()?;
        let options =
            EngineOptions { microphone: choice(self.mic), speaker: choice(self.speaker), camera: choice(self.camera) };
        Engine::start(options).map_err(|error| match error {
            media::EngineError::File { .. } => Failure::usage(error.to_string()),
            media::EngineError::Thread(_) => Failure::from(anyhow::Error::from(error)),
        })
    }

    /// What is heard is written over neither what is said nor what is shown.
    fn are_apart(&self) -> Result<(), Failure> {
        let Some(speaker) = self.speaker.as_deref().and_then(real) else { return Ok(()) };
        for (option, file) in [("--mic", &self.mic), ("--camera", &self.camera)] {
            if file.as_deref().and_then(real).is_some_and(|file| file == speaker) {
                let message = format!("--speaker would write over the file of {option}: name another file");
                return Err(Failure::usage(message));
            }
        }
        Ok(())
    }
}

/// A file that is there, whatever it is called; none where there is none.
fn real(file: &Path) -> Option<(u64, u64)> {
    let known = std::fs::metadata(file).ok().filter(Metadata::is_file)?;
    Some((known.dev(), known.ino()))
}

fn choice(file: Option<PathBuf>) -> Choice {
    match file {
        Some(file) if file.as_os_str() == "none" => Choice::None,
        Some(file) => Choice::File(file),
        None => Choice::Default,
    }
}
