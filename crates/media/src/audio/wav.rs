//! WAV files as sound of 48 kHz in one channel: a voice is read, a recording is written, 10 ms at a time.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read},
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use super::{RATE, STEP};

/// Rates that sound has; anything else is a damaged header.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Length of the filter that changes the rate: flat to 20 kHz, with 1.5 ms of delay.
const FILTER: usize = 128;
/// Steps between two updates of the header of a recording: 200 ms.
const HEADER_STEPS: u32 = 20;

/// A WAV file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WavError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is not a WAV file of PCM or float samples ({0}): convert it, for example with ffmpeg")]
    Format(hound::Error),
    #[error("{channels} channels at {rate} Hz are not sound: convert it, for example with ffmpeg")]
    Shape { channels: u16, rate: u32 },
    #[error("its rate cannot be changed to 48 kHz ({0})")]
    Rate(String),
}

impl From<hound::Error> for WavError {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::Io(error),
            other => Self::Format(other),
        }
    }
}

/// A voice from a file: once, then silence.
pub(crate) struct Voice<F = File> {
    reader: WavReader<BufReader<F>>,
    rate: Rate,
    /// Read and mixed, not resampled yet.
    mono: Vec<f32>,
    /// Steps until what the resampler holds back has come out; counts once the file is over.
    tail: u32,
}

enum Rate {
    Same,
    Other(Box<Async<f32>>),
}

impl Voice {
    /// Opens a file.
    pub(crate) fn open(file: &Path) -> Result<Self, WavError> {
        Self::read_from(File::open(file)?)
    }
}

impl<F: Read> Voice<F> {
    /// Reads the header.
    pub(crate) fn read_from(file: F) -> Result<Self, WavError> {
        let reader = WavReader::new(BufReader::new(file))?;
        let WavSpec { channels, sample_rate, .. } = reader.spec();
        if channels == 0 || !RATES.contains(&sample_rate) {
            return Err(WavError::Shape { channels, rate: sample_rate });
        }
        let rate = if sample_rate == RATE { Rate::Same } else { Rate::Other(Box::new(resampler(sample_rate)?)) };
        let tail = match &rate {
            Rate::Same => 0,
            Rate::Other(resampler) => (resampler.output_delay() / STEP) as u32 + 1,
        };
        Ok(Self { reader, rate, mono: Vec::new(), tail })
    }

    /// The next 10 ms.
    pub(crate) fn step(&mut self) -> [f32; STEP] {
        let mut out = [0.0; STEP];
        let wanted = match &self.rate {
            Rate::Same => STEP,
            Rate::Other(resampler) => resampler.input_frames_next(),
        };
        self.mono.clear();
        read_mono(&mut self.reader, &mut self.mono, wanted);
        let read = self.mono.len();
        if read == 0 {
            if self.tail == 0 {
                return out;
            }
            self.tail -= 1;
        }
        match &mut self.rate {
            Rate::Same => out[..read].copy_from_slice(&self.mono),
            Rate::Other(resampler) => {
                self.mono.resize(wanted, 0.0);
                let input = InterleavedSlice::new(&self.mono, 1, wanted);
                let output = InterleavedSlice::new_mut(&mut out, 1, STEP);
                if let (Ok(input), Ok(mut output)) = (input, output) {
                    // Cannot fail: both buffers have the length that was asked for.
                    _ = resampler.process_into_buffer(&input, &mut output, Some(&Indexing::new().partial_len(read)));
                }
            }
        }
        out
    }
}

/// The mean of the channels, up to `wanted` frames; a damaged rest counts as the end.
fn read_mono<F: Read>(reader: &mut WavReader<BufReader<F>>, mono: &mut Vec<f32>, wanted: usize) {
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let full_scale = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
    while mono.len() < wanted {
        let mut sum = 0.0;
        for _ in 0..channels {
            let sample = match spec.sample_format {
                SampleFormat::Float => reader.samples::<f32>().next(),
                SampleFormat::Int => {
                    reader.samples::<i32>().next().map(|sample| sample.map(|sample| sample as f32 / full_scale))
                }
            };
            let Some(Ok(sample)) = sample else { return };
            // A file of floats may hold anything, also what is no number: it must not reach the mixer.
            sum += if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        mono.push(sum / channels as f32);
    }
}

fn resampler(rate: u32) -> Result<Async<f32>, WavError> {
    let ratio = f64::from(RATE) / f64::from(rate);
    let filter = SincInterpolationParameters::new(FILTER, WindowFunction::BlackmanHarris2);
    Async::new_sinc(ratio, 1.0, &filter, STEP, 1, FixedAsync::Output).map_err(|error| WavError::Rate(error.to_string()))
}

/// What a speaker plays, into a file: 16 bit. The file is whole at every moment but for the last 200 ms.
pub(crate) struct Recording {
    file: PathBuf,
    /// Absent before the first sound: until then a file that is there is left alone.
    writer: Option<WavWriter<BufWriter<File>>>,
    steps: u32,
}

impl Recording {
    /// Makes sure that the file can be written, and leaves everything as it is.
    pub(crate) fn create(file: &Path) -> Result<Self, WavError> {
        match File::options().write(true).create_new(true).open(file) {
            Ok(_) => std::fs::remove_file(file)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                File::options().append(true).open(file)?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Self { file: file.to_owned(), writer: None, steps: 0 })
    }

    /// Adds 10 ms; the first replace a file that is there.
    pub(crate) fn step(&mut self, sound: &[f32; STEP]) -> Result<(), WavError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(begin(&self.file)?),
        };
        for sample in sound {
            writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
        }
        self.steps += 1;
        if self.steps.is_multiple_of(HEADER_STEPS) {
            writer.flush()?;
        }
        Ok(())
    }

    /// Makes the file whole.
    pub(crate) fn finish(self) -> Result<(), WavError> {
        Ok(self.writer.map_or(Ok(()), WavWriter::finalize)?)
    }
}

fn begin(file: &Path) -> Result<WavWriter<BufWriter<File>>, WavError> {
    let spec = WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(file, spec)?;
    writer.flush()?;
    Ok(writer)
}

#[cfg(test)]
pub(super) mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Amplitude of one frequency (Goertzel).
    pub(in crate::audio) fn amplitude(samples: &[f32], hertz: f32) -> f32 {
        let w = f64::from(TAU * hertz / RATE as f32);
        let (mut a, mut b) = (0.0f64, 0.0f64);
        for sample in samples {
            (a, b) = (f64::from(*sample) + 2.0 * w.cos() * a - b, a);
        }
        ((a * a + b * b - 2.0 * w.cos() * a * b).sqrt() / (samples.len() as f64 / 2.0)) as f32
    }

    /// A second of 997 Hz with an amplitude of a quarter, in the left channel alone if there are two.
    pub(in crate::audio) fn tone(file: &Path, spec: WavSpec) {
        let mut writer = WavWriter::create(file, spec).unwrap();
        for n in 0..spec.sample_rate {
            let sample = 0.25 * (n as f32 * 997.0 * TAU / spec.sample_rate as f32).sin();
            for channel in 0..spec.channels {
                let sample = if channel == 0 { sample } else { 0.0 };
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(sample).unwrap(),
                    SampleFormat::Int => {
                        writer.write_sample((sample * 2f32.powi(i32::from(spec.bits_per_sample) - 1)) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
    }

    fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec { channels, sample_rate, bits_per_sample, sample_format }
    }

    #[test]
    fn any_rate_and_format_becomes_the_same_tone_and_silence_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tone.wav");
        for (channels, rate, bits, format) in [
            (1, 48_000, 16, SampleFormat::Int),
            (2, 44_100, 16, SampleFormat::Int),
            (1, 8_000, 8, SampleFormat::Int),
            (2, 96_000, 24, SampleFormat::Int),
            (1, 22_050, 32, SampleFormat::Float),
        ] {
            tone(&file, spec(channels, rate, bits, format));
            let mut voice = Voice::open(&file).unwrap();
            let sound: Vec<f32> = (0..150).flat_map(|_| voice.step()).collect();
            let wanted = 0.25 / f32::from(channels);
            let level = amplitude(&sound[9_600..43_200], 997.0);
            assert!((level - wanted).abs() < 0.01 * wanted + 0.003, "{channels} × {rate} Hz, {bits} bit: {level}");
            assert!(amplitude(&sound[9_600..43_200], 1_499.0) < 0.003);
            assert!(sound[48_960..].iter().all(|sample| sample.abs() < 1e-4), "silence after it");
        }
    }

    #[test]
    fn what_is_no_sound_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Voice::open(&folder.path().join("nothing.wav")).map(|_| ()).unwrap_err();
        assert!(matches!(missing, WavError::Io(_)), "{missing}");
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "this is not sound at all, it is text").unwrap();
        let wrong = Voice::open(&text).map(|_| ()).unwrap_err();
        assert!(wrong.to_string().contains("not a WAV file"), "{wrong}");
    }

    #[test]
    fn a_recording_can_be_read_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heard.wav");
        let mut recording = Recording::create(&file).unwrap();
        assert!(!file.exists(), "nothing was heard yet");
        for _ in 0..30 {
            recording.step(&[0.5; STEP]).unwrap();
        }
        // As if the process were killed here: nothing finishes the file.
        let reader = WavReader::open(&file).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.duration()), (RATE, 20 * STEP as u32));
        recording.finish().unwrap();
        assert_eq!(WavReader::open(&file).unwrap().duration(), 30 * STEP as u32);
    }

    #[test]
    fn a_file_that_is_there_is_replaced_by_the_first_sound_and_by_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heard.wav");
        std::fs::write(&file, "dear to somebody").unwrap();
        Recording::create(&file).unwrap().finish().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "dear to somebody");
        let mut recording = Recording::create(&file).unwrap();
        recording.step(&[0.5; STEP]).unwrap();
        recording.finish().unwrap();
        assert_eq!(WavReader::open(&file).unwrap().duration(), STEP as u32);
        let nowhere = Recording::create(&folder.path().join("nowhere/heard.wav")).map(|_| ()).unwrap_err();
        assert!(matches!(nowhere, WavError::Io(_)), "{nowhere}");
        assert!(Recording::create(folder.path()).is_err(), "a folder is no file");
    }
}
