//! What the page may ask for; each a line over the library that does it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use call_client::Toggle;
use tauri::{State, WebviewWindow};
use wire::{CallId, CreateInvite, DoNotDisturb, ErrorBody, PeopleQuery, Person, UserId};

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
pub(crate) async fn set_busy_when_in_call(desk: State<'_, Desk>, on: bool) -> Answer<()> {
    desk.change_settings(|settings| settings.busy_when_in_call = on)?;
    desk.client()?.set_busy_when_in_call(Toggle::from(on)).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn set_do_not_disturb(desk: State<'_, Desk>, wish: DoNotDisturb) -> Answer<()> {
    desk.client()?.server().set_do_not_disturb(&wish).await.map_err(|error| error.body())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn set_favourite(desk: State<'_, Desk>, user: UserId, on: bool) -> Answer<()> {
    let client = desk.client()?;
    let set = match on {
        true => client.server().add_favourite(&user).await,
        false => client.server().remove_favourite(&user).await,
    };
    set.map_err(|error| error.body())
}

/// People of a large server, whom not every device is told of.
#[tauri::command]
#[specta::specta]
pub(crate) async fn find_people(desk: State<'_, Desk>, search: String) -> Answer<Vec<Person>> {
    let query = PeopleQuery { search: Some(search), ..PeopleQuery::default() };
    let found = desk.client()?.server().people(&query).await.map_err(|error| error.body())?;
    Ok(found.people)
}

/// A picture as the page can show it; it changes with its tag.
#[tauri::command]
#[specta::specta]
pub(crate) async fn avatar(desk: State<'_, Desk>, user: UserId) -> Answer<String> {
    let image = desk.client()?.server().avatar(&user).await.map_err(|error| error.body())?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(image)))
}

/// My picture, as base64; `null` takes it away.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_avatar(desk: State<'_, Desk>, image: Option<String>) -> Answer<()> {
    let unreadable = |_| ErrorBody::invalid("image", "the picture cannot be read: choose another");
    let image = image.map(|text| STANDARD.decode(text).map_err(unreadable)).transpose()?;
    desk.client()?.server().set_avatar(image).await.map_err(|error| error.body())
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
