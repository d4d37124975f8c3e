//! The tray: an icon that tells how things are, and a menu that acts on calls.

use call_client::{JoinOptions, Leave, Toggle};
use tauri::{
    AppHandle, Manager as _,
    image::Image,
    menu::{Menu, MenuBuilder},
    tray::{MouseButtonState, TrayIconBuilder, TrayIconEvent},
};
use wire::Reason;

use crate::{
    desk::{self, Desk},
    ringing::{Mood, Wanted, wanted},
    windows,
};

const ID: &str = "bellbird";

/// Puts the icon up; it stays for the life of the app.
pub(crate) fn create(app: &AppHandle) -> tauri::Result<()> {
    TrayIconBuilder::with_id(ID)
        .icon(icon(Mood::Idle)?)
        .tooltip("Bellbird")
        .menu(&menu(app, None)?)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click { button_state: MouseButtonState::Up, .. } = event {
                windows::show_main(tray.app_handle());
            }
        })
        .build(app)?;
    Ok(())
}

/// Shows how things are.
pub(crate) fn show(app: &AppHandle, wanted: &Wanted) {
    let shown = || -> tauri::Result<()> {
        let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
        tray.set_icon(Some(icon(wanted.mood)?))?;
        tray.set_menu(Some(menu(app, Some(wanted))?))?;
        let tooltip = match (wanted.mood, &wanted.incoming, wanted.missed.len()) {
            (Mood::Ringing, Some(incoming), _) => format!("{} is calling", incoming.caller),
            (Mood::Ringing, None, _) => "Calling…".to_owned(),
            (Mood::InCall, _, _) => "In a call".to_owned(),
            (Mood::Missed, _, 1) => "1 missed call".to_owned(),
            (Mood::Missed, _, missed) => format!("{missed} missed calls"),
            (Mood::Idle, _, _) => "Bellbird".to_owned(),
        };
        tray.set_tooltip(Some(tooltip))
    };
    if let Err(error) = shown() {
        tracing::warn!(%error, "the tray does not follow");
    }
}

/// Whether anybody shows our icon; without that, a hidden window could not be brought back.
pub(crate) fn is_hosted() -> bool {
    let asked = || -> zbus::Result<bool> {
        tauri::async_runtime::block_on(async {
            let bus = zbus::Connection::session().await?;
            let names = zbus::fdo::DBusProxy::new(&bus).await?;
            Ok(names.name_has_owner("org.kde.StatusNotifierWatcher".try_into()?).await?)
        })
    };
    asked().unwrap_or(false)
}

fn icon(mood: Mood) -> tauri::Result<Image<'static>> {
    let bytes: &[u8] = match mood {
        Mood::Idle => include_bytes!("../icons/tray-idle.png"),
        Mood::Ringing => include_bytes!("../icons/tray-ringing.png"),
        Mood::InCall => include_bytes!("../icons/tray-call.png"),
        Mood::Missed => include_bytes!("../icons/tray-missed.png"),
    };
    Image::from_bytes(bytes)
}

fn menu(app: &AppHandle, wanted: Option<&Wanted>) -> tauri::Result<Menu<tauri::Wry>> {
    let mut menu = MenuBuilder::new(app);
    if let Some(incoming) = wanted.and_then(|wanted| wanted.incoming.as_ref()) {
        let answer = format!("Answer {}", incoming.caller);
        menu = menu.text("answer", answer).text("decline", "Decline").separator();
    }
    if wanted.is_some_and(|wanted| wanted.joined.is_some()) {
        menu = menu.text("mute", "Mute").text("unmute", "Unmute").text("hang-up", "Hang up").separator();
    }
    menu.text("open", "Open Bellbird").separator().text("quit", "Quit").build()
}

fn on_menu(app: &AppHandle, entry: &str) {
    match entry {
        "open" => windows::show_main(app),
        "quit" => desk::quit(app),
        _ => {
            let (app, entry) = (app.clone(), entry.to_owned());
            tauri::async_runtime::spawn(async move {
                if let Err(error) = act(&app, &entry).await {
                    tracing::warn!(%error, entry, "a tray entry did not do its work");
                }
            });
        }
    }
}

async fn act(app: &AppHandle, entry: &str) -> Result<(), wire::ErrorBody> {
    let desk = app.state::<Desk>();
    let client = desk.client()?;
    let now = wanted(&client.state().borrow());
    let outcome = match (entry, now.incoming, now.joined) {
        ("answer", Some(incoming), _) => {
            let options = JoinOptions { create: false, video: Toggle::from(incoming.video) };
            return desk.join(incoming.cid, options).await;
        }
        ("decline", Some(incoming), _) => {
            client.leave(incoming.cid, Leave::Reject { reason: Reason::Decline, message: None }).await
        }
        ("mute", _, Some(cid)) => client.set_microphone(cid, Toggle::Off).await,
        ("unmute", _, Some(cid)) => client.set_microphone(cid, Toggle::On).await,
        ("hang-up", _, Some(cid)) => client.leave(cid, Leave::Plain).await,
        // Over before it was pressed.
        _ => Ok(()),
    };
    outcome.map_err(|error| error.body())
}
