//! What people do and what they notice, step by step.

use anyhow::{Context as _, Result};

use crate::{app::AppWindow, sound::Heard, wait::eventually};

/// The call's timer runs.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn is_in(window: &AppWindow<'_>) -> Result<()> {
    let what = format!("{} is in the call", window.desktop().person());
    eventually(&what, || window.place("main", "[role=timer]"), |_| true).await?;
    Ok(())
}

/// First run: the app becomes the server, and the person its admin.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn start_own(window: &AppWindow<'_>, name: &str) -> Result<()> {
    window.press("Start my own").await?;
    window.write("name", name).await?;
    window.press("Start").await?;
    window.says("Recent calls").await?;
    Ok(())
}

/// The host makes a link, with which the friend signs in.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn invite(host: &AppWindow<'_>, friend: &AppWindow<'_>, name: &str) -> Result<()> {
    host.press("Invite somebody").await?;
    let text = host.says("bellbird://").await?;
    let link = text.split_whitespace().find(|word| word.starts_with("bellbird://"));
    host.press("Close").await?;
    sign_in(friend, link.context("there is no link")?, name).await?;
    host.says(name).await?;
    Ok(())
}

/// First run: with a link that somebody sent.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn sign_in(window: &AppWindow<'_>, link: &str, name: &str) -> Result<()> {
    window.press("I have an invite").await?;
    window.write("link", link).await?;
    window.write("name", name).await?;
    window.press("Come in").await?;
    window.says("Recent calls").await?;
    Ok(())
}

/// Popup, notification, tray and tone tell of a call.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn is_alerted(window: &AppWindow<'_>) -> Result<()> {
    eventually("the popup is on the screen", || window.has_popup(), |visible| *visible).await?;
    window.desktop().incoming_notification().await?;
    eventually("the tray tells of it", || window.desktop().tray(), |tray| tray.tooltip.contains("is calling")).await?;
    window.hears("the ring tone", |heard| !heard.is_silence()).await?;
    Ok(())
}

/// Nothing shows or sounds any more.
///
/// # Errors
/// When one of its steps does not happen: which, and what was seen instead.
pub async fn is_quiet(window: &AppWindow<'_>) -> Result<()> {
    eventually("the popup is gone", || window.has_popup(), |visible| !visible).await?;
    let incoming = || async {
        let shown = window.desktop().notifications();
        Ok(shown.into_iter().filter(|shown| shown.category == "call.incoming").count())
    };
    eventually("the notification is gone", incoming, |count| *count == 0).await?;
    window.hears("nothing", Heard::is_silence).await?;
    Ok(())
}
