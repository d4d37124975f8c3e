//! The system's notifications: an incoming call with its two buttons, and a missed one.

use call_client::{JoinOptions, Leave, Toggle};
use notify_rust::{Hint, NotificationResponse, Timeout, Urgency};
use tauri::{AppHandle, Manager as _};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::Reason;

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
        .summary(&escaped(&incoming.caller))
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
    let outcome = match action {
        "accept" => {
            windows::show_main(app);
            let options = JoinOptions { create: false, video: Toggle::from(incoming.video) };
            desk.join(incoming.cid.clone(), options).await
        }
        "decline" => match desk.client() {
            Ok(client) => {
                let leave = Leave::Reject { reason: Reason::Decline, message: None };
                client.leave(incoming.cid.clone(), leave).await.map_err(|error| error.body())
            }
            Err(error) => Err(error),
        },
        "default" => {
            windows::show_main(app);
            Ok(())
        }
        // Dismissed, or over.
        _ => Ok(()),
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, action, "a notification's button did not do its work");
    }
}

/// A call was missed.
pub(crate) fn missed(app: &AppHandle, caller: &str) {
    let notification = notify_rust::Notification::new()
        .appname("Bellbird")
        .icon("call-missed")
        .summary(&format!("Missed call from {}", escaped(caller)))
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

/// Hosts read markup; a name must not be able to write any.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
