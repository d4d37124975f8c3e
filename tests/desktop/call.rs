//! A whole call: called by mouse, answered in the popup, heard and seen both ways, hung up, remembered.

use anyhow::Result;
use harness::{
    Heard,
    camera::Card,
    eventually,
    steps::{is_in, is_quiet},
};

use super::people::{ANN, BEN, Desktops, is_tone, sees};

#[tokio::test]
async fn two_windows_talk_and_the_history_remembers() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.are_in_a_call().await?;

    let _ann_speaks = desktops.ann.speak(ANN.0, ANN.1)?;
    let _ben_speaks = desktops.ben.speak(BEN.0, BEN.1)?;
    pair.ben.hears("Ann's tone", is_tone(ANN)).await?;
    pair.ann.hears("Ben's tone", is_tone(BEN)).await?;
    sees(&pair.ben, "tile", &Card::warm(), false).await?;
    sees(&pair.ann, "tile", &Card::cold(), false).await?;
    sees(&pair.ann, "my-tile", &Card::warm(), true).await?;

    pair.ann.press("Mute").await?;
    pair.ben.hears("nothing while Ann is muted", Heard::is_silence).await?;
    pair.ann.press("Unmute").await?;
    pair.ben.hears("Ann again", is_tone(ANN)).await?;
    pair.ben.press("Camera off").await?;
    let has_picture = || async { Ok(pair.ann.place("main", "[data-role=tile] canvas").await.is_ok()) };
    eventually("Ben's picture is gone at Ann's", has_picture, |there| !there).await?;
    pair.ben.press("Camera on").await?;
    sees(&pair.ann, "tile", &Card::cold(), false).await?;

    pair.ann.press("Hang up").await?;
    for window in [&pair.ann, &pair.ben] {
        window.says("Recent calls").await?;
        let with_duration = |text: &String| {
            text.lines().any(|line| line.starts_with("Video · ") && (line.ends_with(" s") || line.ends_with(" min")))
        };
        eventually("the history shows the call with its duration", || window.text(), with_duration).await?;
        is_quiet(window).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_notification_and_the_tray_answer_and_hang_up_too() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ann_calls().await?;
    let notification = desktops.ben.incoming_notification().await?;
    assert_eq!(notification.summary, "Ann");
    assert_eq!(notification.urgency, 2);
    desktops.ben.press_notification(notification.id, "accept").await?;
    is_in(&pair.ben).await?;
    is_quiet(&pair.ben).await?;
    let tray = || desktops.ben.tray();
    eventually("the tray offers to hang up", tray, |tray| tray.entries.iter().any(|entry| entry == "Hang up")).await?;
    desktops.ben.press_tray("Hang up").await?;
    pair.ann.says("Recent calls").await?;
    pair.ben.says("Recent calls").await?;
    Ok(())
}

#[tokio::test]
async fn the_popup_takes_no_focus() -> Result<()> {
    let desktops = Desktops::start().await?;
    let pair = desktops.pair().await?;
    pair.ben.press("Settings").await?;
    let before = desktops.ben.focus()?;
    pair.ann_calls().await?;
    assert_eq!(desktops.ben.focus()?, before, "the focus stays where Ben works");
    pair.ben.press_popup("Decline").await?;
    is_quiet(&pair.ben).await
}
