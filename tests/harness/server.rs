//! A server without a window: `bellbird serve`.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::process::{Program, output, program};

/// Makes a disk of this size (a tmpfs, seen by the server alone) where its data is, and becomes the server.
const ON_SMALL_DISK: &str = r#"mount -t tmpfs -o size=16m tmpfs "$1" && shift && exec "$@""#;
/// The same, with its log on that disk.
const WITH_ITS_LOG: &str = r#"mount -t tmpfs -o size=16m tmpfs "$1" && exec 2>>"$1/serve.log" && shift && exec "$@""#;

/// Where a server on a small disk has its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// On the same disk.
    OnTheDisk,
    /// On another one: `serve.log` in the data folder as everybody else sees it.
    Elsewhere,
}

/// A running server.
#[derive(Debug)]
pub struct ServerProcess {
    /// Where it listens.
    pub url: String,
    /// The first admin's invite, while nobody has signed in.
    pub invite: Option<String>,
    program: Program,
}

#[derive(Debug, Deserialize)]
struct Ready {
    event: String,
    url: String,
    invite: Option<String>,
}

impl ServerProcess {
    /// Starts it and waits until it takes connections.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(data: &Path, listen: &str) -> Result<Self> {
        Self::start_with(data, listen, &[]).await
    }

    /// The same, with more arguments.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(data: &Path, listen: &str, arguments: &[&str]) -> Result<Self> {
        Self::run(Command::new(program("bellbird")?), data, listen, arguments).await
    }

    /// The same on a disk of its own that is soon full; [`Self::own`] is the way to it. The disk ends with the server.
    ///
    /// # Errors
    /// When it does not start, or this system lets nobody mount in a namespace of his own.
    pub async fn start_on_small_disk(data: &Path, log: Log, listen: &str, arguments: &[&str]) -> Result<Self> {
        let script = match log {
            Log::OnTheDisk => WITH_ITS_LOG,
            Log::Elsewhere => ON_SMALL_DISK,
        };
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(data).arg(program("bellbird")?);
        Self::run(command, data, listen, arguments).await
    }

    async fn run(mut command: Command, data: &Path, listen: &str, arguments: &[&str]) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        command
            .args(["--json", "serve", "--listen", listen, "--udp", listen, "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped());
        let mut program = Program::start("bellbird serve", &mut command, &data.join("serve.log"))?;
        let printed = program.child().stdout.take().context("the server has no output")?;
        let line = BufReader::new(printed).lines().next_line().await?;
        let line = line.context("the server ended before it was ready; see serve.log")?;
        let ready: Ready = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        anyhow::ensure!(ready.event == "ready", "the server said {line:?}");
        Ok(Self { url: ready.url, invite: ready.invite, program })
    }

    /// The address it listens on, to be used again.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.split_once("://").map_or(self.url.as_str(), |(_, address)| address)
    }

    /// A path as the server itself sees it.
    ///
    /// # Errors
    /// When it does not run any more.
    pub fn own(&self, path: &Path) -> Result<PathBuf> {
        let id = self.program.id().context("the server has ended; see serve.log")?;
        Ok(PathBuf::from(format!("/proc/{id}/root")).join(path.strip_prefix("/")?))
    }

    /// Ends it without a word.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(self) -> Result<()> {
        self.program.kill().await
    }
}

/// A token for a room, as its operator makes it.
///
/// # Errors
/// When `bellbird token` refuses.
pub async fn room_token(data: &Path, room: &str, identity: &str) -> Result<String> {
    let data = data.to_str().context("the data folder's name is not text")?;
    let arguments = ["token", "--room", room, "--identity", identity, "--data", data];
    Ok(output(program("bellbird")?, &arguments).await?.trim().to_owned())
}
