//! Tones in files, made and measured.

use std::{f64::consts::TAU, fs, io::Write as _, path::Path};

const RATE: u32 = 48_000;

/// Seconds of one frequency, with an amplitude of a quarter.
pub(crate) fn tone(file: &Path, hertz: f64, rate: u32, seconds: u32) {
    let spec =
        hound::WavSpec { channels: 2, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    for n in 0..rate * seconds {
        let sample = (0.25 * 32_767.0 * (f64::from(n) * hertz * TAU / f64::from(rate)).sin()) as i16;
        writer.write_sample(sample).unwrap();
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

/// What was recorded.
pub(crate) fn recorded(file: &Path) -> Vec<f64> {
    let mut reader = hound::WavReader::open(file).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels, reader.spec().bits_per_sample), (RATE, 1, 16));
    reader.samples::<i16>().map(|sample| f64::from(sample.unwrap()) / 32_768.0).collect()
}

/// How many samples there are since the first loud one.
pub(crate) fn loud_for(file: &Path) -> usize {
    let sound = recorded(file);
    sound.iter().position(|sample| sample.abs() > 0.1).map_or(0, |begins| sound.len() - begins)
}

/// Amplitude of one frequency (Goertzel).
pub(crate) fn amplitude(samples: &[f64], hertz: f64) -> f64 {
    let w = TAU * hertz / f64::from(RATE);
    let (mut a, mut b) = (0.0, 0.0);
    for sample in samples {
        (a, b) = (sample + 2.0 * w.cos() * a - b, a);
    }
    (a * a + b * b - 2.0 * w.cos() * a * b).sqrt() / (samples.len() as f64 / 2.0)
}

/// A recording holds this tone at the level it was sent with, and not the other.
pub(crate) fn assert_heard(file: &Path, hertz: f64, other: f64) {
    let sound = recorded(file);
    let begins = sound.iter().position(|sample| sample.abs() > 0.1);
    let begins = begins.unwrap_or_else(|| panic!("{} is silent: {} samples", file.display(), sound.len()));
    // The loudest second that is whole: a busy machine may tear a hole somewhere.
    let from = begins + RATE as usize / 4;
    let windows = sound[from..].windows(RATE as usize / 2).step_by(RATE as usize / 10);
    let level = windows.clone().map(|window| amplitude(window, hertz)).fold(0.0, f64::max);
    let wrong = windows.map(|window| amplitude(window, other)).fold(0.0, f64::max);
    assert!((level - 0.25).abs() < 0.04, "{}: {hertz} Hz at {level}", file.display());
    assert!(wrong < level / 10.0, "{}: {other} Hz at {wrong}", file.display());
}

/// A grey picture, twice.
pub(crate) fn card(file: &Path) {
    let mut out = fs::File::create(file).unwrap();
    writeln!(out, "YUV4MPEG2 W64 H48 F15:1 Ip A1:1 C420jpeg").unwrap();
    for luma in [90, 160] {
        out.write_all(b"FRAME\n").unwrap();
        out.write_all(&[luma; 64 * 48]).unwrap();
        out.write_all(&[128; 2 * 32 * 24]).unwrap();
    }
}
