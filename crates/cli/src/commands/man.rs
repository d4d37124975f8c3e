//! `bellbird man`: the manual pages, made from the commands themselves.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::{
    Arguments,
    exit::{Exit, Failure},
    say,
};

/// Print the manual page of a command, or write all of them.
#[derive(Args)]
pub(crate) struct Man {
    /// The command; bellbird itself if absent.
    command: Option<String>,
    /// Write the pages of all commands into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut all = Arguments::command().disable_help_subcommand(true);
        all.build();
        if let Some(folder) = self.dir {
            fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(all, &folder))
                .with_context(|| format!("the pages cannot be written to {}", folder.display()))?;
            return Ok(Exit::Done);
        }
        let page = match self.command {
            None => Page::new(all),
            Some(name) => {
                let command = all.find_subcommand(&name);
                let command = command.ok_or_else(|| Failure::usage(format!("there is no command {name}")))?;
                Page::new(command.clone())
            }
        };
        let mut printed = Vec::new();
        page.render(&mut printed).context("the page cannot be made")?;
        say(String::from_utf8_lossy(&printed).trim_end());
        Ok(Exit::Done)
    }
}
