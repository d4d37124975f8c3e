//! Pictures of every screen of the app, with names long and short, for people who judge how it looks:
//! `cargo run -p bellbird-tests --bin pictures -- FOLDER`.

mod people;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use call_client::wire::CreateInvite;
use harness::{
    App, AppWindow, Desktop, Look,
    camera::{Portrait, Scene},
    service::Service,
    steps::{is_alerted, is_in, is_quiet, sign_in},
};

/// The smallest window there is.
const SMALL: (u32, u32) = (720, 520);
const USUAL: (u32, u32) = (980, 660);
/// As large as the screen and the window's frame allow.
const LARGE: (u32, u32) = (1_260, 760);

#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/pictures"), PathBuf::from);
    match take(&folder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn take(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    first_start(&Album { folder, look: "light" }).await?;
    for look in [Look::Light, Look::Dark] {
        let name = if look == Look::Light { "light" } else { "dark" };
        at_home(&Album { folder, look: name }, look).await?;
    }
    Ok(())
}

/// From nothing to a server of one's own.
async fn first_start(album: &Album<'_>) -> Result<()> {
    let desktop = Desktop::start("ann", &Scene::Portrait(Portrait::ann())).await?;
    let window = desktop.open(&App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() }).await?;
    window.says("I have an invite").await?;
    album.keep("welcome", &window).await?;
    window.resize(SMALL).await?;
    album.keep("welcome-small", &window).await?;
    window.press("I have an invite").await?;
    album.keep("invite-form", &window).await?;
    window.write("link", "bellbird://join/nobody").await?;
    window.write("name", "Ann").await?;
    window.press("Come in").await?;
    window.says("Something does not fit").await?;
    album.keep("invite-form-error", &window).await?;
    window.press("Back").await?;
    window.resize(USUAL).await?;
    window.press("Start my own").await?;
    // The name that was typed is still there.
    window.press("Start").await?;
    window.says("Recent calls").await?;
    album.keep("home-alone", &window).await?;
    window.press("Invite somebody").await?;
    window.says("bellbird://").await?;
    album.keep("invite", &window).await?;
    window.resize(SMALL).await?;
    album.keep("invite-small", &window).await?;
    Ok(())
}

/// Among many people: lists, settings, calls.
async fn at_home(album: &Album<'_>, look: Look) -> Result<()> {
    let service = Service::start_with(|config| config.name = "Haus am See".to_owned()).await?;
    let others = people::many(&service).await?;
    let scenes = (Scene::Portrait(Portrait::ann()), Scene::Portrait(Portrait::ben()));
    let (anns, bens) = tokio::try_join!(Desktop::start("ann", &scenes.0), Desktop::start("ben", &scenes.1))?;
    let app = App { look, ..App::default() };
    let (ann, ben) = tokio::try_join!(anns.open(&app), bens.open(&app))?;
    for (window, name) in [(&ann, "Ann Lindqvist"), (&ben, "Ben")] {
        let invite = CreateInvite::default();
        let link = call_client::Rest::new(service.admin.clone())?.create_invite(&invite).await?.link;
        sign_in(window, &link, name).await?;
    }
    people::have_called(&service, &others, &ann).await?;
    for person in ["Ben", people::LONG] {
        ann.press(&format!("Make {person} a favourite")).await?;
        ann.says("Recent calls").await?;
    }
    album.keep("home", &ann).await?;
    ann.resize(SMALL).await?;
    album.keep("home-small", &ann).await?;
    ann.resize(LARGE).await?;
    album.keep("home-large", &ann).await?;
    ann.write_in("Search people", "nobody at all").await?;
    album.keep("search-nobody", &ann).await?;
    ann.resize(USUAL).await?;

    ann.press("Settings").await?;
    let devices = "select:not([disabled]):not([aria-label])";
    harness::eventually("the devices are found", || ann.place("main", devices), |_| true).await?;
    album.keep("settings", &ann).await?;
    ann.press("Add another device").await?;
    ann.says("bellbird://").await?;
    album.keep("add-device", &ann).await?;
    ann.press("Close").await?;
    harness::eventually("the devices are listed", || ann.place("main", "[data-role=device]"), |_| true).await?;
    album.keep("settings-devices", &ann).await?;
    ann.press_box("Quiet hours").await?;
    ann.press("sunday").await?;
    album.keep("settings-quiet", &ann).await?;
    ann.resize(SMALL).await?;
    album.keep("settings-small", &ann).await?;
    ann.press("Sign out").await?;
    album.keep("settings-sure", &ann).await?;
    ann.press_box("Quiet hours").await?;
    ann.press("Close").await?;
    ann.resize(USUAL).await?;

    others.long.client.ring(vec!["ann-lindqvist".parse()?], call_client::Toggle::On).await?;
    is_alerted(&ann).await?;
    album.keep("ringing-bar", &ann).await?;
    album.keep_popup("popup-long", &ann).await?;
    ann.press_popup("Decline with a message").await?;
    album.keep_popup("popup-replies", &ann).await?;
    ann.press_popup("Back").await?;
    others.first.client.ring(vec!["ann-lindqvist".parse()?], call_client::Toggle::Off).await?;
    let says = |text: &String| text.contains(people::FIRST);
    harness::eventually("the popup has both", || ann.popup_text(), says).await?;
    album.keep_popup("popup-two", &ann).await?;
    ann.press_popup(&format!("Decline {}", people::FIRST)).await?;
    ann.press_popup("Decline").await?;
    is_quiet(&ann).await?;

    ann.press("Call Ben with video").await?;
    is_alerted(&ben).await?;
    ann.says("Ringing…").await?;
    album.keep("outgoing", &ann).await?;
    ben.press_popup("Accept").await?;
    for window in [&ann, &ben] {
        is_in(window).await?;
        harness::eventually("the picture", || window.place("main", "[data-role=tile] canvas"), |_| true).await?;
    }
    album.keep("call", &ann).await?;
    ann.press("Add people").await?;
    album.keep("add-people", &ann).await?;
    ann.press("Close").await?;
    ann.resize(SMALL).await?;
    ann.press("Mute").await?;
    ann.press("Camera off").await?;
    album.keep("call-muted-small", &ann).await?;
    others.long.client.ring(vec!["ann-lindqvist".parse()?], call_client::Toggle::On).await?;
    ann.says("is calling").await?;
    album.keep("call-and-ring", &ann).await?;
    ben.press("Camera off").await?;
    album.keep("call-no-pictures", &ann).await?;
    ann.press("Hang up").await?;
    Ok(())
}

/// Where the pictures go.
struct Album<'a> {
    folder: &'a Path,
    look: &'a str,
}

impl Album<'_> {
    /// The main window, once nothing moves in it any more.
    async fn keep(&self, name: &str, window: &AppWindow<'_>) -> Result<()> {
        self.save(name, window, "main").await
    }

    async fn keep_popup(&self, name: &str, window: &AppWindow<'_>) -> Result<()> {
        self.save(name, window, "ring").await
    }

    async fn save(&self, name: &str, window: &AppWindow<'_>, label: &str) -> Result<()> {
        let picture = window.settled(label).await?.part(window.place(label, "body").await?, 0.0);
        let file = self.folder.join(format!("{name}-{}.png", self.look));
        picture.save(&file).with_context(|| format!("{} cannot be written", file.display()))
    }
}

#[expect(clippy::print_stderr, reason = "it is a program for a person at a terminal")]
fn complain(error: &anyhow::Error) {
    eprintln!("✘ {error:#}");
}
