//! The tray: an icon that tells how things are, and a menu that acts on calls.

use std::time::Duration;

use call_client::Toggle;
use futures_util::StreamExt as _;
use tauri::{
    AppHandle, Manager as _,
    image::Image,
    menu::{Menu, MenuBuilder},
    tray::{MouseButtonState, TrayIconBuilder, TrayIconEvent},
};
use wire::{CallId, ErrorBody};

use crate::{
    desk::{self, Desk},
    ringing::{Accepting, Incoming, Mood, On, Wanted, wanted},
    windows,
};

const ID: &str = "bellbird";
/// The tray host's name on the session bus.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// How long the session bus may take to say whether there is a tray host.
const HOST_ANSWER: Duration = Duration::from_secs(2);
/// How long a new tray host may take until it takes icons: it comes up in steps.
const HOST_STEPS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Puts the icon up, now or when a tray host comes; it then stays for the life of the app.
pub(crate) fn start(app: &AppHandle) {
    if let Err(error) = create(app) {
        tracing::warn!(%error, "there is no tray; closing the window ends the app");
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            if let Err(error) = create_with_host(&app).await {
                tracing::warn!(%error, "a tray host that comes later will not be seen");
            }
        });
    }
}

/// Waits for a tray host and puts the icon up there.
async fn create_with_host(app: &AppHandle) -> zbus::Result<()> {
    let bus = zbus::Connection::session().await?;
    let names = zbus::fdo::DBusProxy::new(&bus).await?;
    let mut owners = names.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    // A host may have come between the first attempt and now.
    loop {
        for step in HOST_STEPS {
            tokio::time::sleep(step).await;
            let there = app.clone();
            if let Ok(Ok(())) = tauri::async_runtime::spawn_blocking(move || create(&there)).await {
                show_now(app);
                return Ok(());
            }
        }
        if owners.next().await.is_none() {
            return Ok(());
        }
    }
}

fn create(app: &AppHandle) -> tauri::Result<()> {
    TrayIconBuilder::with_id(ID)
        .icon(icon(Mood::Idle)?)
        .tooltip("Bellbird")
        .menu(&menu(app, &Wanted::nothing())?)
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

/// Shows how things are, for an icon that comes late.
fn show_now(app: &AppHandle) {
    if let Ok(client) = app.state::<Desk>().client() {
        let now = wanted(&client.state().borrow());
        show(app, &now);
    }
}

/// Shows how things are. The icon is changed on the main thread, and nobody waits for it: a worker that waited could
/// hold the very task that the icon's bus waits for.
pub(crate) fn show(app: &AppHandle, wanted: &Wanted) {
    let (there, wanted) = (app.clone(), wanted.clone());
    let shown = move || {
        if let Err(error) = change(&there, &wanted) {
            tracing::warn!(%error, "the tray does not follow");
        }
    };
    if let Err(error) = app.run_on_main_thread(shown) {
        tracing::warn!(%error, "the tray does not follow");
    }
}

fn change(app: &AppHandle, wanted: &Wanted) -> tauri::Result<()> {
    let Some(tray) = app.tray_by_id(ID) else { return Ok(()) };
    tray.set_icon(Some(icon(wanted.mood)?))?;
    tray.set_menu(Some(menu(app, wanted)?))?;
    tray.set_tooltip(Some(tooltip(wanted)))
}

fn tooltip(wanted: &Wanted) -> String {
    let callers: Vec<_> = wanted.incoming.iter().map(|incoming| incoming.caller.as_str()).collect();
    match (wanted.mood, callers.as_slice(), wanted.missed.len()) {
        (Mood::Ringing, [], _) => "Calling…".to_owned(),
        (Mood::Ringing, [caller], _) => format!("{caller} is calling"),
        (Mood::Ringing, callers, _) => format!("{} are calling", callers.join(", ")),
        (Mood::InCall, _, _) => "In a call".to_owned(),
        (Mood::Missed, _, 1) => "1 missed call".to_owned(),
        (Mood::Missed, _, missed) => format!("{missed} missed calls"),
        (Mood::Idle, _, _) => "Bellbird".to_owned(),
    }
}

/// Whether anybody shows our icon; without that, a hidden window could not be brought back. Never asked on the main
/// thread: the icon's own thread may wait for it.
pub(crate) async fn is_hosted(app: &AppHandle) -> bool {
    if app.tray_by_id(ID).is_none() {
        return false;
    }
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let names = zbus::fdo::DBusProxy::new(&bus).await?;
        zbus::Result::Ok(names.name_has_owner(WATCHER.try_into()?).await?)
    };
    matches!(tokio::time::timeout(HOST_ANSWER, asked).await, Ok(Ok(true)))
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

/// Entries that act on a call are named by what they do and the call.
fn menu(app: &AppHandle, wanted: &Wanted) -> tauri::Result<Menu<tauri::Wry>> {
    let mut menu = MenuBuilder::new(app);
    let answer = match app.try_state::<Desk>().map(|desk| desk.accepting(wanted)) {
        Some(Accepting::LeavesOther) => "Leave this call and answer",
        Some(Accepting::Adds) | None => "Answer",
    };
    for Incoming { cid, caller, .. } in &wanted.incoming {
        let decline = if wanted.incoming.len() == 1 { "Decline".to_owned() } else { format!("Decline {caller}") };
        menu = menu.text(format!("answer {cid}"), format!("{answer} {caller}")).text(format!("decline {cid}"), decline);
    }
    if !wanted.incoming.is_empty() {
        menu = menu.separator();
    }
    for On { cid, with } in &wanted.on {
        let hang_up = if wanted.on.len() == 1 { "Hang up".to_owned() } else { format!("Hang up {with}") };
        menu = menu.text(format!("hang-up {cid}"), hang_up);
    }
    if !wanted.on.is_empty() {
        menu = menu.text("mute", "Mute").text("unmute", "Unmute").separator();
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
                act(&app, &entry).await;
            });
        }
    }
}

async fn act(app: &AppHandle, entry: &str) {
    let desk = app.state::<Desk>();
    let outcome = match entry.split_once(' ') {
        Some((what, cid)) => match cid.parse() {
            Ok(cid) => on_call(&desk, what, cid).await,
            Err(_) => Ok(()),
        },
        None => set_microphones(&desk, Toggle::from(entry == "unmute")).await,
    };
    if let Err(error) = outcome {
        desk.report(error);
    }
}

async fn on_call(desk: &Desk, what: &str, cid: CallId) -> Result<(), ErrorBody> {
    match what {
        "answer" => {
            desk.answer(cid, None).await;
            Ok(())
        }
        "decline" => desk.decline(cid, None).await,
        "hang-up" => desk.leave(cid).await,
        _ => Ok(()),
    }
}

/// Muted means muted everywhere.
async fn set_microphones(desk: &Desk, to: Toggle) -> Result<(), ErrorBody> {
    let client = desk.client()?;
    let on = wanted(&client.state().borrow()).on;
    for call in on {
        client.set_microphone(call.cid, to).await.map_err(|error| error.body())?;
    }
    Ok(())
}
