//! The handle a program holds, and the one actor behind it: socket, requests, sessions, deadlines.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use wire::{CallId, CallState, ClientMessage, CreateInvite, CreatedInvite, Event, GetOrCreate, UnixMillis, UserId};

use crate::{
    account::Account,
    backoff,
    calls::{Calls, Device, INSIST_FOR, Input, JoinOptions, Leave, Output, Request, Ticket, Toggle},
    error::ClientError,
    rest::Rest,
    session::{self, Session, SessionEvent},
    socket::{self, SocketEvent},
    state::ClientState,
    wish::RingWish,
};

/// Commands wait here while the actor works; far more than fingers can press.
const COMMANDS: usize = 64;
/// Messages of the server wait here; when full, the socket is simply read later.
const SERVER_EVENTS: usize = 256;
/// Notices that may wait for a slow listener.
const NOTICES: usize = 64;

/// A device's connection to its server. Cheap to clone; the last handle dropped (or [`Client::shutdown`]) ends it.
#[derive(Debug, Clone)]
pub struct Client {
    rest: Rest,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<Arc<ClientState>>,
    notices: broadcast::Sender<Event>,
}

enum Command {
    Input(Input),
    Join { cid: CallId, options: JoinOptions, reply: oneshot::Sender<Result<(), ClientError>> },
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
        let rest = Rest::new(account)?;
        let calls = Calls::new(rest.account());
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (view, state) = watch::channel(Arc::new(calls.view(now(), unix_now())));
        let notices = broadcast::Sender::new(NOTICES);
        let actor = Actor::new(rest.clone(), calls, engine, view, notices.clone());
        tokio::spawn(actor.run(command_queue));
        Ok(Self { rest, commands, state, notices })
    }

    /// Everything a screen may show; changes as whole values.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<Arc<ClientState>> {
        self.state.clone()
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

    /// Rings people: a call with them (and me) is made, and every device of theirs alerts.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ring(&self, people: Vec<UserId>, video: Toggle) -> Result<CallId, ClientError> {
        Ok(self.ring_as(RingWish::new(people, video)).await?.call.cid)
    }

    /// Rings people as wished. When one of them rings me at this moment, the answer is his call, which is then joined.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ring_as(&self, wish: RingWish) -> Result<CallState, ClientError> {
        let video = wish.video;
        let (cid, request) = wish.into_request();
        let state = self.get_or_create(cid, request).await?;
        if state.ring.as_ref().is_some_and(|ring| ring.caller != self.rest.account().user) {
            self.join(state.call.cid.clone(), JoinOptions { create: false, video }).await?;
        }
        Ok(state)
    }

    /// Creates or returns a call without joining it; rings its members if asked to.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn get_or_create(&self, cid: CallId, request: GetOrCreate) -> Result<CallState, ClientError> {
        let answer = self.rest.get_or_create(&cid, &request).await?;
        if request.ring {
            self.send(Command::Input(Input::State(answer.state.clone()))).await?;
        }
        Ok(answer.state)
    }

    /// Comes into a call; while it rings here, that accepts. A ring that is over is no error: the state shows why.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable; the device then rings again while the ring lives.
    pub async fn join(&self, cid: CallId, options: JoinOptions) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Join { cid, options, reply }).await?;
        answer.await.map_err(|_| ClientError::Stopped)?
    }

    /// Goes out of a call, or refuses it; done as soon as this device shows it.
    ///
    /// # Errors
    /// Only when the client is shutting down.
    pub async fn leave(&self, cid: CallId, leave: Leave) -> Result<(), ClientError> {
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

    /// How loud the microphone and each track are now; `None` while the call has no media.
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

    /// The person has looked at the missed calls.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mark_missed_seen(&self) -> Result<(), ClientError> {
        self.rest.mark_missed_seen().await
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
            _ = tokio::time::timeout(Duration::from_secs(2), finished).await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).await.map_err(|_| ClientError::Stopped)
    }
}

type Pending = Pin<Box<dyn Future<Output = Option<Input>> + Send>>;

struct Actor {
    rest: Rest,
    calls: Calls,
    engine: Option<media::Engine>,
    view: watch::Sender<Arc<ClientState>>,
    notices: broadcast::Sender<Event>,
    socket_events: mpsc::Receiver<SocketEvent>,
    socket_messages: mpsc::Sender<ClientMessage>,
    sessions: HashMap<CallId, Session>,
    session_events: mpsc::Receiver<(CallId, SessionEvent)>,
    session_sender: mpsc::Sender<(CallId, SessionEvent)>,
    requests: FuturesUnordered<Pending>,
    replies: HashMap<Ticket, oneshot::Sender<Result<(), ClientError>>>,
    next_ticket: u64,
}

impl Actor {
    fn new(
        rest: Rest,
        calls: Calls,
        engine: Option<media::Engine>,
        view: watch::Sender<Arc<ClientState>>,
        notices: broadcast::Sender<Event>,
    ) -> Self {
        let (event_sender, socket_events) = mpsc::channel(SERVER_EVENTS);
        let (socket_messages, message_queue) = mpsc::channel(COMMANDS);
        let (session_sender, session_events) = mpsc::channel(COMMANDS);
        tokio::spawn(socket::run(rest.clone(), event_sender, message_queue));
        Self {
            rest,
            calls,
            engine,
            view,
            notices,
            socket_events,
            socket_messages,
            sessions: HashMap::new(),
            session_events,
            session_sender,
            requests: FuturesUnordered::new(),
            replies: HashMap::new(),
            next_ticket: 0,
        }
    }

    /// The control flow of the whole client: drain what the machine wants done, then wait for whatever comes first.
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let deadline = self.drain();
            let timer = tokio::time::sleep_until(deadline.unwrap_or_else(far_away).into());
            let input = tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Shutdown { done }) => return self.shut_down(done).await,
                    Some(command) => self.on_command(command),
                    None => return,
                },
                Some(event) = self.socket_events.recv() => Some(from_socket(event)),
                Some((cid, event)) = self.session_events.recv() => Some(Input::Session { cid, event }),
                Some(done) = self.requests.next() => done,
                () = timer => Some(Input::Timeout),
            };
            if let Some(input) = input {
                self.calls.handle(now(), input);
            }
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.calls.poll() {
                Output::Timeout(at) => return at,
                Output::Changed => _ = self.view.send_replace(Arc::new(self.calls.view(now(), unix_now()))),
                Output::Request(request) => self.request(request),
                // Nobody listens: nobody is interested.
                Output::Notice(event) => _ = self.notices.send(event),
                Output::OpenSession { cid, media, microphone, camera } => {
                    let setup = session::Setup {
                        cid: cid.clone(),
                        url: self.rest.media_url(&media.server),
                        token: media.token,
                        pin: self.rest.account().pin,
                        microphone,
                        camera,
                    };
                    let session = Session::start(setup, self.engine.clone(), self.session_sender.clone());
                    self.sessions.insert(cid, session);
                }
                Output::CloseSession { cid } => _ = self.sessions.remove(&cid),
                Output::Switch { cid, device, to } => {
                    if let Some(session) = self.sessions.get(&cid) {
                        session.switch(device, to);
                    }
                }
                // Lost when the socket is away: the next snapshot asks for it again.
                Output::TellAlerted { cid, ring } => {
                    _ = self.socket_messages.try_send(ClientMessage::Alerted { cid, ring });
                }
                Output::Reply { ticket, result } => {
                    if let Some(reply) = self.replies.remove(&ticket) {
                        _ = reply.send(result);
                    }
                }
            }
        }
    }

    fn on_command(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Input(input) => Some(input),
            Command::Join { cid, options, reply } => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.replies.insert(ticket, reply);
                Some(Input::Join { cid, options, ticket })
            }
            Command::Levels { cid, reply } => {
                _ = reply.send(self.sessions.get(&cid).and_then(Session::levels));
                None
            }
            Command::Shutdown { .. } => None,
        }
    }

    fn request(&mut self, request: Request) {
        let rest = self.rest.clone();
        let pending: Pending = match request {
            Request::Join { cid, join, ticket } => Box::pin(async move {
                let result = Box::new(rest.join(&cid, &join).await);
                Some(Input::JoinDone { cid, result, ticket })
            }),
            Request::Reject { cid, reject } => Box::pin(async move {
                let state = insist(|| rest.reject(&cid, &reject)).await;
                state.map(Input::State)
            }),
            Request::Leave { cid } => Box::pin(async move {
                _ = insist(|| rest.leave(&cid)).await;
                None
            }),
        };
        self.requests.push(pending);
    }

    /// Everything joined is left, and the server is told before the process may end.
    async fn shut_down(mut self, done: oneshot::Sender<()>) {
        for cid in self.sessions.keys().cloned().collect::<Vec<_>>() {
            self.calls.handle(now(), Input::Leave { cid, leave: Leave::Plain });
        }
        let outgoing: Vec<CallId> = self.calls.outgoing().cloned().collect();
        for cid in outgoing {
            self.calls.handle(now(), Input::Leave { cid, leave: Leave::Plain });
        }
        self.drain();
        while self.requests.next().await.is_some() {}
        _ = done.send(());
    }
}

/// Repeats a request that must reach the server while it cannot be reached, for a while.
async fn insist<T, F: Future<Output = Result<T, ClientError>>>(request: impl Fn() -> F) -> Option<T> {
    let give_up = now() + INSIST_FOR;
    let mut attempt = 0;
    loop {
        match request().await {
            Ok(answer) => return Some(answer),
            Err(ClientError::Unreachable { why }) if now() < give_up => {
                tracing::debug!(%why, "the server is away; asking again");
                tokio::time::sleep(backoff::wait(attempt, rand::random())).await;
                attempt += 1;
            }
            Err(error) => {
                tracing::warn!(%error, "the server did not take it");
                return None;
            }
        }
    }
}

fn from_socket(event: SocketEvent) -> Input {
    match event {
        SocketEvent::Message(message) => Input::Server(message),
        SocketEvent::Down { why } => Input::Disconnected { why },
        SocketEvent::SignedOut => Input::SignedOut,
    }
}

fn far_away() -> Instant {
    now() + Duration::from_secs(24 * 3600)
}

#[expect(clippy::disallowed_methods, reason = "the driver reads the clock for the machine it drives")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the driver reads the clock for the machine it drives")]
fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
