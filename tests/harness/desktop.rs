//! One person's machine: screen, window manager, session bus, sound server, camera.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    app::{App, AppWindow},
    bus::{Bus, Hosts, notifications::Shown, tray::TrayState},
    camera::{self, Scene},
    process::{Program, output},
    screen::{Picture, Screen},
    sound::{Heard, Sound, Voice},
    wait::eventually,
};

/// A machine with everything a desktop has, none of it real, which the app cannot tell.
pub struct Desktop {
    person: String,
    screen: Screen,
    bus: Bus,
    sound: Sound,
    _window_manager: Program,
    /// Last, so that it is removed after everything that writes into it has ended.
    folder: TempDir,
}

impl Desktop {
    /// Starts the machine of one person, with a test card before its camera.
    ///
    /// # Errors
    /// When one of its parts does not start: which, and where its log is.
    pub async fn start(person: &str, scene: &Scene) -> Result<Self> {
        Self::start_with(person, scene, Hosts::All).await
    }

    /// Starts the machine of one person, with or without what shows notifications and tray icons.
    ///
    /// # Errors
    /// When one of its parts does not start: which, and where its log is.
    pub async fn start_with(person: &str, scene: &Scene, hosts: Hosts) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("bellbird-{person}-")).tempdir()?;
        let path = folder.path();
        std::fs::create_dir(path.join("home"))?;
        scene.write(&path.join("camera.yuyv"))?;
        let screen = Screen::start(path).await?;
        let (bus, sound) = tokio::try_join!(Bus::start(path, hosts), Sound::start(path))?;
        let mut command = Command::new("xfwm4");
        command.arg("--compositor=off").stdout(Stdio::null());
        environment(&mut command, path, &screen, &bus);
        let window_manager = Program::start("xfwm4", &mut command, &path.join("xfwm4.log"))?;
        let desktop = Self { person: person.to_owned(), screen, bus, sound, _window_manager: window_manager, folder };
        let name = desktop.screen.name().to_owned();
        let managed = || async { output("xprop", &["-display", &name, "-root", "_NET_SUPPORTING_WM_CHECK"]).await };
        eventually("the window manager is there", managed, |text| text.contains("window id")).await?;
        Ok(desktop)
    }

    /// Starts the app.
    ///
    /// # Errors
    /// When it does not start, or its window does not come.
    pub async fn open(&self, app: &App) -> Result<AppWindow<'_>> {
        AppWindow::open(self, app).await
    }

    /// Whose it is.
    #[must_use]
    pub fn person(&self) -> &str {
        &self.person
    }

    /// What the screen shows.
    ///
    /// # Errors
    /// When the X server does not answer.
    pub fn picture(&self) -> Result<Picture> {
        self.screen.picture()
    }

    /// With `BELLBIRD_KEEP` set, what the screen shows now stays to be looked at, as `NAME.png` in the person's folder.
    ///
    /// # Errors
    /// When the X server does not answer.
    pub fn keep(&self, name: &str) -> Result<()> {
        if std::env::var_os("BELLBIRD_KEEP").is_some() {
            self.picture()?.save(&self.path(&format!("{name}.png")))?;
        }
        Ok(())
    }

    /// The notifications that are shown now.
    #[must_use]
    pub fn notifications(&self) -> Vec<Shown> {
        self.bus.board.shown()
    }

    /// The notifications that were shown and are gone.
    #[must_use]
    pub fn past_notifications(&self) -> Vec<Shown> {
        self.bus.board.gone()
    }

    /// The notification of a call that rings, when it is there.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn incoming_notification(&self) -> Result<Shown> {
        let find = || async { Ok(self.notifications().into_iter().find(|shown| shown.category == "call.incoming")) };
        let found = eventually("a notification of the call", find, Option::is_some).await?;
        found.context("there is no notification")
    }

    /// Presses a button of a notification.
    ///
    /// # Errors
    /// When it is not there (any more).
    pub async fn press_notification(&self, id: u32, action: &str) -> Result<()> {
        self.bus.press(id, action).await
    }

    /// The person presses a button of the next notification in the moment it is there, before the app has heard its number.
    pub fn press_next_notification(&self, action: &str) {
        self.bus.board.press_next(action);
    }

    /// What the tray shows.
    ///
    /// # Errors
    /// When nothing is in the tray.
    pub async fn tray(&self) -> Result<TrayState> {
        self.bus.tray.state(self.bus.connection()).await
    }

    /// A tray host comes, as when a panel starts late.
    ///
    /// # Errors
    /// When there is one already.
    pub async fn add_tray(&self) -> Result<()> {
        self.bus.add_tray().await
    }

    /// An unlocked keyring, as the system's log-in starts it; it is there until the answer is dropped.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn add_keyring(&self) -> Result<Keyring> {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets", "--unlock"]).stdout(Stdio::null());
        environment(&mut command, self.folder.path(), &self.screen, &self.bus);
        let keyring = Program::start_told(&mut command, "a password", &self.path("keyring.log")).await?;
        let look = || self.bus.has("org.freedesktop.secrets");
        eventually("the keyring is on the bus", look, |is_there| *is_there).await?;
        Ok(Keyring { _daemon: keyring })
    }

    /// The file of the app that says who is signed in, as JSON.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub fn account(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_str(&std::fs::read_to_string(self.account_file())?)?)
    }

    /// The file itself.
    #[must_use]
    pub fn account_file(&self) -> PathBuf {
        self.path("profile/account.json")
    }

    /// Presses an entry of the tray's menu.
    ///
    /// # Errors
    /// When there is no such entry.
    pub async fn press_tray(&self, entry: &str) -> Result<()> {
        self.bus.tray.press(self.bus.connection(), entry).await
    }

    /// A sine into the microphone.
    ///
    /// # Errors
    /// When it cannot be played.
    pub fn speak(&self, hertz: f64, dbfs: f64) -> Result<Voice> {
        self.sound.speak(hertz, dbfs)
    }

    /// What sounds at the speaker.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn listen(&self) -> Result<Heard> {
        self.sound.listen().await
    }

    /// The window that has the focus.
    ///
    /// # Errors
    /// When the X server does not answer.
    pub fn focus(&self) -> Result<u32> {
        self.screen.focus()
    }

    pub(crate) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// A file or folder of this machine.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The environment of a program on this machine.
    pub(crate) fn environment(&self, command: &mut Command) {
        environment(command, self.folder.path(), &self.screen, &self.bus);
        command
            .env("PULSE_SERVER", self.sound.server())
            .env("LD_PRELOAD", camera::LIBRARY)
            .env("BELLBIRD_CAMERA_FRAMES", self.path("camera.yuyv"))
            .env("BELLBIRD_CAMERA_NAME", "Integrated Camera")
            .env("BELLBIRD_CAMERA_UNPLUGGED", self.path("camera-unplugged"));
    }
}

/// A keyring that is open.
pub struct Keyring {
    _daemon: Program,
}

impl Drop for Desktop {
    /// With `BELLBIRD_KEEP` set, logs and the last picture stay to be looked at.
    fn drop(&mut self) {
        if std::env::var_os("BELLBIRD_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            let file = self.path("last.png");
            if let Ok(picture) = self.picture()
                && picture.save(&file).is_ok()
            {
                tracing::info!(file = %file.display(), "kept");
            }
        }
    }
}

fn environment(command: &mut Command, folder: &Path, screen: &Screen, bus: &Bus) {
    let home = folder.join("home");
    command
        .env_remove("WAYLAND_DISPLAY")
        .env("DISPLAY", screen.name())
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .env("HOME", &home)
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
        .env("LC_ALL", "C.UTF-8");
}
