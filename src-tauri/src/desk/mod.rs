//! What the app holds while it runs: the engine, the server inside, the client, and the state that goes to the page.

mod access;
mod backstage;
mod calls;
mod devices;
mod door;
mod news;
mod outside;
mod own_server;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use call_client::{Account, Client, ClientState, Connection, Toggle};
use coordinator::{Router, Server};
use media::Engine;
use tauri::{AppHandle, Manager as _, State};
use tauri_specta::Event as _;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::{CallId, Code, ErrorBody};

use self::news::Told;
use crate::{
    frames, levels,
    profile::{Profile, Settings},
    state::{AppState, Back, Problem, Stage, StateChanged},
    surfaces::Surfaces,
};

/// Everything the shell owns; commands and surfaces reach it through Tauri.
pub(crate) struct Desk {
    app: AppHandle,
    profile: Profile,
    engine: Engine,
    network: Network,
    /// One ring is made at a time.
    dialing: Semaphore,
    inner: Mutex<Inner>,
}

/// How a server inside meets the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    /// Where it listens at its very first start.
    pub(crate) listen: Option<SocketAddr>,
    /// Whom it asks to let the outside in.
    pub(crate) router: Router,
}

struct Inner {
    state: AppState,
    settings: Settings,
    client: Option<Client>,
    server: Option<Arc<Server>>,
    /// Calls this person has ended for everyone: no surprise, so no tone.
    ended_here: Vec<CallId>,
    /// Ends what follows the client.
    following: CancellationToken,
    /// Servers of this network are being looked for.
    looking: Option<DropGuard>,
    /// Gives up the first step that waits for somebody.
    asking: Option<CancellationToken>,
    /// Stops waiting for a call that is not open yet.
    waiting: Option<DropGuard>,
    /// What was told of calls.
    told: Told,
    /// Where the beginning leads back to.
    back: Option<Back>,
}

impl Desk {
    pub(crate) fn new(app: AppHandle, profile: Profile, network: Network) -> anyhow::Result<Self> {
        let settings = profile.settings();
        let engine = Engine::start(media::EngineOptions {
            microphone: settings.microphone.clone().into(),
            speaker: settings.speaker.clone().into(),
            camera: settings.camera.clone().into(),
        })?;
        let frames = tauri::async_runtime::block_on(frames::serve(engine.video()))?;
        let state = AppState {
            revision: 1,
            stage: Stage::Starting { what: "Starting…".to_owned(), can_stop: false },
            problem: None,
            reminders: Vec::new(),
            asked: Vec::new(),
            endings: Vec::new(),
            waiting: None,
            unread: None,
            frames,
            server: None,
            one_call_at_a_time: settings.one_call_at_a_time,
            busy_when_in_call: settings.busy_when_in_call,
            notice: None,
            nearby: Vec::new(),
            secret_place: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let following = CancellationToken::new();
        let inner = Mutex::new(Inner {
            state,
            settings,
            client: None,
            server: None,
            ended_here: Vec::new(),
            following,
            looking: None,
            asking: None,
            waiting: None,
            told: Told::default(),
            back: None,
        });
        Ok(Self { app, profile, engine, network, dialing: Semaphore::new(1), inner })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> AppState {
        self.inner().state.clone()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn client(&self) -> Result<Client, ErrorBody> {
        let not_ready = || ErrorBody::new(Code::Unauthenticated, "nobody is signed in yet");
        self.inner().client.clone().ok_or_else(not_ready)
    }

    /// Changes the state and shows it.
    fn change(&self, change: impl FnOnce(&mut AppState)) {
        let mut inner = self.inner();
        change(&mut inner.state);
        inner.state.revision += 1;
        let changed = StateChanged(inner.state.clone());
        if let Err(error) = changed.emit(&self.app) {
            tracing::error!(%error, "the page was not told of a change; it will see the next one");
        }
    }

    fn show(&self, stage: Stage) {
        match &stage {
            Stage::Welcome { .. } => {
                self.forget_news();
                self.look_around();
            }
            Stage::Starting { .. } | Stage::Asking { .. } | Stage::Locked { .. } => {}
            Stage::Ready { .. } => self.look_away(),
        }
        self.change(|state| state.stage = stage);
    }

    /// The beginning, and why somebody is there.
    fn welcome(&self, error: Option<ErrorBody>, notice: Option<String>) {
        let back = self.inner().back;
        self.show(Stage::Welcome { error, notice, back });
    }

    /// Something takes a moment, and nobody can hurry it.
    fn starting(&self, what: &str) {
        self.show(Stage::Starting { what: what.to_owned(), can_stop: false });
    }

    fn of(app: &AppHandle) -> State<'_, Self> {
        app.state()
    }

    /// Something did not work that was not pressed in the main window, which is where people read of it.
    pub(crate) fn report(&self, error: ErrorBody) {
        tracing::warn!(%error, "a wish from outside the main window did not work");
        self.change(|state| {
            let sequence = state.problem.as_ref().map_or(0, |problem| problem.sequence) + 1;
            state.problem = Some(Problem { sequence, error });
        });
    }

    /// Connects, and from now on shows what the client sees: to the page and on every surface.
    fn follow(&self, account: Account) {
        let client = match Client::start(account, Some(self.engine.clone())) {
            Ok(client) => client,
            Err(error) => return self.welcome(Some(error.body()), None),
        };
        let following = CancellationToken::new();
        {
            let mut inner = self.inner();
            inner.client = Some(client.clone());
            inner.back = None;
            std::mem::replace(&mut inner.following, following.clone()).cancel();
        }
        self.until(&following, watch(self.app.clone(), client.clone()));
        self.until(&following, news::follow(self.app.clone(), client));
        self.until(&following, levels::follow(self.app.clone()));
    }

    /// Works until it is cancelled.
    fn until(&self, over: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
        let over = over.clone();
        tauri::async_runtime::spawn(async move {
            tokio::select! {
                () = work => {}
                () = over.cancelled() => {}
            }
        });
    }

    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ErrorBody> {
        let settings = {
            let mut inner = self.inner();
            change(&mut inner.settings);
            inner.settings.clone()
        };
        self.change(|state| {
            state.one_call_at_a_time = settings.one_call_at_a_time;
            state.busy_when_in_call = settings.busy_when_in_call;
        });
        self.profile.keep_settings(&settings).map_err(|error| {
            ErrorBody::new(
                Code::Unavailable,
                format!("the settings cannot be kept on this disk ({error}): make room and try again"),
            )
        })
    }

    /// Leaves what is joined and stops the server inside; bounded in time.
    async fn close(&self) {
        let (client, server) = {
            let mut inner = self.inner();
            inner.following.cancel();
            (inner.client.take(), inner.server.take())
        };
        if let Some(client) = client {
            client.shutdown().await;
        }
        if let Some(server) = server {
            own_server::end(server).await;
        }
    }
}

/// Starts what the desk does by itself; ends it in order on SIGTERM and SIGINT.
pub(crate) fn begin(app: &AppHandle) {
    let handle = app.clone();
    tauri::async_runtime::spawn(async move { handle.state::<Desk>().resume().await });
    let handle = app.clone();
    tauri::async_runtime::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        quit(&handle);
    });
}

/// Leaves properly, then ends the app.
pub(crate) fn quit(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<Desk>().close().await;
        app.exit(0);
    });
}

async fn watch(app: AppHandle, client: Client) {
    let is_busy = app.state::<Desk>().state().busy_when_in_call;
    _ = client.set_busy_when_in_call(Toggle::from(is_busy)).await;
    let mut states = client.state();
    let mut surfaces = Surfaces::new(app.clone(), client);
    loop {
        let state = Arc::clone(&states.borrow_and_update());
        let desk = app.state::<Desk>();
        if state.connection == Connection::SignedOut {
            let why = "this device was signed out: a new invite is needed";
            let error = Some(ErrorBody::new(Code::Unauthenticated, why));
            surfaces.follow(&state);
            return desk.welcome(error, None);
        }
        desk.outdate(&state);
        // The pages first: a popup that is shown has something to show.
        desk.show(Stage::Ready { client: Box::new(ClientState::clone(&state)) });
        surfaces.follow(&state);
        if states.changed().await.is_err() {
            return;
        }
    }
}
