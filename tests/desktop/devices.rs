//! One person on two devices: added by a link of his own, alerted on both, answered on one, signed out from the other.

use anyhow::{Context as _, Result};
use harness::{
    App, AppWindow, Desktop,
    camera::{Card, Scene},
    eventually,
    steps::{is_alerted, is_in, is_quiet, sign_in},
};

use super::people::Desktops;

/// Makes the link by which one more device signs in.
async fn link_for_another(window: &AppWindow<'_>) -> Result<String> {
    window.press("Settings").await?;
    window.press("Add another device").await?;
    let text = window.says("bellbird://").await?;
    window.desktop().keep("add-device")?;
    let link = text.split_whitespace().find(|word| word.starts_with("bellbird://"));
    // It came from the settings, which are there again.
    window.press("Close").await?;
    window.says("Your devices").await?;
    window.press("Close").await?;
    link.map(str::to_owned).context("there is no link")
}

#[tokio::test]
async fn a_second_device_rings_too_gives_way_and_is_signed_out_from_the_first() -> Result<()> {
    let desktops = Desktops::start().await?;
    let laptop = Desktop::start("bens-laptop", &Scene::Card(Card::cold())).await?;
    let pair = desktops.pair().await?;
    let ben = &pair.ben;
    let second = laptop.open(&App::default()).await?;
    let link = link_for_another(ben).await?;
    sign_in(&second, &link, "Whoever").await?;
    let text = second.text().await?;
    assert!(text.contains("Ben") && !text.contains("Whoever"), "it is Ben's: {text}");
    assert!(!pair.ann.text().await?.contains("Whoever"), "nobody new is on the server");

    pair.ann.press("Call Ben").await?;
    for device in [ben, &second] {
        is_alerted(device).await?;
    }
    ben.press_popup("Accept").await?;
    is_in(ben).await?;
    is_quiet(&second).await?;
    second.says("The call from Ann was answered on another device").await?;
    pair.ann.press("Hang up").await?;
    ben.says("Recent calls").await?;

    pair.ann.press("Call Ben").await?;
    for device in [ben, &second] {
        is_alerted(device).await?;
    }
    second.press_popup("Decline").await?;
    is_quiet(ben).await?;
    ben.says("The call from Ann was declined on another device").await?;

    ben.press("Settings").await?;
    let entry = "[data-role=device] button";
    let there = || ben.place("main", entry);
    eventually("the other device is listed", there, |place| place.width > 0.0).await?;
    desktops.ben.keep("devices")?;
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = if name.trim().is_empty() { "This computer" } else { name.trim() };
    ben.press(&format!("Sign out {name}")).await?;
    ben.press(&format!("Really sign out {name}")).await?;
    second.says("a new invite is needed").await?;
    let is_gone = || async { Ok(ben.place("main", entry).await.is_err()) };
    eventually("it is listed no more", is_gone, |gone| *gone).await?;
    Ok(())
}
