//! `bellbird cancel`: stop ringing somebody, before anybody has answered.

use clap::Args;
use wire::{CallId, CallState, Code, Direction, Outcome, Reason, Snapshot};

use super::reject::{one, ringing, told, unknown, was_rung};
use crate::{
    Context,
    exit::{Exit, Failure},
};

/// Stop ringing somebody.
#[derive(Args)]
pub(crate) struct Cancel {
    /// The call; the one by which this person rings if absent.
    #[arg(value_name = "TYPE:ID")]
    call: Option<CallId>,
}

impl Cancel {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rest = context.profile.rest()?;
        let snapshot = rest.snapshot().await?;
        let is_my_ring = |state: &&CallState| {
            state.ring.as_ref().is_some_and(|ring| ring.caller == snapshot.me.id && ring.is_live())
        };
        let mine: Vec<&CallState> = snapshot.calls.iter().filter(is_my_ring).collect();
        let state = match &self.call {
            None => one(mine, "rings somebody for you")?,
            Some(cid) => match mine.into_iter().find(|state| state.call.cid == *cid) {
                Some(state) => state,
                None if was_cancelled(&snapshot, cid) => return told(context, "cancelled", cid),
                None => return Err(nothing_to_cancel(&snapshot, cid)),
            },
        };
        let cid = &state.call.cid;
        if state.ring.as_ref().is_some_and(wire::Ring::is_answered) {
            return Err(goes_on(cid));
        }
        let ring = state.ring.as_ref().map(|ring| ring.id.clone());
        rest.leave(cid, &wire::Leave { session: None, ring }).await?;
        told(context, "cancelled", cid)
    }
}

/// The newest ring of this person there was cancelled: what was wanted.
fn was_cancelled(snapshot: &Snapshot, cid: &CallId) -> bool {
    match snapshot.calls.iter().find(|state| state.call.cid == *cid) {
        Some(state) => state.ring.as_ref().is_some_and(|ring| {
            let is_cancelled = ring.targets.iter().any(|target| target.outcome == Outcome::Cancelled);
            ring.caller == snapshot.me.id && is_cancelled && !ring.is_answered()
        }),
        None => {
            let newest = snapshot.history.iter().find(|entry| entry.cid == *cid);
            newest.is_some_and(|entry| entry.direction == Direction::Outgoing && entry.reason == Some(Reason::Cancel))
        }
    }
}

/// What to do instead.
fn nothing_to_cancel(snapshot: &Snapshot, cid: &CallId) -> Failure {
    if ringing(snapshot).iter().any(|state| state.call.cid == *cid) {
        let message = format!("{cid} rings you, and only its caller cancels it: `bellbird reject {cid}` refuses it");
        return Failure::refused(Code::Conflict, message);
    }
    match snapshot.calls.iter().find(|state| state.call.cid == *cid) {
        Some(state) if state.call.session.is_some() => goes_on(cid),
        None if !was_rung(snapshot, cid) => unknown(cid),
        Some(_) | None => {
            let message = format!("nothing rings for you in {cid}: `bellbird history` says what became of it");
            Failure::refused(Code::Conflict, message)
        }
    }
}

fn goes_on(cid: &CallId) -> Failure {
    let message = format!("{cid} has been answered and goes on: `bellbird leave {cid}` or `bellbird end {cid}`");
    Failure::refused(Code::Conflict, message)
}
