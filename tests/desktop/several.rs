//! Several calls at once: every ring is told, and every joined call can be reached.

use anyhow::Result;
use harness::{
    App, AppWindow, Desktop,
    camera::{Card, Scene},
    eventually,
    steps::{invite, is_alerted, is_in},
};

use super::people::Desktops;

#[tokio::test]
async fn two_rings_are_both_told_and_both_calls_can_be_joined() -> Result<()> {
    let desktops = Desktops::start().await?;
    let third = Desktop::start("cleo", &Scene::Card(Card::warm())).await?;
    let pair = desktops.pair().await?;
    let cleo = third.open(&App::default()).await?;
    invite(&pair.ann, &cleo, "Cleo").await?;
    let ben = &pair.ben;
    ben.press("Settings").await?;
    devices_are_found(ben).await?;
    desktops.ben.keep("settings")?;
    ben.press_box("One call at a time").await?;
    ben.press("Close").await?;

    pair.ann_calls().await?;
    cleo.press("Call Ben").await?;
    let notifications = || async {
        let shown = desktops.ben.notifications().into_iter().filter(|shown| shown.category == "call.incoming");
        Ok(shown.map(|shown| shown.summary).collect::<Vec<_>>())
    };
    eventually("each ring has its notification", notifications, |shown| *shown == ["Ann", "Cleo"]).await?;
    let both = |text: &String| text.contains("Ann") && text.contains("Cleo");
    eventually("the popup has both", || ben.popup_text(), both).await?;
    eventually("the window has both", || ben.text(), |text| text.contains("Cleo is calling")).await?;
    let tray = || desktops.ben.tray();
    let answers = |tray: &harness::TrayState| tray.entries.contains(&"Answer Cleo".to_owned());
    eventually("the tray has both", tray, answers).await?;
    cleo.says("Ringing…").await?;
    desktops.ben.keep("two-rings")?;

    ben.press_popup("Accept Cleo").await?;
    is_in(&cleo).await?;
    is_in(ben).await?;
    desktops.ben.keep("call-and-ring")?;
    ben.press_keys("alt+shift+v").await?;
    is_in(&pair.ann).await?;
    ben.press("Show the call with Cleo").await?;
    desktops.ben.keep("two-calls")?;
    ben.press("Mute in the call with Ann").await?;
    ben.press("Hang up the call with Ann").await?;
    pair.ann.says("Recent calls").await?;
    is_in(&cleo).await?;
    ben.press("Settings").await?;
    devices_are_found(ben).await?;
    desktops.ben.keep("settings-in-a-call")?;
    ben.press("Close").await?;
    ben.press("Hang up").await?;
    ben.says("Recent calls").await?;
    Ok(())
}

#[tokio::test]
async fn my_ring_gives_way_to_the_call_i_answer() -> Result<()> {
    let desktops = Desktops::start().await?;
    let third = Desktop::start("cleo", &Scene::Card(Card::warm())).await?;
    let pair = desktops.pair().await?;
    let cleo = third.open(&App::default()).await?;
    invite(&pair.ann, &cleo, "Cleo").await?;
    pair.ann.press("Call Ben").await?;
    is_alerted(&pair.ben).await?;
    cleo.press("Call Ann").await?;
    pair.ann.press("Accept").await?;
    is_in(&cleo).await?;
    is_in(&pair.ann).await?;
    harness::steps::is_quiet(&pair.ben).await
}

#[tokio::test]
async fn chords_answer_and_the_popup_may_do_nothing_else() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    desktops.ben.keep("ring-at-home")?;
    pair.ben.press_keys("alt+shift+d").await?;
    pair.ann.says("Ben declined the call").await?;
    for forbidden in ["sign_out", "create_invite", "devices"] {
        let refusal = pair.ben.may("ring", forbidden).await?;
        assert!(refusal.as_ref().is_some_and(|refusal| refusal.contains("not allowed")), "{forbidden}: {refusal:?}");
    }
    assert_eq!(pair.ben.may("main", "devices").await?, None);
    Ok(())
}

#[tokio::test]
async fn the_tray_answers_and_brings_the_window_back() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ben.press("Settings").await?;
    pair.ben.press_keys("Escape").await?;
    eventually("Escape closes the dialog", || pair.ben.text(), |text| !text.contains("Sound and picture")).await?;
    pair.ben.close()?;
    eventually("the window is closed", || pair.ben.is_open(), |open| !open).await?;
    pair.ann_calls().await?;
    desktops.ben.press_tray("Answer Ann").await?;
    eventually("the window is back", || pair.ben.is_open(), |open| *open).await?;
    for window in [&pair.ann, &pair.ben] {
        is_in(window).await?;
    }
    Ok(())
}

/// A choice of devices that has some; the other choices have names.
const DEVICES: &str = "select:not([disabled]):not([aria-label])";

async fn devices_are_found(window: &AppWindow<'_>) -> Result<()> {
    eventually("the devices are found", || window.place("main", DEVICES), |_| true).await?;
    Ok(())
}
