//! Brings popup, notification, tone and tray in line with what is wanted: new ones appear, gone ones are undone.

use call_client::{Client, ClientState};
use media::{PlayingTone, Tone};
use tauri::{AppHandle, Manager as _};

use crate::{
    desk::Desk,
    notify::{self, Notification},
    ringing::{Incoming, Mood, Sound, Wanted, wanted},
    tray, windows,
};

pub(crate) struct Surfaces {
    app: AppHandle,
    client: Client,
    shown: Wanted,
    tone: Option<PlayingTone>,
    notification: Option<Notification>,
    /// The newest missed call that was told; older ones are not told again.
    told_missed: Option<i64>,
}

impl Surfaces {
    pub(crate) fn new(app: AppHandle, client: Client) -> Self {
        let shown =
            Wanted { incoming: None, sound: Sound::Silence, mood: Mood::Idle, joined: None, missed: Vec::new() };
        Self { app, client, shown, tone: None, notification: None, told_missed: None }
    }

    /// The state changed: what sounds and shows follows.
    pub(crate) fn follow(&mut self, state: &ClientState) {
        let wanted = wanted(state);
        if wanted.sound != self.shown.sound {
            self.sound(wanted.sound);
        }
        if wanted.incoming != self.shown.incoming {
            self.ring(wanted.incoming.as_ref());
        }
        if (wanted.mood, &wanted.joined, &wanted.incoming)
            != (self.shown.mood, &self.shown.joined, &self.shown.incoming)
        {
            tray::show(&self.app, &wanted);
        }
        self.tell_missed(state, &wanted);
        self.shown = wanted;
    }

    fn sound(&mut self, sound: Sound) {
        // The old tone first: two at once would be neither.
        self.tone = None;
        let desk = self.app.state::<Desk>();
        self.tone = match sound {
            Sound::Silence => None,
            Sound::Ring => Some(desk.engine().play(Tone::Ring)),
            Sound::RingBack => Some(desk.engine().play(Tone::RingBack)),
        };
    }

    fn ring(&mut self, incoming: Option<&Incoming>) {
        self.notification = None;
        match incoming {
            Some(incoming) => {
                windows::show_ring(&self.app);
                self.notification = Some(notify::incoming(&self.app, incoming));
                let (client, cid) = (self.client.clone(), incoming.cid.clone());
                tauri::async_runtime::spawn(async move { client.alerted(cid).await });
            }
            None => windows::hide_ring(&self.app),
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
        windows::hide_ring(&self.app);
    }
}
