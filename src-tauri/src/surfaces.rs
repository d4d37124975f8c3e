//! Brings popup, notification, tone and tray in line with what is wanted: new ones appear, gone ones are undone.

use std::{collections::HashMap, sync::Arc, time::Duration};

use call_client::{Client, ClientState};
use media::{PlayingTone, Tone};
use tauri::{AppHandle, Manager as _};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::{AskId, RingId, WaitingAsk};

use crate::{
    desk::Desk,
    notify::{self, Notification},
    ringing::{Incoming, Parting, Sound, Wanted, parting, wanted},
    tray, windows,
};

/// Two beeps of the busy tone.
const REFUSED: Duration = Duration::from_millis(1_600);
/// The hang-up tone, whole.
const ENDED: Duration = Duration::from_millis(700);

pub(crate) struct Surfaces {
    app: AppHandle,
    client: Client,
    /// The state that what is shown follows from.
    seen: Option<Arc<ClientState>>,
    shown: Wanted,
    tone: Option<PlayingTone>,
    /// A tone that ends by itself, or with the next one.
    parting: Option<DropGuard>,
    notifications: HashMap<RingId, (Incoming, Notification)>,
    /// Who waits at the door, and was told of.
    door: HashMap<AskId, Notification>,
    /// The newest missed call that was told; older ones are not told again.
    told_missed: Option<i64>,
}

impl Surfaces {
    pub(crate) fn new(app: AppHandle, client: Client) -> Self {
        Self {
            app,
            client,
            seen: None,
            shown: Wanted::nothing(),
            tone: None,
            parting: None,
            notifications: HashMap::new(),
            door: HashMap::new(),
            told_missed: None,
        }
    }

    /// The state changed: what sounds and shows follows.
    pub(crate) fn follow(&mut self, state: &Arc<ClientState>) {
        let wanted = wanted(state);
        self.part(state, &wanted);
        if wanted.sound != self.shown.sound {
            self.sound(wanted.sound);
        }
        if wanted.incoming != self.shown.incoming {
            self.ring(&wanted.incoming);
        }
        if (wanted.mood, &wanted.on, &wanted.incoming, &wanted.missed)
            != (self.shown.mood, &self.shown.on, &self.shown.incoming, &self.shown.missed)
        {
            tray::show(&self.app, &wanted);
        }
        self.tell_missed(state, &wanted);
        self.tell_asks(&state.asks);
        self.shown = wanted;
        self.seen = Some(Arc::clone(state));
    }

    fn sound(&mut self, sound: Sound) {
        // The old tone first: two at once would be neither.
        self.tone = None;
        let desk = self.app.state::<Desk>();
        self.tone = match sound {
            Sound::Silence => return,
            Sound::Ring => Some(desk.engine().play(Tone::Ring)),
            Sound::RingBack => Some(desk.engine().play(Tone::RingBack)),
        };
        self.parting = None;
    }

    /// A call is over that somebody else ended: a short tone, unless something more important sounds.
    fn part(&mut self, state: &Arc<ClientState>, wanted: &Wanted) {
        let Some((cid, parting)) = self.seen.as_ref().and_then(|seen| parting(seen, state)) else { return };
        let desk = self.app.state::<Desk>();
        if desk.was_ended_here(&cid) || wanted.sound != Sound::Silence || !wanted.on.is_empty() {
            return;
        }
        let (tone, length) = match parting {
            Parting::Refused => (Tone::Busy, REFUSED),
            Parting::Ended => (Tone::HangUp, ENDED),
        };
        let over = CancellationToken::new();
        self.parting = Some(over.clone().drop_guard());
        let playing = desk.engine().play(tone);
        tauri::async_runtime::spawn(async move {
            _ = tokio::time::timeout(length, over.cancelled()).await;
            drop(playing);
        });
    }

    /// Every ring has its notification and its place in the popup.
    fn ring(&mut self, incoming: &[Incoming]) {
        self.notifications.retain(|_, (shown, _)| incoming.contains(shown));
        windows::show_rings(&self.app, incoming.len());
        for incoming in incoming {
            self.notifications.entry(incoming.ring.clone()).or_insert_with(|| {
                let (client, cid) = (self.client.clone(), incoming.cid.clone());
                tauri::async_runtime::spawn(async move { client.alerted(cid).await });
                (incoming.clone(), notify::incoming(&self.app, incoming))
            });
        }
    }

    /// Each who waits at the door is told once, as long as he waits.
    fn tell_asks(&mut self, asks: &[WaitingAsk]) {
        self.door.retain(|id, _| asks.iter().any(|ask| ask.id == *id));
        for ask in asks {
            self.door.entry(ask.id).or_insert_with(|| notify::asks(&self.app, ask));
        }
    }

    /// Each missed call is told once; those of before the start are in the list.
    fn tell_missed(&mut self, state: &ClientState, wanted: &Wanted) {
        let newest = state.history.first().map(|entry| entry.id).unwrap_or(0);
        let Some(told) = self.told_missed else {
            if state.connection == call_client::Connection::Online {
                self.told_missed = Some(newest);
            }
            return;
        };
        for (_, caller) in wanted.missed.iter().filter(|(id, _)| *id > told) {
            notify::missed(&self.app, caller);
        }
        self.told_missed = Some(told.max(newest));
    }
}

impl Drop for Surfaces {
    /// Signed out or quitting: nothing goes on sounding.
    fn drop(&mut self) {
        windows::show_rings(&self.app, 0);
        tray::show(&self.app, &Wanted::nothing());
    }
}
