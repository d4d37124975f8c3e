//! A notification host (Desktop Notifications Specification 1.2): remembers what is shown, presses its buttons.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Result, ensure};
use zbus::{Connection, interface, object_server::SignalEmitter, zvariant::OwnedValue};

pub(super) const NAME: &str = "org.freedesktop.Notifications";
pub(super) const PATH: &str = "/org/freedesktop/Notifications";
/// "The notification was dismissed by the user" and "closed by a call to CloseNotification".
const DISMISSED: u32 = 2;
const CLOSED: u32 = 3;

/// A notification as the host got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The host's number for it.
    pub id: u32,
    /// The first line.
    pub summary: String,
    /// The rest.
    pub body: String,
    /// Keys of its buttons.
    pub actions: Vec<String>,
    /// Milliseconds; 0 stays.
    pub timeout: i32,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: u8,
    /// As `call.incoming`.
    pub category: String,
}

/// What is on the screen now, and what was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    last_id: u32,
    shown: Vec<Shown>,
    gone: Vec<Shown>,
    /// Pressed on the next one in the moment it is there.
    next: Option<String>,
}

impl Board {
    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.with(|kept| kept.shown.clone())
    }

    pub(crate) fn gone(&self) -> Vec<Shown> {
        self.with(|kept| kept.gone.clone())
    }

    pub(crate) fn press_next(&self, action: &str) {
        self.with(|kept| kept.next = Some(action.to_owned()));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, mut notification: Shown, replaces: u32) -> u32 {
        self.with(|kept| {
            kept.shown.retain(|shown| shown.id != replaces);
            notification.id = if replaces == 0 { kept.last_id + 1 } else { replaces };
            kept.last_id = kept.last_id.max(notification.id);
            kept.shown.push(notification.clone());
            notification.id
        })
    }

    fn take(&self, id: u32) -> bool {
        self.with(|kept| {
            let Some(place) = kept.shown.iter().position(|shown| shown.id == id) else { return false };
            let gone = kept.shown.remove(place);
            kept.gone.push(gone);
            true
        })
    }
}

pub(super) struct NotificationHost {
    board: Board,
}

impl NotificationHost {
    pub(super) fn new(board: Board) -> Self {
        Self { board }
    }
}

#[interface(name = "org.freedesktop.Notifications")]
impl NotificationHost {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup", "persistence"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("stand-in".to_owned(), "Bellbird".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's own arguments")]
    async fn notify(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        _application: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout: i32,
    ) -> zbus::fdo::Result<u32> {
        let urgency = hints.get("urgency").and_then(|value| u8::try_from(value).ok()).unwrap_or(1);
        let category = hints.get("category").and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default();
        // Keys and labels take turns.
        let actions = actions.into_iter().step_by(2).collect();
        let category = category.to_owned();
        let id = self.board.show(Shown { id: 0, summary, body, actions, timeout, urgency, category }, replaces);
        if let Some(action) = self.board.with(|kept| kept.next.take()) {
            invoke(&emitter, &self.board, id, &action).await?;
        }
        Ok(id)
    }

    async fn close_notification(
        &self,
        id: u32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        if self.board.take(id) {
            Self::notification_closed(&emitter, id, CLOSED).await?;
        }
        Ok(())
    }

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

/// As a host does when a person presses: the action, then the notification is gone.
pub(super) async fn press(connection: &Connection, board: &Board, id: u32, action: &str) -> Result<()> {
    let emitter = SignalEmitter::new(connection, PATH)?;
    ensure!(board.shown().iter().any(|shown| shown.id == id), "there is no notification {id}");
    Ok(invoke(&emitter, board, id, action).await?)
}

async fn invoke(emitter: &SignalEmitter<'_>, board: &Board, id: u32, action: &str) -> zbus::Result<()> {
    NotificationHost::action_invoked(emitter, id, action).await?;
    if board.take(id) {
        NotificationHost::notification_closed(emitter, id, DISMISSED).await?;
    }
    Ok(())
}
