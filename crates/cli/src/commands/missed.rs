//! `bellbird missed`: the calls nobody has looked at yet, newest first.

use clap::Args;
use wire::{Direction, HistoryOutcome};

use super::history::print;
use crate::{
    Context,
    exit::{Exit, Failure},
};

/// List the calls that were missed and not looked at yet, newest first.
#[derive(Args)]
pub(crate) struct Missed {
    /// They have been looked at now, on all devices of this person.
    #[arg(long)]
    seen: bool,
}

impl Missed {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        let snapshot = rest.snapshot().await?;
        let missed = snapshot.history.iter().filter(|entry| {
            entry.unseen && entry.outcome == HistoryOutcome::Missed && entry.direction == Direction::Incoming
        });
        for entry in missed {
            print(entry, context.json);
        }
        if self.seen {
            rest.mark_missed_seen().await?;
        }
        Ok(Exit::Done)
    }
}
