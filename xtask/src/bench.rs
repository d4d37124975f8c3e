//! Measuring, and proving at length: what is measured beside the best of today, in release builds, and kept in
//! docs/performance/; and the tests that run for minutes what `cargo xtask test` runs for seconds.

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    fuzz, setup,
    step::{command, root, run as step, target_dir},
};

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// How fast and how cheaply the server rings, beside Prosody.
    Ring,
    /// A million random scenarios of ringing, in the virtual world of tests/simulation.
    Simulation,
    /// The real server, killed a hundred times while people ring each other.
    Crash,
    /// A million executions of every fuzz target.
    Fuzz,
}

/// Builds what is measured and what measures, and runs it.
pub(crate) fn run(subject: Subject, quick: bool) -> Result<()> {
    match subject {
        Subject::Ring => {
            setup::prepare_bench()?;
            step("build", command("cargo build --quiet --release -p bellbird -p bellbird-bench"))?;
            let program = target_dir().join("release/ring");
            let mut ring = command(&program.display().to_string());
            if quick {
                ring.arg("--quick");
            } else {
                ring.arg("--keep").arg(root().join("docs/performance/ring.md"));
            }
            step("bench ring", ring)
        }
        Subject::Crash => {
            step("build", command("cargo build --quiet -p bellbird --bins"))?;
            let mut crash = command("cargo test --quiet -p bellbird-tests --test crash a_hundred_kills");
            crash.args(["--", "--ignored", "--nocapture"]);
            if quick {
                crash.env("KILLS", "10");
            }
            step("bench crash", crash)
        }
        Subject::Fuzz => fuzz::fuzz(quick),
        Subject::Simulation => {
            let mut simulation = command("cargo test --quiet -p bellbird-tests --test simulation a_million");
            simulation.args(["--", "--ignored", "--nocapture"]);
            if quick {
                simulation.env("SCENARIOS", "20000");
            } else {
                simulation.env("KEEP", root().join("docs/performance/simulation.md"));
            }
            step("bench simulation", simulation)
        }
    }
}
