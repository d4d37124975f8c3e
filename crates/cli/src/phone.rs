//! This device, connected while a command runs: prints every change, follows one call to its end, hears signals.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use call_client::{CallView, CallingState, Client, ClientState, Connection, EndReason, Leave};
use media::Engine;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use wire::{CallId, Direction, RingId};

use crate::{
    Context,
    exit::Failure,
    lines::{Lines, why_ringing_ended},
    running::Lock,
};

/// How long the server may be silent after a ring's end before it counts as gone.
const GRACE: Duration = Duration::from_secs(2);

/// SIGINT and SIGTERM; one that came early is not lost.
pub(crate) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    pub(crate) fn new() -> Result<Self, Failure> {
        let watch = |kind| signal(kind).map_err(|error| Failure::from(anyhow::Error::from(error)));
        Ok(Self { interrupt: watch(SignalKind::interrupt())?, terminate: watch(SignalKind::terminate())? })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A connected device.
pub(crate) struct Phone {
    pub(crate) client: Client,
    states: watch::Receiver<Arc<ClientState>>,
    lines: Lines,
    /// Rings that have been printed here: who reads the lines is alerted.
    alerted: BTreeSet<RingId>,
    interrupt: Interrupt,
    _lock: Lock,
}

/// What came first.
pub(crate) enum Waited<T> {
    Done(T),
    /// Something changed, and has been printed.
    Changed(Arc<ClientState>),
    /// The person wants to end it.
    Interrupted,
}

/// How long a call is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long a ring of this device may last.
    pub(crate) ring: Option<Duration>,
    /// How long to stay once in the call.
    pub(crate) stay: Option<Duration>,
}

/// A call that is over for this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    /// Media flowed.
    pub(crate) was_in: bool,
    /// The person ended it.
    pub(crate) was_interrupted: bool,
    /// It rang for longer than it may, and the server said nothing.
    pub(crate) was_too_long: bool,
    /// Why ringing ended here.
    pub(crate) ringing: Option<EndReason>,
    /// How the call ended here.
    pub(crate) call: Option<EndReason>,
}

impl Phone {
    /// Connects, and waits until the server has said what goes on.
    pub(crate) async fn connect(context: &Context, engine: Option<Engine>) -> Result<Self, Failure> {
        let account = context.profile.account()?;
        let mut interrupt = Interrupt::new()?;
        let mut lock = Lock::take(&context.profile)?;
        let client = Client::start(account, engine)?;
        lock.serve(&client);
        let mut states = client.state();
        let online = async {
            loop {
                match &states.borrow_and_update().connection {
                    Connection::Connecting => {}
                    Connection::Online => return Ok(()),
                    Connection::Offline { why } | Connection::WrongServer { why } => {
                        return Err(Failure::unreachable(why));
                    }
                    Connection::SignedOut => return Err(Failure::signed_out()),
                }
                if states.changed().await.is_err() {
                    return Err(call_client::ClientError::Stopped.into());
                }
            }
        };
        tokio::select! {
            online = online => online?,
            () = interrupt.wait() => return Err(Failure::interrupted()),
        }
        let lines = Lines::new(context.json);
        Ok(Self { client, states, lines, alerted: BTreeSet::new(), interrupt, _lock: lock })
    }

    /// What goes on now; printed where it has changed. What rings and has been printed counts as alerted.
    pub(crate) async fn look(&mut self) -> Result<Waited<()>, Failure> {
        let state = Arc::clone(&self.states.borrow_and_update());
        if self.lines.tell(&state).is_err() {
            return Ok(Waited::Interrupted);
        }
        let rings = || ringing(&state).filter_map(|call| call.ring.as_ref().map(|ring| (&call.cid, &ring.id)));
        for (cid, ring) in rings() {
            if !self.alerted.contains(ring) {
                self.client.alerted(cid.clone()).await?;
            }
        }
        self.alerted = rings().map(|(_, ring)| ring.clone()).collect();
        if state.connection == Connection::SignedOut {
            return Err(Failure::signed_out());
        }
        Ok(Waited::Changed(state))
    }

    /// Waits for the first of: some work, a change, a signal.
    pub(crate) async fn wait_for<T>(&mut self, work: impl Future<Output = T>) -> Result<Waited<T>, Failure> {
        tokio::select! {
            done = work => return Ok(Waited::Done(done)),
            () = self.interrupt.wait() => return Ok(Waited::Interrupted),
            changed = self.states.changed() => changed.map_err(|_| call_client::ClientError::Stopped)?,
        }
        Ok(match self.look().await? {
            Waited::Changed(state) => Waited::Changed(state),
            Waited::Interrupted | Waited::Done(()) => Waited::Interrupted,
        })
    }

    /// Waits for the next change or signal.
    pub(crate) async fn next(&mut self) -> Result<Waited<()>, Failure> {
        self.wait_for(std::future::pending()).await
    }

    /// Follows a call until it is over here; leaves it on a signal and when the patience is at its end.
    pub(crate) async fn follow(&mut self, cid: &CallId, patience: Patience) -> Result<Over, Failure> {
        let ring_until = patience.ring.map(|ring| now() + ring + GRACE);
        let mut leave_at = None;
        let mut over = Over { was_in: false, was_interrupted: false, was_too_long: false, ringing: None, call: None };
        let mut was_seen = false;
        let mut waited = self.look().await?;
        loop {
            match waited {
                Waited::Changed(state) => match state.calls.iter().find(|call| call.cid == *cid) {
                    // Asked for, and not told by the server yet.
                    None if !was_seen && !over.was_interrupted => {}
                    None => return Ok(over),
                    Some(call) => {
                        was_seen = true;
                        over.ringing = why_ringing_ended(call, &state.me.id);
                        over.call = call.state.reason;
                        match call.state.calling_state {
                            CallingState::Left | CallingState::Ended => return Ok(over),
                            CallingState::Idle if over.was_interrupted => return Ok(over),
                            CallingState::Joined if !over.was_in => {
                                over.was_in = true;
                                leave_at = patience.stay.map(|stay| now() + stay);
                            }
                            CallingState::Idle
                            | CallingState::Ringing
                            | CallingState::Joining
                            | CallingState::Joined
                            | CallingState::Reconnecting => {}
                        }
                    }
                },
                Waited::Interrupted => {
                    over.was_interrupted = true;
                    self.leave(cid).await?;
                }
                Waited::Done(()) => {
                    over.was_too_long = self.rings(cid);
                    leave_at = None;
                    self.leave(cid).await?;
                }
            }
            let due = if over.was_in || over.was_too_long { leave_at } else { ring_until.filter(|_| self.rings(cid)) };
            waited = self.wait_for(until(due)).await?;
        }
    }

    async fn leave(&self, cid: &CallId) -> Result<(), Failure> {
        Ok(self.client.leave(cid.clone(), Leave::Plain).await?)
    }

    fn rings(&self, cid: &CallId) -> bool {
        let rings = |call: &CallView| call.cid == *cid && call.state.calling_state == CallingState::Ringing;
        self.states.borrow().calls.iter().any(rings)
    }

    /// The server cannot be reached at the moment.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self.states.borrow().connection, Connection::Offline { .. })
    }

    /// Leaves everything; the server knows before the process ends.
    pub(crate) async fn hang_up(self) {
        self.client.shutdown().await;
    }
}

/// The calls that ring here.
pub(crate) fn ringing(state: &ClientState) -> impl Iterator<Item = &CallView> {
    state
        .calls
        .iter()
        .filter(|call| call.direction == Direction::Incoming && call.state.calling_state == CallingState::Ringing)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the command's patience is counted here")]
fn now() -> Instant {
    Instant::now()
}
