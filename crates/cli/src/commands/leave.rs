//! `bellbird leave`: go out of a call. While it rings here, that only dismisses it on this device (R6).

use clap::Args;
use wire::{CallId, CallState, Code, Snapshot};

use super::reject::{Refusal, one, reject, ringing, told, unknown, was_rung};
use crate::{
    Context,
    exit::{Exit, Failure},
    note, running,
};

/// Go out of a call, or stop its ringing on this device alone.
///
/// A process of this profile that is connected (`call`, `answer`, `watch`) is asked to leave and ends its command.
/// Without one, the server takes this device out of a call it is still in, and cancels its unanswered ring. A ring that
/// no process of this profile shows has nothing to dismiss here: the person's other devices ring on, and the caller is
/// told nothing; `--reject` refuses it everywhere.
#[derive(Args)]
pub(crate) struct Leave {
    /// The call; the one this device is in, or that rings, if absent.
    #[arg(value_name = "TYPE:ID")]
    call: Option<CallId>,
    /// Refuse the ring, on all devices of this person.
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    answer: Refusal,
}

impl Leave {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.reject {
            return reject(context, self.call, self.answer).await;
        }
        if self.answer.message.is_some() || self.answer.reason.is_some() {
            return Err(Failure::usage("who leaves says nothing: --reason and --message go with --reject"));
        }
        let rest = context.profile.rest()?;
        let snapshot = rest.snapshot().await?;
        let cid = match self.call {
            None => one(candidates(&snapshot), "is joined, or rings, on this device")?.call.cid.clone(),
            Some(cid) if snapshot.calls.iter().any(|state| state.call.cid == cid) => cid,
            Some(cid) if was_rung(&snapshot, &cid) => return told(context, "left", &cid),
            Some(cid) => return Err(unknown(&cid)),
        };
        if !running::ask_to_leave(&context.profile, &cid) {
            let is_rung = ringing(&snapshot).iter().any(|state| state.call.cid == cid);
            let is_here = |state: &CallState| is_in(&snapshot, state) || rings_from_here(&snapshot, state);
            if !is_rung && !snapshot.calls.iter().any(|state| state.call.cid == cid && is_here(state)) {
                let message = format!("this device is not in {cid}: there is nothing to leave");
                return Err(Failure::refused(Code::Conflict, message));
            }
            if is_rung {
                note("no process of this profile shows this ring; other devices ring on (--reject refuses it)");
            }
            // The server takes out this device only, and leaves alone what rings this person.
            rest.leave(&cid, &wire::Leave::default()).await?;
        }
        told(context, "left", &cid)
    }
}

/// What this device can leave: first what it is in, then what it rings somebody for, then what rings it.
fn candidates(snapshot: &Snapshot) -> Vec<&CallState> {
    let joined: Vec<&CallState> = snapshot.calls.iter().filter(|state| is_in(snapshot, state)).collect();
    let outgoing: Vec<&CallState> = snapshot.calls.iter().filter(|state| rings_from_here(snapshot, state)).collect();
    [joined, outgoing].into_iter().find(|calls| !calls.is_empty()).unwrap_or_else(|| ringing(snapshot))
}

fn is_in(snapshot: &Snapshot, state: &CallState) -> bool {
    let session = state.call.session.as_ref();
    session.is_some_and(|session| session.participants.iter().any(|there| there.device == snapshot.device))
}

fn rings_from_here(snapshot: &Snapshot, state: &CallState) -> bool {
    state.ring.as_ref().is_some_and(|ring| ring.caller_device == snapshot.device && ring.is_live())
}
