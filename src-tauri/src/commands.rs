//! What the page may ask for; each a line over the library that does it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use call_client::{Qr, Toggle};
use tauri::{State, WebviewWindow};
use wire::{
    AskId, CallId, Capability, CreateInvite, DeviceEntry, DeviceId, DoNotDisturb, ErrorBody, MuteUsers, PeoplePage,
    PeopleQuery, RingMembers, UserId,
};

use crate::{
    desk::Desk,
    state::{AppState, DeviceKind, Devices, InviteLink, InviteWish},
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
pub(crate) async fn let_outside_in(desk: State<'_, Desk>, on: bool) -> Answer<()> {
    desk.let_outside_in(on).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn accept_invite(desk: State<'_, Desk>, link: String, server: String, name: String) -> Answer<()> {
    desk.accept_invite(link, server, name).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn ask_to_join(desk: State<'_, Desk>, server: String, name: String) -> Answer<()> {
    desk.ask_to_join(server, name).await
}

#[tauri::command]
#[specta::specta]
pub(crate) fn stop_asking(desk: State<'_, Desk>) {
    desk.stop_asking();
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn answer_ask(desk: State<'_, Desk>, id: AskId, admit: bool) -> Answer<()> {
    desk.answer_ask(id, admit).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn try_again(desk: State<'_, Desk>) -> Answer<()> {
    desk.try_again().await;
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_in_anew(desk: State<'_, Desk>) -> Answer<()> {
    desk.sign_in_anew().await;
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn create_invite(desk: State<'_, Desk>, wish: InviteWish) -> Answer<InviteLink> {
    let InviteWish { uses, expires_in_ms, role, me } = wish;
    let request = CreateInvite { uses, expires_in_ms, role, me, ..CreateInvite::default() };
    let made = desk.client()?.create_invite(request).await.map_err(|error| error.body())?;
    let qr = Qr::of(&made.link).map(|qr| qr.svg()).ok();
    Ok(InviteLink { link: made.link, code: made.code.spoken(), qr, expires_at: made.expires_at })
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn ring(desk: State<'_, Desk>, people: Vec<UserId>, video: bool) -> Answer<()> {
    desk.ring(people, Toggle::from(video)).await
}

/// A refusal in the popup is shown in the main window, where there is room to read it.
#[tauri::command]
#[specta::specta]
pub(crate) async fn accept(desk: State<'_, Desk>, window: WebviewWindow, cid: CallId, video: bool) -> Answer<()> {
    let video = Some(Toggle::from(video));
    if window.label() == windows::RING {
        desk.answer(cid, video).await;
        return Ok(());
    }
    desk.accept(cid, video).await
}

#[tauri::command]
#[specta::specta]
pub(crate) async fn join(desk: State<'_, Desk>, cid: CallId, video: bool) -> Answer<()> {
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

/// Mutes somebody else; he may unmute himself.
#[tauri::command]
#[specta::specta]
pub(crate) async fn mute_person(desk: State<'_, Desk>, cid: CallId, user: UserId) -> Answer<()> {
    let request = MuteUsers { users: Some(vec![user]), ..MuteUsers::default() };
    desk.client()?.server().mute(&cid, &request).await.map_err(|error| error.body())
}

/// Puts somebody out of a call; he may come back.
#[tauri::command]
#[specta::specta]
pub(crate) async fn put_out(desk: State<'_, Desk>, cid: CallId, user: UserId) -> Answer<()> {
    desk.client()?.server().remove(&cid, &user).await.map(|_| ()).map_err(|error| error.body())
}

/// Rings people into a call that goes on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn add_people(desk: State<'_, Desk>, cid: CallId, people: Vec<UserId>, video: bool) -> Answer<()> {
    let request = RingMembers { members: Some(people), video, ..RingMembers::default() };
    desk.client()?.server().ring_members(&cid, &request).await.map(|_| ()).map_err(|error| error.body())
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

/// Whether the others of a call are heard.
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_speaker(desk: State<'_, Desk>, cid: CallId, on: bool) -> Answer<()> {
    desk.client()?.set_speaker(cid, Toggle::from(on)).await.map_err(|error| error.body())
}

/// Asks whoever runs a call to be let speak.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ask_to_speak(desk: State<'_, Desk>, cid: CallId) -> Answer<()> {
    desk.ask_for(&cid, Capability::SendAudio).await
}

/// Gives what somebody asked for.
#[tauri::command]
#[specta::specta]
pub(crate) async fn allow_asked(desk: State<'_, Desk>, id: u32) -> Answer<()> {
    desk.allow_asked(id).await
}

/// Does not answer somebody who asked for something.
#[tauri::command]
#[specta::specta]
pub(crate) fn pass_over(desk: State<'_, Desk>, id: u32) {
    desk.forget_asked(id);
}

/// Opens a backstage to everybody, or closes it again.
#[tauri::command]
#[specta::specta]
pub(crate) async fn go_live(desk: State<'_, Desk>, cid: CallId, on: bool) -> Answer<()> {
    desk.go_live(&cid, Toggle::from(on)).await
}

/// Does not come in any more when the call opens that was waited for.
#[tauri::command]
#[specta::specta]
pub(crate) fn stop_waiting(desk: State<'_, Desk>) {
    desk.stop_waiting();
}

/// The reminder of a planned call was read.
#[tauri::command]
#[specta::specta]
pub(crate) fn close_reminder(desk: State<'_, Desk>, cid: CallId) {
    desk.forget_reminder(&cid);
}

/// How the last call ended was read.
#[tauri::command]
#[specta::specta]
pub(crate) fn close_unread(desk: State<'_, Desk>) {
    desk.forget_unread();
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

/// People of a large server, whom not every device is told of; a page at a time.
#[tauri::command]
#[specta::specta]
pub(crate) async fn find_people(desk: State<'_, Desk>, search: String, after: Option<String>) -> Answer<PeoplePage> {
    let query = PeopleQuery { search: Some(search), after, ..PeopleQuery::default() };
    desk.client()?.server().people(&query).await.map_err(|error| error.body())
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

/// Every device this person is signed in on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn my_devices(desk: State<'_, Desk>) -> Answer<Vec<DeviceEntry>> {
    desk.client()?.server().devices().await.map_err(|error| error.body())
}

/// Signs another device of this person out.
#[tauri::command]
#[specta::specta]
pub(crate) async fn sign_out_device(desk: State<'_, Desk>, device: DeviceId) -> Answer<()> {
    desk.client()?.server().sign_out_device(&device).await.map_err(|error| error.body())
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
