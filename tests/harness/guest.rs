//! Another vendor's client: a stock `livekit-client` in headless Chromium.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{camera::Card, screen::Colour, wait::PATIENCE};

/// A browser in a room.
pub struct Guest {
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    child: Child,
}

/// What the browser says; once a second while it is in.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Said {
    Connected,
    Report(Report),
    Disconnected { reason: serde_json::Value },
    Error { message: String },
}

/// What a browser gets from the others.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Report {
    participants: Vec<ParticipantReport>,
}

#[derive(Debug, Clone, Deserialize)]
struct ParticipantReport {
    tracks: Vec<TrackReport>,
}

#[derive(Debug, Clone, Deserialize)]
struct TrackReport {
    audio: Option<AudioReport>,
    video: Option<VideoReport>,
}

impl Report {
    /// The sounds that come, a track each.
    pub fn sounds(&self) -> impl Iterator<Item = &AudioReport> {
        self.tracks().filter_map(|track| track.audio.as_ref())
    }

    /// The pictures that come, a track each.
    pub fn pictures(&self) -> impl Iterator<Item = &VideoReport> {
        self.tracks().filter_map(|track| track.video.as_ref())
    }

    fn tracks(&self) -> impl Iterator<Item = &TrackReport> {
        self.participants.iter().flat_map(|participant| &participant.tracks)
    }
}

/// What is heard of one track.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioReport {
    /// The loudest tone, in hertz; absent in silence.
    pub frequency_hz: Option<f64>,
    /// Root mean square, in dBFS.
    pub level_dbfs: f64,
}

/// What is seen of one track.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoReport {
    /// Pictures decoded so far.
    pub frames_decoded: u64,
    /// Mean colours; absent before the first picture.
    pub colours: Option<Patches>,
}

impl VideoReport {
    /// Whether it is a test card; colours come through YUV at half the resolution and two lossy codecs.
    #[must_use]
    pub fn shows(&self, card: &Card) -> bool {
        let Some(seen) = &self.colours else { return false };
        let seen = [seen.top_left, seen.top_right, seen.bottom_left, seen.bottom_right, seen.centre];
        let is_near = |seen: &[f64; 3], wanted: &Colour| {
            seen.iter().zip(wanted).all(|(seen, wanted)| (seen - f64::from(*wanted)).abs() <= 30.0)
        };
        seen.iter().zip(&card.spots).all(|(seen, wanted)| is_near(seen, wanted))
    }
}

/// Mean colours around the middle and an eighth from the corners; red, green and blue from 0 to 255.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patches {
    /// Upper left.
    pub top_left: [f64; 3],
    /// Upper right.
    pub top_right: [f64; 3],
    /// Lower left.
    pub bottom_left: [f64; 3],
    /// Lower right.
    pub bottom_right: [f64; 3],
    /// The middle.
    pub centre: [f64; 3],
}

impl Guest {
    /// Goes into a room with a browser that says the sound of a WAV file.
    ///
    /// # Errors
    /// When the browser does not start, or the room does not let it in.
    pub async fn join(url: &str, token: &str, voice: &Path, log: &Path) -> Result<Self> {
        let script = PathBuf::from("browser/guest.js");
        let mut child = Command::new("node")
            .arg(script)
            .args(["--url", url, "--token", token, "--voice"])
            .arg(voice)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log)?)
            .kill_on_drop(true)
            .spawn()
            .context("node cannot be started")?;
        let orders = child.stdin.take().context("node has no input")?;
        let lines = BufReader::new(child.stdout.take().context("node has no output")?).lines();
        let mut guest = Self { orders, lines, child };
        match guest.next().await? {
            Said::Connected => Ok(guest),
            other => bail!("the browser did not come in: {other:?}"),
        }
    }

    /// Waits until the browser gets what is expected.
    ///
    /// # Errors
    /// When it does not: with what it got last.
    pub async fn gets(&mut self, what: &str, is: impl Fn(&Report) -> bool) -> Result<Report> {
        let mut last = None;
        let look = async {
            loop {
                match self.next().await? {
                    Said::Report(report) if is(&report) => return Ok(report),
                    Said::Report(report) => last = Some(report),
                    Said::Connected => {}
                    Said::Disconnected { reason } => bail!("the browser was put out: {reason}"),
                    Said::Error { message } => bail!("the browser failed: {message}"),
                }
            }
        };
        match timeout(PATIENCE, look).await {
            Ok(outcome) => outcome,
            Err(_) => bail!("the browser gets {what}: not within {PATIENCE:?}; last: {last:?}"),
        }
    }

    /// `mute`, `unmute`, `camera-off`, `camera-on`.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn order(&mut self, order: &str) -> Result<()> {
        Ok(self.orders.write_all(format!("{order}\n").as_bytes()).await?)
    }

    /// Leaves as a person would.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn leave(mut self) -> Result<()> {
        self.order("leave").await?;
        timeout(PATIENCE, self.child.wait()).await.context("the browser does not end")??;
        Ok(())
    }

    async fn next(&mut self) -> Result<Said> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.context("the browser says nothing")??;
        let line = line.context("the browser ended; see its log")?;
        serde_json::from_str(&line).with_context(|| format!("the browser said {line:?}"))
    }
}
