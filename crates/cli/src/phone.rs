//! This device, connected while a command runs: prints every change, follows one call to its end, hears signals.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use call_client::{CallView, CallingState, Client, ClientError, ClientState, Connection, EndReason, Leave, Toggle};
use media::Engine;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::broadcast::{self, error::RecvError},
};
use wire::{CallId, Direction, ErrorBody, Outcome, RingId};

use crate::{
    Context,
    exit::Failure,
    files::Given,
    lines::{Lines, why_ringing_ended},
    running::Lock,
};

/// How long the server may be silent after a ring's end before it counts as gone.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

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
    /// Every change, so that each is printed; the last that was taken.
    changes: broadcast::Receiver<Arc<ClientState>>,
    state: Arc<ClientState>,
    lines: Lines,
    /// Rings that have been printed here: who reads the lines is alerted.
    alerted: BTreeSet<RingId>,
    interrupt: Interrupt,
    /// Switched on in a call, whatever its settings say.
    given: Given,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Over {
    /// Media flowed.
    pub(crate) was_in: bool,
    /// The person ended it.
    pub(crate) was_interrupted: bool,
    /// It rang for longer than it may, and the server said nothing.
    pub(crate) was_too_long: bool,
    /// Somebody still rings as far as the server has told: that the ring is over is this device's own guess.
    pub(crate) is_guessed: bool,
    /// Why ringing ended here.
    pub(crate) ringing: Option<EndReason>,
    /// How the call ended here.
    pub(crate) call: Option<EndReason>,
    /// What the server said, where it did not let this device in.
    pub(crate) refusal: Option<ErrorBody>,
}

impl Over {
    /// Nobody here has stopped the ring that was cancelled: the server may have, to fold it into another.
    fn may_be_folded(&self) -> bool {
        !self.was_in && !self.was_interrupted && !self.was_too_long && self.ringing == Some(EndReason::Cancelled)
    }
}

/// A connection that breaks as it is made (the server restarts, the device is being signed out) is tried once more.
const ATTEMPTS: u32 = 2;

impl Phone {
    /// Connects, and waits until the server has said what goes on.
    pub(crate) async fn connect(context: &Context, media: Option<(Engine, Given)>) -> Result<Self, Failure> {
        let (engine, given) = media.map_or((None, Given::default()), |(engine, given)| (Some(engine), given));
        let account = context.profile.account()?;
        let mut interrupt = Interrupt::new()?;
        let mut lock = Lock::take(&context.profile).await?;
        let client = Client::start(account, engine)?;
        lock.serve(&client);
        let mut changes = client.changes();
        let mut state = Arc::clone(&client.state().borrow());
        let mut attempts_left = ATTEMPTS;
        loop {
            match &state.connection {
                Connection::Connecting => {}
                Connection::Online => break,
                Connection::Offline { why } => {
                    attempts_left -= 1;
                    if attempts_left == 0 {
                        return Err(Failure::unreachable(why));
                    }
                }
                Connection::WrongServer { .. } => return Err(ClientError::WrongServer.into()),
                Connection::SignedOut => return Err(Failure::signed_out()),
            }
            state = tokio::select! {
                next = next_state(&mut changes, &client) => next?,
                () = interrupt.wait() => return Err(Failure::interrupted()),
            };
        }
        let lines = Lines::new(context.json);
        Ok(Self { client, changes, state, lines, alerted: BTreeSet::new(), interrupt, given, _lock: lock })
    }

    /// From now on only the call of this command is printed, once it is known.
    pub(crate) fn wait_for_own_call(&mut self) {
        self.lines.wait_for_a_call();
    }

    /// What goes on now; printed where it has changed. What rings and has been printed counts as alerted.
    pub(crate) async fn look(&mut self) -> Result<Waited<()>, Failure> {
        let state = Arc::clone(&self.state);
        if self.lines.tell(&state).is_err() {
            return Ok(Waited::Interrupted);
        }
        let told = |call: &&CallView| self.lines.tells_of(&call.cid);
        let rings = || ringing(&state).filter(told).filter_map(|call| Some((&call.cid, &call.ring.as_ref()?.id)));
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
            next = next_state(&mut self.changes, &self.client) => self.state = next?,
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

    /// Follows a call until it is over here; leaves it on a signal and when the patience is at its end. Where its ring was
    /// folded into the one by which the called person rings (R16), the call goes on in that one.
    pub(crate) async fn follow(&mut self, cid: &CallId, patience: Patience) -> Result<Over, Failure> {
        let over = self.follow_one(cid, patience).await?;
        if !over.may_be_folded() {
            return Ok(over);
        }
        match self.folded_into(cid).await? {
            Some(other) => self.follow_one(&other, patience).await,
            None => Ok(over),
        }
    }

    /// The call into which the ring of this one was folded: its person came in by that, and by nothing of this device.
    async fn folded_into(&mut self, cid: &CallId) -> Result<Option<CallId>, Failure> {
        let until_told = now() + GRACE;
        let mut waited = self.look().await?;
        while let Waited::Changed(state) = waited {
            if let Some(other) = led_into(&state, cid) {
                return Ok(Some(other));
            }
            waited = self.wait_for(until(Some(until_told))).await?;
        }
        Ok(None)
    }

    async fn follow_one(&mut self, cid: &CallId, patience: Patience) -> Result<Over, Failure> {
        let ring_until = patience.ring.map(|ring| now() + ring);
        let mut leave_at = None;
        let mut over = Over::default();
        let mut was_seen = false;
        let mut waited = match self.lines.include(cid) {
            Ok(()) => self.look().await?,
            Err(_) => Waited::Interrupted,
        };
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
                        over.refusal = call.state.refusal.clone();
                        let targets = call.ring.iter().flat_map(|ring| &ring.targets);
                        over.is_guessed = targets.into_iter().any(|target| target.outcome == Outcome::Ringing);
                        match call.state.calling_state {
                            CallingState::Left | CallingState::Ended => return Ok(over),
                            CallingState::Idle if over.was_interrupted => return Ok(over),
                            CallingState::Joined if !over.was_in => {
                                over.was_in = true;
                                self.use_what_is_given(cid).await?;
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

    async fn use_what_is_given(&self, cid: &CallId) -> Result<(), Failure> {
        if self.given.microphone {
            self.client.set_microphone(cid.clone(), Toggle::On).await?;
        }
        if self.given.speaker {
            self.client.set_speaker(cid.clone(), Toggle::On).await?;
        }
        if self.given.camera {
            self.client.set_camera(cid.clone(), Toggle::On).await?;
        }
        Ok(())
    }

    async fn leave(&self, cid: &CallId) -> Result<(), Failure> {
        Ok(self.client.leave(cid.clone(), Leave::Plain).await?)
    }

    fn rings(&self, cid: &CallId) -> bool {
        let rings = |call: &CallView| call.cid == *cid && call.state.calling_state == CallingState::Ringing;
        self.client.state().borrow().calls.iter().any(rings)
    }

    /// The server cannot be reached at the moment.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self.client.state().borrow().connection, Connection::Offline { .. } | Connection::WrongServer { .. })
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

/// The call by which somebody whom `cid` rang rings this person, once this device has come in by itself. It may be over
/// again.
fn led_into(state: &ClientState, cid: &CallId) -> Option<CallId> {
    let rung = &state.call(cid)?.ring.as_ref()?.targets;
    let leads_in = |call: &&CallView| {
        let is_other = call.cid != *cid && call.direction == Direction::Incoming;
        let is_back = rung.iter().any(|target| call.caller.as_ref() == Some(&target.user));
        is_other && is_back && why_ringing_ended(call, &state.me.id) == Some(EndReason::Answered)
    };
    state.calls.iter().find(leads_in).map(|call| call.cid.clone())
}

/// The next change; of more than could wait, the newest.
async fn next_state(
    changes: &mut broadcast::Receiver<Arc<ClientState>>,
    client: &Client,
) -> Result<Arc<ClientState>, Failure> {
    match changes.recv().await {
        Ok(state) => Ok(state),
        Err(RecvError::Lagged(_)) => {
            *changes = changes.resubscribe();
            Ok(Arc::clone(&client.state().borrow()))
        }
        Err(RecvError::Closed) => Err(ClientError::Stopped.into()),
    }
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
