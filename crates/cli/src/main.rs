//! `bellbird`: the server without a window, and calls from the command line.

mod commands;
mod exit;
mod files;
mod lines;
mod phone;
mod profile;
mod running;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::OnceLock,
};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{
    commands::Command,
    exit::{Exit, Failure},
    profile::Profile,
};

/// Desktop calls you host yourself: the server, and calls from the command line.
///
/// Exit status: 0 done, 1 standard output cannot be written, 2 wrong usage, 3 declined by all, 4 no answer, 5 busy, 6
/// cancelled, 7 refused, 8 server not reachable, 9 another device answered. With --json a refusal is also an object on
/// standard output: {"error":{"code":"…","message":"…"}}.
#[derive(Parser)]
#[command(name = "bellbird", version)]
pub(crate) struct Arguments {
    /// Who this is: a folder with the sign-in of one device. Different folders are different people or devices.
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// One JSON object a line on standard output; everything else on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What every command is given.
pub(crate) struct Context {
    pub(crate) profile: Profile,
    pub(crate) json: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    let usual = if matches!(arguments.command, Command::Serve(_)) { "info" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // The library of WebSockets writes down whole handshakes and messages, with the tokens and names in them, and those of
    // connections and of the local network where people are.
    let quiet = ["tungstenite=info", "is=info", "str0m=info", "mdns_sd=info"].map(|directive| directive.parse());
    let filter =
        quiet.into_iter().fold(filter, |filter, quiet| filter.add_directive(quiet.expect("a plain directive")));
    // A log that cannot be written (its disk is full) is no reason to fall over: told of on standard error, which is the
    // same disk, it would end the task that logs, by a panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    log.with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())).init();
    let context = Context { profile: Profile::new(arguments.profile), json: arguments.json };
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let outcome = runtime.block_on(arguments.command.run(&context));
            // A thread that still waits for a key or a disk does not hold up the end.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::from(anyhow::Error::from(error))),
    };
    let exit = match outcome {
        Ok(exit) => written_or(exit),
        Err(failure) => {
            failure.tell(context.json);
            failure.exit
        }
    };
    exit.into()
}

/// What could not be written to standard output; empty while everything could.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// This exit, unless what programs read was lost on the way: then nobody may think that everything went well.
fn written_or(exit: Exit) -> Exit {
    match UNWRITTEN.get() {
        None => exit,
        Some(error) => {
            note(&format!("bellbird: standard output cannot be written ({error}): make room where it goes"));
            Exit::Unwritten
        }
    }
}

/// Help and version are an answer; anything else is wrong usage, which programs read as well.
fn explain(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if !error.use_stderr() {
        _ = printed.map_err(lost);
        return written_or(Exit::Done).into();
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        // Up to the first empty line it says what is wrong: what is missing may be a list.
        let said: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        Failure::usage(said.join(" ").trim_start_matches("error: ")).say();
    }
    Exit::Usage.into()
}

/// A line on standard output. A reader that has gone is no reason to fail.
pub(crate) fn say(line: &str) {
    _ = try_say(line);
}

/// A line on standard output, for who wants to know that its reader has gone. Anything else that keeps it from being
/// written is told at the end, by words and exit status.
pub(crate) fn try_say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(lost)
}

/// Remembers why output is lost, unless its reader has gone.
fn lost(error: io::Error) -> io::Error {
    let kind = error.kind();
    if kind != io::ErrorKind::BrokenPipe {
        _ = UNWRITTEN.set(error);
    }
    kind.into()
}

/// A line for people, beside what programs read.
pub(crate) fn note(line: &str) {
    _ = writeln!(io::stderr().lock(), "{line}");
}
