//! Programs that end with what started them.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
    time::timeout,
};

/// How long a program may take to end when asked nicely.
const GOODBYE: Duration = Duration::from_secs(10);

/// A running program; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts a program; what it prints goes into `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Starts a program that reads what it has to know from its standard input.
    pub(crate) async fn start_told(command: &mut Command, told: &str, log: &Path) -> Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let log = File::options().create(true).append(true).open(log)?;
        let started = command.stdin(Stdio::piped()).stderr(log).kill_on_drop(true).spawn();
        let mut child = started.with_context(|| format!("{name} cannot be started"))?;
        let mut input = child.stdin.take().context("it has no input")?;
        input.write_all(told.as_bytes()).await?;
        Ok(Self { name, child })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(mut self) -> Result<()> {
        let ended = timeout(GOODBYE, self.child.wait()).await;
        let status = ended.with_context(|| format!("{} still runs after {GOODBYE:?}", self.name))??;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.signal("TERM").await?;
        let ended = timeout(GOODBYE, self.child.wait()).await;
        ended.with_context(|| format!("{} does not end within {GOODBYE:?} of SIGTERM", self.name))??;
        Ok(())
    }

    /// Ends it without a word (SIGKILL) and waits until it is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("{} cannot be killed", self.name))
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let Some(id) = self.id() else { return Ok(()) };
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}")).arg(id.to_string()).status().await?;
        Ok(())
    }
}

/// A program of this workspace, built beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folders = here.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is not built beside {}: run `cargo build --workspace`", here.display()))
}

/// Runs a program to its end and answers what it printed.
pub(crate) async fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<String> {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("{} cannot be started", program.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{} failed: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
