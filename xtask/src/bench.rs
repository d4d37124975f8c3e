//! Measuring, beside the best of today: release builds, one table, kept in docs/performance/.

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    setup,
    step::{command, root, run as step, target_dir},
};

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// How fast and how cheaply the server rings, beside Prosody.
    Ring,
}

/// Builds what is measured and what measures, and runs it.
pub(crate) fn run(subject: Subject, quick: bool) -> Result<()> {
    setup::prepare_bench()?;
    match subject {
        Subject::Ring => {
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
    }
}
