//! A desktop without tray and notification hosts still has everything that matters.

use anyhow::Result;
use harness::{
    App, Desktop, Hosts,
    camera::{Card, Scene},
    eventually,
    steps::{invite, is_quiet, start_own},
};

#[tokio::test]
async fn without_hosts_the_app_rings_and_closing_the_window_ends_it() -> Result<()> {
    let ann = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ben = Desktop::start_with("ben", &Scene::Card(Card::cold()), Hosts::None).await?;
    let ann = ann.open(&App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() }).await?;
    let ben = ben.open(&App::default()).await?;
    start_own(&ann, "Ann").await?;
    invite(&ann, &ben, "Ben").await?;
    ann.press("Call Ben").await?;
    eventually("the popup is on the screen", || ben.has_popup(), |visible| *visible).await?;
    ben.hears("the ring tone", |heard| !heard.is_silence()).await?;
    ben.press_popup("Decline").await?;
    is_quiet(&ben).await?;
    ben.close()?;
    ben.ended().await
}

#[tokio::test]
async fn a_tray_that_comes_late_gets_the_icon_and_keeps_the_app() -> Result<()> {
    let desktop = Desktop::start_with("ann", &Scene::Card(Card::warm()), Hosts::None).await?;
    let window = desktop.open(&App::default()).await?;
    desktop.add_tray().await?;
    let tray = eventually("the icon is in the tray", || desktop.tray(), |_| true).await?;
    assert!(tray.entries.contains(&"Open Bellbird".to_owned()), "{tray:?}");
    window.close()?;
    eventually("the window is closed", || window.is_open(), |open| !open).await?;
    desktop.press_tray("Open Bellbird").await?;
    eventually("the window is back", || window.is_open(), |open| *open).await?;
    Ok(())
}
