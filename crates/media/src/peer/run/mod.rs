//! The thread of a joined call: str0m, sockets, packets of the audio thread, frames of the encoder.

mod receiving;
mod sending;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, IceConnectionState, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    channel::{ChannelConfig, Reliability},
    media::{Direction, MediaKind, Mid},
    stats::PeerStats as RtcStats,
};
use tokio::sync::{mpsc, watch};

use self::{
    receiving::Receiving,
    sending::{Filming, Sending},
};
use super::{
    ConnectionState, DeviceKind, PeerCommand, PeerEvent, PeerOptions, Target, Toggle, link::Link, lip_sync::LipSync,
    msid::offered_tracks, path,
};
use crate::{
    audio::{call::AudioCall, thread::Audio, tick::CallSlot},
    choice::Choice,
    frame::EncodedFrame,
    stats::PeerStats,
    video::{
        camera::CameraState,
        encode::{LEAST_BITRATE, MOST_BITRATE, START_BITRATE, Steering},
        hub::VideoHub,
    },
};

/// Encoded frames that may wait for this thread.
const FRAMES: usize = 4;

pub(super) struct Setup {
    pub(super) options: PeerOptions,
    pub(super) audio: Audio,
    pub(super) slot: CallSlot,
    pub(super) call: AudioCall,
    pub(super) video: VideoHub,
    pub(super) camera: Choice,
    pub(super) events: mpsc::Sender<PeerEvent>,
    pub(super) stats: watch::Sender<PeerStats>,
}

pub(super) fn run(setup: Setup, commands: mpsc::Receiver<PeerCommand>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the thread of a call cannot begin"),
    };
    let outcome = runtime.block_on(async {
        let mut call = Call::new(setup)?;
        call.run(commands).await
    });
    match outcome {
        Ok(()) => tracing::debug!("a call's media ended"),
        // The end of the events tells the signalling that the connection is lost.
        Err(error) => tracing::warn!(%error, "a call's media failed"),
    }
}

#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("no socket: {0}")]
    Io(#[from] std::io::Error),
    #[error("WebRTC: {0}")]
    Rtc(#[from] RtcError),
}

struct Call {
    setup: Setup,
    publisher: Link,
    subscriber: Link,
    origin: Instant,
    is_begun: bool,
    pending: Option<(SdpPendingOffer, u32)>,
    offer_id: u32,
    microphone: Option<Sending>,
    camera: Option<Sending>,
    receiving: HashMap<Mid, Receiving>,
    lip_sync: LipSync,
    camera_wanted: Toggle,
    filming: Option<Filming>,
    steering: Arc<Steering>,
    frame_sender: mpsc::Sender<EncodedFrame>,
    frames: mpsc::Receiver<EncodedFrame>,
    camera_sender: mpsc::Sender<CameraState>,
    camera_states: mpsc::Receiver<CameraState>,
    stats: PeerStats,
    counted: (u64, u64),
    /// Room for what a connection tells, kept between two times.
    room: Vec<Event>,
}

impl Call {
    fn new(setup: Setup) -> Result<Self, CallError> {
        let now = now();
        let build = || path::notice_soon(Rtc::builder()).clear_codecs().enable_opus(true, false).enable_vp8(true);
        let stats = Some(Duration::from_secs(1));
        let publisher = build().enable_bwe(Some(Bitrate::bps(START_BITRATE))).set_stats_interval(stats).build(now);
        // The jitter buffer is ours: a second one below it would only add delay.
        let subscriber = build().set_reordering_size_audio(1).set_stats_interval(stats).build(now);
        let mut publisher = Link::new(publisher, now)?;
        let (least, most) = (Bitrate::bps(LEAST_BITRATE), Bitrate::bps(MOST_BITRATE + 64_000));
        publisher.rtc.bwe().set_bitrate(least, most);
        let (frame_sender, frames) = mpsc::channel(FRAMES);
        let (camera_sender, camera_states) = mpsc::channel(FRAMES);
        Ok(Self {
            publisher,
            subscriber: Link::new(subscriber, now)?,
            origin: now,
            is_begun: false,
            pending: None,
            offer_id: 0,
            microphone: None,
            camera: None,
            receiving: HashMap::new(),
            lip_sync: LipSync::default(),
            camera_wanted: setup.options.camera,
            filming: None,
            steering: Arc::new(Steering::default()),
            frame_sender,
            frames,
            camera_sender,
            camera_states,
            stats: PeerStats::default(),
            counted: (0, 0),
            room: Vec::new(),
            setup,
        })
    }

    async fn run(&mut self, mut commands: mpsc::Receiver<PeerCommand>) -> Result<(), CallError> {
        self.negotiate().await?;
        let mut microphone = self.setup.audio.microphone.clone();
        let mut speaker = self.setup.audio.speaker.clone();
        let uplink_ready = Arc::clone(&self.setup.call.uplink_ready);
        self.tell_trouble(DeviceKind::Microphone, microphone.borrow_and_update().clone(), None).await;
        self.tell_trouble(DeviceKind::Speaker, speaker.borrow_and_update().clone(), None).await;
        loop {
            let wake = self.publisher.wake.min(self.subscriber.wake);
            let wake = self.lip_sync.due().map_or(wake, |due| wake.min(due));
            tokio::select! {
                () = self.publisher.readable() => {
                    self.publisher.receive(now())?;
                    self.tell(Target::Publisher).await;
                }
                () = self.subscriber.readable() => {
                    self.subscriber.receive(now())?;
                    self.tell(Target::Subscriber).await;
                }
                () = uplink_ready.notified() => self.send_voice()?,
                Some(frame) = self.frames.recv() => self.send_picture(&frame)?,
                command = commands.recv() => match command {
                    Some(PeerCommand::Close) | None => return self.close(),
                    Some(command) => self.on_command(command).await?,
                },
                Some(state) = self.camera_states.recv() => self.on_camera(state).await,
                Ok(()) = microphone.changed() => {
                    let trouble = microphone.borrow_and_update().clone();
                    self.tell_trouble(DeviceKind::Microphone, trouble, Some(DeviceKind::Microphone)).await;
                }
                Ok(()) = speaker.changed() => {
                    let trouble = speaker.borrow_and_update().clone();
                    self.tell_trouble(DeviceKind::Speaker, trouble, Some(DeviceKind::Speaker)).await;
                }
                () = tokio::time::sleep_until(wake.into()) => self.on_time().await?,
            }
        }
    }

    async fn on_time(&mut self) -> Result<(), CallError> {
        let now = now();
        self.show(now);
        if self.publisher.wake <= now {
            self.publisher.timeout(now)?;
            self.tell(Target::Publisher).await;
        }
        if self.subscriber.wake <= now {
            self.subscriber.timeout(now)?;
            self.tell(Target::Subscriber).await;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), CallError> {
        let now = now();
        for link in [&mut self.publisher, &mut self.subscriber] {
            link.rtc.disconnect();
            _ = link.drain(now);
        }
        Ok(())
    }

    async fn on_command(&mut self, command: PeerCommand) -> Result<(), CallError> {
        match command {
            PeerCommand::SubscriberOffer { sdp, id } => self.answer(&sdp, id).await?,
            PeerCommand::PublisherAnswer { sdp, id } => self.on_answer(&sdp, id).await?,
            PeerCommand::RemoteCandidate { target, candidate_init_json } => {
                self.add_candidate(target, &candidate_init_json).await?;
            }
            PeerCommand::PublishMicrophone { cid } => {
                self.microphone = Some(Sending { cid, mid: None });
                self.negotiate().await?;
            }
            PeerCommand::PublishCamera { cid } => {
                self.camera = Some(Sending { cid, mid: None });
                self.negotiate().await?;
                self.film();
            }
            PeerCommand::SetMicrophone(to) => self.setup.audio.set_sends(self.setup.slot, to),
            PeerCommand::SetSpeaker(to) => self.setup.audio.set_plays(self.setup.slot, to),
            PeerCommand::SetCamera(to) => {
                self.camera_wanted = to;
                self.film();
            }
            PeerCommand::RestartIce => {
                let mut changes = self.publisher.rtc.sdp_api();
                changes.ice_restart(true);
                let applied = changes.apply();
                self.offer(applied).await?;
            }
            PeerCommand::Close => {}
        }
        Ok(())
    }

    /// Brings the m-lines in line with what is to be sent; one offer at a time.
    async fn negotiate(&mut self) -> Result<(), CallError> {
        if self.pending.is_some() {
            return Ok(());
        }
        let mut changes = self.publisher.rtc.sdp_api();
        if !self.is_begun {
            self.is_begun = true;
            let channel = |label: &str, ordered, reliability| ChannelConfig {
                label: label.to_owned(),
                ordered,
                reliability,
                negotiated: None,
                protocol: String::new(),
            };
            changes.add_channel_with_config(channel("_reliable", true, Reliability::Reliable));
            let lossy = Reliability::MaxRetransmits { retransmits: 0 };
            changes.add_channel_with_config(channel("_lossy", false, lossy));
        }
        for (sending, kind) in [(&mut self.microphone, MediaKind::Audio), (&mut self.camera, MediaKind::Video)] {
            if let Some(sending) = sending.as_mut().filter(|sending| sending.mid.is_none()) {
                let (stream, track) = (Some("bellbird".to_owned()), Some(sending.cid.clone()));
                sending.mid = Some(changes.add_media(kind, Direction::SendOnly, stream, track, None));
            }
        }
        let applied = changes.apply();
        self.offer(applied).await
    }

    async fn offer(&mut self, applied: Option<(SdpOffer, SdpPendingOffer)>) -> Result<(), CallError> {
        if let Some((offer, pending)) = applied {
            self.offer_id += 1;
            self.pending = Some((pending, self.offer_id));
            self.emit(PeerEvent::PublisherOffer { sdp: offer.to_sdp_string(), id: self.offer_id }).await;
        }
        self.publisher.drain(now())?;
        self.tell(Target::Publisher).await;
        Ok(())
    }

    async fn on_answer(&mut self, sdp: &str, id: u32) -> Result<(), CallError> {
        let Some((pending, offered)) = self.pending.take() else { return Ok(()) };
        if id != 0 && id != offered {
            self.pending = Some((pending, offered));
            return Ok(());
        }
        match SdpAnswer::from_sdp_string(sdp) {
            Ok(answer) => self.publisher.rtc.sdp_api().accept_answer(pending, answer)?,
            Err(error) => tracing::warn!(%error, "the server's answer cannot be read"),
        }
        self.publisher.timeout(now())?;
        self.tell(Target::Publisher).await;
        // What was wanted while the offer was on its way.
        self.negotiate().await
    }

    async fn answer(&mut self, sdp: &str, id: u32) -> Result<(), CallError> {
        let offer = match SdpOffer::from_sdp_string(sdp) {
            Ok(offer) => offer,
            Err(error) => {
                tracing::warn!(%error, "the server's offer cannot be read");
                return Ok(());
            }
        };
        let answer = self.subscriber.rtc.sdp_api().accept_offer(offer)?;
        self.emit(PeerEvent::SubscriberAnswer { sdp: answer.to_sdp_string(), id }).await;
        self.follow(offered_tracks(sdp)).await;
        // With the time: a connection that was never told it does not know when to begin looking for a path.
        self.subscriber.timeout(now())?;
        self.tell(Target::Subscriber).await;
        Ok(())
    }

    async fn add_candidate(&mut self, target: Target, init: &str) -> Result<(), CallError> {
        // The line is in the JSON's "candidate"; one that cannot be read (mDNS) is found by the server's checks.
        let line = init.split_once("candidate:").map(|(_, rest)| rest.split('"').next().unwrap_or(rest));
        let candidate = line.and_then(|line| Candidate::from_sdp_string(&format!("candidate:{line}")).ok());
        let Some(candidate) = candidate else { return Ok(()) };
        let link = self.link(target);
        link.rtc.add_remote_candidate(candidate);
        link.drain(now())?;
        self.tell(target).await;
        Ok(())
    }

    fn link(&mut self, target: Target) -> &mut Link {
        match target {
            Target::Publisher => &mut self.publisher,
            Target::Subscriber => &mut self.subscriber,
        }
    }

    /// Passes on what a connection has told.
    async fn tell(&mut self, from: Target) {
        let room = std::mem::take(&mut self.room);
        let mut events = self.link(from).told(room);
        for event in events.drain(..) {
            self.on_event(from, event).await;
        }
        self.room = events;
    }

    async fn on_event(&mut self, from: Target, event: Event) {
        match event {
            Event::Connected => {
                self.emit(PeerEvent::Connection { target: from, state: ConnectionState::Connected }).await;
                if from == Target::Publisher {
                    // What was encoded before nobody has seen.
                    self.steering.key_frame.store(true, Ordering::Relaxed);
                }
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.emit(PeerEvent::Connection { target: from, state: ConnectionState::Disconnected }).await;
            }
            Event::MediaData(data) => self.on_media(data),
            Event::KeyframeRequest(_) => self.steering.key_frame.store(true, Ordering::Relaxed),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                let bitrate = estimate.as_u64().clamp(LEAST_BITRATE, MOST_BITRATE);
                self.stats.video_target_bitrate = bitrate;
                self.steering.bitrate.store(bitrate, Ordering::Relaxed);
            }
            Event::PeerStats(stats) => self.on_stats(from, &stats),
            _ => {}
        }
    }

    fn on_stats(&mut self, from: Target, stats: &RtcStats) {
        let per_second = |now: u64, before: &mut u64| now.saturating_sub(std::mem::replace(before, now)) * 8;
        match from {
            Target::Publisher => {
                self.stats.rtt = stats.rtt.or(self.stats.rtt);
                self.stats.loss_sent = stats.egress_loss_fraction.unwrap_or(0.0);
                self.stats.sent_bitrate = per_second(stats.bytes_tx, &mut self.counted.0);
            }
            Target::Subscriber => {
                let waits = self.setup.call.delay_ms.load(Ordering::Relaxed);
                self.stats.jitter_delay = Duration::from_millis(u64::from(waits));
                self.stats.loss_received = stats.ingress_loss_fraction.unwrap_or(0.0);
                self.stats.received_bitrate = per_second(stats.bytes_rx, &mut self.counted.1);
                let tracks = self.receiving.values_mut().filter(|track| track.audio.is_none());
                self.stats.frames_received =
                    tracks.map(|track| (track.offered.track_sid.clone(), std::mem::take(&mut track.frames))).collect();
                self.setup.stats.send_replace(self.stats.clone());
                self.stats.frames_sent = 0;
            }
        }
    }

    async fn tell_trouble(&mut self, kind: DeviceKind, trouble: Option<String>, recovered: Option<DeviceKind>) {
        let what = match kind {
            DeviceKind::Microphone => "The microphone does not work",
            DeviceKind::Speaker => "The speaker does not work",
            DeviceKind::Camera => "The camera does not work",
        };
        match (trouble, recovered) {
            (Some(why), _) => self.emit(PeerEvent::DeviceFailed { kind, why: format!("{what}: {why}") }).await,
            (None, Some(kind)) => self.emit(PeerEvent::DeviceRecovered { kind }).await,
            (None, None) => {}
        }
    }

    async fn emit(&self, event: PeerEvent) {
        // The signalling takes events at once; when it is gone, so will this thread be.
        _ = self.setup.events.send(event).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread of a call is the driver: it reads the clock for str0m")]
fn now() -> Instant {
    Instant::now()
}
