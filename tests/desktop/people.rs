//! Ann and Ben, each with a desktop, a test card before the camera, and a way to the same server.

use anyhow::{Context as _, Result};
use harness::{
    App, AppWindow, Colour, Desktop, Heard, Picture, Rect, ServerProcess,
    camera::{Card, SPOTS, Scene},
    eventually,
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
        let with_server = App { listen: Some("127.0.0.1:0".to_owned()) };
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

/// The call's timer runs.
pub(crate) async fn is_in(window: &AppWindow<'_>) -> Result<()> {
    let what = format!("{} is in the call", window.desktop().person());
    eventually(&what, || window.place("main", "[role=timer]"), |_| true).await?;
    Ok(())
}

/// First run: the app becomes the server, and the person its admin.
pub(crate) async fn start_own(window: &AppWindow<'_>, name: &str) -> Result<()> {
    window.press("Start my own").await?;
    window.write("name", name).await?;
    window.press("Start").await?;
    window.says("Recent calls").await?;
    Ok(())
}

/// The host makes a link, with which the friend signs in.
async fn invite(host: &AppWindow<'_>, friend: &AppWindow<'_>, name: &str) -> Result<()> {
    host.press("Invite somebody").await?;
    let text = host.says("bellbird://").await?;
    let link = text.split_whitespace().find(|word| word.starts_with("bellbird://"));
    host.press("Close").await?;
    sign_in(friend, link.context("there is no link")?, name).await?;
    host.says(name).await?;
    Ok(())
}

/// First run: with a link that somebody sent.
pub(crate) async fn sign_in(window: &AppWindow<'_>, link: &str, name: &str) -> Result<()> {
    window.press("I have an invite").await?;
    window.write("link", link).await?;
    window.write("name", name).await?;
    window.press("Come in").await?;
    window.says("Recent calls").await?;
    Ok(())
}

/// Popup, notification, tray and tone tell of a call.
pub(crate) async fn is_alerted(window: &AppWindow<'_>) -> Result<()> {
    eventually("the popup is on the screen", || window.has_popup(), |visible| *visible).await?;
    window.desktop().incoming_notification().await?;
    eventually("the tray tells of it", || window.desktop().tray(), |tray| tray.tooltip.contains("is calling")).await?;
    window.hears("the ring tone", |heard| !heard.is_silence()).await?;
    Ok(())
}

/// Nothing shows or sounds any more.
pub(crate) async fn is_quiet(window: &AppWindow<'_>) -> Result<()> {
    eventually("the popup is gone", || window.has_popup(), |visible| !visible).await?;
    let incoming = || async {
        let shown = window.desktop().notifications();
        Ok(shown.into_iter().filter(|shown| shown.category == "call.incoming").count())
    };
    eventually("the notification is gone", incoming, |count| *count == 0).await?;
    window.hears("nothing", Heard::is_silence).await?;
    Ok(())
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
