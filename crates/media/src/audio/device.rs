//! Sound devices by cpal, or files in their place. Callbacks only move samples between the device and a ring: no lock,
//! no allocation, no log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use cpal::{
    BufferSize, Device, SampleFormat, Stream, StreamConfig,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};

use super::{
    RATE,
    file::{self, Beat},
    wav::WavError,
};
use crate::choice::Choice;

/// Samples a ring holds: 200 ms.
const RING: usize = RATE as usize / 5;
/// Frames that are asked of a device at once: 10 ms.
const PERIOD: u32 = RATE / 100;

/// A device does not work.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error("there is none: plug one in, or choose another in the settings")]
    None,
    #[error("it cannot be opened ({0}): another program may be using it; choose another in the settings")]
    Open(String),
    #[error("its file cannot be used: {0}")]
    File(String),
}

impl From<WavError> for DeviceError {
    fn from(error: WavError) -> Self {
        Self::File(error.to_string())
    }
}

/// An open microphone: 48 kHz mono comes out of the ring.
pub(crate) struct Microphone {
    pub(crate) ring: rtrb::Consumer<f32>,
    pub(crate) failed: Arc<AtomicBool>,
    running: Running,
}

/// An open speaker: 48 kHz mono goes into the ring.
pub(crate) struct Speaker {
    pub(crate) ring: rtrb::Producer<f32>,
    pub(crate) failed: Arc<AtomicBool>,
    running: Running,
}

/// What moves samples while a device is open; dropping it closes the device.
enum Running {
    Stream { _stream: Stream },
    File { _beat: Beat },
}

/// What the two kinds of open device have in common.
pub(crate) trait Opened {
    /// It is of no more use.
    fn has_failed(&self) -> bool;
    /// It stays open while it is not wanted: a file's time goes on.
    fn goes_on(&self) -> bool;
}

impl Opened for Microphone {
    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn goes_on(&self) -> bool {
        self.running.goes_on()
    }
}

impl Opened for Speaker {
    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn goes_on(&self) -> bool {
        self.running.goes_on()
    }
}

impl Running {
    fn goes_on(&self) -> bool {
        match self {
            Self::Stream { .. } => false,
            Self::File { .. } => true,
        }
    }
}

/// A device as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_default: bool,
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

/// Every device of one way.
pub(crate) fn list(way: Way) -> Vec<Listed> {
    let host = cpal::default_host();
    let default = default(&host, way).and_then(|device| device.id().ok()).map(|id| id.to_string());
    let devices: Vec<Device> = match way {
        Way::In => host.input_devices().map(Iterator::collect).unwrap_or_default(),
        Way::Out => host.output_devices().map(Iterator::collect).unwrap_or_default(),
    };
    let listed = devices.iter().filter_map(|device| {
        let id = device.id().ok()?.to_string();
        let name = device.description().ok()?.name().to_owned();
        let is_default = Some(&id) == default.as_ref();
        Some(Listed { id, name, is_default })
    });
    listed.collect()
}

/// Opens the chosen microphone, the default one, or the file in its place.
pub(crate) fn open_microphone(choice: &Choice) -> Result<Microphone, DeviceError> {
    let (producer, ring) = rtrb::RingBuffer::new(RING);
    let failed = Arc::new(AtomicBool::new(false));
    let running = match choice {
        Choice::File(file) => Running::File { _beat: file::say(file, producer)? },
        Choice::Device(id) => Running::Stream { _stream: open_input(Some(id), producer, &failed)? },
        Choice::Default => Running::Stream { _stream: open_input(None, producer, &failed)? },
        Choice::None => return Err(DeviceError::None),
    };
    Ok(Microphone { ring, failed, running })
}

/// Opens the chosen speaker, the default one, or the file in its place.
pub(crate) fn open_speaker(choice: &Choice) -> Result<Speaker, DeviceError> {
    let (ring, consumer) = rtrb::RingBuffer::new(RING);
    let failed = Arc::new(AtomicBool::new(false));
    let running = match choice {
        Choice::File(file) => Running::File { _beat: file::record(file, consumer)? },
        Choice::Device(id) => Running::Stream { _stream: open_output(Some(id), consumer, &failed)? },
        Choice::Default => Running::Stream { _stream: open_output(None, consumer, &failed)? },
        Choice::None => return Err(DeviceError::None),
    };
    Ok(Speaker { ring, failed, running })
}

fn open_input(
    chosen: Option<&str>,
    mut producer: rtrb::Producer<f32>,
    failed: &Arc<AtomicBool>,
) -> Result<Stream, DeviceError> {
    let device = find(chosen, Way::In)?;
    let (channels, format) = shape(&device, Way::In)?;
    let on_error = mark(failed);
    let channels_count = usize::from(channels);
    let config = config(channels);
    let stream = match format {
        SampleFormat::I16 => device.build_input_stream(
            config,
            move |data: &[i16], _: &_| {
                push_mono(&mut producer, data, channels_count, |sample| f32::from(*sample) / 32_768.0);
            },
            on_error,
            None,
        ),
        _ => device.build_input_stream(
            config,
            move |data: &[f32], _: &_| push_mono(&mut producer, data, channels_count, |sample| *sample),
            on_error,
            None,
        ),
    };
    started(stream)
}

fn open_output(
    chosen: Option<&str>,
    mut consumer: rtrb::Consumer<f32>,
    failed: &Arc<AtomicBool>,
) -> Result<Stream, DeviceError> {
    let device = find(chosen, Way::Out)?;
    let (channels, format) = shape(&device, Way::Out)?;
    let on_error = mark(failed);
    let channels_count = usize::from(channels);
    let config = config(channels);
    let stream = match format {
        SampleFormat::I16 => device.build_output_stream(
            config,
            move |data: &mut [i16], _: &_| {
                pop_mono(&mut consumer, data, channels_count, |sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16);
            },
            on_error,
            None,
        ),
        _ => device.build_output_stream(
            config,
            move |data: &mut [f32], _: &_| pop_mono(&mut consumer, data, channels_count, |sample| sample),
            on_error,
            None,
        ),
    };
    started(stream)
}

/// Averages the channels; a full ring drops the newest, which the audio thread then hears as a gap.
fn push_mono<T>(ring: &mut rtrb::Producer<f32>, data: &[T], channels: usize, convert: impl Fn(&T) -> f32) {
    for frame in data.chunks_exact(channels.max(1)) {
        let sum: f32 = frame.iter().map(&convert).sum();
        if ring.push(sum / frame.len() as f32).is_err() {
            return;
        }
    }
}

/// The same to every channel; an empty ring is silence.
fn pop_mono<T: Copy>(ring: &mut rtrb::Consumer<f32>, data: &mut [T], channels: usize, convert: impl Fn(f32) -> T) {
    for frame in data.chunks_mut(channels.max(1)) {
        frame.fill(convert(ring.pop().unwrap_or(0.0)));
    }
}

fn mark(failed: &Arc<AtomicBool>) -> impl FnMut(cpal::Error) + Send + 'static {
    let failed = Arc::clone(failed);
    move |error| {
        // Runs over and under are heard, and pass; everything else means that the stream is of no more use.
        if !matches!(error.kind(), cpal::ErrorKind::Xrun | cpal::ErrorKind::RealtimeDenied) {
            failed.store(true, Ordering::Relaxed);
        }
    }
}

fn started(stream: Result<Stream, cpal::Error>) -> Result<Stream, DeviceError> {
    let stream = stream.map_err(|error| DeviceError::Open(error.to_string()))?;
    stream.play().map_err(|error| DeviceError::Open(error.to_string()))?;
    Ok(stream)
}

fn find(chosen: Option<&str>, way: Way) -> Result<Device, DeviceError> {
    let host = cpal::default_host();
    let wanted = chosen.and_then(|id| id.parse().ok()).and_then(|id| host.device_by_id(&id));
    // A chosen device that is unplugged is replaced by the default until it is back.
    wanted.or_else(|| default(&host, way)).ok_or(DeviceError::None)
}

fn default(host: &cpal::Host, way: Way) -> Option<Device> {
    match way {
        Way::In => host.default_input_device(),
        Way::Out => host.default_output_device(),
    }
}

/// How many channels and which samples to ask for; sound servers convert the rate.
fn shape(device: &Device, way: Way) -> Result<(u16, SampleFormat), DeviceError> {
    let default = match way {
        Way::In => device.default_input_config(),
        Way::Out => device.default_output_config(),
    };
    let default = default.map_err(|error| DeviceError::Open(error.to_string()))?;
    let format = if default.sample_format() == SampleFormat::I16 { SampleFormat::I16 } else { SampleFormat::F32 };
    Ok((default.channels(), format))
}

fn config(channels: u16) -> StreamConfig {
    StreamConfig { channels, sample_rate: RATE, buffer_size: BufferSize::Fixed(PERIOD) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_averaged_in_and_copied_out() {
        let (mut producer, mut consumer) = rtrb::RingBuffer::new(8);
        push_mono(&mut producer, &[0.5f32, -0.5, 1.0, 0.0], 2, |sample| *sample);
        assert_eq!((consumer.pop(), consumer.pop()), (Ok(0.0), Ok(0.5)));
        _ = producer.push(0.25);
        let mut out = [9.0f32; 4];
        pop_mono(&mut consumer, &mut out, 2, |sample| sample);
        assert_eq!(out, [0.25, 0.25, 0.0, 0.0]);
    }
}
