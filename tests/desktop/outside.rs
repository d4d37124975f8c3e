//! Friends outside one's own network: the router lets them in to the server inside the app.

use anyhow::Result;
use harness::{
    App, Router, eventually,
    steps::{invite, start_own},
};

use super::people::{Desktops, Pair};

const SWITCH: &str = "Let in friends outside your home";

#[tokio::test]
async fn the_router_lets_friends_in_while_the_host_wants_it() -> Result<()> {
    let router = Router::start(1).await?;
    let desktops = Desktops::start().await?;
    let app =
        App { listen: Some("127.0.0.1:0".to_owned()), router: Some(router.address.to_string()), ..App::default() };
    let without = App::default();
    let (ann, ben) = tokio::try_join!(desktops.ann.open(&app), desktops.ben.open(&without))?;
    start_own(&ann, "Ann").await?;
    invite(&ann, &ben, "Ben").await?;
    ann.press("Settings").await?;
    // Once the list above the switch is there, that stays where it is.
    ann.says("This device, signed in").await?;
    assert!(router.open().is_empty(), "nobody wished for it");
    ann.press_box(SWITCH).await?;
    ann.says("another router stands before it").await?;
    assert_eq!(router.open(), ["tcp", "udp"]);
    desktops.ann.keep("server-settings")?;
    ann.press("Close").await?;
    // The server has started anew: everybody is back.
    let pair = Pair { ann, ben };
    pair.ann_calls().await?;
    pair.ben.press_popup("Accept").await?;
    pair.ann.press("Hang up").await?;
    pair.ann.says("Recent calls").await?;

    // It is kept, and given back when the app ends.
    pair.ann.quit().await?;
    assert!(router.open().is_empty());
    let ann = desktops.ann.open(&app).await?;
    ann.says("Recent calls").await?;
    assert_eq!(router.open(), ["tcp", "udp"]);
    ann.press("Settings").await?;
    ann.says("This device, signed in").await?;
    ann.press_box(SWITCH).await?;
    let closed = || async { Ok(!ann.text().await?.contains("Your router")) };
    eventually("it is switched off", closed, |is| *is).await?;
    assert!(router.open().is_empty());
    Ok(())
}
