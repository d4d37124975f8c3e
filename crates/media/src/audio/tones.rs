//! The tones of the telephone, made by formula.

use std::f32::consts::TAU;

use super::RATE;

/// A tone that plays until it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Somebody rings: a soft two-note bell, twice, then a pause.
    Ring,
    /// The other side is being alerted: 425 Hz, 1 s on, 4 s off (ITU-T E.180, as in most of Europe).
    RingBack,
    /// The other side is in another call: 425 Hz, 0.5 s on, 0.5 s off (ITU-T E.180).
    Busy,
    /// The call is over: three short notes going down, once.
    HangUp,
}

/// Samples of the fade when a tone is stopped: 15 ms, so that it is silent within 20.
const FADE: u32 = RATE * 15 / 1000;

/// One tone being played.
#[derive(Debug, Clone)]
pub(crate) struct Playing {
    tone: Tone,
    position: u64,
    stopping: Option<u32>,
}

impl Playing {
    pub(crate) fn new(tone: Tone) -> Self {
        Self { tone, position: 0, stopping: None }
    }

    /// Begins to fade.
    pub(crate) fn stop(&mut self) {
        self.stopping.get_or_insert(FADE);
    }

    /// Adds the next samples; says whether there is more to come.
    pub(crate) fn add_to(&mut self, out: &mut [f32]) -> bool {
        for sample in out {
            let gain = match &mut self.stopping {
                Some(0) => return false,
                Some(left) => {
                    *left -= 1;
                    *left as f32 / FADE as f32
                }
                None => 1.0,
            };
            *sample += gain * self.tone.sample(self.position);
            self.position += 1;
        }
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.stopping == Some(0) || (self.tone == Tone::HangUp && self.position > u64::from(RATE) * 6 / 10)
    }
}

impl Tone {
    fn sample(self, position: u64) -> f32 {
        let seconds = |period_ms: u64| (position % (u64::from(RATE) * period_ms / 1000)) as f32 / RATE as f32;
        match self {
            Self::Ring => {
                let time = seconds(3_000);
                let notes = [(0.0, 659.26), (0.16, 830.61), (0.5, 659.26), (0.66, 830.61)];
                notes.into_iter().map(|(start, hertz)| bell(time - start, hertz)).sum()
            }
            Self::RingBack => gated(seconds(5_000), 1.0, 425.0),
            Self::Busy => gated(seconds(1_000), 0.5, 425.0),
            Self::HangUp => {
                let time = position as f32 / RATE as f32;
                let notes = [(0.0, 554.37), (0.14, 440.0), (0.28, 369.99)];
                notes.into_iter().map(|(start, hertz)| 0.6 * bell(time - start, hertz)).sum()
            }
        }
    }
}

/// A struck bell: a fundamental and two partials that die away.
fn bell(time: f32, hertz: f32) -> f32 {
    if time < 0.0 {
        return 0.0;
    }
    let attack = (time / 0.004).min(1.0);
    let partial = |ratio: f32, gain: f32, decay: f32| gain * (-time / decay).exp() * (TAU * hertz * ratio * time).sin();
    0.22 * attack * (partial(1.0, 1.0, 0.35) + partial(2.0, 0.35, 0.2) + partial(3.01, 0.12, 0.1))
}

/// A sine that is on for the first `on` seconds, with soft edges.
fn gated(time: f32, on: f32, hertz: f32) -> f32 {
    let edge = (time / 0.01).min((on - time) / 0.01).clamp(0.0, 1.0);
    0.15 * edge * (TAU * hertz * time).sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{STEP, level::rms};

    #[test]
    fn a_stopped_tone_is_silent_within_20_ms() {
        for tone in [Tone::Ring, Tone::RingBack, Tone::Busy, Tone::HangUp] {
            let mut playing = Playing::new(tone);
            let mut out = [0.0; STEP];
            for _ in 0..10 {
                out.fill(0.0);
                assert!(playing.add_to(&mut out));
            }
            assert!(rms(&out) > 0.01, "{tone:?} is heard");
            playing.stop();
            let mut rest = [0.0; 2 * STEP];
            assert!(!playing.add_to(&mut rest), "{tone:?}");
            assert_eq!(rms(&rest[720..]), 0.0, "{tone:?}");
        }
    }

    #[test]
    fn no_tone_clips() {
        for tone in [Tone::Ring, Tone::RingBack, Tone::Busy, Tone::HangUp] {
            let peak = (0..240_000).map(|position| tone.sample(position).abs()).fold(0.0, f32::max);
            assert!(peak < 0.8, "{tone:?} {peak}");
        }
    }
}
