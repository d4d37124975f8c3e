//! The handle a program holds on its connection.

mod actor;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use wire::{
    CallId, CallState, Code, CreateInvite, CreatedInvite, DoNotDisturb, ErrorBody, Event, GetOrCreate, MESSAGE,
    Outcome, UnixMillis, UserId,
};

use crate::{
    account::Account,
    calls::{Calls, Device, Input, JoinOptions, Leave, Toggle},
    clock::Now,
    error::ClientError,
    product::Refresh,
    rest::Rest,
    state::ClientState,
    wish::RingWish,
};
use actor::{Actor, Told};

/// Commands wait here while the actor works; far more than fingers can press.
const COMMANDS: usize = 64;
/// How long the server is waited for when the program ends.
const SHUTDOWN: Duration = Duration::from_secs(2);
/// Notices that may wait for a slow listener.
const NOTICES: usize = 64;
/// States that may wait for a slow listener, who then goes on with the newest.
const CHANGES: usize = 256;

/// A device's connection to its server. Cheap to clone; the last handle dropped (or [`Client::shutdown`]) ends it.
#[derive(Debug, Clone)]
pub struct Client {
    rest: Rest,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<Arc<ClientState>>,
    changes: broadcast::Sender<Arc<ClientState>>,
    notices: broadcast::Sender<Event>,
    unknown: Arc<AtomicU64>,
}

enum Command {
    Input(Input),
    Join { cid: CallId, options: JoinOptions, reply: oneshot::Sender<Result<(), ClientError>> },
    Accept { cid: CallId, video: Toggle, reply: oneshot::Sender<Result<(), ClientError>> },
    Quiet(DoNotDisturb),
    Away(Toggle),
    Levels { cid: CallId, reply: oneshot::Sender<Option<watch::Receiver<media::Levels>>> },
    Shutdown { done: oneshot::Sender<()> },
}

impl std::fmt::Debug for Command {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Command")
    }
}

impl Client {
    /// Connects, and stays connected. Without an engine the calls have no media. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn start(account: Account, engine: Option<media::Engine>) -> Result<Self, ClientError> {
        Ok(Self::run(Rest::new(account)?, engine))
    }

    /// The same for a person of an operator's own product, where the server wants a fresh token of it.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn start_refreshing(
        account: Account,
        engine: Option<media::Engine>,
        refresh: Refresh,
    ) -> Result<Self, ClientError> {
        Ok(Self::run(Rest::refreshing(account, refresh)?, engine))
    }

    fn run(rest: Rest, engine: Option<media::Engine>) -> Self {
        let calls = Calls::new(now(), rest.account(), rand::random());
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (view, state) = watch::channel(Arc::new(calls.view(now())));
        let (changes, notices) = (broadcast::Sender::new(CHANGES), broadcast::Sender::new(NOTICES));
        let unknown = Arc::new(AtomicU64::new(0));
        let told = Told { view, changes: changes.clone(), notices: notices.clone() };
        let actor = Actor::new(rest.clone(), calls, engine, told, Arc::clone(&unknown));
        tokio::spawn(actor.run(command_queue));
        Self { rest, commands, state, changes, notices, unknown }
    }

    /// Everything a screen may show; changes as whole values, and only ever forward.
    ///
    /// ```no_run
    /// # async fn example(client: call_client::Client) {
    /// let mut states = client.state();
    /// while states.changed().await.is_ok() {
    ///     for call in states.borrow_and_update().incoming() {
    ///         println!("{:?} rings", call.caller);
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn state(&self) -> watch::Receiver<Arc<ClientState>> {
        self.state.clone()
    }

    /// The same as a queue: every change from now on, each once and in its order, where [`state`](Self::state) passes over
    /// what is not looked at in time. A listener who is so slow that the queue overflows is told so, and goes on with the
    /// newest.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<ClientState>> {
        self.changes.subscribe()
    }

    /// Everything else that can be asked of the server in this device's name.
    #[must_use]
    pub fn server(&self) -> &Rest {
        &self.rest
    }

    /// What is told and not kept, from now on: signs, the application's own events, questions, reminders. A listener
    /// that is too slow misses the oldest.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Event> {
        self.notices.subscribe()
    }

    /// How many messages and events of the server this version did not know, since the start; they were passed over. When it
    /// rises, the server is newer than this program.
    #[must_use]
    pub fn unknown_messages(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Rings people: a call with them (and me) is made, and every device of theirs alerts. Answers as soon as it rings; who
    /// accepts is in the [state](Self::state), and this device joins by itself at the first accept.
    ///
    /// Dropped before it answers, it may ring all the same: the call is then in the state.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ring(&self, people: Vec<UserId>, video: Toggle) -> Result<CallId, ClientError> {
        Ok(self.ring_as(RingWish::new(people, video)).await?.call.cid.clone())
    }

    /// Rings people as wished. When one of them rings me at this moment, the answer is his call, which this device then
    /// comes into by itself.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable; `invalid-request` for a message that breaks [`wire::MESSAGE`].
    /// `conflict` when none of them rings by this: somebody else rings them for the same call, or they are on their way into
    /// it. Their ring goes on, and whoever may can join.
    pub async fn ring_as(&self, wish: RingWish) -> Result<CallState, ClientError> {
        check_message(wish.message.as_deref())?;
        let (cid, request) = wish.into_request();
        let state = self.get_or_create(cid, request).await?;
        let me = &self.rest.account().user;
        if state.ring.as_ref().is_some_and(|ring| has_rung(ring, me)) {
            return Ok(state);
        }
        let message = "who is named is being rung by somebody else already, or is on the way into this call: join it to meet them";
        Err(ErrorBody::new(Code::Conflict, message).into())
    }

    /// Creates or returns a call without joining it; rings its members if asked to.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn get_or_create(&self, cid: CallId, request: GetOrCreate) -> Result<CallState, ClientError> {
        let asked_at = now();
        let answer = self.rest.get_or_create(&cid, &request).await?;
        if request.ring {
            self.send(Command::Input(Input::State {
                asked_at,
                state: answer.state.clone(),
                revision: answer.revision,
            }))
            .await?;
        }
        Ok(answer.state)
    }

    /// Comes into a call; while it rings here, that accepts. A ring that is over is no error: the state shows why. Answers
    /// when the server has let this device in; from when on media flows is in the state.
    ///
    /// Dropped before it answers, it comes in all the same; [`leave`](Self::leave) is what takes it back.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable; the device then rings again while the ring lives.
    pub async fn join(&self, cid: CallId, options: JoinOptions) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Join { cid, options, reply }).await?;
        answer.await.map_err(|_| ClientError::Stopped)?
    }

    /// Accepts what rings here. When it does not ring any more (another device was faster, the caller gave up), nothing is
    /// done, which is no error: the state shows why.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable; the device then rings again while the ring lives.
    pub async fn accept(&self, cid: CallId, video: Toggle) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Accept { cid, video, reply }).await?;
        answer.await.map_err(|_| ClientError::Stopped)?
    }

    /// Goes out of a call, or refuses it; done as soon as this device shows it.
    ///
    /// # Errors
    /// When the client is shutting down, and `invalid-request` for a message that breaks [`wire::MESSAGE`]: nothing is
    /// refused then.
    pub async fn leave(&self, cid: CallId, leave: Leave) -> Result<(), ClientError> {
        if let Leave::Reject { message, .. } = &leave {
            check_message(message.as_deref())?;
        }
        self.send(Command::Input(Input::Leave { cid, leave })).await
    }

    /// Ends a call for everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn end(&self, cid: CallId) -> Result<(), ClientError> {
        self.rest.end(&cid).await
    }

    /// Tells that this device now alerts its person, so that the caller sees "Ringing…".
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn alerted(&self, cid: CallId) -> Result<(), ClientError> {
        self.send(Command::Input(Input::Alerted { cid })).await
    }

    /// Mutes or unmutes.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_microphone(&self, cid: CallId, to: Toggle) -> Result<(), ClientError> {
        self.send(Command::Input(Input::Toggle { cid, device: Device::Microphone, to })).await
    }

    /// Switches the camera.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_camera(&self, cid: CallId, to: Toggle) -> Result<(), ClientError> {
        self.send(Command::Input(Input::Toggle { cid, device: Device::Camera, to })).await
    }

    /// Whether the others of a call are heard on this device.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_speaker(&self, cid: CallId, to: Toggle) -> Result<(), ClientError> {
        self.send(Command::Input(Input::Speaker { cid, to })).await
    }

    /// Whether a ring that comes while this device is in a call is answered with "busy" by itself; off at the start.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_busy_when_in_call(&self, to: Toggle) -> Result<(), ClientError> {
        self.send(Command::Input(Input::BusyWhenInCall { to })).await
    }

    /// When this device keeps quiet: no call rings on it, and those nobody takes elsewhere end as missed. Never, at the
    /// start. The person's wish for all devices is set on the server: [`Rest::set_do_not_disturb`].
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_do_not_disturb(&self, wish: DoNotDisturb) -> Result<(), ClientError> {
        self.send(Command::Quiet(wish)).await
    }

    /// Whether nobody has used this device for a while; others then see its person as away, unless another device of his
    /// is used.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn set_away(&self, to: Toggle) -> Result<(), ClientError> {
        self.send(Command::Away(to)).await
    }

    /// How loud the microphone and each track are now; `None` while the call has no media. The receiver ends with the
    /// connection to the media server: ask again after a reconnect.
    pub async fn levels(&self, cid: CallId) -> Option<watch::Receiver<media::Levels>> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Levels { cid, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Makes an invite.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn create_invite(&self, request: CreateInvite) -> Result<CreatedInvite, ClientError> {
        self.rest.create_invite(&request).await
    }

    /// The person has looked at the missed calls that the state shows now; one that is missed in this moment stays unseen.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mark_missed_seen(&self) -> Result<(), ClientError> {
        let newest = self.state.borrow().history.first().map(|line| line.id);
        match newest {
            Some(newest) => self.rest.mark_missed_seen(Some(newest)).await,
            None => Ok(()),
        }
    }

    /// Signs this device out; its account is worth nothing afterwards.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.rest.sign_out().await
    }

    /// Leaves what is joined and ends the connection; waits at most two seconds for the server to know.
    pub async fn shutdown(&self) {
        let (done, finished) = oneshot::channel();
        if self.send(Command::Shutdown { done }).await.is_ok() {
            _ = tokio::time::timeout(SHUTDOWN, finished).await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).await.map_err(|_| ClientError::Stopped)
    }
}

/// What would be refused by the server is not done by half here.
fn check_message(message: Option<&str>) -> Result<(), ClientError> {
    match message {
        Some(text) if MESSAGE.check(text).is_none() => {
            Err(ErrorBody::invalid("message", format!("a message has {MESSAGE}")).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether this is a ring by which somebody waits, or by which he has just answered who rings him.
fn has_rung(ring: &wire::Ring, user: &UserId) -> bool {
    let goes_on = |target: &wire::Target| matches!(target.outcome, Outcome::Ringing | Outcome::Accepted);
    let has_answered = |target: &wire::Target| target.user == *user && target.outcome == Outcome::Accepted;
    if ring.caller == *user { ring.targets.iter().any(goes_on) } else { ring.targets.iter().any(has_answered) }
}

#[expect(clippy::disallowed_methods, reason = "the drivers of the machine and of its socket read the clocks")]
pub(crate) fn now() -> Now {
    Now { instant: Instant::now(), wall: unix_now() }
}

#[expect(clippy::disallowed_methods, reason = "half of what the driver reads")]
fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
