//! Running one command as a named step, with progress and a clear end when it fails.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

/// The checkout this task belongs to.
pub(crate) fn root() -> PathBuf {
    // Asked of the cargo that runs this task: what was compiled in may be another checkout, with the same target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command in the checkout, with the same cargo that runs this task.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("true");
    let mut command = match program {
        "cargo" => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        other => Command::new(other),
    };
    command.args(words).current_dir(root());
    command
}

/// Runs a step; its output goes to the terminal, and its failure ends the task.
pub(crate) fn run(what: &str, mut command: Command) -> Result<()> {
    say(&format!("── {what}"));
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("{what}: {} cannot be started", program(&command)))?;
    if !status.success() {
        bail!("{what} failed ({status}); what it printed is above. The command was: {command:?}");
    }
    say(&format!("   {what}: done in {:.1} s", begun.elapsed().as_secs_f32()));
    Ok(())
}

/// Runs a command silently; `None` when it cannot be started or fails.
pub(crate) fn output(line: &str) -> Option<String> {
    let output = command(line).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program is on the path.
pub(crate) fn has_program(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// A line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "this is the task's way to talk to the person who runs it")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
