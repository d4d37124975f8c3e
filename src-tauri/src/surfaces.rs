//! Brings popup, notification, tone and tray in line with what is wanted: new ones appear, gone ones are undone.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use call_client::{Client, ClientState, Connection, EndReason};
use media::{PlayingTone, Tone};
use tauri::{AppHandle, Manager as _};
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::{AskId, RingId, WaitingAsk};

use crate::{
    desk::Desk,
    notify::{self, Notification},
    ringing::{Accepting, Incoming, Parting, Sound, Wanted, others, parting, wanted, worth_reading},
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
    notifications: HashMap<RingId, (Incoming, Accepting, Notification)>,
    /// Who waits at the door, and was told of.
    door: HashMap<AskId, Notification>,
    /// Missed calls that were told and nobody has looked at.
    missed: Vec<(BTreeSet<i64>, Notification)>,
    /// The newest missed call that was told; older ones are not told again.
    told_missed: i64,
    /// That a call was lost; until another begins.
    lost: Option<Notification>,
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
            missed: Vec::new(),
            told_missed: 0,
            lost: None,
        }
    }

    /// The state changed: what sounds and shows follows.
    pub(crate) fn follow(&mut self, state: &Arc<ClientState>) {
        let wanted = wanted(state);
        self.part(state, &wanted);
        self.keep_unread(state, &wanted);
        if wanted.sound != self.shown.sound {
            self.sound(wanted.sound);
        }
        let accepting = self.app.state::<Desk>().accepting(&wanted);
        if wanted.incoming != self.shown.incoming || wanted.on != self.shown.on {
            self.ring(&wanted.incoming, accepting);
        }
        if (wanted.mood, &wanted.on, &wanted.incoming, &wanted.missed)
            != (self.shown.mood, &self.shown.on, &self.shown.incoming, &self.shown.missed)
        {
            tray::show(&self.app, &wanted);
        }
        if !state.is_quiet {
            self.tell_missed(state, &wanted);
            self.tell_asks(&state.asks);
        }
        self.forget_told(state, &wanted);
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
    fn ring(&mut self, incoming: &[Incoming], accepting: Accepting) {
        self.notifications.retain(|_, (shown, says, _)| incoming.contains(shown) && *says == accepting);
        if incoming.len() != self.shown.incoming.len() {
            windows::show_rings(&self.app, incoming.len());
        }
        for incoming in incoming {
            self.notifications.entry(incoming.ring.clone()).or_insert_with(|| {
                let (client, cid) = (self.client.clone(), incoming.cid.clone());
                tauri::async_runtime::spawn(async move { client.alerted(cid).await });
                (incoming.clone(), accepting, notify::incoming(&self.app, incoming, accepting))
            });
        }
    }

    /// Each who waits at the door is told once.
    fn tell_asks(&mut self, asks: &[WaitingAsk]) {
        for ask in asks {
            self.door.entry(ask.id).or_insert_with(|| notify::asks(&self.app, ask));
        }
    }

    /// Each missed call is told once; several of while the app was off, or had to be quiet, in one line.
    fn tell_missed(&mut self, state: &ClientState, wanted: &Wanted) {
        if state.connection != Connection::Online {
            return;
        }
        let untold: Vec<_> = wanted.missed.iter().filter(|(id, _)| *id > self.told_missed).collect();
        if let Some((newest, _)) = untold.first() {
            self.told_missed = *newest;
            let callers: Vec<_> = untold.iter().map(|(_, caller)| caller.as_str()).collect();
            let ids = untold.iter().map(|(id, _)| *id).collect();
            self.missed.push((ids, notify::missed(&self.app, &callers)));
        }
    }

    /// What is over, answered or looked at, on whichever device, is not told any more.
    fn forget_told(&mut self, state: &ClientState, wanted: &Wanted) {
        self.door.retain(|id, _| state.asks.iter().any(|ask| ask.id == *id));
        self.missed.retain(|(ids, _)| wanted.missed.iter().any(|(id, _)| ids.contains(id)));
        if self.app.state::<Desk>().state().unread.is_none() {
            self.lost = None;
        }
    }

    /// A call that was lost, or declined with words, is told until it is read or another begins.
    fn keep_unread(&mut self, state: &ClientState, wanted: &Wanted) {
        let desk = self.app.state::<Desk>();
        let Some(call) = self.seen.as_ref().and_then(|seen| worth_reading(seen, state)) else {
            if !wanted.on.is_empty() || state.outgoing().next().is_some() {
                desk.forget_unread();
            }
            return;
        };
        if call.state.reason == Some(EndReason::MediaFailed) {
            let summary = format!("Your call with {} was lost", others(state, &call));
            self.lost = Some(notify::lost(&self.app, &summary));
        }
        desk.keep_unread(call);
    }
}

impl Drop for Surfaces {
    /// Signed out or quitting: nothing goes on sounding.
    fn drop(&mut self) {
        windows::show_rings(&self.app, 0);
        tray::show(&self.app, &Wanted::nothing());
    }
}
