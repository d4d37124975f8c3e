//! The app in a window, pressed with a mouse.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    process::Command,
    time::timeout,
};

use crate::{
    desktop::Desktop,
    process::{Program, program},
    screen::{Picture, Rect},
    sound::Heard,
    wait::eventually,
};

/// How long the app may take to answer about itself.
const ANSWER: Duration = Duration::from_secs(5);
/// Two pictures so far apart that are the same: nothing moves.
const STILL: Duration = Duration::from_millis(150);
/// After this long it will go on moving.
const RESTLESS: Duration = Duration::from_secs(3);

/// How the app is started.
#[derive(Debug, Clone, Default)]
pub struct App {
    /// Where a server inside listens.
    pub listen: Option<String>,
    /// Whom that asks to let the outside in.
    pub router: Option<String>,
    /// The colours the person's desktop has.
    pub look: Look,
}

/// Colours of a desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// A running app on somebody's desktop.
pub struct AppWindow<'a> {
    desktop: &'a Desktop,
    program: Program,
}

impl<'a> AppWindow<'a> {
    pub(crate) async fn open(desktop: &'a Desktop, app: &App) -> Result<Self> {
        let mut command = Command::new(program("bellbird-desktop")?);
        command
            .arg("--profile")
            .arg(desktop.path("profile"))
            .env("BELLBIRD_TEST_PROBE", desktop.path("probe.sock"))
            .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "info,pulseaudio=warn".to_owned()))
            .env("RUST_BACKTRACE", "1");
        if let Some(listen) = &app.listen {
            command.args(["--listen", listen]);
        }
        if let Some(router) = &app.router {
            command.args(["--router", router]);
        }
        match app.look {
            Look::Light => {}
            Look::Dark => _ = command.env("GTK_THEME", "Adwaita:dark"),
        }
        desktop.environment(&mut command);
        let program = Program::start("bellbird-desktop", &mut command, &desktop.path("app.log"))?;
        let window = Self { desktop, program };
        eventually("the window shows something", || window.text(), |text| !text.is_empty()).await?;
        Ok(window)
    }

    /// Whose desktop it is on.
    #[must_use]
    pub fn desktop(&self) -> &'a Desktop {
        self.desktop
    }

    /// What the main window says.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn text(&self) -> Result<String> {
        self.ask("text main").await
    }

    /// What the popup says.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn popup_text(&self) -> Result<String> {
        self.ask("text ring").await
    }

    /// Whether the popup is on the screen.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn has_popup(&self) -> Result<bool> {
        self.ask("visible ring").await
    }

    /// The call this device is in (or rings), by its id.
    ///
    /// # Errors
    /// When there is none.
    pub async fn call(&self) -> Result<String> {
        let state: serde_json::Value = self.ask("state app").await?;
        let cid = state.pointer("/stage/client/calls/0/cid").and_then(serde_json::Value::as_str);
        cid.map(str::to_owned).context("there is no call")
    }

    /// Where an element of a window (`main`, `ring`) is on the screen.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn place(&self, window: &str, selector: &str) -> Result<Rect> {
        let found: Option<[f64; 4]> = self.ask(&format!("rect {window} {selector}")).await?;
        let [x, y, width, height] = found.with_context(|| format!("{window} has no {selector}"))?;
        Ok(Rect { x, y, width, height })
    }

    /// Waits until the main window says something.
    ///
    /// # Errors
    /// When it does not.
    pub async fn says(&self, words: &str) -> Result<String> {
        let what = format!("{}'s window says {words:?}", self.desktop.person());
        eventually(&what, || self.text(), |text| text.contains(words)).await
    }

    /// Presses a button of the main window, by its name.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn press(&self, button: &str) -> Result<()> {
        self.press_at("main", &format!("button[aria-label=\"{button}\"]:not([disabled])")).await
    }

    /// Presses a button of the popup, by its name.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn press_popup(&self, button: &str) -> Result<()> {
        eventually("the popup is on the screen", || self.has_popup(), |visible| *visible).await?;
        self.press_at("ring", &format!("button[aria-label=\"{button}\"]:not([disabled])")).await
    }

    /// Presses a switch of the main window, by its name.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn press_box(&self, name: &str) -> Result<()> {
        self.press_at("main", &format!("input[type=checkbox][aria-label=\"{name}\"]")).await
    }

    async fn press_at(&self, window: &str, selector: &str) -> Result<()> {
        let reveal = format!("reveal {window} {selector}");
        eventually(&format!("{selector} is in sight"), || self.ask(&reveal), |is: &bool| *is).await?;
        let look = || self.place(window, selector);
        let place = eventually(&format!("{selector} is there"), look, |place| place.width > 0.0).await?;
        // As a person does: scrolls and goes there, sees that it is the right place, presses, sees it give way, lets go.
        let screen = self.desktop.screen();
        screen.point(place.at(0.5, 0.5))?;
        self.is(window, "hover", selector).await?;
        screen.press()?;
        self.is(window, "active", selector).await?;
        screen.release()?;
        screen.put_mouse_away()
    }

    async fn is(&self, window: &str, state: &str, selector: &str) -> Result<bool> {
        let question = format!("{state} {window} {selector}");
        eventually(&format!("{selector} is in state {state}"), || self.ask(&question), |is: &bool| *is).await
    }

    /// Types into a field of the main window, by its name.
    ///
    /// # Errors
    /// When it is not there, or what was typed does not arrive.
    pub async fn write(&self, field: &str, text: &str) -> Result<()> {
        self.write_at(field, &format!("input[name=\"{field}\"]"), text).await
    }

    /// Types into a field of the main window that has a label for those who cannot see it.
    ///
    /// # Errors
    /// When it is not there, or what was typed does not arrive.
    pub async fn write_in(&self, label: &str, text: &str) -> Result<()> {
        self.write_at(label, &format!("input[aria-label=\"{label}\"]"), text).await
    }

    async fn write_at(&self, field: &str, selector: &str, text: &str) -> Result<()> {
        self.press_at("main", selector).await?;
        let question = format!("value main {selector}");
        let look = || self.ask::<Option<String>>(&question);
        eventually(&format!("{field} has the focus"), look, Option::is_some).await?;
        let mut typing = Command::new("xdotool");
        typing.args(["type", "--delay", "4", text]);
        self.desktop.environment(&mut typing);
        let typed = typing.env_remove("LD_PRELOAD").status().await?;
        anyhow::ensure!(typed.success(), "xdotool cannot type");
        eventually(&format!("{field} has {text:?}"), look, |value| value.as_deref() == Some(text)).await?;
        Ok(())
    }

    /// Presses keys together, as `alt+shift+a`; the window with the focus gets them.
    ///
    /// # Errors
    /// When they cannot be pressed.
    pub async fn press_keys(&self, keys: &str) -> Result<()> {
        let mut pressing = Command::new("xdotool");
        pressing.args(["key", keys]);
        self.desktop.environment(&mut pressing);
        let pressed = pressing.env_remove("LD_PRELOAD").status().await?;
        anyhow::ensure!(pressed.success(), "xdotool cannot press {keys}");
        Ok(())
    }

    /// What a window (`main`, `ring`) gets when it uses a command: nothing, or the refusal.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn may(&self, window: &str, command: &str) -> Result<Option<String>> {
        let question = format!("may {window} {command}");
        let look = || self.ask::<serde_json::Value>(&question);
        let known = eventually(&format!("{command} is answered"), look, |answer| !answer.is_null()).await?;
        Ok(known.as_str().map(str::to_owned))
    }

    /// What the screen shows.
    ///
    /// # Errors
    /// When the X server does not answer.
    pub fn picture(&self) -> Result<Picture> {
        self.desktop.picture()
    }

    /// What the screen shows once a window (`main`, `ring`) has painted and nothing moves any more; what goes on moving, as
    /// a ring's pulse, is taken as it is.
    ///
    /// # Errors
    /// When the app does not answer, or never paints.
    pub async fn settled(&self, window: &str) -> Result<Picture> {
        // Asked twice: the first answer may be of a frame from before what is to be seen.
        for _ in 0..2 {
            let question = format!("painted {window}");
            eventually("the window has painted", || self.ask(&question), |is: &bool| *is).await?;
        }
        let begun = Instant::now();
        let mut before = self.picture()?;
        loop {
            tokio::time::sleep(STILL).await;
            let after = self.picture()?;
            if after == before || begun.elapsed() > RESTLESS {
                return Ok(after);
            }
            before = after;
        }
    }

    /// Gives the main window a size, in pixels.
    ///
    /// # Errors
    /// When it does not take it.
    pub async fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        let (across, down) = (width.to_string(), height.to_string());
        let mut sizing = Command::new("xdotool");
        sizing.args(["search", "--name", "^Bellbird$", "windowsize", &across, &down]);
        self.desktop.environment(&mut sizing);
        let sized = sizing.env_remove("LD_PRELOAD").status().await?;
        anyhow::ensure!(sized.success(), "xdotool cannot size the window");
        let is_so = |place: &Rect| place.width == f64::from(width) && place.height == f64::from(height);
        eventually("the window has its new size", || self.place("main", "body"), is_so).await?;
        Ok(())
    }

    /// Waits until the speaker plays what is expected.
    ///
    /// # Errors
    /// When it does not.
    pub async fn hears(&self, what: &str, is: impl Fn(&Heard) -> bool) -> Result<Heard> {
        let what = format!("{} hears {what}", self.desktop.person());
        eventually(&what, || self.desktop.listen(), is).await
    }

    /// Presses the close button of the main window's frame.
    ///
    /// # Errors
    /// When the window is not there.
    pub fn close(&self) -> Result<()> {
        self.desktop.screen().close("Bellbird")
    }

    /// Closes the ring popup, as the window manager offers it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn close_popup(&self) -> Result<()> {
        self.desktop.screen().close("Incoming call")
    }

    /// Whether the main window is on the screen.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn is_open(&self) -> Result<bool> {
        self.ask("visible main").await
    }

    /// Waits until the app ends by itself.
    ///
    /// # Errors
    /// When it does not, or ends with an error.
    pub async fn ended(self) -> Result<()> {
        self.program.ended().await
    }

    /// Ends the app without a word, as a crash does.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(self) -> Result<()> {
        self.program.kill().await
    }

    /// Ends the app as the system does at shutdown.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn quit(self) -> Result<()> {
        self.program.end().await
    }

    /// Number of the app's process.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.program.id()
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, question: &str) -> Result<T> {
        let answer = timeout(ANSWER, self.exchange(question)).await;
        let answer = answer.with_context(|| format!("no answer to {question:?} within {ANSWER:?}"))??;
        serde_json::from_str(&answer).with_context(|| format!("{question:?} was answered with {answer:?}"))
    }

    async fn exchange(&self, question: &str) -> Result<String> {
        let stream = UnixStream::connect(self.desktop.path("probe.sock")).await.context("the app does not listen")?;
        let (reader, mut writer) = stream.into_split();
        writer.write_all(format!("{question}\n").as_bytes()).await?;
        match BufReader::new(reader).lines().next_line().await? {
            Some(answer) => Ok(answer),
            None => bail!("the app has hung up on {question:?}; see app.log"),
        }
    }
}
