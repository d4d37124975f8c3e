//! A joined call: LiveKit signalling on one side, `media::Peer` on the other. Finds its way again by itself.

mod connection;

use std::time::Duration;

use media::{PeerOptions, Picture, Processing};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use wire::{CallId, Pin, Settings, VideoSettings};

use crate::{
    backoff,
    calls::{Device, Toggle},
    errands::ErrandId,
    roster::Roster,
    signal::{Signal, SignalError},
    state::{DeviceView, EndReason, ParticipantView},
};
use connection::Connection;

/// How long a lost session is tried again before the call is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// Switches wait here; far more than fingers can press.
const SWITCHES: usize = 16;

/// What happens to the media of a joined call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SessionEvent {
    /// Media flows.
    Connected,
    /// It does not any more; it is being tried again.
    Reconnecting,
    Participants(Vec<ParticipantView>),
    Device {
        device: Device,
        view: DeviceView,
    },
    /// Nobody is heard, or everybody is again.
    Speaker {
        trouble: Option<String>,
    },
    /// For good.
    Closed(EndReason),
}

/// What a session needs to begin.
pub(crate) struct Setup {
    pub(crate) cid: CallId,
    /// The join this session comes of: its events carry the number, so that nobody takes them for another's.
    pub(crate) join: ErrandId,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) pin: Option<Pin>,
    pub(crate) microphone: Toggle,
    pub(crate) camera: Toggle,
    pub(crate) speaker: Toggle,
    pub(crate) settings: Settings,
}

/// What changes while in a call.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Switch {
    /// What this device sends.
    Send(Device, Toggle),
    /// Whether the others are heard.
    Hear(Toggle),
    /// A fresh token for the media server: the one before may have grown too old, in a sleep.
    Token(String),
}

/// The handle of a running session; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Session {
    switches: mpsc::Sender<Switch>,
    levels: watch::Receiver<Option<watch::Receiver<media::Levels>>>,
}

impl Session {
    pub(crate) fn start(
        setup: Setup,
        engine: Option<media::Engine>,
        events: mpsc::Sender<(CallId, ErrandId, SessionEvent)>,
    ) -> Self {
        let (switches, queue) = mpsc::channel(SWITCHES);
        let (level_sender, levels) = watch::channel(None);
        let events = Events { cid: setup.cid.clone(), join: setup.join, sender: events };
        match engine {
            Some(engine) => {
                let running = Running { setup, engine, events, switches: queue, levels: level_sender };
                tokio::spawn(running.run());
            }
            // A device without media is in the call as soon as the server says so.
            None => {
                tokio::spawn(async move { events.send(SessionEvent::Connected).await });
            }
        }
        Self { switches, levels }
    }

    /// Switches a device; the newest wish wins if the session is slow.
    pub(crate) fn switch(&self, switch: Switch) {
        if self.switches.try_send(switch).is_err() {
            tracing::warn!("the session is too slow to follow; a switch is lost");
        }
    }

    pub(crate) fn levels(&self) -> Option<watch::Receiver<media::Levels>> {
        self.levels.borrow().clone()
    }
}

struct Events {
    cid: CallId,
    join: ErrandId,
    sender: mpsc::Sender<(CallId, ErrandId, SessionEvent)>,
}

impl Events {
    async fn send(&self, event: SessionEvent) {
        _ = self.sender.send((self.cid.clone(), self.join, event)).await;
    }
}

struct Running {
    setup: Setup,
    engine: media::Engine,
    events: Events,
    switches: mpsc::Receiver<Switch>,
    levels: watch::Sender<Option<watch::Receiver<media::Levels>>>,
}

/// How one connection to the media server went.
enum Outcome {
    /// The handle was dropped.
    Left,
    /// The server wants us out.
    Closed(EndReason),
    /// Lost after it was up, or never up.
    Lost { why: String, was_up: bool },
}

impl Running {
    async fn run(mut self) {
        let mut attempt = 0;
        let mut lost_at = None;
        loop {
            match self.connect_once().await {
                Outcome::Left => return,
                Outcome::Closed(reason) => return self.events.send(SessionEvent::Closed(reason)).await,
                Outcome::Lost { why, was_up } => {
                    tracing::info!(cid = %self.setup.cid, %why, was_up, "the media connection is lost");
                    if was_up {
                        attempt = 0;
                        lost_at = None;
                    }
                    let since = *lost_at.get_or_insert_with(now);
                    if since.elapsed() > GIVE_UP_AFTER {
                        return self.events.send(SessionEvent::Closed(EndReason::MediaFailed)).await;
                    }
                    self.events.send(SessionEvent::Reconnecting).await;
                }
            }
            let pause = sleep(backoff::wait(attempt, rand::random()));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    switch = self.switches.recv() => match switch {
                        Some(switch) => {
                            let is_let_in_again = matches!(switch, Switch::Token(_));
                            self.remember(switch);
                            if is_let_in_again {
                                (attempt, lost_at) = (0, None);
                                break;
                            }
                        }
                        None => return,
                    },
                }
            }
            attempt += 1;
        }
    }

    /// What the person wants survives every reconnect.
    fn remember(&mut self, switch: Switch) {
        match switch {
            Switch::Send(Device::Microphone, to) => self.setup.microphone = to,
            Switch::Send(Device::Camera, to) => self.setup.camera = to,
            Switch::Hear(to) => self.setup.speaker = to,
            Switch::Token(token) => self.setup.token = token,
        }
    }

    async fn connect_once(&mut self) -> Outcome {
        let lost = |error: SignalError| Outcome::Lost { why: error.to_string(), was_up: false };
        let (url, token, pin) = (self.setup.url.clone(), self.setup.token.clone(), self.setup.pin);
        let opening = Signal::open(&url, &token, pin);
        tokio::pin!(opening);
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                switch = self.switches.recv() => match switch {
                    Some(switch) => self.remember(switch),
                    // The handle is gone: nothing of this session may go on.
                    None => return Outcome::Left,
                },
            }
        };
        let (signal, join) = match opened {
            Ok(opened) => opened,
            Err(SignalError::Refused(why)) => {
                tracing::warn!(%why, "the media server refuses");
                return Outcome::Lost { why, was_up: false };
            }
            Err(error) => return lost(error),
        };
        let (peer, peer_events) = self.engine.peer(peer_options(&self.setup));
        self.levels.send_replace(Some(peer.levels()));
        let heartbeat = Duration::from_secs(u64::try_from(join.ping_interval).unwrap_or(5).clamp(1, 30));
        let dead_after = Duration::from_secs(u64::try_from(join.ping_timeout).unwrap_or(15).clamp(3, 60));
        let connection = Connection::new(signal, peer, Roster::new(&join), self);
        let outcome = connection.run(peer_events, heartbeat, dead_after).await;
        self.levels.send_replace(None);
        outcome
    }
}

/// How the media of a call begins: by what the person wants, and by the call's settings.
fn peer_options(setup: &Setup) -> PeerOptions {
    let audio = &setup.settings.audio;
    let processing = Processing {
        echo_cancellation: media_toggle(audio.echo_cancellation.into()),
        noise_suppression: match audio.noise_suppression {
            wire::Switch::Auto => Processing::default().noise_suppression,
            wire::Switch::On => media::Toggle::On,
            wire::Switch::Off => media::Toggle::Off,
        },
        gain_control: media_toggle(audio.auto_gain_control.into()),
    };
    PeerOptions {
        microphone: media_toggle(setup.microphone),
        camera: media_toggle(setup.camera),
        speaker: media_toggle(setup.speaker),
        processing,
        picture: picture(&setup.settings.video),
    }
}

fn picture(settings: &VideoSettings) -> Picture {
    Picture::within(settings.max_width, settings.max_height, settings.max_fps)
}

fn media_toggle(toggle: Toggle) -> media::Toggle {
    match toggle {
        Toggle::On => media::Toggle::On,
        Toggle::Off => media::Toggle::Off,
    }
}

/// Waits for a future of the signalling, but not for ever.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, SignalError> {
    timeout(limit, future).await.map_err(|_| SignalError::Silent)
}

#[expect(clippy::disallowed_methods, reason = "the driver of a session reads the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_of_a_call_is_as_its_settings_say() {
        let mut setup = Setup {
            cid: "default:x".parse().unwrap(),
            join: 1,
            url: String::new(),
            token: String::new(),
            pin: None,
            microphone: Toggle::On,
            camera: Toggle::Off,
            speaker: Toggle::On,
            settings: Settings::default(),
        };
        let usual = peer_options(&setup);
        let on = media::Toggle::On;
        assert_eq!((usual.processing.echo_cancellation, usual.processing.gain_control), (on, on));
        assert_eq!(usual.picture, Picture::default());
        setup.settings.audio.noise_suppression = wire::Switch::On;
        setup.settings.audio.auto_gain_control = false;
        setup.settings.audio.echo_cancellation = false;
        (setup.settings.video.max_width, setup.settings.video.max_fps) = (320, 10);
        setup.speaker = Toggle::Off;
        let options = peer_options(&setup);
        assert_eq!(options.processing, Processing { noise_suppression: on, ..Processing::NOTHING });
        assert_eq!(options.picture, Picture { width: 320, height: 180, rate: 10 });
        assert_eq!((options.microphone, options.speaker), (on, media::Toggle::Off));
    }
}
