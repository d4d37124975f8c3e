//! Ann and Ben, each with a desktop, a test card before the camera, and a way to the same server.

use anyhow::{Context as _, Result};
use harness::{
    App, AppWindow, Colour, Desktop, Heard, Picture, Rect, ServerProcess,
    camera::{Card, SPOTS, Scene},
    eventually,
    steps::{invite, is_alerted, is_in, sign_in, start_own},
};

/// The tone before Ann's microphone, and its level.
pub(crate) const ANN: (f64, f64) = (997.0, -12.0);
/// The tone before Ben's microphone, and its level.
pub(crate) const BEN: (f64, f64) = (1_499.0, -14.0);

/// The machines of two people.
pub(crate) struct Desktops {
    pub(crate) ann: Desktop,
    pub(crate) ben: Desktop,
}

/// Two people who can call each other.
pub(crate) struct Pair<'a> {
    pub(crate) ann: AppWindow<'a>,
    pub(crate) ben: AppWindow<'a>,
}

impl Desktops {
    pub(crate) async fn start() -> Result<Self> {
        let (warm, cold) = (Scene::Card(Card::warm()), Scene::Card(Card::cold()));
        let (ann, ben) = tokio::try_join!(Desktop::start("ann", &warm), Desktop::start("ben", &cold))?;
        Ok(Self { ann, ben })
    }

    /// Ann's app has the server inside and invites Ben.
    pub(crate) async fn pair(&self) -> Result<Pair<'_>> {
        let with_server = App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() };
        let without = App::default();
        let (ann, ben) = tokio::try_join!(self.ann.open(&with_server), self.ben.open(&without))?;
        start_own(&ann, "Ann").await?;
        invite(&ann, &ben, "Ben").await?;
        Ok(Pair { ann, ben })
    }

    /// Both are on a server that runs by itself; Ann is its admin and invites Ben.
    pub(crate) async fn pair_on(&self, server: &ServerProcess) -> Result<Pair<'_>> {
        let app = App::default();
        let (ann, ben) = tokio::try_join!(self.ann.open(&app), self.ben.open(&app))?;
        sign_in(&ann, server.invite.as_deref().context("a new server has an invite")?, "Ann").await?;
        invite(&ann, &ben, "Ben").await?;
        Ok(Pair { ann, ben })
    }
}

impl<'a> Pair<'a> {
    /// Ann's mouse calls; done when Ben's popup and notification are there.
    pub(crate) async fn ann_calls(&self) -> Result<()> {
        self.ann.press("Call Ben with video").await?;
        is_alerted(&self.ben).await?;
        self.ann.says("Ringing…").await?;
        Ok(())
    }

    /// Ann's mouse calls, Ben's mouse accepts, and both are in.
    pub(crate) async fn are_in_a_call(&self) -> Result<()> {
        self.ann_calls().await?;
        self.ben.press_popup("Accept").await?;
        for window in [&self.ann, &self.ben] {
            is_in(window).await?;
        }
        Ok(())
    }
}

/// The spot that something lies over: the own picture, and in that one (which is mirrored) the name.
const COVERED: usize = 3;

/// Whether a part of a picture shows a test card; `mirrored` as one's own picture is shown.
fn shows_card(picture: &Picture, place: Rect, card: &Card, mirrored: bool) -> bool {
    let spots = SPOTS.iter().zip(&card.spots).enumerate().filter(|(number, _)| *number != COVERED);
    spots.map(|(_, spot)| spot).all(|((across, down), wanted)| {
        let across = if mirrored { 1.0 - across } else { *across };
        is_near(picture.colour(place.at(across, *down)), *wanted)
    })
}

/// Colours go through YUV at half the resolution and a lossy codec.
fn is_near(seen: Colour, wanted: Colour) -> bool {
    seen.iter().zip(&wanted).all(|(seen, wanted)| seen.abs_diff(*wanted) <= 28)
}

/// Waits until a tile of the window shows a test card.
pub(crate) async fn sees(window: &AppWindow<'_>, tile: &str, card: &Card, mirrored: bool) -> Result<()> {
    let selector = format!("[data-role={tile}]");
    let look = || async {
        let place = window.place("main", &selector).await?;
        let picture = window.picture()?;
        let colours: Vec<_> = SPOTS.iter().map(|(across, down)| picture.colour(place.at(*across, *down))).collect();
        Ok((shows_card(&picture, place, card, mirrored), place, colours))
    };
    let what = format!("{} sees {card:?} in {tile}", window.desktop().person());
    eventually(&what, look, |(is_shown, ..)| *is_shown).await?;
    Ok(())
}

/// A tone that was played at a level arrives as loud, and at its frequency.
pub(crate) fn is_tone((hertz, level): (f64, f64)) -> impl Fn(&Heard) -> bool {
    move |heard| (heard.hertz - hertz).abs() <= 2.0 && (heard.tone - level).abs() <= 3.0
}
