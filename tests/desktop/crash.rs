//! A ring survives the death of the app, and of the server.

use anyhow::Result;
use harness::{
    App, ServerProcess,
    steps::{is_alerted, is_in, is_quiet},
};

use super::people::Desktops;

#[tokio::test]
async fn an_app_killed_during_a_ring_rings_again() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    pair.ben.kill().await?;
    let ben = desktops.ben.open(&App::default()).await?;
    is_alerted(&ben).await?;
    ben.press_popup("Accept").await?;
    for window in [&pair.ann, &ben] {
        is_in(window).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_killed_during_a_ring_goes_on_with_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = ServerProcess::start(folder.path(), "127.0.0.1:0").await?;
    let address = server.address().to_owned();
    let desktops = Desktops::start().await?;
    let pair = desktops.pair_on(&server).await?;
    pair.ann_calls().await?;
    server.kill().await?;
    let server = ServerProcess::start(folder.path(), &address).await?;
    assert_eq!(server.invite, None, "people are signed in already");
    pair.ben.press_popup("Accept").await?;
    for window in [&pair.ann, &pair.ben] {
        is_in(window).await?;
    }
    is_quiet(&pair.ben).await?;
    pair.ben.press("Hang up").await?;
    pair.ann.says("Recent calls").await?;
    Ok(())
}
