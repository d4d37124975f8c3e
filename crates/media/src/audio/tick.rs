//! One step of sound: 10 ms of microphone in, 10 ms of speaker out, packets both ways. No devices, no clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::{Notify, watch};

use super::{
    FRAME, STEP,
    call::{Downward, EncodedAudio, TrackSlot},
    jitter::{JitterBuffer, Packet, Pull},
    level::{dbov, rms, shown},
    mixer,
    processing::{Processing, Processor},
    tones::Playing,
};
use crate::{
    codec::opus::{Payload, VoiceDecoder, VoiceEncoder},
    stats::Levels,
};

/// Steps between two tellings of levels: ten a second.
const LEVEL_STEPS: u32 = 10;
/// Sound above this level counts as voice (dBov).
const VOICE: i8 = -50;

/// Names a call inside the audio thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallSlot(pub(crate) u64);

/// The audio thread's end of a call.
pub(crate) struct CallEnd {
    pub(super) uplink: rtrb::Producer<EncodedAudio>,
    pub(super) uplink_ready: Arc<Notify>,
    pub(super) downlink: rtrb::Consumer<Downward>,
    pub(super) levels: watch::Sender<Levels>,
    /// How long remote sound waits, in milliseconds; read by the call's statistics.
    pub(super) delay_ms: Arc<AtomicU32>,
    pub(super) sends: bool,
    /// Its people are heard.
    pub(super) plays: bool,
    /// What this call wants done to the sound of the microphone.
    pub(super) processing: Processing,
}

impl CallEnd {
    /// The other end has been dropped.
    pub(super) fn is_abandoned(&self) -> bool {
        self.uplink.is_abandoned()
    }
}

struct Track {
    key: String,
    jitter: JitterBuffer<Payload>,
    decoder: VoiceDecoder,
    frame: [f32; FRAME],
    /// Samples of the frame that were played.
    played: usize,
    level: f32,
}

struct Call {
    end: CallEnd,
    tracks: BTreeMap<TrackSlot, Track>,
}

/// Everything that sounds.
pub(crate) struct Mix {
    calls: BTreeMap<CallSlot, Call>,
    tones: BTreeMap<u64, Playing>,
    encoder: VoiceEncoder,
    processor: Processor,
    /// The microphone's current frame.
    frame: [f32; FRAME],
    filled: usize,
    rtp_time: u32,
    microphone_level: f32,
    steps: u32,
}

impl Mix {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            calls: BTreeMap::new(),
            tones: BTreeMap::new(),
            encoder: VoiceEncoder::new()?,
            processor: Processor::new(Processing::default()),
            frame: [0.0; FRAME],
            filled: 0,
            rtp_time: 0,
            microphone_level: 0.0,
            steps: 0,
        })
    }

    pub(crate) fn open(&mut self, slot: CallSlot, end: CallEnd) {
        self.calls.insert(slot, Call { end, tracks: BTreeMap::new() });
    }

    pub(crate) fn set_sends(&mut self, slot: CallSlot, sends: bool) {
        if let Some(call) = self.calls.get_mut(&slot) {
            call.end.sends = sends;
        }
    }

    pub(crate) fn set_plays(&mut self, slot: CallSlot, plays: bool) {
        if let Some(call) = self.calls.get_mut(&slot) {
            call.end.plays = plays;
        }
    }

    pub(crate) fn play(&mut self, id: u64, tone: Playing) {
        self.tones.insert(id, tone);
    }

    pub(crate) fn stop(&mut self, id: u64) {
        if let Some(tone) = self.tones.get_mut(&id) {
            tone.stop();
        }
    }

    /// The microphone has to be open.
    pub(crate) fn wants_microphone(&self) -> bool {
        self.calls.values().any(|call| call.end.sends)
    }

    /// The speaker has to be open.
    pub(crate) fn wants_speaker(&self) -> bool {
        !self.calls.is_empty() || !self.tones.is_empty()
    }

    /// 10 ms of microphone: every second call makes a packet.
    pub(crate) fn hear(&mut self, microphone: &[f32; STEP]) {
        let is_sent = self.wants_microphone();
        let voice = &mut self.frame[self.filled..self.filled + STEP];
        if is_sent {
            let sending = self.calls.values().filter(|call| call.end.sends);
            self.processor.set(sending.map(|call| call.end.processing).fold(Processing::NOTHING, Processing::or));
            self.processor.hear(microphone, voice);
        } else {
            voice.copy_from_slice(microphone);
        }
        self.filled += STEP;
        if self.filled < FRAME {
            return;
        }
        self.filled = 0;
        let level = rms(&self.frame);
        self.microphone_level = level;
        let rtp_time = self.rtp_time;
        self.rtp_time = self.rtp_time.wrapping_add(FRAME as u32);
        if !is_sent {
            return;
        }
        let Ok(payload) = self.encoder.encode(&self.frame) else { return };
        let level_dbov = dbov(level);
        let packet = EncodedAudio { rtp_time, level_dbov, is_voice: level_dbov > VOICE, payload };
        for call in self.calls.values_mut().filter(|call| call.end.sends) {
            // Full: the call's thread is stuck, and old sound is worth nothing.
            if call.end.uplink.push(packet).is_ok() {
                call.end.uplink_ready.notify_one();
            }
        }
    }

    /// 10 ms for the speaker.
    pub(crate) fn speak(&mut self, out: &mut [f32; STEP]) {
        out.fill(0.0);
        self.calls.retain(|_, call| !call.end.is_abandoned());
        for call in self.calls.values_mut() {
            call.receive();
            for track in call.tracks.values_mut() {
                // Who is not heard is not kept waiting: what is said now is what is heard when he is again.
                let step = track.next_step();
                if call.end.plays {
                    mixer::add(out, step);
                }
            }
        }
        self.tones.retain(|_, tone| tone.add_to(out));
        mixer::limit(out);
        if self.wants_microphone() {
            self.processor.play(out);
        }
        self.steps += 1;
        if self.steps.is_multiple_of(LEVEL_STEPS) {
            self.tell_levels();
        }
    }

    fn tell_levels(&self) {
        for call in self.calls.values() {
            let waits = call.tracks.values().map(|track| track.jitter.delay().as_millis()).max().unwrap_or(0);
            call.end.delay_ms.store(u32::try_from(waits).unwrap_or(u32::MAX), Ordering::Relaxed);
            let microphone = if call.end.sends { shown(self.microphone_level) } else { 0.0 };
            let tracks = call.tracks.values().map(|track| (track.key.clone(), shown(track.level))).collect();
            let levels = Levels { microphone, tracks };
            call.end.levels.send_if_modified(|known| {
                let changed = *known != levels;
                if changed {
                    *known = levels;
                }
                changed
            });
        }
    }
}

impl Call {
    fn receive(&mut self) {
        while let Ok(message) = self.end.downlink.pop() {
            match message {
                Downward::Add { slot, key } => {
                    if let Ok(decoder) = VoiceDecoder::new() {
                        let jitter = JitterBuffer::new();
                        let frame = [0.0; FRAME];
                        self.tracks.insert(slot, Track { key, jitter, decoder, frame, played: FRAME, level: 0.0 });
                    }
                }
                Downward::Remove { slot } => _ = self.tracks.remove(&slot),
                Downward::Packet { slot, sequence, rtp_time, arrived, payload } => {
                    if let Some(track) = self.tracks.get_mut(&slot) {
                        track.jitter.push(Packet { sequence, rtp_time, arrived, payload });
                    }
                }
            }
        }
    }
}

impl Track {
    fn next_step(&mut self) -> &[f32] {
        if self.played == FRAME {
            self.played = 0;
            match self.jitter.pull() {
                Pull::Play(packet) => self.decoder.decode(packet.as_slice(), &mut self.frame),
                Pull::Recover(following) => self.decoder.recover(following.as_slice(), &mut self.frame),
                Pull::Conceal => self.decoder.conceal(&mut self.frame),
                Pull::Silence => self.frame.fill(0.0),
            }
            self.level = rms(&self.frame);
        }
        let step = &self.frame[self.played..self.played + STEP];
        self.played += STEP;
        step
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        f32::consts::TAU,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::audio::{
        call::{DOWNLINK, UPLINK},
        tones::Tone,
    };

    #[expect(clippy::disallowed_methods, reason = "a start to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    pub(in crate::audio) struct Ends {
        pub(in crate::audio) uplink: rtrb::Consumer<EncodedAudio>,
        pub(in crate::audio) downlink: rtrb::Producer<Downward>,
        levels: watch::Receiver<Levels>,
        delay_ms: Arc<AtomicU32>,
    }

    pub(in crate::audio) fn ends() -> (CallEnd, Ends) {
        let (up, uplink) = rtrb::RingBuffer::new(UPLINK);
        let (downlink, down) = rtrb::RingBuffer::new(DOWNLINK);
        let (level_sender, levels) = watch::channel(Levels::default());
        let end = CallEnd {
            uplink: up,
            uplink_ready: Arc::new(Notify::new()),
            downlink: down,
            levels: level_sender,
            delay_ms: Arc::new(AtomicU32::new(0)),
            sends: true,
            plays: true,
            processing: Processing::default(),
        };
        let delay_ms = Arc::clone(&end.delay_ms);
        (end, Ends { uplink, downlink, levels, delay_ms })
    }

    /// Power of one frequency (Goertzel).
    pub(in crate::audio) fn power(samples: &[f32], hertz: f32) -> f32 {
        let w = TAU * hertz / 48_000.0;
        let (mut a, mut b) = (0.0f32, 0.0f32);
        for sample in samples {
            (a, b) = (sample + 2.0 * w.cos() * a - b, a);
        }
        (a * a + b * b - 2.0 * w.cos() * a * b) / (samples.len() as f32 / 2.0).powi(2)
    }

    #[test]
    fn a_tone_into_the_microphone_comes_out_of_the_other_speaker() {
        let (mut ann, mut ben) = (Mix::new().unwrap(), Mix::new().unwrap());
        let (ann_end, mut ann_ends) = ends();
        let (ben_end, mut ben_ends) = ends();
        ann.open(CallSlot(1), ann_end);
        ben.open(CallSlot(1), ben_end);
        _ = ben_ends.downlink.push(Downward::Add { slot: TrackSlot(0), key: "TR_ann".to_owned() });
        let begun = start();
        let (mut heard, mut sequence, mut out) = (Vec::new(), 0, [0.0; STEP]);
        for step in 0..300usize {
            let sample = |n: usize| 0.25 * ((step * STEP + n) as f32 * 997.0 * TAU / 48_000.0).sin();
            ann.hear(&std::array::from_fn(sample));
            while let Ok(packet) = ann_ends.uplink.pop() {
                let arrived = begun + Duration::from_millis(10 * step as u64);
                let (slot, rtp_time, payload) = (TrackSlot(0), packet.rtp_time, packet.payload);
                _ = ben_ends.downlink.push(Downward::Packet { slot, sequence, rtp_time, arrived, payload });
                sequence += 1;
            }
            ben.speak(&mut out);
            heard.extend_from_slice(&out);
        }
        let heard = &heard[96_000..];
        let amplitude = power(heard, 997.0).sqrt();
        assert!((amplitude - 0.25).abs() < 0.05, "level: {amplitude}");
        assert!(power(heard, 997.0) > 50.0 * power(heard, 1499.0), "frequency");
        assert!(ben_ends.levels.borrow_and_update().tracks["TR_ann"] > 0.5);
        assert!(ben_ends.delay_ms.load(Ordering::Relaxed) <= 60);
    }

    #[test]
    fn muted_sends_nothing_and_a_dropped_call_leaves_the_mix() {
        let mut mix = Mix::new().unwrap();
        let (end, mut other) = ends();
        mix.open(CallSlot(1), end);
        mix.set_sends(CallSlot(1), false);
        for _ in 0..10 {
            mix.hear(&[0.1; STEP]);
        }
        assert!(other.uplink.pop().is_err());
        assert!(!mix.wants_microphone() && mix.wants_speaker());
        drop(other);
        mix.speak(&mut [0.0; STEP]);
        assert!(!mix.wants_speaker());
    }

    #[test]
    fn a_call_that_is_not_to_be_heard_is_silent_here_and_no_other() {
        let mut mix = Mix::new().unwrap();
        let mut encoder = VoiceEncoder::new().unwrap();
        let voice = encoder.encode(&std::array::from_fn(|n| (n as f32 * 997.0 * TAU / 48_000.0).sin() * 0.25)).unwrap();
        let mut ends = [1, 2].map(|slot| {
            let (end, mut ends) = ends();
            mix.open(CallSlot(slot), end);
            _ = ends.downlink.push(Downward::Add { slot: TrackSlot(0), key: format!("TR_{slot}") });
            ends
        });
        let mut loudest = |mix: &mut Mix, speaks: usize| {
            let mut loudest = 0.0f32;
            for sequence in 0..30 {
                let rtp_time = sequence * FRAME as u32;
                let (sequence, arrived) = (u64::from(sequence), start() + Duration::from_millis(20) * sequence);
                let packet = Downward::Packet { slot: TrackSlot(0), sequence, rtp_time, arrived, payload: voice };
                _ = ends[speaks].downlink.push(packet);
                for _ in 0..2 {
                    let mut out = [0.0; STEP];
                    mix.speak(&mut out);
                    loudest = out.iter().fold(loudest, |loudest, sample| loudest.max(sample.abs()));
                }
            }
            loudest
        };
        mix.set_plays(CallSlot(1), false);
        assert!(loudest(&mut mix, 0) < 0.001);
        assert!(loudest(&mut mix, 1) > 0.1);
    }

    #[test]
    fn a_tone_keeps_the_speaker_open_until_it_has_faded() {
        let mut mix = Mix::new().unwrap();
        mix.play(7, Playing::new(Tone::Busy));
        let mut out = [0.0; STEP];
        mix.speak(&mut out);
        mix.stop(7);
        mix.speak(&mut out);
        mix.speak(&mut out);
        assert!(!mix.wants_speaker());
    }
}
