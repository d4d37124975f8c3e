//! What is measured, with one command to run it.
//!
//! `cargo xtask bench ring`: how fast and how cheaply the server rings, beside Prosody in the same run. Everything is on
//! loopback; one thread of this program is every device and person.

mod api;
mod bellbird;
mod clock;
mod device;
mod machine;
mod measure;
mod pair;
mod people;
mod plan;
mod prosody;
mod server;
mod table;
mod xmpp;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::{task::LocalSet, time::timeout};

use crate::plan::{Measured, Plan};

/// How fast and how cheaply the server rings, beside Prosody.
#[derive(Parser)]
struct Arguments {
    /// A short run with fewer devices.
    #[arg(long)]
    quick: bool,
    /// Write the table to this file as well.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Only our server under as many rings as it can take, for so many seconds: to take a profile of it.
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["quick", "keep"])]
    load: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let plan = match arguments {
        Arguments { load: Some(seconds), .. } => Plan::only_load(Duration::from_secs(seconds)),
        Arguments { quick: true, .. } => Plan::quick(),
        Arguments { .. } => Plan::full(),
    };
    let files = machine::raise_files();
    let wanted = u64::try_from(plan.most())? + 500;
    anyhow::ensure!(files >= wanted, "this bench opens {wanted} files and may open {files}: run it as root");
    let folder = tempfile::tempdir().context("no folder for temporary files")?;
    let facts = machine::facts(folder.path());
    let begun = clock::now();
    let (mut ours, mut peer) = (Measured::default(), Measured::default());
    let (our_folder, peer_folder) = (folder.path().join("bellbird"), folder.path().join("prosody"));
    let measuring = async {
        let measure = prosody::measure(&plan, &peer_folder, &mut peer);
        if !plan.peer.is_zero() && timeout(plan.peer, measure).await.is_err() {
            peer.problem("Prosody", &anyhow::anyhow!("its time was over after {:?}", plan.peer));
        }
        let measure = bellbird::measure(&plan, &our_folder, &mut ours);
        if timeout(plan.ours, measure).await.is_err() {
            ours.problem("Bellbird", &anyhow::anyhow!("its time was over after {:?}", plan.ours));
        }
    };
    LocalSet::new().run_until(measuring).await;
    let text = table::page(&plan, &facts, begun.elapsed(), &ours, &peer);
    say(&text);
    if let Some(file) = arguments.keep {
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        say(&format!("Kept in {}.", file.display()));
    }
    Ok(())
}

/// A line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "the terminal is this program's interface")]
fn say(line: &str) {
    println!("{line}");
}
