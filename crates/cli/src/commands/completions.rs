//! `bellbird completions`: what a shell completes after `bellbird`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{Arguments, exit::Exit};

/// Print completions for a shell.
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "bellbird", &mut script);
        crate::say(String::from_utf8_lossy(&script).trim_end());
        Exit::Done
    }
}
