//! Two people on this machine, two app windows, one real call with sound and picture; a picture of each stage.

#![expect(clippy::disallowed_methods, reason = "each stage is told with its time")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use harness::{
    App, AppWindow, Desktop, Heard, Picture,
    camera::{Portrait, Scene},
    eventually,
    steps::{invite, is_alerted, is_in, is_quiet, start_own},
};

/// Tones that stand in for voices: hertz and dBFS.
const ANN: (f64, f64) = (997.0, -12.0);
const BEN: (f64, f64) = (1_499.0, -14.0);
/// Points of a portrait that keep their colour while the person sways: the wall, the picture on it, the shirt.
const STILL: [(f64, f64); 3] = [(0.06, 0.08), (0.84, 0.3), (0.5, 0.97)];
/// Colours go through YUV at half the resolution and a lossy codec.
const NEAR: u8 = 28;

#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/demo"), PathBuf::from);
    let mut stages = Stages { folder, begun: Instant::now(), last: Instant::now() };
    match play(&mut stages).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("✘ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn play(stages: &mut Stages) -> Result<()> {
    std::fs::create_dir_all(&stages.folder)?;
    let scenes = (Scene::Portrait(Portrait::ann()), Scene::Portrait(Portrait::ben()));
    let (anns, bens) = tokio::try_join!(Desktop::start("ann", &scenes.0), Desktop::start("ben", &scenes.1))?;
    stages.done("two desktops: screen, window manager, notifications, tray, sound, camera");

    let (own, usual) = (App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() }, App::default());
    let (ann, ben) = tokio::try_join!(anns.open(&own), bens.open(&usual))?;
    stages.done("the app is open on both");
    stages.keep("1-welcome", &anns.picture()?)?;

    start_own(&ann, "Ann").await?;
    stages.done("Ann starts her own server, inside the app");
    invite(&ann, &ben, "Ben").await?;
    stages.done("Ben comes in with the link that Ann sent him");

    ann.press("Call Ben").await?;
    is_alerted(&ben).await?;
    ben.press_popup("Decline with a message").await?;
    ben.press_popup("I’ll call you back").await?;
    ann.says("Ben declined").await?;
    is_quiet(&ann).await?;
    stages.done("Ann calls; Ben declines with a word, which Ann reads");
    ben.press("Call Ann").await?;
    is_alerted(&ann).await?;
    ben.press("Cancel the call").await?;
    is_quiet(&ann).await?;
    stages.done("Ben calls back and gives up; Ann has missed it");

    ann.press("Call Ben with video").await?;
    is_alerted(&ben).await?;
    ann.says("Ringing…").await?;
    stages.done("Ann calls with video: Ben’s popup, notification, tray and tone tell him");
    stages.keep("2-ringing", &anns.picture()?)?;
    stages.keep("3-popup", &bens.picture()?)?;

    ben.press_popup("Accept").await?;
    is_in(&ann).await?;
    is_in(&ben).await?;
    stages.done("Ben accepts in the popup; both are in");

    let voices = (anns.speak(ANN.0, ANN.1)?, bens.speak(BEN.0, BEN.1)?);
    let heard = (ben.hears("Ann", is_tone(ANN)).await?, ann.hears("Ben", is_tone(BEN)).await?);
    stages.done(&format!("they hear each other: {} and {}", in_words(&heard.0), in_words(&heard.1)));
    sees(&ben, &scenes.0).await?;
    sees(&ann, &scenes.1).await?;
    stages.done("they see each other");
    drop(voices);
    is_quiet(&ann).await?;
    is_quiet(&ben).await?;
    stages.keep("4-call", &window(&ann).await?.beside(&window(&ben).await?))?;

    ann.press("Hang up").await?;
    let text = ann.says("Recent calls").await?;
    ensure!(text.contains("Video · "), "the history does not show the call: {text}");
    ben.says("Recent calls").await?;
    stages.done("Ann hangs up; both are back home, and the history has the call");
    stages.keep("5-people", &anns.picture()?)?;

    ben.quit().await?;
    ann.quit().await?;
    say(&format!("✔ a real call in {:.1} s", stages.begun.elapsed().as_secs_f64()));
    Ok(())
}

/// The app's window with a little of what is around it.
async fn window(window: &AppWindow<'_>) -> Result<Picture> {
    Ok(window.picture()?.part(window.place("main", "body").await?, 44.0))
}

fn is_tone((hertz, level): (f64, f64)) -> impl Fn(&Heard) -> bool {
    move |heard| (heard.hertz - hertz).abs() <= 2.0 && (heard.tone - level).abs() <= 3.0
}

fn in_words(heard: &Heard) -> String {
    format!("{:.0} Hz at {:.1} dBFS", heard.hertz, heard.tone)
}

/// Waits until the other's picture is in the window.
async fn sees(window: &AppWindow<'_>, scene: &Scene) -> Result<()> {
    let look = || async {
        let (place, picture) = (window.place("main", "[data-role=tile]").await?, window.picture()?);
        Ok(STILL.map(|(across, down)| picture.colour(place.at(across, down))))
    };
    let is_it = |seen: &[harness::Colour; 3]| {
        STILL.iter().zip(seen).all(|(point, seen)| {
            let wanted = scene.colour(*point);
            seen.iter().zip(wanted).all(|(seen, wanted)| seen.abs_diff(wanted) <= NEAR)
        })
    };
    eventually("the other’s picture", look, is_it).await?;
    Ok(())
}

/// What has happened so far, and where the pictures go.
struct Stages {
    folder: PathBuf,
    begun: Instant,
    last: Instant,
}

impl Stages {
    fn done(&mut self, what: &str) {
        say(&format!("✔ {:5.1} s  {what}", self.last.elapsed().as_secs_f64()));
        self.last = Instant::now();
    }

    fn keep(&self, name: &str, picture: &Picture) -> Result<()> {
        let file = Path::new(&self.folder).join(name).with_extension("png");
        picture.save(&file).with_context(|| format!("{} cannot be written", file.display()))
    }
}

#[expect(clippy::print_stdout, reason = "the demo tells its stages to the person at the terminal")]
fn say(line: &str) {
    println!("{line}");
}
