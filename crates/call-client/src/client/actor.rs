//! The one task behind a [`Client`](super::Client): socket, requests, sessions, deadlines.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::MissedTickBehavior,
};
use wire::{CallId, ClientMessage, DoNotDisturb, Event, ServerMessage};

use super::{COMMANDS, Command, SHUTDOWN, now};
use crate::{
    calls::{Calls, Input, Output, Ticket, Toggle},
    errands::{ErrandId, Request},
    error::ClientError,
    quiet::{LocalTime, Quiet},
    rest::Rest,
    session::{self, Session, SessionEvent, Switch},
    socket::{Order, Socket, SocketEvent},
    state::ClientState,
};

/// Messages of the server wait here; when full, the socket is simply read later.
const SERVER_EVENTS: usize = 256;
/// How often quiet hours are compared with the clock: they begin and end on the minute, nearly.
const QUIET_LOOK: Duration = Duration::from_secs(15);

type Pending = Pin<Box<dyn Future<Output = Input> + Send>>;

/// Where what happens is told.
pub(super) struct Told {
    pub(super) view: watch::Sender<Arc<ClientState>>,
    pub(super) changes: broadcast::Sender<Arc<ClientState>>,
    pub(super) notices: broadcast::Sender<Event>,
}

pub(super) struct Actor {
    rest: Rest,
    calls: Calls,
    engine: Option<media::Engine>,
    told: Told,
    socket_events: mpsc::Receiver<SocketEvent>,
    socket_orders: mpsc::Sender<Order>,
    sessions: HashMap<CallId, Session>,
    session_events: mpsc::Receiver<(CallId, ErrandId, SessionEvent)>,
    session_sender: mpsc::Sender<(CallId, ErrandId, SessionEvent)>,
    requests: FuturesUnordered<Pending>,
    replies: HashMap<Ticket, oneshot::Sender<Result<(), ClientError>>>,
    next_ticket: u64,
    quiet: Quiet,
    is_quiet: Toggle,
}

impl Actor {
    pub(super) fn new(
        rest: Rest,
        calls: Calls,
        engine: Option<media::Engine>,
        told: Told,
        unknown: Arc<AtomicU64>,
    ) -> Self {
        let (event_sender, socket_events) = mpsc::channel(SERVER_EVENTS);
        let (socket_orders, order_queue) = mpsc::channel(COMMANDS);
        let (session_sender, session_events) = mpsc::channel(COMMANDS);
        tokio::spawn(Socket::new(rest.clone(), event_sender, order_queue, unknown).run());
        Self {
            rest,
            calls,
            engine,
            told,
            socket_events,
            socket_orders,
            sessions: HashMap::new(),
            session_events,
            session_sender,
            requests: FuturesUnordered::new(),
            replies: HashMap::new(),
            next_ticket: 0,
            quiet: Quiet::default(),
            is_quiet: Toggle::Off,
        }
    }

    /// The control flow of the whole client: drain what the machine wants done, then wait for whatever comes first.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut minutes = tokio::time::interval(QUIET_LOOK);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
                Some((cid, join, event)) = self.session_events.recv() => Some(Input::Session { cid, join, event }),
                Some(done) = self.requests.next() => Some(done),
                () = timer => Some(Input::Timeout),
                _ = minutes.tick() => None,
            };
            if let Some(input) = input {
                self.handle(input);
            }
            self.keep_quiet();
        }
    }

    fn handle(&mut self, input: Input) {
        if let Input::Server { message: ServerMessage::Snapshot(snapshot), .. } = &input {
            self.quiet.forget_told();
            // Before the snapshot's rings: what must not be heard is not heard for a moment either.
            self.keep_quiet_by(&snapshot.do_not_disturb.clone());
        }
        self.calls.handle(now(), input);
    }

    fn keep_quiet(&mut self) {
        self.keep_quiet_by(&self.calls.quiet_wish().clone());
        if self.calls.is_online()
            && let Some(standing) = self.quiet.news(self.is_quiet)
        {
            _ = self.socket_orders.try_send(Order::Send(ClientMessage::Standing { standing }));
        }
    }

    fn keep_quiet_by(&mut self, wish: &DoNotDisturb) {
        let now = now();
        let is_quiet = self.quiet.holds(wish, LocalTime::of(now.wall));
        if std::mem::replace(&mut self.is_quiet, is_quiet) != is_quiet {
            self.calls.handle(now, Input::DoNotDisturb { to: is_quiet });
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.calls.poll() {
                Output::Timeout(at) => return at,
                Output::Changed => {
                    let view = Arc::new(self.calls.view(now()));
                    // The newest first: who is told of a change finds nothing older.
                    self.told.view.send_replace(Arc::clone(&view));
                    _ = self.told.changes.send(view);
                }
                Output::Request { id, request } => self.request(id, request),
                Output::Reconnect => _ = self.socket_orders.try_send(Order::Reconnect),
                Output::FetchAsks => self.fetch_asks(),
                // Nobody listens: nobody is interested.
                Output::Notice(event) => _ = self.told.notices.send(event),
                Output::OpenSession { cid, join, media, microphone, camera, speaker, settings } => {
                    let setup = session::Setup {
                        cid: cid.clone(),
                        join,
                        url: self.rest.media_url(&media.server),
                        token: media.token,
                        pin: self.rest.account().pin,
                        microphone,
                        camera,
                        speaker,
                        settings: *settings,
                    };
                    let session = Session::start(setup, self.engine.clone(), self.session_sender.clone());
                    self.sessions.insert(cid, session);
                }
                Output::CloseSession { cid } => _ = self.sessions.remove(&cid),
                Output::RefreshSession { cid, media } => {
                    if let Some(session) = self.sessions.get(&cid) {
                        session.switch(Switch::Token(media.token));
                    }
                }
                Output::Switch { cid, device, to } => {
                    if let Some(session) = self.sessions.get(&cid) {
                        session.switch(Switch::Send(device, to));
                    }
                }
                Output::Hear { cid, to } => {
                    if let Some(session) = self.sessions.get(&cid) {
                        session.switch(Switch::Hear(to));
                    }
                }
                // Lost when the socket is away: the next snapshot asks for it again.
                Output::TellAlerted { cid, ring } => {
                    let alerted = ClientMessage::Alerted { cid, ring };
                    _ = self.socket_orders.try_send(Order::Send(alerted));
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
                let ticket = self.ticket(reply);
                Some(Input::Join { cid, options, ticket })
            }
            Command::Accept { cid, video, reply } => {
                let ticket = self.ticket(reply);
                Some(Input::Accept { cid, video, ticket })
            }
            Command::Levels { cid, reply } => {
                _ = reply.send(self.sessions.get(&cid).and_then(Session::levels));
                None
            }
            Command::Quiet(wish) => {
                self.quiet.set_device(wish);
                None
            }
            Command::Away(to) => {
                self.quiet.set_away(to);
                None
            }
            Command::Shutdown { .. } => None,
        }
    }

    /// Who waits at the door; who comes later is told of by events.
    fn fetch_asks(&mut self) {
        let rest = self.rest.clone();
        self.requests.push(Box::pin(async move {
            match rest.asks().await {
                Ok(waiting) => Input::Asks { waiting },
                Err(error) => {
                    tracing::warn!(%error, "who waits at the door is not known");
                    Input::Timeout
                }
            }
        }));
    }

    fn ticket(&mut self, reply: oneshot::Sender<Result<(), ClientError>>) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.replies.insert(ticket, reply);
        ticket
    }

    fn request(&mut self, id: ErrandId, request: Request) {
        let rest = self.rest.clone();
        self.requests.push(Box::pin(async move {
            match request {
                Request::Join { cid, join } => {
                    let result = Box::new(rest.join(&cid, &join).await);
                    Input::JoinDone { id, cid, result }
                }
                Request::Reject { cid, reject } => {
                    Input::ErrandDone { id, result: rest.reject(&cid, &reject).await.map(|_| ()) }
                }
                Request::Leave { cid, leave } => Input::ErrandDone { id, result: rest.leave(&cid, &leave).await },
            }
        }));
    }

    /// Everything joined is left, and the server is told before the process may end.
    async fn shut_down(mut self, done: oneshot::Sender<()>) {
        let give_up = now().instant + SHUTDOWN;
        self.calls.handle(now(), Input::ShutDown);
        loop {
            let deadline = self.drain().map_or(give_up, |at| at.min(give_up));
            if self.calls.is_quiet() || now().instant >= give_up {
                break;
            }
            let input = tokio::select! {
                Some(done) = self.requests.next() => done,
                () = tokio::time::sleep_until(deadline.into()) => Input::Timeout,
            };
            self.calls.handle(now(), input);
        }
        _ = done.send(());
    }
}

fn from_socket(event: SocketEvent) -> Input {
    match event {
        SocketEvent::Message { opened_at, message } => Input::Server { opened_at, message },
        SocketEvent::Down { why } => Input::Disconnected { why },
        SocketEvent::WrongServer { why } => Input::WrongServer { why },
        SocketEvent::SignedOut => Input::SignedOut,
    }
}

fn far_away() -> Instant {
    now().instant + Duration::from_secs(24 * 3600)
}
