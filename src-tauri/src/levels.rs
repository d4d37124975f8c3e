//! Tells the page how loud everybody is, ten times a second while in a call.

use std::{sync::Arc, time::Duration};

use media::Levels;
use tauri::{AppHandle, Manager as _};
use tauri_specta::Event as _;
use tokio::sync::watch;
use wire::CallId;

use crate::{
    desk::Desk,
    ringing::is_on,
    state::{LevelsChanged, TrackLevel},
};

const EVERY: Duration = Duration::from_millis(100);

/// Follows every call that is on.
pub(crate) async fn follow(app: AppHandle) {
    let Ok(client) = app.state::<Desk>().client() else { return };
    let mut states = client.state();
    let mut meters: Vec<(CallId, watch::Receiver<Levels>)> = Vec::new();
    let mut tick = tokio::time::interval(EVERY);
    loop {
        let state = Arc::clone(&states.borrow_and_update());
        let on: Vec<&CallId> = state.calls.iter().filter(|call| is_on(call)).map(|call| &call.cid).collect();
        meters.retain(|(cid, meter)| on.contains(&cid) && meter.has_changed().is_ok());
        for cid in on {
            if !meters.iter().any(|(known, _)| known == cid)
                && let Some(meter) = client.levels(cid.clone()).await
            {
                meters.push((cid.clone(), meter));
            }
        }
        if meters.is_empty() {
            if states.changed().await.is_err() {
                return;
            }
            continue;
        }
        loop {
            tick.tick().await;
            _ = measured(&mut meters).emit(&app);
            match states.has_changed() {
                Ok(false) => {}
                Ok(true) => break,
                Err(_) => return,
            }
        }
    }
}

fn measured(meters: &mut [(CallId, watch::Receiver<Levels>)]) -> LevelsChanged {
    let percent = |level: f32| (level * 100.0).round() as u8;
    let mut all = LevelsChanged { microphone: 0, tracks: Vec::new() };
    for (_, meter) in meters {
        let now = meter.borrow_and_update();
        all.microphone = all.microphone.max(percent(now.microphone));
        all.tracks
            .extend(now.tracks.iter().map(|(key, level)| TrackLevel { key: key.clone(), level: percent(*level) }));
    }
    all
}
