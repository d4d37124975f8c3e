//! What this person does with calls, from whichever surface: one call at a time, and never one twice.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use call_client::{CallView, CallingState, Client, ClientState, JoinOptions, Leave, Toggle};
use wire::{CallId, Code, Direction, ErrorBody, Reason, UserId};

use super::{
    Desk,
    backstage::{has_opened, is_closed},
    news::now,
};
use crate::{
    ringing::{Accepting, Incoming, Wanted, is_on, wanted},
    windows,
};

/// How long a new ring may take to show in the state, once the server has taken it.
const SHOWN: Duration = Duration::from_secs(2);

impl Desk {
    /// Rings people. Rings are made one after the other, so that a second press finds what the first has made.
    pub(crate) async fn ring(&self, people: Vec<UserId>, video: Toggle) -> Result<(), ErrorBody> {
        let client = self.client()?;
        let _turn = self.dialing.acquire().await;
        if client.state().borrow().calls.iter().any(|call| is_with(call, &people)) {
            return Ok(());
        }
        self.make_room_for(None).await?;
        let cid = client.ring(people, video).await.map_err(|error| error.body())?;
        is_shown(&client, &cid).await;
        // While the server was asked, this person may have come into another call: that one is on.
        let is_elsewhere = |state: &ClientState| state.calls.iter().any(|call| call.cid != cid && is_on(call));
        if self.inner().settings.one_call_at_a_time && is_elsewhere(&client.state().borrow()) {
            return self.leave(cid).await;
        }
        Ok(())
    }

    /// Comes into a call; into one that is not open yet as soon as it is.
    pub(crate) async fn join(&self, cid: CallId, video: Toggle) -> Result<(), ErrorBody> {
        let client = self.client()?;
        let known = client.state().borrow().call(&cid).map(is_closed);
        // A call in which nothing goes on is asked for first: no screen of a call opens before a closed door.
        let is_closed = match known {
            Some(is_closed) => is_closed,
            None => client.server().read(&cid).await.is_ok_and(|told| !has_opened(&told, now())),
        };
        if is_closed {
            self.wait_for(client, cid);
            return Ok(());
        }
        match self.join_now(cid.clone(), video).await {
            Err(error) if error.code == Code::InBackstage => {
                self.wait_for(client, cid);
                Ok(())
            }
            joined => joined,
        }
    }

    pub(super) async fn join_now(&self, cid: CallId, video: Toggle) -> Result<(), ErrorBody> {
        self.make_room_for(Some(&cid)).await?;
        self.client()?.join(cid, JoinOptions { create: false, video }).await.map_err(|error| error.body())
    }

    /// Accepts from outside the main window, which shows what comes of it; with video as the ring wants, unless said
    /// otherwise. A ring that is over by then is not joined: the window shows that it was missed.
    pub(crate) async fn answer(&self, cid: CallId, video: Option<Toggle>) {
        windows::show_main(&self.app);
        if let Err(error) = self.accept(cid, video).await {
            self.report(error);
        }
    }

    /// Accepts what rings here. When another device of this person was faster, or the ring is over, nothing is left and
    /// nothing is joined.
    pub(crate) async fn accept(&self, cid: CallId, video: Option<Toggle>) -> Result<(), ErrorBody> {
        let client = self.client()?;
        let rings = ringing_here(&client.state().borrow(), &cid);
        let Some(incoming) = rings else { return Ok(()) };
        self.make_room_for(Some(&cid)).await?;
        client.accept(cid, video.unwrap_or(Toggle::from(incoming.video))).await.map_err(|error| error.body())
    }

    pub(crate) async fn leave(&self, cid: CallId) -> Result<(), ErrorBody> {
        self.client()?.leave(cid, Leave::Plain).await.map_err(|error| error.body())
    }

    /// Declines what rings here. A word that comes late, when the call was accepted meanwhile, does not hang up.
    pub(crate) async fn decline(&self, cid: CallId, message: Option<String>) -> Result<(), ErrorBody> {
        if ringing_here(&self.client()?.state().borrow(), &cid).is_none() {
            return Ok(());
        }
        let leave = Leave::Reject { reason: Reason::Decline, message };
        self.client()?.leave(cid, leave).await.map_err(|error| error.body())
    }

    /// The popup was closed: what rings falls silent on this device, and rings on elsewhere (R6).
    pub(crate) async fn dismiss_rings(&self) {
        let Ok(client) = self.client() else { return };
        let incoming = wanted(&client.state().borrow()).incoming;
        for Incoming { cid, .. } in incoming {
            let still_rings = ringing_here(&client.state().borrow(), &cid).is_some();
            if still_rings && let Err(error) = self.leave(cid).await {
                self.report(error);
            }
        }
    }

    /// Ends a call for everyone.
    pub(crate) async fn end(&self, cid: CallId) -> Result<(), ErrorBody> {
        let client = self.client()?;
        self.inner().ended_here.push(cid.clone());
        let ended = client.end(cid.clone()).await.map_err(|error| error.body());
        if ended.is_err() {
            self.was_ended_here(&cid);
        }
        ended
    }

    /// Whether this person ended the call; asked once for each.
    pub(crate) fn was_ended_here(&self, cid: &CallId) -> bool {
        let mut inner = self.inner();
        let before = inner.ended_here.len();
        inner.ended_here.retain(|known| known != cid);
        inner.ended_here.len() < before
    }

    /// What accepting does to the call that is on.
    pub(crate) fn accepting(&self, wanted: &Wanted) -> Accepting {
        match self.inner().settings.one_call_at_a_time {
            true if !wanted.on.is_empty() => Accepting::LeavesOther,
            true | false => Accepting::Adds,
        }
    }

    /// The call that ended as nobody wanted is told until it is read.
    pub(crate) fn keep_unread(&self, call: CallView) {
        self.change(|state| state.unread = Some(call));
    }

    pub(crate) fn forget_unread(&self) {
        if self.inner().state.unread.is_some() {
            self.change(|state| state.unread = None);
        }
    }

    /// One call at a time, unless the person wants otherwise: what is joined or rung is left before another begins.
    async fn make_room_for(&self, next: Option<&CallId>) -> Result<(), ErrorBody> {
        if !self.inner().settings.one_call_at_a_time {
            return Ok(());
        }
        let client = self.client()?;
        let state = Arc::clone(&client.state().borrow());
        for call in state.calls.iter().filter(|call| takes_place(call) && Some(&call.cid) != next) {
            client.leave(call.cid.clone(), Leave::Plain).await.map_err(|error| error.body())?;
        }
        Ok(())
    }
}

fn ringing_here(state: &ClientState, cid: &CallId) -> Option<Incoming> {
    wanted(state).incoming.into_iter().find(|incoming| incoming.cid == *cid)
}

/// Waits until the state has a call.
async fn is_shown(client: &Client, cid: &CallId) {
    let mut states = client.state();
    let shown = states.wait_for(|state| state.calls.iter().any(|call| call.cid == *cid));
    if tokio::time::timeout(SHOWN, shown).await.is_err() {
        tracing::warn!(%cid, "a new ring does not show");
    }
}

/// Whether this person is in a call, or rings one.
pub(super) fn takes_place(call: &CallView) -> bool {
    let rings_out = call.direction == Direction::Outgoing && call.state.calling_state == CallingState::Ringing;
    is_on(call) || rings_out
}

/// Whether this person is in a call with exactly these people, or rings them.
fn is_with(call: &CallView, people: &[UserId]) -> bool {
    takes_place(call) && call.people.iter().collect::<BTreeSet<_>>() == people.iter().collect::<BTreeSet<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ringing::examples::{call, state};

    #[test]
    fn my_own_ring_gives_way_to_the_next_call_and_an_incoming_one_does_not() {
        assert!(takes_place(&call(Direction::Outgoing, CallingState::Ringing)));
        assert!(takes_place(&call(Direction::Incoming, CallingState::Joined)));
        assert!(!takes_place(&call(Direction::Incoming, CallingState::Ringing)));
        assert!(!takes_place(&call(Direction::Outgoing, CallingState::Left)));
    }

    #[test]
    fn only_what_rings_here_is_declined() {
        let cid = "default:1".parse().unwrap();
        let rings =
            |direction, calling_state| ringing_here(&state(vec![call(direction, calling_state)]), &cid).is_some();
        assert!(rings(Direction::Incoming, CallingState::Ringing));
        assert!(!rings(Direction::Incoming, CallingState::Joined), "it was accepted meanwhile");
        assert!(!rings(Direction::Outgoing, CallingState::Ringing));
    }

    #[test]
    fn a_second_press_is_the_first_only_for_the_same_people() {
        let ringing = call(Direction::Outgoing, CallingState::Ringing);
        let (ben, cleo): (UserId, UserId) = ("ben".parse().unwrap(), "cleo".parse().unwrap());
        assert!(is_with(&ringing, std::slice::from_ref(&ben)));
        assert!(!is_with(&ringing, std::slice::from_ref(&cleo)));
        assert!(!is_with(&ringing, &[ben.clone(), cleo]));
        assert!(!is_with(&call(Direction::Outgoing, CallingState::Ended), &[ben]));
    }
}
