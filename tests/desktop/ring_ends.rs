//! A ring that ends without a call leaves nothing behind: no tone, no popup, no notification.

use anyhow::Result;
use harness::{eventually, steps::is_quiet};

use super::people::Desktops;

#[tokio::test]
async fn decline_stops_the_ring_on_both_sides() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    pair.ann.hears("the ring-back tone", |heard| !heard.is_silence()).await?;
    pair.ben.press_popup("Decline").await?;
    pair.ann.says("Ben declined the call").await?;
    is_quiet(&pair.ann).await?;
    is_quiet(&pair.ben).await?;
    let text = pair.ann.text().await?;
    assert!(text.contains("Declined"), "the history says why: {text}");
    Ok(())
}

#[tokio::test]
async fn decline_with_a_message_tells_the_caller() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    pair.ben.press_popup("Decline with a message").await?;
    pair.ben.press_popup("I’ll call you back").await?;
    pair.ann.says("Ben declined: “I’ll call you back”").await?;
    is_quiet(&pair.ben).await
}

#[tokio::test]
async fn cancel_by_the_caller_is_a_missed_call() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    pair.ann.press("Cancel the call").await?;
    is_quiet(&pair.ben).await?;
    is_quiet(&pair.ann).await?;
    let shown = || async { Ok(desktops.ben.notifications()) };
    let is_missed = |shown: &Vec<harness::Shown>| shown.iter().any(|shown| shown.summary == "Missed call from Ann");
    eventually("Ben is told of the missed call", shown, is_missed).await?;
    pair.ben.says("Missed").await?;
    Ok(())
}

#[tokio::test]
async fn the_deadline_ends_the_ring_by_itself() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    // Rings last 45 s: the longest wait of these tests, in two steps because each has its bound.
    harness::stays(
        "the popup is on the screen",
        std::time::Duration::from_secs(25),
        || pair.ben.has_popup(),
        |visible| *visible,
    )
    .await?;
    is_quiet(&pair.ben).await?;
    is_quiet(&pair.ann).await?;
    pair.ann.says("Ben did not answer").await?;
    pair.ben.says("Missed").await?;
    Ok(())
}

#[tokio::test]
async fn r06_a_popup_that_is_closed_falls_silent_here_and_comes_again_with_the_next_ring() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    pair.ben.close_popup()?;
    is_quiet(&pair.ben).await?;
    assert!(pair.ann.text().await?.contains("Ringing…"), "the caller is told nothing");
    pair.ann.press("Cancel the call").await?;
    is_quiet(&pair.ann).await?;
    pair.ann_calls().await?;
    pair.ben.press_popup("Decline").await?;
    is_quiet(&pair.ben).await
}
