//! The audio thread: opens devices while they are wanted, and makes a step every 10 ms, for both directions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::{
    STEP,
    call::{AudioCall, DOWNLINK, Downlink, UPLINK},
    device::{self, Microphone, Opened, Speaker},
    processing::Processing,
    tick::{CallEnd, CallSlot, Mix},
    tones::{Playing, Tone},
};
use crate::{
    choice::Choice,
    peer::{DeviceKind, Toggle},
    stats::Levels,
};

const STEP_TIME: Duration = Duration::from_millis(10);
/// Samples kept ready for the speaker: what is written plus this is never empty when the device asks.
const SPEAKER_AHEAD: usize = 2 * STEP;
/// More of the microphone than this is old: it is thrown away, so that the delay does not grow.
const MICROPHONE_BEHIND: usize = 6 * STEP;
/// How long a device that failed is left alone.
const RETRY: Duration = Duration::from_secs(2);
/// Commands wait here; the thread looks every 10 ms.
const COMMANDS: usize = 64;

enum Command {
    Open { slot: CallSlot, end: CallEnd },
    Send { slot: CallSlot, to: Toggle },
    Hear { slot: CallSlot, to: Toggle },
    Play { id: u64, tone: Tone },
    Stop { id: u64 },
    Choose { kind: DeviceKind, choice: Choice },
}

/// How a device fares; `None` while it works or is not wanted.
pub(crate) type Trouble = Option<String>;

/// The way to the audio thread.
#[derive(Clone)]
pub(crate) struct Audio {
    commands: SyncSender<Command>,
    pub(crate) microphone: watch::Receiver<Trouble>,
    pub(crate) speaker: watch::Receiver<Trouble>,
    next: Arc<AtomicU64>,
}

impl Audio {
    pub(crate) fn start(microphone: Choice, speaker: Choice) -> std::io::Result<Self> {
        let (commands, queue) = sync_channel(COMMANDS);
        let (microphone_trouble, microphone_state) = watch::channel(None);
        let (speaker_trouble, speaker_state) = watch::channel(None);
        std::thread::Builder::new().name("audio".to_owned()).spawn(move || {
            let mix = match Mix::new() {
                Ok(mix) => mix,
                Err(error) => {
                    tracing::error!(%error, "there is no sound: Opus cannot be set up");
                    return;
                }
            };
            let microphone = Wanted::new(microphone, microphone_trouble);
            let speaker = Wanted::new(speaker, speaker_trouble);
            Thread { mix, microphone, speaker, queue }.run();
        })?;
        let next = Arc::new(AtomicU64::new(1));
        Ok(Self { commands, microphone: microphone_state, speaker: speaker_state, next })
    }

    pub(crate) fn open_call(&self, sends: Toggle, plays: Toggle, processing: Processing) -> (CallSlot, AudioCall) {
        let slot = CallSlot(self.next.fetch_add(1, Ordering::Relaxed));
        let (up, uplink) = rtrb::RingBuffer::new(UPLINK);
        let (ring, down) = rtrb::RingBuffer::new(DOWNLINK);
        let (level_sender, levels) = watch::channel(Levels::default());
        let uplink_ready = Arc::new(Notify::new());
        let delay_ms = Arc::new(AtomicU32::new(0));
        let end = CallEnd {
            uplink: up,
            uplink_ready: Arc::clone(&uplink_ready),
            downlink: down,
            levels: level_sender,
            delay_ms: Arc::clone(&delay_ms),
            sends: sends == Toggle::On,
            plays: plays == Toggle::On,
            processing,
        };
        self.tell(Command::Open { slot, end });
        (slot, AudioCall { uplink, uplink_ready, downlink: Downlink { ring, next_slot: 0 }, levels, delay_ms })
    }

    pub(crate) fn set_sends(&self, slot: CallSlot, to: Toggle) {
        self.tell(Command::Send { slot, to });
    }

    pub(crate) fn set_plays(&self, slot: CallSlot, to: Toggle) {
        self.tell(Command::Hear { slot, to });
    }

    /// Starts a tone and names it.
    pub(crate) fn play(&self, tone: Tone) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.tell(Command::Play { id, tone });
        id
    }

    pub(crate) fn stop(&self, id: u64) {
        self.tell(Command::Stop { id });
    }

    pub(crate) fn choose(&self, kind: DeviceKind, choice: Choice) {
        self.tell(Command::Choose { kind, choice });
    }

    fn tell(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::error!("the audio thread does not take commands");
        }
    }
}

/// A device that may be wanted, open, or in trouble.
struct Wanted<D> {
    choice: Choice,
    open: Option<D>,
    retry_at: Option<Instant>,
    trouble: watch::Sender<Trouble>,
}

impl<D: Opened> Wanted<D> {
    fn new(choice: Choice, trouble: watch::Sender<Trouble>) -> Self {
        Self { choice, open: None, retry_at: None, trouble }
    }

    fn keep(&mut self, now: Instant, is_wanted: bool, open: impl Fn(&Choice) -> Result<D, device::DeviceError>) {
        if !is_wanted || self.choice == Choice::None {
            self.open.take_if(|device| !device.goes_on());
            self.retry_at = None;
            self.tell(None);
            return;
        }
        if self.open.as_ref().is_some_and(D::has_failed) {
            self.open = None;
            self.retry_at = Some(now);
        }
        if self.open.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        match open(&self.choice) {
            Ok(device) => {
                self.open = Some(device);
                self.retry_at = None;
                self.tell(None);
            }
            Err(error) => {
                self.retry_at = Some(now + RETRY);
                self.tell(Some(error.to_string()));
            }
        }
    }

    fn tell(&self, trouble: Trouble) {
        self.trouble.send_if_modified(|known| {
            let changed = *known != trouble;
            *known = trouble;
            changed
        });
    }

    fn choose(&mut self, choice: Choice) {
        self.choice = choice;
        self.open = None;
        self.retry_at = None;
    }
}

struct Thread {
    mix: Mix,
    microphone: Wanted<Microphone>,
    speaker: Wanted<Speaker>,
    queue: Receiver<Command>,
}

impl Thread {
    fn run(mut self) {
        let mut next_step = now();
        loop {
            let is_busy = self.mix.wants_speaker() || self.mix.wants_microphone();
            let command = if is_busy {
                let wait = next_step.saturating_duration_since(now());
                match self.queue.recv_timeout(wait) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                // Nothing sounds: no device is open, and this thread does not wake up.
                self.close();
                match self.queue.recv() {
                    Ok(command) => Some(command),
                    Err(_) => return,
                }
            };
            if let Some(command) = command {
                if !is_busy {
                    next_step = now();
                }
                self.on_command(command);
                continue;
            }
            self.devices();
            self.step();
            next_step += STEP_TIME;
            let late = now().saturating_duration_since(next_step);
            if late > STEP_TIME * 20 {
                // The machine slept or was stuck: begin anew instead of hurrying through what is past.
                next_step = now();
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Open { slot, end } => self.mix.open(slot, end),
            Command::Send { slot, to } => self.mix.set_sends(slot, to == Toggle::On),
            Command::Hear { slot, to } => self.mix.set_plays(slot, to == Toggle::On),
            Command::Play { id, tone } => self.mix.play(id, Playing::new(tone)),
            Command::Stop { id } => self.mix.stop(id),
            Command::Choose { kind: DeviceKind::Microphone, choice } => self.microphone.choose(choice),
            Command::Choose { kind: DeviceKind::Speaker, choice } => self.speaker.choose(choice),
            Command::Choose { kind: DeviceKind::Camera, .. } => {}
        }
    }

    fn close(&mut self) {
        let now = now();
        self.microphone.keep(now, false, device::open_microphone);
        self.speaker.keep(now, false, device::open_speaker);
    }

    fn devices(&mut self) {
        let now = now();
        let (microphone, speaker) = (self.mix.wants_microphone(), self.mix.wants_speaker());
        self.microphone.keep(now, microphone, device::open_microphone);
        self.speaker.keep(now, speaker, device::open_speaker);
    }

    fn step(&mut self) {
        let mut out = [0.0; STEP];
        match self.speaker.open.as_mut() {
            Some(speaker) => {
                // The device's clock decides how many steps are due: none when it is slow, two when it is fast.
                let capacity = speaker.ring.buffer().capacity();
                while capacity - speaker.ring.slots() < SPEAKER_AHEAD + STEP {
                    self.mix.speak(&mut out);
                    for sample in out {
                        _ = speaker.ring.push(sample);
                    }
                }
            }
            None => self.mix.speak(&mut out),
        }
        match self.microphone.open.as_mut() {
            Some(microphone) => {
                while microphone.ring.slots() > MICROPHONE_BEHIND {
                    _ = microphone.ring.pop();
                }
                while microphone.ring.slots() >= STEP {
                    let frame = std::array::from_fn(|_| microphone.ring.pop().unwrap_or(0.0));
                    self.mix.hear(&frame);
                }
            }
            // Silence, so that the other side hears a live line.
            None => self.mix.hear(&[0.0; STEP]),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the audio thread is the driver: it keeps the beat")]
fn now() -> Instant {
    Instant::now()
}
