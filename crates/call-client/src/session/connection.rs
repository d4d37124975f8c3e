//! One connection to the media server: signals in and out, the tracks of this device, the roster.

use std::time::Duration;

use livekit_protocol as proto;
use media::{PeerCommand, PeerEvent};
use proto::{leave_request, signal_request, signal_response};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep_until},
};

use super::{Outcome, Running, SessionEvent, Switch, media_toggle, now, picture};
use crate::{
    calls::{Device, Toggle},
    roster::Roster,
    signal::{Signal, SignalError},
    state::{DeviceView, EndReason},
};

/// How long the first connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// The tracks this device publishes.
#[derive(Default)]
struct OwnTracks {
    microphone: Option<OwnTrack>,
    camera: Option<OwnTrack>,
}

struct OwnTrack {
    cid: String,
    /// The server's name for it, once published.
    sid: Option<String>,
}

/// One connection to the media server.
pub(super) struct Connection<'a> {
    signal: Signal,
    peer: media::Peer,
    roster: Roster,
    tracks: OwnTracks,
    was_up: bool,
    running: &'a mut Running,
}

impl<'a> Connection<'a> {
    pub(super) fn new(signal: Signal, peer: media::Peer, roster: Roster, running: &'a mut Running) -> Self {
        Self { signal, peer, roster, tracks: OwnTracks::default(), was_up: false, running }
    }

    pub(super) async fn run(
        mut self,
        mut peer_events: mpsc::Receiver<PeerEvent>,
        heartbeat: Duration,
        dead_after: Duration,
    ) -> Outcome {
        match self.talk(&mut peer_events, heartbeat, dead_after).await {
            Ok(outcome) => {
                if matches!(outcome, Outcome::Left) {
                    self.signal.leave().await;
                }
                outcome
            }
            Err(error) => Outcome::Lost { why: error.to_string(), was_up: self.was_up },
        }
    }

    async fn talk(
        &mut self,
        peer_events: &mut mpsc::Receiver<PeerEvent>,
        heartbeat: Duration,
        dead_after: Duration,
    ) -> Result<Outcome, SignalError> {
        // What is off at the start is announced when it is first switched on: it may not even be allowed yet.
        if self.running.setup.microphone == Toggle::On {
            self.publish(Device::Microphone).await?;
        }
        if self.running.setup.camera == Toggle::On {
            self.publish(Device::Camera).await?;
        }
        self.tell_participants().await;
        let mut ticks = interval(heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = now();
        let begun = now();
        loop {
            let silent = heard + dead_after;
            let over = if self.was_up { silent } else { silent.min(begun + CONNECT_WITHIN) };
            let outcome = tokio::select! {
                // What waits to be heard is no silence.
                biased;
                response = self.signal.next() => { heard = now(); self.on_response(response?).await? }
                event = peer_events.recv() => match event {
                    Some(event) => self.on_peer(event).await?,
                    None => Some(Outcome::Lost { why: "the media engine has stopped".to_owned(), was_up: self.was_up }),
                },
                switch = self.running.switches.recv() => match switch {
                    Some(switch) => { self.switch(switch).await?; None }
                    None => Some(Outcome::Left),
                },
                _ = ticks.tick() => { self.signal.ping().await?; None }
                () = sleep_until(over) => {
                    return Err(if over == silent { SignalError::Silent } else { SignalError::NoMedia });
                }
            };
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
    }

    /// Announces a track; the media follows when the server has named it.
    async fn publish(&mut self, device: Device) -> Result<(), SignalError> {
        let (slot, source, kind, name, on) = match device {
            Device::Microphone => (
                &mut self.tracks.microphone,
                proto::TrackSource::Microphone,
                proto::TrackType::Audio,
                "microphone",
                self.running.setup.microphone,
            ),
            Device::Camera => (
                &mut self.tracks.camera,
                proto::TrackSource::Camera,
                proto::TrackType::Video,
                "camera",
                self.running.setup.camera,
            ),
        };
        let cid = format!("{name}-{:08x}", rand::random::<u32>());
        *slot = Some(OwnTrack { cid: cid.clone(), sid: None });
        let (width, height) = match device {
            Device::Microphone => (0, 0),
            Device::Camera => {
                let picture = picture(&self.running.setup.settings.video);
                (picture.width.into(), picture.height.into())
            }
        };
        let request = proto::AddTrackRequest {
            cid,
            name: name.to_owned(),
            r#type: kind as i32,
            source: source as i32,
            width,
            height,
            muted: on == Toggle::Off,
            disable_red: true,
            stream: "camera".to_owned(),
            ..proto::AddTrackRequest::default()
        };
        self.signal.send(signal_request::Message::AddTrack(request)).await
    }

    async fn switch(&mut self, switch: Switch) -> Result<(), SignalError> {
        self.running.remember(switch.clone());
        let (device, to) = match switch {
            Switch::Send(device, to) => (device, to),
            Switch::Hear(to) => {
                self.peer.send(PeerCommand::SetSpeaker(media_toggle(to)));
                return Ok(());
            }
            Switch::Token(_) => return Ok(()),
        };
        let track = match device {
            Device::Microphone => &self.tracks.microphone,
            Device::Camera => &self.tracks.camera,
        };
        match (track, to) {
            (None, Toggle::On) => self.publish(device).await?,
            (None, Toggle::Off) => {}
            (Some(track), _) => {
                if let Some(sid) = track.sid.clone() {
                    let mute = proto::MuteTrackRequest { sid, muted: to == Toggle::Off };
                    self.signal.send(signal_request::Message::Mute(mute)).await?;
                }
            }
        }
        self.peer.send(match device {
            Device::Microphone => PeerCommand::SetMicrophone(media_toggle(to)),
            Device::Camera => PeerCommand::SetCamera(media_toggle(to)),
        });
        self.tell_participants().await;
        Ok(())
    }

    async fn on_response(&mut self, response: signal_response::Message) -> Result<Option<Outcome>, SignalError> {
        use signal_response::Message;
        match response {
            Message::Offer(offer) => self.peer.send(PeerCommand::SubscriberOffer { sdp: offer.sdp, id: offer.id }),
            Message::Answer(answer) => self.peer.send(PeerCommand::PublisherAnswer { sdp: answer.sdp, id: answer.id }),
            Message::Trickle(trickle) => {
                let target = match trickle.target() {
                    proto::SignalTarget::Publisher => media::Target::Publisher,
                    proto::SignalTarget::Subscriber => media::Target::Subscriber,
                };
                self.peer.send(PeerCommand::RemoteCandidate { target, candidate_init_json: trickle.candidate_init });
            }
            Message::TrackPublished(published) => self.on_published(published).await?,
            Message::Update(update) => {
                self.roster.update(update.participants);
                self.tell_participants().await;
            }
            Message::Mute(mute) => self.on_muted_by_server(&mute).await,
            Message::TrackUnpublished(gone) => {
                self.on_unpublished(|track| track.sid.as_ref() == Some(&gone.track_sid)).await;
            }
            Message::RequestResponse(refusal) => {
                if let Some(proto::request_response::Request::AddTrack(add)) = refusal.request {
                    self.on_unpublished(|track| track.cid == add.cid).await;
                }
            }
            Message::RefreshToken(token) => self.running.setup.token = token,
            Message::Leave(leave) => return Ok(Some(self.on_leave(&leave))),
            // Not needed yet, or sent to others: speakers come from our own levels.
            _ => {}
        }
        Ok(None)
    }

    async fn on_published(&mut self, published: proto::TrackPublishedResponse) -> Result<(), SignalError> {
        let sid = published.track.map(|track| track.sid).unwrap_or_default();
        let is = |track: &Option<OwnTrack>| track.as_ref().is_some_and(|track| track.cid == published.cid);
        let (device, track, wanted) = if is(&self.tracks.microphone) {
            (Device::Microphone, &mut self.tracks.microphone, self.running.setup.microphone)
        } else if is(&self.tracks.camera) {
            (Device::Camera, &mut self.tracks.camera, self.running.setup.camera)
        } else {
            return Ok(());
        };
        if let Some(track) = track {
            track.sid = Some(sid.clone());
        }
        self.peer.send(match device {
            Device::Microphone => PeerCommand::PublishMicrophone { cid: published.cid },
            Device::Camera => PeerCommand::PublishCamera { cid: published.cid },
        });
        // Switched while the announcement was on its way.
        let mute = proto::MuteTrackRequest { sid, muted: wanted == Toggle::Off };
        self.signal.send(signal_request::Message::Mute(mute)).await
    }

    async fn on_muted_by_server(&mut self, mute: &proto::MuteTrackRequest) {
        let is = |track: &Option<OwnTrack>| track.as_ref().is_some_and(|track| track.sid.as_ref() == Some(&mute.sid));
        let device = if is(&self.tracks.microphone) {
            Device::Microphone
        } else if is(&self.tracks.camera) {
            Device::Camera
        } else {
            return;
        };
        if mute.muted {
            self.switched_off(device).await;
        }
    }

    /// The server has taken a track of ours away, or never took it: we may not send it. It is announced anew when it is
    /// switched on again.
    async fn on_unpublished(&mut self, is_it: impl Fn(&OwnTrack) -> bool) {
        let OwnTracks { microphone, camera } = &mut self.tracks;
        let slots = [(Device::Microphone, microphone), (Device::Camera, camera)];
        let gone = slots.into_iter().filter_map(|(device, slot)| slot.take_if(|track| is_it(track)).map(|_| device));
        for device in gone.collect::<Vec<_>>() {
            self.switched_off(device).await;
        }
    }

    /// The server has switched a device off: its person sees that, and nothing is sent.
    async fn switched_off(&mut self, device: Device) {
        self.running.remember(Switch::Send(device, Toggle::Off));
        self.peer.send(match device {
            Device::Microphone => PeerCommand::SetMicrophone(media::Toggle::Off),
            Device::Camera => PeerCommand::SetCamera(media::Toggle::Off),
        });
        self.running.events.send(SessionEvent::Device { device, view: DeviceView::Off }).await;
        self.tell_participants().await;
    }

    fn on_leave(&self, leave: &proto::LeaveRequest) -> Outcome {
        match leave.action() {
            leave_request::Action::Resume | leave_request::Action::Reconnect => {
                Outcome::Lost { why: "the media server asks to come again".to_owned(), was_up: self.was_up }
            }
            leave_request::Action::Disconnect => match leave.reason() {
                proto::DisconnectReason::ServerShutdown => {
                    Outcome::Lost { why: "the media server restarts".to_owned(), was_up: self.was_up }
                }
                proto::DisconnectReason::RoomDeleted
                | proto::DisconnectReason::RoomClosed
                | proto::DisconnectReason::ClientInitiated => Outcome::Closed(EndReason::Ended),
                proto::DisconnectReason::ParticipantRemoved => Outcome::Closed(EndReason::PutOut),
                _ => Outcome::Closed(EndReason::MediaFailed),
            },
        }
    }

    async fn on_peer(&mut self, event: PeerEvent) -> Result<Option<Outcome>, SignalError> {
        match event {
            PeerEvent::PublisherOffer { sdp, id } => {
                self.signal.send(signal_request::Message::Offer(description("offer", sdp, id))).await?;
            }
            PeerEvent::SubscriberAnswer { sdp, id } => {
                self.signal.send(signal_request::Message::Answer(description("answer", sdp, id))).await?;
            }
            PeerEvent::Connection { target, state: media::ConnectionState::Connected } => {
                // The subscriber connection is primary: it is there in every call.
                if target == media::Target::Subscriber {
                    self.was_up = true;
                    self.running.events.send(SessionEvent::Connected).await;
                    self.tell_participants().await;
                }
            }
            PeerEvent::Connection { state: media::ConnectionState::Disconnected, .. } => {
                return Ok(Some(Outcome::Lost { why: "the media path is gone".to_owned(), was_up: self.was_up }));
            }
            // Names and mutes come by signalling; pictures and sound find their way by track.
            PeerEvent::TrackAdded { .. } | PeerEvent::TrackRemoved { .. } => {}
            PeerEvent::DeviceFailed { kind, why } => {
                let event = match switchable(kind) {
                    Some(device) => SessionEvent::Device { device, view: DeviceView::Failed { why } },
                    None => SessionEvent::Speaker { trouble: Some(why) },
                };
                self.running.events.send(event).await;
            }
            PeerEvent::DeviceRecovered { kind } => {
                let event = match switchable(kind) {
                    Some(device) => {
                        let wanted = match device {
                            Device::Microphone => self.running.setup.microphone,
                            Device::Camera => self.running.setup.camera,
                        };
                        let view = if wanted == Toggle::On { DeviceView::On } else { DeviceView::Off };
                        SessionEvent::Device { device, view }
                    }
                    None => SessionEvent::Speaker { trouble: None },
                };
                self.running.events.send(event).await;
            }
        }
        Ok(None)
    }

    async fn tell_participants(&self) {
        let setup = &self.running.setup;
        let participants = self.roster.view(setup.microphone, setup.camera);
        self.running.events.send(SessionEvent::Participants(participants)).await;
    }
}

/// What a person switches during a call; the speaker is always wanted.
fn switchable(kind: media::DeviceKind) -> Option<Device> {
    match kind {
        media::DeviceKind::Microphone => Some(Device::Microphone),
        media::DeviceKind::Camera => Some(Device::Camera),
        media::DeviceKind::Speaker => None,
    }
}

fn description(kind: &str, sdp: String, id: u32) -> proto::SessionDescription {
    proto::SessionDescription { r#type: kind.to_owned(), sdp, id, ..proto::SessionDescription::default() }
}
