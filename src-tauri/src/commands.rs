//! What the page may ask for; each a line over the library that does it.

use call_client::Toggle;
use tauri::{State, WebviewWindow};
use wire::{CallId, CreateInvite, ErrorBody, UserId};

use crate::{
    desk::Desk,
    state::{AppState, DeviceKind, Devices, InviteLink},
    windows,
};

type Answer<T> = Result<T, ErrorBody>;

#[tauri::command]
#[specta::specta]
pub(crate) fn app_state(desk: State<'_, Desk>) -> AppState {
    desk.state()
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn start_own_server(desk: State<'_, Desk>, name: String) -> Answer<()> {
    desk.start_own_server(name).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn accept_invite(desk: State<'_, Desk>, link: String, name: String) -> Answer<()> {
    desk.accept_invite(link, name).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn create_invite(desk: State<'_, Desk>) -> Answer<InviteLink> {
    let made = desk.client()?.create_invite(CreateInvite::default()).await.map_err(|error| error.body())?;
    Ok(InviteLink { link: made.link, expires_at: made.expires_at })
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn ring(desk: State<'_, Desk>, people: Vec<UserId>, video: bool) -> Answer<()> {
    desk.ring(people, Toggle::from(video)).await
}

/// A refusal in the popup is shown in the main window, where there is room to read it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn join(desk: State<'_, Desk>, window: WebviewWindow, cid: CallId, video: bool) -> Answer<()> {
    if window.label() == windows::RING {
        desk.answer(cid, Some(Toggle::from(video))).await;
        return Ok(());
    }
    desk.join(cid, Toggle::from(video)).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn leave(desk: State<'_, Desk>, cid: CallId) -> Answer<()> {
    desk.leave(cid).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn reject(
    desk: State<'_, Desk>,
    window: WebviewWindow,
    cid: CallId,
    message: Option<String>,
) -> Answer<()> {
    let declined = desk.decline(cid, message).await;
    match declined {
        Err(error) if window.label() == windows::RING => {
            desk.report(error);
            Ok(())
        }
        declined => declined,
    }
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn end(desk: State<'_, Desk>, cid: CallId) -> Answer<()> {
    desk.end(cid).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn set_microphone(desk: State<'_, Desk>, cid: CallId, on: bool) -> Answer<()> {
    desk.client()?.set_microphone(cid, Toggle::from(on)).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn set_camera(desk: State<'_, Desk>, cid: CallId, on: bool) -> Answer<()> {
    desk.client()?.set_camera(cid, Toggle::from(on)).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn mark_missed_seen(desk: State<'_, Desk>) -> Answer<()> {
    desk.client()?.mark_missed_seen().await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn devices(desk: State<'_, Desk>) -> Answer<Devices> {
    Ok(desk.devices().await)
}

#[tauri::command]
#[specta::specta]
pub(crate) fn choose_device(desk: State<'_, Desk>, kind: DeviceKind, id: String) -> Answer<()> {
    desk.choose_device(kind, id)
}

#[tauri::command]
#[specta::specta]
pub(crate) fn set_one_call_at_a_time(desk: State<'_, Desk>, on: bool) -> Answer<()> {
    desk.change_settings(|settings| settings.one_call_at_a_time = on)
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_out(desk: State<'_, Desk>) -> Answer<()> {
    desk.sign_out().await
}

#[tauri::command]
#[specta::specta]
pub(crate) fn show_main_window(app: tauri::AppHandle) {
    windows::show_main(&app);
}
