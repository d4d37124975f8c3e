//! Coming in without a link: found on the network and let in by an admin, or by a code that was read aloud.

use anyhow::{Context as _, Result};
use harness::{
    App, AppWindow, Desktop,
    camera::{Card, Scene},
    eventually,
    steps::start_own,
};

use super::people::Desktops;

fn code(window: &AppWindow<'_>, text: &str) -> Result<String> {
    let is_code = |word: &&str| word.len() == 7 && word.chars().all(|letter| letter.is_ascii_digit() || letter == ' ');
    let line = text.lines().map(str::trim).find(is_code);
    line.map(str::to_owned).with_context(|| format!("{} sees no code in {text:?}", window.desktop().person()))
}

#[tokio::test]
async fn a_server_is_found_asked_and_its_admin_lets_in_or_refuses() -> Result<()> {
    let desktops = Desktops::start().await?;
    let with_server = App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() };
    let without = App::default();
    let (ann, ben) = tokio::try_join!(desktops.ann.open(&with_server), desktops.ben.open(&without))?;
    // A name of this run's own: others of this network may announce themselves too.
    let host = format!("Ann {}", std::process::id());
    start_own(&ann, &host).await?;
    ben.press("Ask to join").await?;
    ben.press(&format!("{host}’s Bellbird")).await?;
    ben.write("name", "Ben").await?;
    ben.press("Ask").await?;
    let (bens, anns) = (ben.says("An admin sees this code").await?, ann.says("Ben asks to be let in").await?);
    assert_eq!(code(&ben, &bens)?, code(&ann, &anns)?, "both screens show the same");
    desktops.ann.keep("asked")?;
    desktops.ben.keep("asking")?;
    ann.press("Refuse Ben").await?;
    ben.says("did not let you in").await?;
    eventually("nobody waits", || ann.text(), |text: &String| !text.contains("asks to be let in")).await?;

    // Where the window is not looked at, a notification tells, and it takes nobody's focus.
    ann.close()?;
    eventually("the window is closed", || ann.is_open(), |open| !open).await?;
    ben.press("Ask to join").await?;
    ben.press("Ask").await?;
    ben.says("An admin sees this code").await?;
    let told = || async {
        let shown = desktops.ann.notifications();
        Ok(shown.into_iter().find(|shown| shown.summary == "Ben asks to be let in"))
    };
    let told = eventually("Ann is told", told, Option::is_some).await?.context("it is there")?;
    assert!(!ann.is_open().await?, "the window stays where it was");
    desktops.ann.press_notification(told.id, "default").await?;
    eventually("the window is back", || ann.is_open(), |open| *open).await?;
    ann.press("Let Ben in").await?;
    ben.says("Recent calls").await?;
    ann.press("Call Ben").await?;
    eventually("Ben rings", || ben.has_popup(), |visible| *visible).await?;
    Ok(())
}

#[tokio::test]
async fn a_code_that_was_read_aloud_finds_its_server() -> Result<()> {
    let desktops = Desktops::start().await?;
    let with_server = App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() };
    let without = App::default();
    let (ann, ben) = tokio::try_join!(desktops.ann.open(&with_server), desktops.ben.open(&without))?;
    let host = format!("Ann {}", std::process::id());
    start_own(&ann, &host).await?;
    ann.press("Invite somebody").await?;
    let text = ann.says("Or read this code aloud:").await?;
    desktops.ann.keep("invite")?;
    let is_code = |word: &&str| word.len() == 24 && word.split('-').count() == 5;
    let code = text.split_whitespace().find(is_code).with_context(|| format!("no code in {text:?}"))?;
    ben.press("Ask to join").await?;
    ben.says(&format!("{host}’s Bellbird")).await?;
    ben.press("Back").await?;
    ben.press("I have an invite").await?;
    ben.write("link", &code.to_uppercase()).await?;
    ben.write("name", "Ben").await?;
    ben.press("Come in").await?;
    ben.says("Recent calls").await?;
    Ok(())
}

#[tokio::test]
async fn what_is_no_invite_is_told_and_stays_typed() -> Result<()> {
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let window = desktop.open(&App::default()).await?;
    window.press("I have an invite").await?;
    window.write("link", "bellbird://join/nobody").await?;
    window.write("name", "Ann").await?;
    window.press("Come in").await?;
    window.says("Something does not fit").await?;
    window.press("Come in").await?;
    Ok(())
}
