//! What the page may ask for; each a line over the library that does it.

use call_client::{JoinOptions, Leave, Toggle};
use tauri::State;
use wire::{CallId, CreateInvite, ErrorBody, Reason, UserId};

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
pub(crate) async fn ring(desk: State<'_, Desk>, people: Vec<UserId>, video: bool) -> Answer<CallId> {
    desk.make_room_for(None).await?;
    desk.client()?.ring(people, Toggle::from(video)).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn join(desk: State<'_, Desk>, cid: CallId, video: bool) -> Answer<()> {
    desk.join(cid, JoinOptions { create: false, video: Toggle::from(video) }).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn leave(desk: State<'_, Desk>, cid: CallId) -> Answer<()> {
    desk.client()?.leave(cid, Leave::Plain).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn reject(desk: State<'_, Desk>, cid: CallId, message: Option<String>) -> Answer<()> {
    let leave = Leave::Reject { reason: Reason::Decline, message };
    desk.client()?.leave(cid, leave).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn end(desk: State<'_, Desk>, cid: CallId) -> Answer<()> {
    desk.client()?.end(cid).await.map_err(|error| error.body())
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
