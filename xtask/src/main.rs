//! `cargo xtask run | demo | test | bench | doctor`: one command each, all the set-up included.

#![expect(clippy::disallowed_methods, reason = "a task runner times its steps")]

mod bench;
mod checks;
mod desktop;
mod doctor;
mod fuzz;
mod house;
mod setup;
mod step;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, runs and checks Bellbird.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the app (without a display: the demo on a virtual one).
    Run {
        /// Arguments for the app.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        app: Vec<String>,
    },
    /// Two people on this machine, two app windows, one real call; pictures in target/demo/.
    Demo,
    /// Every check: format, lints, arrows, unit, integration, page and desktop tests.
    Test {
        /// Only the checks whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure something side by side with its peers; the table is printed and kept in docs/performance/.
    Bench {
        /// What is measured.
        what: bench::Subject,
        /// A short run with fewer devices, to see that it works: printed, not kept.
        #[arg(long)]
        quick: bool,
    },
    /// What this machine has and lacks.
    Doctor,
    /// Regenerate the page's bindings from the shell's commands.
    Bindings,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Run { app } => desktop::run(&app),
        Task::Demo => desktop::demo(),
        Task::Test { only } => checks::run(only.as_deref()),
        Task::Bench { what, quick } => bench::run(what, quick),
        Task::Doctor => {
            doctor::run();
            Ok(())
        }
        Task::Bindings => desktop::bindings(),
    }
}
