//! What the server tells and does not keep: reminders, questions, the end of a call. Told natively, and in the state for as
//! long as it is so.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use call_client::{CallView, Client, ClientState, wire::CallState};
use tauri::AppHandle;
use tokio::sync::broadcast::error::RecvError;
use wire::{AskPermission, CallId, Capability, ErrorBody, Event, UnixMillis, UpdatePermissions, UserId};

use super::Desk;
use crate::{
    notify::{self, Joining, Notification},
    ringing::{is_on, name_of, others},
    state::{Asked, Ending, Reminder},
    windows,
};

/// A question that nobody has answered is forgotten after this.
const ASKED_FOR: Duration = Duration::from_secs(120);
/// A reminder is of no use any more so long after its call began, or was told of.
const REMINDED_FOR: Duration = Duration::from_secs(15 * 60);
/// A call that begins within this can be joined from its notification.
const SOON: Duration = Duration::from_secs(10 * 60);

/// The notifications of what is in the state; each goes with what it tells of.
#[derive(Default)]
pub(super) struct Told {
    reminders: HashMap<CallId, Notification>,
    asked: HashMap<u32, Notification>,
    endings: HashMap<CallId, Notification>,
    last_asked: u32,
}

/// Hears what is told, for as long as the client runs.
pub(super) async fn follow(app: AppHandle, client: Client) {
    let mut notices = client.notices();
    loop {
        match notices.recv().await {
            Ok(event) => Desk::of(&app).hear(&client, event).await,
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "news came faster than they could be told"),
            Err(RecvError::Closed) => return,
        }
    }
}

impl Desk {
    async fn hear(&self, client: &Client, event: Event) {
        match event {
            Event::Notified { cid, by, starts_at } => self.remind(client, cid, by, starts_at).await,
            Event::PermissionAsked { cid, user, capabilities } => {
                self.on_asked(client, cid, user, capabilities.into_iter().collect());
            }
            Event::EndsSoon { cid, in_ms } => self.on_ends_soon(client, cid, in_ms),
            // Who waits at the door is in the state, and signs and events of applications have no place in the window.
            Event::AskedIn { .. } | Event::AskOver { .. } | Event::Reaction { .. } | Event::Custom { .. } => {}
            Event::Call { .. }
            | Event::Person { .. }
            | Event::History { .. }
            | Event::MissedSeen { .. }
            | Event::Favourites { .. }
            | Event::DoNotDisturb { .. }
            | Event::SignedOut
            | Event::Unknown => {}
        }
    }

    /// Who is in the call needs no reminder of it.
    async fn remind(&self, client: &Client, cid: CallId, by: Option<UserId>, starts_at: Option<UnixMillis>) {
        if client.state().borrow().call(&cid).is_some_and(is_on) {
            return;
        }
        let call = client.server().read(&cid).await.inspect_err(|error| tracing::warn!(%cid, %error, "a planned call"));
        let state = client.state().borrow().clone();
        let title = call.map_or_else(|_| "A call".to_owned(), |call| title(&state, &call));
        let reminder = Reminder { cid: cid.clone(), title, by, starts_at };
        let words = words(&state, &reminder, now());
        let until = starts_at.map_or(Duration::ZERO, |at| at.since(now())) + REMINDED_FOR;
        self.change(|app| {
            app.reminders.retain(|known| known.cid != cid);
            app.reminders.push(reminder.clone());
        });
        let is_soon = starts_at.is_none_or(|at| at.since(now()) <= SOON);
        let joining = if is_soon { Joining::Now } else { Joining::Later };
        // The one before says an older time.
        self.inner().told.reminders.remove(&cid);
        if !state.is_quiet {
            let shown = notify::planned(&self.app, &cid, &words, joining);
            self.inner().told.reminders.insert(cid, shown);
        }
        self.later(until, move |desk| {
            if desk.state().reminders.contains(&reminder) {
                desk.forget_reminder(&reminder.cid);
            }
        });
    }

    /// The person has read it, is in the call, or it is long past.
    pub(crate) fn forget_reminder(&self, cid: &CallId) {
        self.inner().told.reminders.remove(cid);
        self.change(|app| app.reminders.retain(|known| known.cid != *cid));
    }

    fn on_asked(&self, client: &Client, cid: CallId, user: UserId, capabilities: Vec<Capability>) {
        let state = client.state().borrow().clone();
        let id = {
            let mut inner = self.inner();
            inner.told.last_asked += 1;
            inner.told.last_asked
        };
        let name = name_of(&state, user.as_str());
        let summary = format!("{name} asks {}", wanted(&capabilities));
        let again = self.state().asked.into_iter().find(|known| known.cid == cid && known.user == user);
        if let Some(before) = again {
            self.forget_asked(before.id);
        }
        self.change(|app| app.asked.push(Asked { id, cid, user, capabilities }));
        if !state.is_quiet {
            let shown = notify::asked(&self.app, id, &summary);
            self.inner().told.asked.insert(id, shown);
        }
        self.later(ASKED_FOR, move |desk| desk.forget_asked(id));
    }

    /// Gives what was asked for.
    pub(crate) async fn allow_asked(&self, id: u32) -> Result<(), ErrorBody> {
        let Some(asked) = self.state().asked.into_iter().find(|asked| asked.id == id) else { return Ok(()) };
        let grant = asked.capabilities.into_iter().collect();
        let update = UpdatePermissions { user: asked.user, grant, revoke: [].into() };
        self.client()?.server().update_permissions(&asked.cid, &update).await.map_err(|error| error.body())?;
        self.forget_asked(id);
        Ok(())
    }

    /// It was answered, is not wanted now, or too old.
    pub(crate) fn forget_asked(&self, id: u32) {
        self.inner().told.asked.remove(&id);
        self.change(|app| app.asked.retain(|known| known.id != id));
    }

    /// Asks whoever runs a call for a capability.
    pub(crate) async fn ask_for(&self, cid: &CallId, capability: Capability) -> Result<(), ErrorBody> {
        let request = AskPermission { capabilities: [capability].into() };
        self.client()?.server().ask_permission(cid, &request).await.map_err(|error| error.body())
    }

    fn on_ends_soon(&self, client: &Client, cid: CallId, in_ms: u32) {
        let at = now().plus(Duration::from_millis(u64::from(in_ms)));
        let state = client.state().borrow().clone();
        let call = state.call(&cid);
        let with = call.map_or_else(String::new, |call| others(&state, call));
        let longest_ms = call.and_then(longest_ms);
        let summary = format!("Your call with {with} ends in {}", in_words(Duration::from_millis(u64::from(in_ms))));
        self.change(|app| {
            app.endings.retain(|known| known.cid != cid);
            app.endings.push(Ending { cid: cid.clone(), at, longest_ms });
        });
        let shown = notify::ends_soon(&self.app, &summary);
        self.inner().told.endings.insert(cid, shown);
    }

    /// The calls changed: what was told of a call ends with it, or as soon as this device is in.
    pub(super) fn outdate(&self, state: &ClientState) {
        let is_in = |cid: &CallId| state.calls.iter().any(|call| call.cid == *cid && is_on(call));
        let ends = |ending: &Ending| still_ends(state, ending);
        let app = self.state();
        let over = app.asked.iter().any(|asked| !is_in(&asked.cid))
            || !app.endings.iter().all(ends)
            || app.reminders.iter().any(|reminder| is_in(&reminder.cid));
        if !over {
            return;
        }
        self.change(|app| {
            app.asked.retain(|asked| is_in(&asked.cid));
            app.endings.retain(ends);
            app.reminders.retain(|reminder| !is_in(&reminder.cid));
        });
        let app = self.state();
        let told = &mut self.inner().told;
        told.asked.retain(|id, _| app.asked.iter().any(|asked| asked.id == *id));
        told.endings.retain(|cid, _| app.endings.iter().any(|ending| ending.cid == *cid));
        told.reminders.retain(|cid, _| !is_in(cid));
    }

    /// Nobody is signed in any more: nothing of this is true.
    pub(super) fn forget_news(&self) {
        self.inner().told = Told::default();
        self.stop_waiting();
        self.change(|app| {
            app.reminders.clear();
            app.asked.clear();
            app.endings.clear();
            app.unread = None;
        });
    }

    fn later(&self, wait: Duration, act: impl FnOnce(&Self) + Send + 'static) {
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(wait).await;
            act(&Self::of(&app));
        });
    }

    /// Joins from a notification, where there is no room for what comes of it.
    pub(crate) async fn join_outside(&self, cid: CallId) {
        windows::show_main(&self.app);
        if let Err(error) = self.join(cid, call_client::Toggle::Off).await {
            self.report(error);
        }
    }
}

/// What a call is called; without a name, who is in it.
fn title(state: &ClientState, call: &CallState) -> String {
    let named = call.call.custom.get("title").and_then(|title| title.as_str()).map(str::trim);
    let members = call.call.members.iter().map(|member| &member.user).filter(|user| **user != state.me.id);
    let with = || members.map(|user| name_of(state, user.as_str())).collect::<Vec<_>>().join(", ");
    match named.filter(|title| !title.is_empty()) {
        Some(title) => title.to_owned(),
        None => format!("the call with {}", with()),
    }
}

/// A reminder in one line.
fn words(state: &ClientState, reminder: &Reminder, now: UnixMillis) -> String {
    let Reminder { title, by, starts_at, .. } = reminder;
    let left = starts_at.map_or(Duration::ZERO, |at| at.since(now));
    let begins = if left < Duration::from_secs(30) { "now".to_owned() } else { format!("in {}", in_words(left)) };
    match by {
        Some(by) => format!("{} invites you to {title}, {begins}", name_of(state, by.as_str())),
        None => format!("{} begins {begins}", capitalized(title)),
    }
}

/// What somebody asks for, after his name.
fn wanted(capabilities: &[Capability]) -> &'static str {
    match capabilities {
        [Capability::SendAudio] => "to speak",
        [Capability::SendVideo] => "to show a picture",
        [Capability::ShareScreen] => "to share the screen",
        _ => "to take part",
    }
}

/// A length at a glance.
fn in_words(length: Duration) -> String {
    let seconds = length.as_secs() + u64::from(length.subsec_millis() >= 500);
    let (number, unit) = match seconds {
        0..=89 if seconds < 55 => (seconds, "second"),
        0..=3_569 => ((seconds + 30) / 60, "minute"),
        3_570..=84_599 => ((seconds + 1_800) / 3_600, "hour"),
        _ => ((seconds + 43_200) / 86_400, "day"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[expect(clippy::disallowed_methods, reason = "the shell drives what is shown, and tells how long it still is")]
pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Whether a call that this device is in ends as it was told: with another limit it ends at another time.
fn still_ends(state: &ClientState, ending: &Ending) -> bool {
    let call = state.call(&ending.cid).filter(|call| is_on(call));
    call.is_some_and(|call| longest_ms(call) == ending.longest_ms)
}

/// How long a call that this device is in may last.
fn longest_ms(call: &CallView) -> Option<u32> {
    call.joined.as_ref().and_then(|joined| joined.longest_ms)
}

#[cfg(test)]
mod tests {
    use call_client::CallingState;
    use wire::Direction;

    use super::*;
    use crate::ringing::examples::{call, state};

    fn told(by: Option<&str>, title: &str, in_ms: Option<i64>) -> String {
        let starts_at = in_ms.map(|in_ms| UnixMillis(in_ms + 1_000));
        let by = by.map(|by| by.parse().unwrap());
        let reminder = Reminder { cid: "default:1".parse().unwrap(), title: title.to_owned(), by, starts_at };
        words(&state(Vec::new()), &reminder, UnixMillis(1_000))
    }

    #[test]
    fn a_reminder_says_what_begins_and_when() {
        assert_eq!(told(None, "Standup", Some(299_600)), "Standup begins in 5 minutes");
        assert_eq!(told(None, "Standup", Some(-100)), "Standup begins now");
        assert_eq!(told(None, "the call with Ben", Some(0)), "The call with Ben begins now");
        assert_eq!(told(Some("ben"), "Standup", Some(7_200_000)), "Ben B. invites you to Standup, in 2 hours");
        assert_eq!(told(Some("ben"), "Standup", None), "Ben B. invites you to Standup, now");
    }

    #[test]
    fn the_count_down_of_an_end_that_was_put_off_goes() {
        let with = |longest_ms: Option<u32>, calling_state| {
            let mut call = call(Direction::Incoming, calling_state);
            call.joined.as_mut().unwrap().longest_ms = longest_ms;
            state(vec![call])
        };
        let cid = "default:1".parse().unwrap();
        let ending = Ending { cid, at: UnixMillis(1), longest_ms: Some(600_000) };
        assert!(still_ends(&with(Some(600_000), CallingState::Joined), &ending));
        assert!(!still_ends(&with(Some(1_200_000), CallingState::Joined), &ending), "it ends later");
        assert!(!still_ends(&with(None, CallingState::Joined), &ending), "or never");
        assert!(!still_ends(&state(Vec::new()), &ending), "this device has left it");
    }

    #[test]
    fn a_length_is_said_at_a_glance() {
        let said = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(
            [1, 54, 60, 100, 3_600, 172_000].map(said),
            ["1 second", "54 seconds", "1 minute", "2 minutes", "1 hour", "2 days"]
        );
    }

    #[test]
    fn who_asks_says_what_for() {
        assert_eq!(wanted(&[Capability::SendAudio]), "to speak");
        assert_eq!(wanted(&[Capability::SendAudio, Capability::SendVideo]), "to take part");
    }
}
