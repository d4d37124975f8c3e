//! What makes a voice of what the microphone hears: without the others' voices from the speaker, above all.

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression, Pipeline},
};

use super::{RATE, STEP};
use crate::peer::Toggle;

/// How far below full scale a voice is brought: its peaks 12 dB, which is near the -26 dBov that telephony takes for a voice
/// (ITU-T P.56), and leaves room for several at once.
const PEAKS_BELOW: f32 = 12.0;

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
    /// The microphone as it is.
    pub const NOTHING: Self =
        Self { echo_cancellation: Toggle::Off, noise_suppression: Toggle::Off, gain_control: Toggle::Off };

    fn is_nothing(self) -> bool {
        self == Self::NOTHING
    }

    /// There is one microphone for all calls: what one of them wants done is done.
    pub(super) fn or(self, other: Self) -> Self {
        let either = |one, other| if one == Toggle::On { one } else { other };
        Self {
            echo_cancellation: either(self.echo_cancellation, other.echo_cancellation),
            noise_suppression: either(self.noise_suppression, other.noise_suppression),
            gain_control: either(self.gain_control, other.gain_control),
        }
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
                adaptive_digital: Some(AdaptiveDigital {
                    headroom_db: PEAKS_BELOW,
                    initial_gain_db: 0.0,
                    ..AdaptiveDigital::default()
                }),
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

    /// What calls want where nobody says otherwise.
    const AS_A_CALL_SAYS: Processing =
        Processing { echo_cancellation: Toggle::On, noise_suppression: Toggle::Off, gain_control: Toggle::On };

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
        fn new(processing: Processing) -> Self {
            let mut mix = Mix::new().unwrap();
            let (mut end, mut ends) = ends();
            end.processing = processing;
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
        let mut desk = Desk::new(processing);
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
        let loss = echo_return_loss(Processing::NOTHING, 80);
        assert!(loss.abs() < 3.0, "{loss} dB");
    }

    /// Both ends say a sine at once, each plays the other's, and none of it is echo: as the tests of the desktop do.
    #[test]
    fn two_sines_pass_each_other_within_2_hz_and_3_db() {
        let voices = [(997.0, -12.0f32), (1499.0, -14.0f32)];
        let mut desks = [Desk::new(AS_A_CALL_SAYS), Desk::new(AS_A_CALL_SAYS)];
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
        let mut desk = Desk::new(Processing::default());
        let mut sine = 0..;
        for _ in 0..300 {
            desk.step(|_| {
                std::array::from_fn(|_| 0.1 * (sine.next().unwrap_or(0) as f32 * TAU * 440.0 / 48_000.0).sin())
            });
        }
        let level = 20.0 * (power(&desk.sent[72_000..], 440.0).sqrt() / 0.1).log10();
        assert!(level.abs() < 3.0, "{level}");
    }

    /// A vowel as a throat makes it: pulses of a pitch that rises and falls, through three formants, a syllable a third of a
    /// second.
    struct Vowel {
        samples: u32,
        phase: f32,
        formants: [(f32, f32); 3],
    }

    impl Vowel {
        fn next(&mut self) -> f32 {
            self.samples += 1;
            let seconds = self.samples as f32 / RATE as f32;
            self.phase += (130.0 + 25.0 * (TAU * 1.7 * seconds).sin()) / RATE as f32;
            let pulse = if self.phase >= 1.0 { 1.0 } else { 0.0 };
            self.phase = self.phase.fract();
            let mut sound = 0.0;
            for ((before, last), (hertz, width)) in
                self.formants.iter_mut().zip([(700.0, 90.0), (1_150.0, 110.0), (2_600.0, 160.0)])
            {
                let radius = (-TAU / 2.0 * width / RATE as f32).exp();
                let next = pulse + 2.0 * radius * (TAU * hertz / RATE as f32).cos() * *last - radius * radius * *before;
                (*before, *last) = (*last, next);
                sound += next;
            }
            let syllable = (TAU * 1.5 * seconds).sin().abs();
            sound * if seconds % 0.66 > 0.5 { 0.0 } else { syllable }
        }
    }

    #[test]
    fn a_quiet_voice_is_brought_up_where_a_call_wants_that() {
        let sent = |gain_control| {
            let mut desk = Desk::new(Processing { gain_control, ..Processing::NOTHING });
            let mut vowel = Vowel { samples: 0, phase: 0.0, formants: [(0.0, 0.0); 3] };
            for _ in 0..1_000 {
                desk.step(|_| std::array::from_fn(|_| 0.002 * vowel.next()));
            }
            rms(&desk.sent[8 * RATE as usize..])
        };
        let (as_it_is, brought_up) = (sent(Toggle::Off), sent(Toggle::On));
        assert!(brought_up > 1.5 * as_it_is, "{as_it_is} became {brought_up}");
    }

    #[test]
    fn what_one_of_several_calls_wants_done_to_the_microphone_is_done() {
        let only = |suppression| Processing { noise_suppression: suppression, ..Processing::NOTHING };
        let echo = Processing { echo_cancellation: Toggle::On, ..Processing::NOTHING };
        let both = Processing { noise_suppression: Toggle::On, ..echo };
        assert_eq!([only(Toggle::On), echo].into_iter().fold(Processing::NOTHING, Processing::or), both);
        assert_eq!(only(Toggle::Off).or(Processing::NOTHING), Processing::NOTHING);
    }
}
