//! The system's notifications: an incoming call with its two buttons, a missed one, somebody at the door, news of a call. The
//! summary is plain text by the specification; the body may be markup, so that no name goes there.

use std::time::Duration;

use notify_rust::{Hint, NotificationResponse, Timeout, Urgency};
use tauri::{AppHandle, Manager as _};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::{CallId, WaitingAsk};

use crate::{
    desk::Desk,
    presses::Presses,
    ringing::{Accepting, Incoming},
    windows,
};

/// A press and the closing that comes with it may be heard in the other order, so far apart.
const CROSSED: Duration = Duration::from_millis(200);

/// A notification that is shown; dropping it takes it away.
pub(crate) struct Notification {
    _shown: DropGuard,
}

/// Where a notification is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unless {
    /// In any case.
    Never,
    /// Not to who looks at the main window, which says the same.
    LookedAt,
}

/// When a planned call can be joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    Now,
    Later,
}

/// Somebody rings: stays until it is answered or over.
pub(crate) fn incoming(app: &AppHandle, incoming: &Incoming, accepting: Accepting) -> Notification {
    let kind = if incoming.video { "Incoming video call" } else { "Incoming call" };
    let leaving = match accepting {
        Accepting::Adds => "",
        Accepting::LeavesOther => ". Accepting leaves the call you are in.",
    };
    let notification = named("call-start", "call.incoming", &incoming.caller)
        .body(&format!("{kind}{leaving}"))
        .urgency(Urgency::Critical)
        .hint(Hint::Resident(true))
        // The tone is ours: two sounds would be for one ring.
        .hint(Hint::SuppressSound(true))
        .timeout(Timeout::Never)
        .action("accept", "Accept")
        .action("decline", "Decline")
        .action("default", "Open")
        .finalize();
    let cid = incoming.cid.clone();
    show(app, notification, Unless::Never, move |app, pressed| async move {
        let desk = app.state::<Desk>();
        match pressed.as_str() {
            "accept" => desk.answer(cid, None).await,
            "decline" => report(&desk, desk.decline(cid, None).await),
            _ => {}
        }
    })
}

/// Somebody waits at the door of the server. It has no button that lets him in: the code has to be compared first, in the
/// window.
pub(crate) fn asks(app: &AppHandle, ask: &WaitingAsk) -> Notification {
    let notification = named("contact-new", "presence", &format!("{} asks to be let in", ask.name))
        .body("Open Bellbird to compare the codes and answer.")
        .hint(Hint::Resident(true))
        .timeout(Timeout::Never)
        .action("default", "Open")
        .finalize();
    show(app, notification, Unless::LookedAt, nothing)
}

/// One call was missed, or several meanwhile.
pub(crate) fn missed(app: &AppHandle, callers: &[&str]) -> Notification {
    let summary = match callers {
        [caller] => format!("Missed call from {caller}"),
        callers => format!("{} missed calls", callers.len()),
    };
    let notification = named("call-missed", "call.unanswered", &summary)
        .body("Open Bellbird to call back.")
        .action("default", "Open")
        .finalize();
    show(app, notification, Unless::Never, nothing)
}

/// A planned call exists now, begins soon, or begins.
pub(crate) fn planned(app: &AppHandle, cid: &CallId, summary: &str, joining: Joining) -> Notification {
    let mut notification = named("appointment-soon", "call.planned", summary);
    notification.body("It does not ring: join it when you like.").hint(Hint::Resident(true)).timeout(Timeout::Never);
    match joining {
        Joining::Now => _ = notification.action("join", "Join"),
        Joining::Later => {}
    }
    let cid = cid.clone();
    show(app, notification.action("default", "Open").finalize(), Unless::Never, move |app, pressed| async move {
        if pressed == "join" {
            app.state::<Desk>().join_outside(cid).await;
        }
    })
}

/// Somebody asks for what I may give.
pub(crate) fn asked(app: &AppHandle, id: u32, summary: &str) -> Notification {
    let notification = named("audio-input-microphone", "call.asked", summary)
        .body("You can allow it here, or in the call.")
        .action("allow", "Allow")
        .action("default", "Open")
        .finalize();
    show(app, notification, Unless::LookedAt, move |app, pressed| async move {
        let desk = app.state::<Desk>();
        if pressed == "allow" {
            report(&desk, desk.allow_asked(id).await);
        }
    })
}

/// A call ends soon, by its limit.
pub(crate) fn ends_soon(app: &AppHandle, summary: &str) -> Notification {
    let notification = named("appointment-soon", "call.ending", summary)
        .body("Its time is over then, for everybody.")
        .action("default", "Open")
        .finalize();
    show(app, notification, Unless::LookedAt, nothing)
}

/// A call was lost, and not by anybody's wish.
pub(crate) fn lost(app: &AppHandle, summary: &str) -> Notification {
    let notification = named("call-stop", "call.ended", summary)
        .body("Open Bellbird to join or call again.")
        .action("default", "Open")
        .finalize();
    show(app, notification, Unless::LookedAt, nothing)
}

fn named(icon: &str, category: &str, summary: &str) -> notify_rust::Notification {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Bellbird").icon(icon).summary(summary).hint(Hint::Category(category.to_owned()));
    notification
}

/// Shows a notification until it is pressed, dismissed or dropped. "Open" opens the window; what else was pressed is acted on.
fn show<Acting: Future<Output = ()> + Send>(
    app: &AppHandle,
    notification: notify_rust::Notification,
    unless: Unless,
    act: impl FnOnce(AppHandle, String) -> Acting + Send + 'static,
) -> Notification {
    let over = CancellationToken::new();
    let shown = over.clone().drop_guard();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if unless == Unless::LookedAt && windows::is_looked_at(&app).await {
            return;
        }
        let mut sooner = app.state::<Presses>().hear().await;
        let handle = match notification.show_async().await {
            Ok(handle) => handle,
            Err(error) => {
                return tracing::warn!(%error, "there is no notification host; the window tells what it would");
            }
        };
        let mut pressed = String::new();
        tokio::select! {
            () = handle.wait_for_action_async(|response| key(response).clone_into(&mut pressed)) => {}
            key = sooner.on(handle.id()) => pressed = key,
            () = over.cancelled() => {}
        }
        if pressed.is_empty()
            && !over.is_cancelled()
            && let Ok(key) = timeout(CROSSED, sooner.on(handle.id())).await
        {
            pressed = key;
        }
        _ = handle.close_async().await;
        match pressed.as_str() {
            // Dismissed, or over.
            "" => {}
            "default" => windows::show_main(&app),
            _ => act(app, pressed).await,
        }
    });
    Notification { _shown: shown }
}

async fn nothing(_: AppHandle, _: String) {}

fn report(desk: &Desk, done: Result<(), wire::ErrorBody>) {
    if let Err(error) = done {
        desk.report(error);
    }
}

/// The key of the button that was pressed; nothing when it was dismissed.
fn key(response: &NotificationResponse) -> &str {
    match response {
        NotificationResponse::Default => "default",
        NotificationResponse::Action(key) => key,
        _ => "",
    }
}
