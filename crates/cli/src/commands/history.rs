//! `bellbird history`: the calls that were, newest first.

use clap::Args;
use serde_json::json;
use wire::{HistoryEntry, HistoryOutcome};

use crate::{
    Context,
    exit::{Exit, Failure},
    lines::word,
    say,
};

/// List the calls that were, newest first.
#[derive(Args)]
pub(crate) struct History {
    /// How many of the newest.
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "all")]
    limit: u32,
    /// Every call there ever was.
    #[arg(long)]
    all: bool,
}

impl History {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        let (mut left, mut before) = (if self.all { u32::MAX } else { self.limit }, None);
        while left > 0 {
            let page = rest.history(before, left.min(PAGE)).await?;
            page.entries.iter().for_each(|entry| print(entry, context.json));
            left = left.saturating_sub(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(Exit::Done)
    }
}

/// The most that the server gives at once.
pub(crate) const PAGE: u32 = 100;

/// A call that was, as a line.
pub(crate) fn print(entry: &HistoryEntry, json: bool) {
    let answered = match entry.outcome {
        HistoryOutcome::Ongoing | HistoryOutcome::Answered => true,
        HistoryOutcome::Declined | HistoryOutcome::Busy | HistoryOutcome::Missed => false,
    };
    if json {
        let line = json!({
            "cid": entry.cid,
            "at": entry.at,
            "direction": entry.direction,
            "answered": answered,
            "duration_ms": entry.duration_ms,
            "caller": entry.caller,
            "people": entry.people,
            "reason": entry.reason,
        });
        say(&line.to_string());
        return;
    }
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(entry.at.0).unwrap_or(0));
    let people: Vec<&str> = entry.people.iter().map(wire::UserId::as_str).collect();
    let how = match entry.reason {
        Some(reason) if !answered => word(&reason),
        Some(_) | None => humantime::format_duration(whole_seconds(entry.duration_ms)).to_string(),
    };
    say(&format!(
        "{}\t{}\t{}\t{}\t{}\t{how}",
        humantime::format_rfc3339_seconds(at),
        entry.cid,
        word(&entry.direction),
        entry.caller,
        people.join(",")
    ));
}

fn whole_seconds(milliseconds: u32) -> std::time::Duration {
    std::time::Duration::from_secs(u64::from(milliseconds.div_ceil(1_000)))
}
