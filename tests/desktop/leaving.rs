//! Servers that are away, and ports that are taken.

use std::net::TcpListener;

use anyhow::Result;
use harness::{
    App, Desktop, ServerProcess,
    camera::{Card, Scene},
    steps::start_own,
};

use super::people::Desktops;

#[tokio::test]
async fn without_the_server_an_accept_waits_for_it_and_signing_out_works() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = ServerProcess::start(folder.path(), "127.0.0.1:0").await?;
    let desktops = Desktops::start().await?;
    let pair = desktops.pair_on(&server).await?;
    pair.ann_calls().await?;
    server.kill().await?;
    pair.ben.press_popup("Accept").await?;
    // The accept is tried again while the ring lives: the server may only be restarting.
    pair.ben.says("Connecting…").await?;
    pair.ben.press("Hang up").await?;
    pair.ben.says("Recent calls").await?;
    pair.ben.press("Settings").await?;
    pair.ben.press("Sign out").await?;
    pair.ben.press("Really sign out").await?;
    pair.ben.says("the server could not be reached").await?;
    desktops.ben.keep("signed-out")?;
    pair.ben.quit().await?;
    let ben = desktops.ben.open(&App::default()).await?;
    ben.says("I have an invite").await?;
    Ok(())
}

#[tokio::test]
async fn who_signs_out_of_his_own_server_comes_back_as_the_same_person() -> Result<()> {
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = desktop.open(&App::default()).await?;
    start_own(&ann, "Ann").await?;
    ann.press("Settings").await?;
    ann.press("Sign out").await?;
    ann.press("Really sign out").await?;
    ann.press("Start my own").await?;
    // Her name is still in its field.
    ann.press("Start").await?;
    // Another person with her name would be on the list.
    ann.says("Nobody else is here yet.").await?;
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_taken_today_is_used_again_tomorrow() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let app = App { listen: Some(format!("127.0.0.1:{port}")), ..App::default() };
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = desktop.open(&app).await?;
    start_own(&ann, "Ann").await?;
    ann.quit().await?;

    let other = TcpListener::bind(("127.0.0.1", port))?;
    let ann = desktop.open(&app).await?;
    ann.says("Ann’s Bellbird").await?;
    ann.says(&format!("Port {port} is used by another program")).await?;
    desktop.keep("port-taken")?;
    ann.quit().await?;

    drop(other);
    let ann = desktop.open(&app).await?;
    let text = ann.says("Ann’s Bellbird").await?;
    assert!(!text.contains("another program"), "{text}");
    Ok(())
}
