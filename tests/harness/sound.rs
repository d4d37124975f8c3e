//! A sound server with a mouth before its microphone and an ear at its speaker.

use std::{
    f64::consts::TAU,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result};
use tokio::{io::AsyncReadExt as _, process::Command};

use crate::{
    process::{Program, output},
    wait::eventually,
};

const RATE: usize = 48_000;
/// How much is listened to at a time.
const LISTEN: usize = RATE / 2;
/// How much of it is measured at once: short, as a tone that stumbles (a lost packet, a machine out of breath) goes on
/// with another phase, and a tone measured over such a place is none.
const PIECE: usize = RATE / 12;
/// Where the loudest tone is looked for, in hertz.
const TONES: std::ops::Range<u32> = 100..4_000;

/// What an ear heard in half a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// The loudest tone, in hertz.
    pub hertz: f64,
    /// Its level: 0 dBFS is a sine that fills the range.
    pub tone: f64,
    /// Everything together (root mean square), in dBFS.
    pub loudness: f64,
}

impl Heard {
    /// Nothing a person could hear.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.loudness < -70.0
    }

    fn of(samples: &[f64]) -> Self {
        let square: f64 = samples.iter().map(|sample| sample * sample).sum();
        let rms = (square / samples.len() as f64).sqrt();
        let around = loudest(TONES.step_by(8).map(f64::from), |hertz| average(samples, PIECE, hertz));
        let near = (-32..=32).map(|step| around + f64::from(step) / 4.0);
        let hertz = loudest(near, |hertz| average(samples, PIECE / 2, hertz));
        Self { hertz, tone: decibels(average(samples, PIECE / 2, hertz)), loudness: decibels(rms) }
    }
}

fn loudest(tones: impl Iterator<Item = f64>, amplitude: impl Fn(f64) -> f64) -> f64 {
    let measured = tones.map(|hertz| (hertz, amplitude(hertz)));
    measured.max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0.0, |(hertz, _)| hertz)
}

/// Amplitude of one frequency by Welch's method: the mean of pieces that begin every `step` samples.
fn average(samples: &[f64], step: usize, hertz: f64) -> f64 {
    let pieces = samples.windows(PIECE).step_by(step).map(|piece| amplitude(piece, hertz));
    let (sum, count) = pieces.fold((0.0, 0.0), |(sum, count), amplitude| (sum + amplitude, count + 1.0));
    sum / f64::max(count, 1.0)
}

/// Amplitude of one frequency (Goertzel), with a Hann window so that neighbours do not leak in.
fn amplitude(samples: &[f64], hertz: f64) -> f64 {
    let step = TAU * hertz / RATE as f64;
    let turn = 2.0 * step.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for (place, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * place as f64 / samples.len() as f64).cos();
        (last, before) = (sample * window + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    // The window takes half of the amplitude.
    4.0 * power.max(0.0).sqrt() / samples.len() as f64
}

fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-6).log10()
}

/// A tone that sounds before a microphone; dropping it ends it.
#[derive(Debug)]
pub struct Voice {
    _player: Program,
}

/// The sound server of one desktop.
#[derive(Debug)]
pub(crate) struct Sound {
    folder: PathBuf,
    server: String,
    _program: Program,
}

impl Sound {
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("pulse.sock");
        let script = folder.join("pulse.pa");
        fs::write(
            &script,
            format!(
                "load-module module-null-sink sink_name=mouth rate=48000 channels=1\n\
                 load-module module-remap-source source_name=microphone master=mouth.monitor \
                 source_properties=device.description=Microphone\n\
                 load-module module-null-sink sink_name=speaker rate=48000 channels=2 \
                 sink_properties=device.description=Speaker\n\
                 set-default-sink speaker\n\
                 set-default-source microphone\n\
                 load-module module-native-protocol-unix auth-anonymous=1 socket={}\n",
                socket.display()
            ),
        )?;
        let mut command = Command::new("pulseaudio");
        command
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=warn", "-F"])
            .arg(&script)
            .env("HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .stdout(Stdio::null());
        let program = Program::start("pulseaudio", &mut command, &folder.join("pulseaudio.log"))?;
        let server = format!("unix:{}", socket.display());
        let ask = || async { output("pactl", &["--server", &server, "info"]).await };
        eventually("the sound server answers", ask, |info| info.contains("speaker")).await?;
        Ok(Self { folder: folder.to_owned(), server, _program: program })
    }

    /// The value for `PULSE_SERVER`.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// A sine into the microphone, as loud as `dbfs` says.
    pub(crate) fn speak(&self, hertz: f64, dbfs: f64) -> Result<Voice> {
        let file = self.folder.join(format!("voice-{hertz}.raw"));
        let amplitude = 10f64.powf(dbfs / 20.0) * f64::from(i16::MAX);
        let samples = (0..RATE * 120).map(|n| (amplitude * (TAU * hertz * n as f64 / RATE as f64).sin()) as i16);
        let bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        File::create(&file)?.write_all(&bytes)?;
        let mut player = Command::new("pacat");
        player
            .args(["--server", &self.server, "--playback", "--device=mouth", "--raw"])
            .args(["--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=50"])
            .arg(&file);
        Ok(Voice { _player: Program::start("pacat", &mut player, &self.folder.join("pacat.log"))? })
    }

    /// Half a second at the speaker.
    pub(crate) async fn listen(&self) -> Result<Heard> {
        let mut recorder = Command::new("parec");
        recorder
            .args(["--server", &self.server, "--device=speaker.monitor", "--raw"])
            .args(["--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=20"])
            .stdout(Stdio::piped());
        let mut recorder = Program::start("parec", &mut recorder, &self.folder.join("parec.log"))?;
        let mut recorded = recorder.child().stdout.take().context("parec has no output")?;
        let mut bytes = vec![0; LISTEN * 2];
        recorded.read_exact(&mut bytes).await.context("parec ended early; see parec.log")?;
        recorder.kill().await?;
        let samples = bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0);
        Ok(Heard::of(&samples.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_by_frequency_and_level() {
        let sine = |hertz: f64, level: f64| move |n: usize| level * (TAU * hertz * n as f64 / RATE as f64).sin();
        let (loud, quiet) = (sine(997.0, 0.25), sine(1_499.0, 0.05));
        let samples: Vec<f64> = (0..LISTEN).map(|n| loud(n) + quiet(n)).collect();
        let heard = Heard::of(&samples);
        assert!((heard.hertz - 997.0).abs() <= 0.5, "{heard:?}");
        assert!((heard.tone - -12.04).abs() < 0.2, "{heard:?}");
        assert!(Heard::of(&[0.0; LISTEN]).is_silence());
    }

    #[test]
    fn a_tone_that_stumbles_is_still_that_tone() {
        // Every 100 ms some milliseconds of it are missing, never as many as before.
        let missing = |n: usize| (1..=n / 4_800).map(|place| place * place * 331 % 1_440).sum::<usize>();
        let sine = |n: usize| 0.25 * (TAU * 661.0 * (n + missing(n)) as f64 / RATE as f64).sin();
        let samples: Vec<f64> = (0..LISTEN).map(sine).collect();
        let heard = Heard::of(&samples);
        assert!((heard.hertz - 661.0).abs() <= 3.0, "{heard:?}");
        assert!((heard.tone - -12.04).abs() < 3.0, "{heard:?}");
    }
}
