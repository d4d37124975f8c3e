//! The system's notifications: an incoming call with its two buttons, a missed one, somebody at the door. The summary is plain text by
//! the specification; the body may be markup, so that no name goes there.

use notify_rust::{Hint, NotificationResponse, Timeout, Urgency};
use tauri::{AppHandle, Manager as _};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::WaitingAsk;

use crate::{desk::Desk, ringing::Incoming, windows};

/// A notification that is shown; dropping it takes it away.
pub(crate) struct Notification {
    _shown: DropGuard,
}

/// Somebody rings: stays until it is answered or over.
pub(crate) fn incoming(app: &AppHandle, incoming: &Incoming) -> Notification {
    let over = CancellationToken::new();
    let shown = over.clone().drop_guard();
    let kind = if incoming.video { "Incoming video call" } else { "Incoming call" };
    let notification = notify_rust::Notification::new()
        .appname("Bellbird")
        .icon("call-start")
        .summary(&incoming.caller)
        .body(kind)
        .urgency(Urgency::Critical)
        .hint(Hint::Resident(true))
        .hint(Hint::Category("call.incoming".to_owned()))
        .timeout(Timeout::Never)
        .action("accept", "Accept")
        .action("decline", "Decline")
        .action("default", "Open")
        .finalize();
    let (app, incoming) = (app.clone(), incoming.clone());
    tauri::async_runtime::spawn(async move {
        let handle = match notification.show_async().await {
            Ok(handle) => handle,
            Err(error) => {
                return tracing::warn!(%error, "there is no notification host; the popup and the tone tell of the call");
            }
        };
        let mut pressed = String::new();
        tokio::select! {
            () = handle.wait_for_action_async(|response| key(response).clone_into(&mut pressed)) => {}
            () = over.cancelled() => {}
        }
        _ = handle.close_async().await;
        on_action(&app, &incoming, &pressed).await;
    });
    Notification { _shown: shown }
}

async fn on_action(app: &AppHandle, incoming: &Incoming, action: &str) {
    let desk = app.state::<Desk>();
    match action {
        "accept" => desk.answer(incoming.cid.clone(), None).await,
        "decline" => {
            if let Err(error) = desk.decline(incoming.cid.clone(), None).await {
                desk.report(error);
            }
        }
        "default" => windows::show_main(app),
        // Dismissed, or over.
        _ => {}
    }
}

/// Somebody waits at the door of the server: told where the main window, which asks, is not looked at. It has no button
/// that lets him in: the code has to be compared first, in the window.
pub(crate) fn asks(app: &AppHandle, ask: &WaitingAsk) -> Notification {
    let over = CancellationToken::new();
    let shown = over.clone().drop_guard();
    let notification = notify_rust::Notification::new()
        .appname("Bellbird")
        .icon("contact-new")
        .summary(&format!("{} asks to be let in", ask.name))
        .body("Open Bellbird to compare the codes and answer.")
        .hint(Hint::Resident(true))
        .hint(Hint::Category("presence".to_owned()))
        .timeout(Timeout::Never)
        .action("default", "Open")
        .finalize();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if windows::is_looked_at(&app).await {
            return;
        }
        let Ok(handle) = notification.show_async().await else { return };
        let mut is_opened = false;
        tokio::select! {
            () = handle.wait_for_action_async(|response| is_opened = key(response) == "default") => {}
            () = over.cancelled() => {}
        }
        _ = handle.close_async().await;
        if is_opened {
            windows::show_main(&app);
        }
    });
    Notification { _shown: shown }
}

/// A call was missed.
pub(crate) fn missed(app: &AppHandle, caller: &str) {
    let notification = notify_rust::Notification::new()
        .appname("Bellbird")
        .icon("call-missed")
        .summary(&format!("Missed call from {caller}"))
        .body("Open Bellbird to call back.")
        .hint(Hint::Category("call.unanswered".to_owned()))
        .action("default", "Open")
        .finalize();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Ok(handle) = notification.show_async().await else { return };
        let mut is_opened = false;
        handle.wait_for_action_async(|response| is_opened = key(response) == "default").await;
        if is_opened {
            windows::show_main(&app);
        }
    });
}

/// The key of the button that was pressed; nothing when it was dismissed.
fn key(response: &NotificationResponse) -> &str {
    match response {
        NotificationResponse::Default => "default",
        NotificationResponse::Action(key) => key,
        _ => "",
    }
}
