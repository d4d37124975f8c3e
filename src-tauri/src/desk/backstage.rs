//! Calls that are not open yet: opening them, and coming in as soon as they are.

use std::{sync::Arc, time::Duration};

use call_client::{CallView, Client, OpeningView, Toggle};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use wire::{CallId, CallState, Capability, Code, ErrorBody, UnixMillis};

use super::{Desk, calls::takes_place, news::now};

/// How long a call whose time has come is left alone when its server does not think so yet.
const AGAIN: Duration = Duration::from_secs(1);
/// A call in which nothing goes on is not among the calls, and whether it has opened is asked for this often.
const LOOK: Duration = Duration::from_secs(5);
/// Only a change can open it.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3_600);

impl Desk {
    /// Opens a backstage to everybody, or closes it again.
    pub(crate) async fn go_live(&self, cid: &CallId, to: Toggle) -> Result<(), ErrorBody> {
        let client = self.client()?;
        let done = match to {
            Toggle::On => client.server().go_live(cid).await,
            Toggle::Off => client.server().stop_live(cid).await,
        };
        done.map(|_| ()).map_err(|error| error.body())
    }

    /// Comes in as soon as the call is open, unless the person stops waiting, waits for another, or is in a call by then.
    pub(crate) fn wait_for(&self, client: Client, cid: CallId) {
        let over = CancellationToken::new();
        self.inner().waiting = Some(over.clone().drop_guard());
        self.change(|state| state.waiting = Some(cid.clone()));
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            let desk = Self::of(&app);
            tokio::select! {
                () = desk.come_in_when_open(&client, &cid) => desk.stop_waiting(),
                () = over.cancelled() => {}
            }
        });
    }

    async fn come_in_when_open(&self, client: &Client, cid: &CallId) {
        while is_opened(client, cid).await {
            if client.state().borrow().calls.iter().any(takes_place) {
                return;
            }
            match self.join_now(cid.clone(), Toggle::Off).await {
                // Not open yet by the server's clock, or the network is away for a moment.
                Err(error) if matches!(error.code, Code::InBackstage | Code::Unavailable | Code::RateLimited) => {
                    sleep(error.retry_after_ms.map_or(AGAIN, |ms| Duration::from_millis(ms.into()))).await;
                }
                Err(error) => return self.report(error),
                Ok(()) => return,
            }
        }
    }

    pub(crate) fn stop_waiting(&self) {
        let waiting = self.inner().waiting.take();
        self.change(|state| state.waiting = None);
        drop(waiting);
    }
}

/// Waits until a call is open; says no when it is gone meanwhile.
async fn is_opened(client: &Client, cid: &CallId) -> bool {
    let mut states = client.state();
    let mut is_known = false;
    loop {
        let state = Arc::clone(&states.borrow_and_update());
        let wait = match state.call(cid) {
            Some(call) if !is_closed(call) => return true,
            Some(call) => opens_in(call, now()),
            None if is_known => return false,
            None => LOOK,
        };
        is_known |= state.call(cid).is_some();
        match timeout(wait, states.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return false,
            Err(_) if state.call(cid).is_some() => return true,
            Err(_) => match client.server().read(cid).await {
                Ok(told) if has_opened(&told, now()) => return true,
                Err(error) if error.code() == Some(Code::CallNotFound) => return false,
                Ok(_) | Err(_) => {}
            },
        }
    }
}

/// Whether this person does not get in yet.
pub(super) fn is_closed(call: &CallView) -> bool {
    match call.opening {
        OpeningView::Open | OpeningView::Live => false,
        OpeningView::Backstage { .. } => !call.own_capabilities.contains(&Capability::JoinBackstage),
    }
}

/// The same for a call that is asked for: whether this person gets in now.
pub(super) fn has_opened(told: &CallState, now: UnixMillis) -> bool {
    told.call.is_open(now) || told.own_capabilities.contains(&Capability::JoinBackstage)
}

fn opens_in(call: &CallView, now: UnixMillis) -> Duration {
    match call.opening {
        OpeningView::Open | OpeningView::Live => Duration::ZERO,
        OpeningView::Backstage { opens_at } => opens_at.map_or(NEVER, |at| at.since(now)),
    }
}

#[cfg(test)]
mod tests {
    use call_client::CallingState;
    use wire::Direction;

    use super::*;
    use crate::ringing::examples::call;

    #[test]
    fn a_backstage_is_closed_for_who_may_not_come_in_before_it_opens() {
        let mut idle = call(Direction::None, CallingState::Idle);
        assert!(!is_closed(&idle));
        idle.opening = OpeningView::Backstage { opens_at: Some(UnixMillis(5_000)) };
        assert!(is_closed(&idle));
        assert_eq!(opens_in(&idle, UnixMillis(2_000)), Duration::from_secs(3));
        assert_eq!(opens_in(&idle, UnixMillis(6_000)), Duration::ZERO);
        idle.own_capabilities = vec![Capability::JoinBackstage];
        assert!(!is_closed(&idle));
        idle.own_capabilities.clear();
        idle.opening = OpeningView::Live;
        assert!(!is_closed(&idle));
    }
}
