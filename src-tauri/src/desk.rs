//! What the app holds while it runs: the engine, the server inside, the client, and the state that goes to the page.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use call_client::{
    Account, CallView, CallingState, Client, ClientState, Connection, JoinOptions, Leave, SignInWish, sign_in,
};
use coordinator::{Config, Server};
use media::Engine;
use tauri::{AppHandle, Manager as _};
use tauri_specta::Event as _;
use tokio_util::sync::CancellationToken;
use wire::{CallId, Code, ErrorBody, Invite};

use crate::{
    frames,
    profile::{Profile, ServerSettings, Settings},
    state::{AppState, DeviceChoice, DeviceKind, Devices, LevelsChanged, OwnServer, Stage, StateChanged, TrackLevel},
    surfaces::Surfaces,
};

/// Where the server inside listens first; if taken, on any other port, which is then kept.
const PORT: u16 = 7480;

/// Everything the shell owns; commands and surfaces reach it through Tauri.
pub(crate) struct Desk {
    app: AppHandle,
    profile: Profile,
    engine: Engine,
    listen: Option<SocketAddr>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: AppState,
    settings: Settings,
    client: Option<Client>,
    server: Option<Server>,
    /// Ends what follows the client.
    following: CancellationToken,
}

impl Desk {
    pub(crate) fn new(app: AppHandle, profile: Profile, listen: Option<SocketAddr>) -> anyhow::Result<Self> {
        let settings = profile.settings();
        let engine = Engine::start(media::EngineOptions {
            microphone: settings.microphone.clone().into(),
            speaker: settings.speaker.clone().into(),
            camera: settings.camera.clone().into(),
        })?;
        let frames = tauri::async_runtime::block_on(frames::serve(engine.video()))?;
        let state = AppState {
            revision: 1,
            stage: Stage::Starting { what: "Starting…".to_owned() },
            frames,
            server: None,
            one_call_at_a_time: settings.one_call_at_a_time,
            notice: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let following = CancellationToken::new();
        let inner = Mutex::new(Inner { state, settings, client: None, server: None, following });
        Ok(Self { app, profile, engine, listen, inner })
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
        self.change(|state| state.stage = stage);
    }

    /// Takes up where the last run ended: the server inside, then the account.
    async fn resume(&self) {
        let settings = self.inner().settings.clone();
        if let Some(server) = settings.server {
            self.show(Stage::Starting { what: "Starting your server…".to_owned() });
            if let Err(error) = self.run_server(server).await {
                return self.show(Stage::Welcome { error: Some(error) });
            }
        }
        match self.profile.account() {
            Some(account) => self.follow(account),
            None => self.show(Stage::Welcome { error: None }),
        }
    }

    pub(crate) async fn start_own_server(&self, name: String) -> Result<(), ErrorBody> {
        let name = checked_name(&name)?;
        self.show(Stage::Starting { what: "Starting your server…".to_owned() });
        let outcome = self.start_and_sign_in(name).await;
        self.settle(outcome)
    }

    async fn start_and_sign_in(&self, name: String) -> Result<(), ErrorBody> {
        let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT);
        let listen = self.listen.unwrap_or(everywhere);
        self.run_server(ServerSettings { name: format!("{name}’s Bellbird"), listen, udp: listen }).await?;
        let invite = self.own_invite().await?;
        self.sign_in_with(invite, name).await
    }

    /// The admin's invite of the server inside, redeemed on this machine itself, without TLS.
    async fn own_invite(&self) -> Result<Invite, ErrorBody> {
        let used = || ErrorBody::new(Code::Conflict, "your server has its admin already: sign in with an invite");
        let server = self.inner().server.take().ok_or_else(used)?;
        let (invite, port) = (server.admin_invite().await, server.address().port());
        self.inner().server = Some(server);
        let mut invite = invite.ok_or_else(used)?;
        invite.server = wire::ServerAddress { host: Ipv4Addr::LOCALHOST.to_string(), port };
        invite.pin = None;
        Ok(invite)
    }

    /// Starts the server inside; if its port is taken, on any other.
    async fn run_server(&self, wanted: ServerSettings) -> Result<(), ErrorBody> {
        let unavailable = |error: coordinator::StartError| ErrorBody::new(Code::Unavailable, error.to_string());
        let config = |listen: SocketAddr, udp: SocketAddr| Config {
            data: self.profile.server_data(),
            listen,
            udp,
            livekit_key: None,
            name: wanted.name.clone(),
            advertise: Vec::new(),
            limits_factor: std::num::NonZeroU32::MIN,
        };
        let server = match Server::start(config(wanted.listen, wanted.udp)).await {
            Ok(server) => server,
            Err(coordinator::StartError::Listen { .. } | coordinator::StartError::Media { .. }) => {
                let any = SocketAddr::new(wanted.listen.ip(), 0);
                Server::start(config(any, any)).await.map_err(unavailable)?
            }
            Err(error) => return Err(unavailable(error)),
        };
        let kept = ServerSettings { listen: server.address(), udp: server.media_address(), ..wanted.clone() };
        let own = OwnServer { address: server.reachable().to_string(), name: wanted.name };
        self.inner().server = Some(server);
        self.change_settings(|settings| settings.server = Some(kept))?;
        self.change(|state| state.server = Some(own));
        Ok(())
    }

    pub(crate) async fn accept_invite(&self, link: String, name: String) -> Result<(), ErrorBody> {
        let name = checked_name(&name)?;
        let invite: Invite =
            link.parse().map_err(|error: wire::InviteError| ErrorBody::invalid("link", error.to_string()))?;
        self.show(Stage::Starting { what: "Signing in…".to_owned() });
        let outcome = self.sign_in_with(invite, name).await;
        self.settle(outcome)
    }

    async fn sign_in_with(&self, invite: Invite, name: String) -> Result<(), ErrorBody> {
        let wish = SignInWish { user_id: None, name, device_name: device_name() };
        let account = sign_in(&invite, wish).await.map_err(|error| error.body())?;
        self.profile.keep_account(&account).map_err(|error| {
            ErrorBody::new(
                Code::Unavailable,
                format!("your sign-in cannot be kept on this disk ({error}): make room and try again"),
            )
        })?;
        self.follow(account);
        Ok(())
    }

    /// A first step that failed leads back to the beginning, with the reason.
    fn settle(&self, outcome: Result<(), ErrorBody>) -> Result<(), ErrorBody> {
        if let Err(error) = &outcome {
            self.show(Stage::Welcome { error: Some(error.clone()) });
        }
        outcome
    }

    /// Connects, and from now on shows what the client sees: to the page and on every surface.
    fn follow(&self, account: Account) {
        let client = match Client::start(account, Some(self.engine.clone())) {
            Ok(client) => client,
            Err(error) => return self.show(Stage::Welcome { error: Some(error.body()) }),
        };
        let following = CancellationToken::new();
        {
            let mut inner = self.inner();
            inner.client = Some(client.clone());
            std::mem::replace(&mut inner.following, following.clone()).cancel();
        }
        let app = self.app.clone();
        let watching = following.clone();
        tauri::async_runtime::spawn(async move {
            let work = watch(app, client);
            tokio::select! {
                () = work => {}
                () = watching.cancelled() => {}
            }
        });
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            tokio::select! {
                () = follow_levels(app) => {}
                () = following.cancelled() => {}
            }
        });
    }

    /// One call at a time, unless the person wants otherwise: the joined one is left before another begins.
    pub(crate) async fn make_room_for(&self, next: Option<&CallId>) -> Result<(), ErrorBody> {
        if !self.inner().settings.one_call_at_a_time {
            return Ok(());
        }
        let client = self.client()?;
        let state = Arc::clone(&client.state().borrow());
        for call in state.calls.iter().filter(|call| is_on(call) && Some(&call.cid) != next) {
            client.leave(call.cid.clone(), Leave::Plain).await.map_err(|error| error.body())?;
        }
        Ok(())
    }

    pub(crate) async fn join(&self, cid: CallId, options: JoinOptions) -> Result<(), ErrorBody> {
        self.make_room_for(Some(&cid)).await?;
        self.client()?.join(cid, options).await.map_err(|error| error.body())
    }

    pub(crate) async fn devices(&self) -> Devices {
        let engine = self.engine.clone();
        let found = tauri::async_runtime::spawn_blocking(move || engine.devices()).await.unwrap_or_default();
        let settings = self.inner().settings.clone();
        Devices {
            microphones: choices(found.microphones, settings.microphone.as_ref()),
            speakers: choices(found.speakers, settings.speaker.as_ref()),
            cameras: choices(found.cameras, settings.camera.as_ref()),
        }
    }

    pub(crate) fn choose_device(&self, kind: DeviceKind, id: String) -> Result<(), ErrorBody> {
        let chosen = Some(id).filter(|id| !id.is_empty());
        let engine_kind = match kind {
            DeviceKind::Microphone => media::DeviceKind::Microphone,
            DeviceKind::Speaker => media::DeviceKind::Speaker,
            DeviceKind::Camera => media::DeviceKind::Camera,
        };
        self.engine.choose(engine_kind, chosen.clone().into());
        self.change_settings(|settings| match kind {
            DeviceKind::Microphone => settings.microphone = chosen,
            DeviceKind::Speaker => settings.speaker = chosen,
            DeviceKind::Camera => settings.camera = chosen,
        })
    }

    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ErrorBody> {
        let settings = {
            let mut inner = self.inner();
            change(&mut inner.settings);
            inner.settings.clone()
        };
        self.change(|state| state.one_call_at_a_time = settings.one_call_at_a_time);
        self.profile.keep_settings(&settings).map_err(|error| {
            ErrorBody::new(
                Code::Unavailable,
                format!("the settings cannot be kept on this disk ({error}): make room and try again"),
            )
        })
    }

    pub(crate) async fn sign_out(&self) -> Result<(), ErrorBody> {
        let client = self.client()?;
        client.sign_out().await.map_err(|error| error.body())?;
        client.shutdown().await;
        self.inner().client = None;
        self.inner().following.cancel();
        if let Err(error) = self.profile.forget_account() {
            tracing::warn!(%error, "the account's file is still there; it is worth nothing");
        }
        self.show(Stage::Welcome { error: None });
        Ok(())
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
            server.shutdown().await;
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
    let mut states = client.state();
    let mut surfaces = Surfaces::new(app.clone(), client);
    loop {
        let state = Arc::clone(&states.borrow_and_update());
        surfaces.follow(&state);
        let desk = app.state::<Desk>();
        if state.connection == Connection::SignedOut {
            let why = "this device was signed out: a new invite is needed";
            return desk.show(Stage::Welcome { error: Some(ErrorBody::new(Code::Unauthenticated, why)) });
        }
        desk.show(Stage::Ready { client: Box::new(ClientState::clone(&state)) });
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Tells the page how loud everybody is while a call is joined.
async fn follow_levels(app: AppHandle) {
    let Ok(client) = app.state::<Desk>().client() else { return };
    let mut states = client.state();
    loop {
        let joined = states.borrow_and_update().calls.iter().find(|call| is_on(call)).map(|call| call.cid.clone());
        let levels = match joined {
            Some(cid) => client.levels(cid).await,
            None => None,
        };
        if let Some(mut levels) = levels {
            while levels.changed().await.is_ok() {
                let now = levels.borrow_and_update().clone();
                let percent = |level: f32| (level * 100.0).round() as u8;
                let tracks =
                    now.tracks.iter().map(|(key, level)| TrackLevel { key: key.clone(), level: percent(*level) });
                let changed = LevelsChanged { microphone: percent(now.microphone), tracks: tracks.collect() };
                _ = changed.emit(&app);
            }
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

fn is_on(call: &CallView) -> bool {
    match call.state.calling_state {
        CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => true,
        CallingState::Idle | CallingState::Ringing | CallingState::Left | CallingState::Ended => false,
    }
}

fn choices(found: Vec<media::DeviceInfo>, chosen: Option<&String>) -> Vec<DeviceChoice> {
    let is_there = found.iter().any(|device| Some(&device.id) == chosen);
    let choice = |device: media::DeviceInfo| {
        let chosen = if is_there { Some(&device.id) == chosen } else { device.is_default };
        DeviceChoice { id: device.id, name: device.name, chosen }
    };
    found.into_iter().map(choice).collect()
}

fn checked_name(name: &str) -> Result<String, ErrorBody> {
    let rule =
        || ErrorBody::invalid("name", "please give a name of 1 to 100 characters: it is what others see when you call");
    wire::NAME.check(name).map(str::to_owned).ok_or_else(rule)
}

fn device_name() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    wire::NAME.check(&name).unwrap_or("This computer").to_owned()
}
