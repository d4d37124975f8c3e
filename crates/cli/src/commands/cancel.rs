//! `bellbird cancel`: stop ringing somebody, before anybody has answered.

use clap::Args;
use wire::{CallId, CallState, Code};

use super::reject::{one, told, unknown, was_rung};
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
                // Over already: what was wanted.
                None if was_rung(&snapshot, cid) => return told(context, "cancelled", cid),
                None => return Err(unknown(cid)),
            },
        };
        let cid = &state.call.cid;
        if state.ring.as_ref().is_some_and(wire::Ring::is_answered) {
            let message = format!("{cid} has been answered: `bellbird leave {cid}` or `bellbird end {cid}`");
            return Err(Failure::refused(Code::Conflict, message));
        }
        let ring = state.ring.as_ref().map(|ring| ring.id.clone());
        rest.leave(cid, &wire::Leave { session: None, ring }).await?;
        told(context, "cancelled", cid)
    }
}
