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
async fn without_the_server_a_failed_accept_is_told_and_signing_out_works() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = ServerProcess::start(folder.path(), "127.0.0.1:0").await?;
    let desktops = Desktops::start().await?;
    let pair = desktops.pair_on(&server).await?;
    pair.ann_calls().await?;
    server.kill().await?;
    pair.ben.press_popup("Accept").await?;
    pair.ben.says("The server cannot be used now").await?;
    pair.ben.press("Decline").await?;
    desktops.ben.keep("accept-failed")?;
    pair.ben.press("Close this message").await?;
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
async fn a_port_that_is_taken_today_is_used_again_tomorrow() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let app = App { listen: Some(format!("127.0.0.1:{port}")) };
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
