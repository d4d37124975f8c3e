//! `bellbird`: the server without a window, and tools for its operator.

mod serve;
mod token;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Desktop calls you host yourself: the server, and tools for its operator.
#[derive(Parser)]
#[command(name = "bellbird", version)]
struct Arguments {
    /// One JSON object a line on standard output; everything else on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Serve),
    /// Make a token for a room of the media server, for any LiveKit client.
    Token(token::Token),
}

/// Where a server keeps its data when nobody says.
fn default_data() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_default().join("bellbird").join("server")
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve(serve) => serve.run(arguments.json).await,
        Command::Token(token) => token.run(arguments.json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_failure(&error, arguments.json);
            ExitCode::from(7)
        }
    }
}

fn tell_failure(error: &anyhow::Error, json: bool) {
    tracing::error!("{error:#}");
    if json {
        let body = wire::ErrorBody::new(wire::Code::Internal, format!("{error:#}"));
        say(&serde_json::json!({ "error": body }).to_string());
    }
}

/// A line on standard output.
#[expect(clippy::print_stdout, reason = "standard output is this program's interface")]
fn say(line: &str) {
    println!("{line}");
}
