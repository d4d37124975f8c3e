//! A stock `livekit-client` in Chromium joins a running call, with a token from the command line.

use std::{f64::consts::TAU, path::Path};

use anyhow::Result;
use harness::{Guest, Report, ServerProcess, camera::Card, eventually, room_token};

use crate::people::{ANN, Desktops};

/// The tone that the browser says: one that nobody else does.
const BROWSER: (f64, f64) = (661.0, -12.0);

#[tokio::test]
async fn a_stock_livekit_client_talks_with_the_app() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = ServerProcess::start(folder.path(), "127.0.0.1:0").await?;
    let desktops = Desktops::start().await?;
    let pair = desktops.pair_on(&server).await?;
    pair.are_in_a_call().await?;
    let ann_speaks = desktops.ann.speak(ANN.0, ANN.1)?;

    let voice = folder.path().join("voice.wav");
    write_tone(&voice, BROWSER)?;
    let token = room_token(folder.path(), &pair.ann.call().await?, "browser").await?;
    let url = format!("ws://{}", server.address());
    let mut guest = Guest::join(&url, &token, &voice, &folder.path().join("guest.log")).await?;

    let hears_ann = |report: &Report| {
        let mut sounds = report.sounds().filter_map(|sound| Some((sound.frequency_hz?, sound.level_dbfs)));
        // A sine is 3 dB quieter by its mean than by its peak.
        sounds.any(|(hertz, level)| (hertz - ANN.0).abs() < 4.0 && (level + 3.0 - ANN.1).abs() < 4.0)
    };
    guest.gets("Ann's tone", hears_ann).await?;
    let sees = |card: Card| move |report: &Report| report.pictures().any(|picture| picture.shows(&card));
    guest.gets("Ann's picture", sees(Card::warm())).await?;
    guest.gets("Ben's picture", sees(Card::cold())).await?;

    drop(ann_speaks);
    for window in [&pair.ann, &pair.ben] {
        let is_browser = |heard: &harness::Heard| (heard.hertz - BROWSER.0).abs() <= 8.0 && heard.tone > -20.0;
        window.hears("the browser", is_browser).await?;
        window.says("browser").await?;
        let pictures = || window.place("main", "[data-role=tile]:nth-of-type(2) canvas");
        eventually("the browser's picture has its tile", pictures, |place| place.width > 100.0).await?;
    }
    guest.leave().await?;
    pair.ann.press("Hang up").await?;
    pair.ann.says("Recent calls").await?;
    Ok(())
}

/// Ten seconds of a sine as WAV (PCM, 16 bits, 48 kHz, mono); the browser repeats it. 661 Hz goes into them whole.
fn write_tone(file: &Path, (hertz, dbfs): (f64, f64)) -> Result<()> {
    const RATE: u32 = 48_000;
    let amplitude = 10f64.powf(dbfs / 20.0) * f64::from(i16::MAX);
    let samples = (0..RATE * 10).map(|n| (amplitude * (TAU * hertz * f64::from(n) / f64::from(RATE)).sin()) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len())?;
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + length).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&(RATE * 2).to_le_bytes());
    wav.extend_from_slice(&[2, 0, 16, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&length.to_le_bytes());
    wav.extend_from_slice(&data);
    Ok(std::fs::write(file, wav)?)
}
