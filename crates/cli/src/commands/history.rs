//! `bellbird history`: the calls that were, newest first.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use call_client::about;
use clap::Args;
use serde_json::json;
use wire::{HistoryEntry, HistoryOutcome};

use crate::{
    Context,
    exit::{Exit, Failure},
    lines::word,
    try_say,
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
            if page.entries.iter().try_for_each(|entry| print(entry, context.json)).is_err() {
                break;
            }
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

/// A call that was, as a line; fails when nobody can read it.
pub(crate) fn print(entry: &HistoryEntry, json: bool) -> io::Result<()> {
    let answered = match entry.outcome {
        HistoryOutcome::Ongoing | HistoryOutcome::Answered => true,
        HistoryOutcome::Declined | HistoryOutcome::Busy | HistoryOutcome::Missed => false,
    };
    if json {
        let mut line = json!({
            "cid": entry.cid,
            "at": entry.at,
            "direction": entry.direction,
            "answered": answered,
            "duration_ms": entry.duration_ms,
            "caller": entry.caller,
            "people": entry.people,
            "reason": entry.reason,
        });
        if !entry.custom.is_empty() {
            line["custom"] = json!(entry.custom);
        }
        if let Some(message) = &entry.message {
            line["message"] = json!(message);
        }
        return try_say(&line.to_string());
    }
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(entry.at.0).unwrap_or(0));
    let people: Vec<&str> = entry.people.iter().map(wire::UserId::as_str).collect();
    let how = match entry.reason {
        Some(reason) if !answered => word(&reason),
        Some(_) | None => humantime::format_duration(whole_seconds(entry.duration_ms)).to_string(),
    };
    let words = [about(&entry.custom), entry.message.as_deref()].into_iter().flatten();
    let words: String = words.map(|words| format!("\t“{words}”")).collect();
    try_say(&format!(
        "{}\t{}\t{}\t{}\t{}\t{how}{words}",
        humantime::format_rfc3339_seconds(at),
        entry.cid,
        word(&entry.direction),
        entry.caller,
        people.join(",")
    ))
}

/// To the nearest second; what took place at all took one.
fn whole_seconds(milliseconds: u32) -> Duration {
    let seconds = (milliseconds.saturating_add(500) / 1_000).max(u32::from(milliseconds > 0));
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_to_the_nearest_second() {
        for (milliseconds, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_499, 1), (1_500, 2), (59_700, 60)] {
            assert_eq!(whole_seconds(milliseconds), Duration::from_secs(seconds), "{milliseconds} ms");
        }
    }
}
