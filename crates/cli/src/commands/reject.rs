//! `bellbird reject`: refuse the call that rings, on all devices of the person.

use clap::{Args, ValueEnum};
use wire::{CallId, CallState, Code, Outcome, Reason, Snapshot};

use super::call::message;
use crate::{
    Context,
    exit::{Exit, Failure},
    lines::word,
    say,
};

/// Refuse the call that rings.
#[derive(Args)]
pub(crate) struct Reject {
    /// The call; the one that rings if absent.
    #[arg(value_name = "TYPE:ID")]
    call: Option<CallId>,
    #[command(flatten)]
    answer: Refusal,
}

/// What the caller is told.
#[derive(Args, Clone)]
pub(crate) struct Refusal {
    /// Why; `decline` unless said.
    #[arg(long)]
    pub(crate) reason: Option<ReasonName>,
    /// A short word for the caller.
    #[arg(long, value_parser = message)]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReasonName {
    Decline,
    Busy,
    Timeout,
    Cancel,
}

impl From<ReasonName> for Reason {
    fn from(name: ReasonName) -> Self {
        match name {
            ReasonName::Decline => Self::Decline,
            ReasonName::Busy => Self::Busy,
            ReasonName::Timeout => Self::Timeout,
            ReasonName::Cancel => Self::Cancel,
        }
    }
}

impl Reject {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        reject(context, self.call, self.answer).await
    }
}

/// Refuses a ring. One that is over is refused with success and without effect (R5).
pub(crate) async fn reject(context: &Context, call: Option<CallId>, refusal: Refusal) -> Result<Exit, Failure> {
    let rest = context.profile.rest()?;
    let snapshot = rest.snapshot().await?;
    let state = match call {
        None => one(ringing(&snapshot), "rings here")?,
        Some(cid) => match snapshot.calls.iter().find(|state| state.call.cid == cid && state.ring.is_some()) {
            Some(state) => state,
            None if was_rung(&snapshot, &cid) => return told(context, "rejected", &cid),
            None => return Err(unknown(&cid)),
        },
    };
    let cid = state.call.cid.clone();
    if state.ring.as_ref().is_some_and(|ring| ring.target(&snapshot.me.id).is_none()) {
        let message = format!("{cid} does not ring you: `bellbird cancel {cid}` stops your own ring");
        return Err(Failure::refused(Code::Conflict, message));
    }
    if let Some(ring) = &state.ring {
        let reject = wire::Reject {
            ring: ring.id.clone(),
            reason: refusal.reason.map_or(Reason::Decline, Reason::from),
            message: refusal.message,
        };
        rest.reject(&cid, &reject).await?;
    }
    told(context, "rejected", &cid)
}

/// The calls that ring this person.
pub(crate) fn ringing(snapshot: &Snapshot) -> Vec<&CallState> {
    let rings_me = |state: &&CallState| {
        let target = state.ring.as_ref().and_then(|ring| ring.target(&snapshot.me.id));
        target.is_some_and(|target| target.outcome == Outcome::Ringing)
    };
    snapshot.calls.iter().filter(rings_me).collect()
}

/// The only one of these calls, or what to do instead.
pub(crate) fn one<'a>(calls: Vec<&'a CallState>, what: &str) -> Result<&'a CallState, Failure> {
    match calls.as_slice() {
        [only] => Ok(only),
        [] => Err(Failure::refused(Code::RingOver, format!("no call {what}"))),
        several => {
            let names: Vec<&str> = several.iter().map(|state| state.call.cid.as_str()).collect();
            let message = format!("more than one call {what}: name one of {}", names.join(", "));
            Err(Failure::usage(message))
        }
    }
}

pub(crate) fn was_rung(snapshot: &Snapshot, cid: &CallId) -> bool {
    snapshot.history.iter().any(|entry| entry.cid == *cid)
}

pub(crate) fn unknown(cid: &CallId) -> Failure {
    let message = format!("there is no call {cid}, or it is none of yours: `bellbird history` lists those that were");
    Failure::refused(Code::CallNotFound, message)
}

/// Says what was done.
pub(crate) fn told(context: &Context, what: &str, cid: &CallId) -> Result<Exit, Failure> {
    if context.json {
        say(&serde_json::json!({ "cid": cid, "done": what }).to_string());
    } else {
        say(&format!("{what}: {}", word(cid)));
    }
    Ok(Exit::Done)
}
