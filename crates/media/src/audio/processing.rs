//! What makes a voice of what the microphone hears: without the others' voices from the speaker, above all.

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression, Pipeline},
};

use super::{RATE, STEP};
use crate::peer::Toggle;

/// What is done to the sound of the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processing {
    /// Takes out what the speaker plays.
    pub echo_cancellation: Toggle,
    /// Takes out what stays the same: fans, hum, and also lasting tones.
    pub noise_suppression: Toggle,
    /// Brings every voice to the same level.
    pub gain_control: Toggle,
}

impl Default for Processing {
    /// Nobody wants to hear themselves; the rest changes how people sound, and is theirs to choose.
    fn default() -> Self {
        Self { echo_cancellation: Toggle::On, noise_suppression: Toggle::Off, gain_control: Toggle::Off }
    }
}

impl Processing {
    fn is_nothing(self) -> bool {
        [self.echo_cancellation, self.noise_suppression, self.gain_control] == [Toggle::Off; 3]
    }

    fn config(self) -> Config {
        Config {
            // The whole band: voices are sent at 48 kHz.
            pipeline: Pipeline {
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                ..Pipeline::default()
            },
            echo_canceller: (self.echo_cancellation == Toggle::On).then(EchoCanceller::default),
            noise_suppression: (self.noise_suppression == Toggle::On).then(NoiseSuppression::default),
            gain_controller2: (self.gain_control == Toggle::On).then(|| GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..Config::default()
        }
    }
}

/// Processes 10 ms at a time: everything that is played, then what is heard meanwhile.
pub(super) struct Processor {
    processing: Processing,
    inner: AudioProcessing,
    /// Where what is played goes after it was looked at; nobody reads it.
    played: [f32; STEP],
}

impl Processor {
    pub(super) fn new(processing: Processing) -> Self {
        let mono = StreamConfig::new(RATE, 1);
        let builder = AudioProcessing::builder().config(processing.config());
        let inner = builder.capture_config(mono).render_config(mono).build();
        Self { processing, inner, played: [0.0; STEP] }
    }

    pub(super) fn set(&mut self, processing: Processing) {
        if processing != self.processing {
            self.processing = processing;
            self.inner.apply_config(processing.config());
        }
    }

    /// The speaker plays this.
    pub(super) fn play(&mut self, speaker: &[f32; STEP]) {
        if self.processing.echo_cancellation == Toggle::On {
            // It cannot fail: the lengths are those of the formats.
            _ = self.inner.process_render_f32(&[speaker], &mut [&mut self.played]);
        }
    }

    /// The microphone hears this; `voice` is what is left of it.
    pub(super) fn hear(&mut self, microphone: &[f32; STEP], voice: &mut [f32]) {
        if self.processing.is_nothing() || self.inner.process_capture_f32(&[microphone], &mut [voice]).is_err() {
            voice.copy_from_slice(microphone);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        f32::consts::TAU,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{
        audio::{
            FRAME,
            call::{Downward, TrackSlot},
            level::rms,
            tick::{
                CallSlot, Mix,
                tests::{Ends, ends, power},
            },
        },
        codec::opus::{Payload, VoiceDecoder, VoiceEncoder},
    };

    /// A mix with one call and one remote track, and what its microphone made.
    struct Desk {
        mix: Mix,
        ends: Ends,
        begun: Instant,
        steps: u64,
        decoder: VoiceDecoder,
        sent: Vec<f32>,
    }

    impl Desk {
        fn new() -> Self {
            let mut mix = Mix::new().unwrap();
            let (end, mut ends) = ends();
            mix.open(CallSlot(1), end);
            _ = ends.downlink.push(Downward::Add { slot: TrackSlot(0), key: "TR".to_owned() });
            #[expect(clippy::disallowed_methods, reason = "a start to count from")]
            let begun = Instant::now();
            Self { mix, ends, begun, steps: 0, decoder: VoiceDecoder::new().unwrap(), sent: Vec::new() }
        }

        fn receive(&mut self, sequence: u64, payload: Payload) {
            let rtp_time = u32::try_from(sequence * FRAME as u64).unwrap();
            let arrived = self.begun + Duration::from_millis(10 * self.steps);
            _ = self.ends.downlink.push(Downward::Packet { slot: TrackSlot(0), sequence, rtp_time, arrived, payload });
        }

        /// 10 ms: what the speaker plays. What goes out is decoded, and answered.
        fn step(&mut self, microphone: impl FnOnce(&[f32; STEP]) -> [f32; STEP]) -> Option<Payload> {
            self.steps += 1;
            let mut played = [0.0; STEP];
            self.mix.speak(&mut played);
            self.mix.hear(&microphone(&played));
            let packet = self.ends.uplink.pop().ok()?;
            let mut frame = [0.0; FRAME];
            self.decoder.decode(packet.payload.as_slice(), &mut frame);
            self.sent.extend_from_slice(&frame);
            Some(packet.payload)
        }
    }

    /// Something like speech: coloured noise that rises and falls, with pauses.
    struct Speech {
        state: u32,
        low: f32,
        samples: u32,
    }

    impl Speech {
        fn next(&mut self) -> f32 {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (self.state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            self.low = 0.9 * self.low + 0.1 * noise;
            self.samples += 1;
            let seconds = self.samples as f32 / RATE as f32;
            let pause = if seconds % 1.5 > 1.2 { 0.05 } else { 1.0 };
            1.2 * self.low * (0.5 + 0.5 * (TAU * 4.0 * seconds).sin()) * pause
        }
    }

    /// By how many decibels the echo of a far voice is less in what is sent than in what is heard, after 1.5 s.
    fn echo_return_loss(processing: Processing, delay_ms: usize) -> f32 {
        let mut desk = Desk::new();
        desk.mix.set_processing(processing);
        let mut far = VoiceEncoder::new().unwrap();
        let mut speech = Speech { state: 7, low: 0.0, samples: 0 };
        let mut air: VecDeque<f32> = std::iter::repeat_n(0.0, delay_ms * 48).collect();
        let mut echo = Vec::new();
        for sequence in 0..200 {
            let payload = far.encode(&std::array::from_fn(|_| speech.next())).unwrap();
            desk.receive(sequence, payload);
            for _ in 0..2 {
                desk.step(|played| {
                    air.extend(played);
                    let heard = std::array::from_fn(|_| 0.3 * air.pop_front().unwrap_or(0.0));
                    echo.extend_from_slice(&heard);
                    heard
                });
            }
        }
        let begin = 72_000;
        20.0 * (rms(&echo[begin..]) / rms(&desk.sent[begin..]).max(1e-6)).log10()
    }

    #[test]
    fn the_echo_of_a_far_voice_is_taken_out() {
        for delay in [40, 80, 120] {
            let loss = echo_return_loss(Processing::default(), delay);
            assert!(loss >= 20.0, "{delay} ms: {loss} dB");
        }
    }

    #[test]
    fn without_cancellation_the_echo_is_sent() {
        let off = Toggle::Off;
        let nothing = Processing { echo_cancellation: off, noise_suppression: off, gain_control: off };
        let loss = echo_return_loss(nothing, 80);
        assert!(loss.abs() < 3.0, "{loss} dB");
    }

    /// Both ends say a sine at once, each plays the other's, and none of it is echo: as the tests of the desktop do.
    #[test]
    fn two_sines_pass_each_other_within_2_hz_and_3_db() {
        let voices = [(997.0, -12.0f32), (1499.0, -14.0f32)];
        let mut desks = [Desk::new(), Desk::new()];
        for step in 0..500usize {
            let [ann, ben] = &mut desks;
            let say = |(hertz, dbfs): (f32, f32)| {
                let amplitude = 10f32.powf(dbfs / 20.0);
                move |_: &[f32; STEP]| {
                    let sample = |n: usize| amplitude * ((step * STEP + n) as f32 * hertz * TAU / 48_000.0).sin();
                    std::array::from_fn(sample)
                }
            };
            let sequence = step as u64 / 2;
            let (from_ann, from_ben) = (ann.step(say(voices[0])), ben.step(say(voices[1])));
            if let (Some(from_ann), Some(from_ben)) = (from_ann, from_ben) {
                ben.receive(sequence, from_ann);
                ann.receive(sequence, from_ben);
            }
        }
        for (desk, (hertz, dbfs)) in desks.iter().zip(voices) {
            for second in 1..5 {
                let sent = &desk.sent[second * 48_000..(second + 1) * 48_000];
                let level = 10.0 * power(sent, hertz).log10();
                assert!((level - dbfs).abs() < 3.0, "second {second} of {hertz}: {level}");
                assert!(power(sent, hertz) > 50.0 * power(sent, hertz + 4.0), "frequency");
            }
        }
    }

    #[test]
    fn a_voice_alone_passes_within_3_db() {
        let mut desk = Desk::new();
        let mut sine = 0..;
        for _ in 0..300 {
            desk.step(|_| {
                std::array::from_fn(|_| 0.1 * (sine.next().unwrap_or(0) as f32 * TAU * 440.0 / 48_000.0).sin())
            });
        }
        let level = 20.0 * (power(&desk.sent[72_000..], 440.0).sqrt() / 0.1).log10();
        assert!(level.abs() < 3.0, "{level}");
    }
}
