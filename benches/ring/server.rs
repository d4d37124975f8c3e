//! The real server, as a process of its own: `bellbird serve`, built for release.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use wire::Invite;

use crate::clock::now;

/// A server that takes longer to start has failed.
const START: Duration = Duration::from_secs(20);
/// The bench does in minutes what people do in months; limits are measured by tests, not here.
const LIMITS_FACTOR: &str = "100000";

/// A running server; dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pub(crate) pid: u32,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The first admin's, while nobody has signed in.
    pub(crate) invite: Option<Invite>,
    /// From the start of the process until it said that it takes connections.
    pub(crate) ready_after: Duration,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
    invite: Option<String>,
}

/// Where a server may run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    All,
    /// The first one alone: the bench takes the others.
    First,
}

impl Server {
    /// Starts it on a data folder; `listen` is `127.0.0.1:0` for any port.
    pub(crate) async fn start(data: &Path, listen: &str, cores: Cores) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let program = program()?;
        let mut command = match cores {
            Cores::All => Command::new(&program),
            Cores::First => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(&program);
                command
            }
        };
        let log = File::options().create(true).append(true).open(data.join("serve.log"))?;
        command
            .args(["--json", "serve", "--listen", listen, "--udp", "127.0.0.1:0"])
            .args(["--limits-factor", LIMITS_FACTOR, "--data"])
            .arg(data)
            // A line a sign-in, in a file: not what is measured.
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let begun = now();
        let mut child = command.spawn().context("bellbird cannot be started")?;
        let printed = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(printed).lines();
        let line = timeout(START, lines.next_line()).await.context("the server is not ready within 20 s")??;
        let ready_after = begun.elapsed();
        let line = line.with_context(|| format!("the server ended; see {}", data.join("serve.log").display()))?;
        let ready: Ready = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        let address = ready.url.split_once("://").map_or(ready.url.as_str(), |(_, address)| address).to_owned();
        let invite = ready.invite.map(|link| link.parse()).transpose()?;
        let pid = child.id().context("the server ended")?;
        Ok(Self { child, pid, address, invite, ready_after })
    }

    /// Ends it without a word (SIGKILL).
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("the server cannot be killed")
    }
}

/// `bellbird`, built beside this program.
fn program() -> Result<PathBuf> {
    let file = std::env::current_exe()?.with_file_name("bellbird");
    anyhow::ensure!(file.is_file(), "{} is not built: run `cargo xtask bench ring`", file.display());
    Ok(file)
}
