//! `bellbird missed`: the calls nobody has looked at yet, newest first.

use clap::Args;

use super::history::{PAGE, print};
use crate::{
    Context,
    exit::{Exit, Failure},
};

/// List the calls that were missed and not looked at yet, newest first.
#[derive(Args)]
pub(crate) struct Missed {
    /// Those that are listed have been looked at now, on all devices of this person.
    #[arg(long)]
    seen: bool,
}

impl Missed {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        let (mut newest, mut before) = (None, None);
        loop {
            let page = rest.missed(before, PAGE).await?;
            newest = newest.or(page.entries.first().map(|entry| entry.id));
            // What nobody could read, nobody has looked at; why is said at the end.
            if page.entries.iter().try_for_each(|entry| print(entry, context.json)).is_err() {
                return Ok(Exit::Done);
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        // What was missed since stays for the next time.
        if let Some(newest) = newest.filter(|_| self.seen) {
            rest.mark_missed_seen(Some(newest)).await?;
        }
        Ok(Exit::Done)
    }
}
