//! Files in place of sound devices: a thread for each keeps the beat that a device's clock would.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant},
};

use super::{
    STEP,
    wav::{Recording, Voice, WavError},
};

const STEP_TIME: Duration = Duration::from_millis(10);

/// The running clock of a device that is a file; dropping it closes the file.
pub(super) struct Beat {
    stop: Arc<AtomicBool>,
    thread: Thread,
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

/// Says a file into a ring, from now on and in real time. A full ring drops the newest, as a device's would.
pub(super) fn say(file: &Path, mut ring: rtrb::Producer<f32>) -> Result<Beat, WavError> {
    let mut voice = Voice::open(file)?;
    Ok(beat("voice", move |stop| {
        every_step(stop, || {
            for sample in voice.step() {
                if ring.push(sample).is_err() {
                    break;
                }
            }
        });
    })?)
}

/// Writes what comes out of a ring into a file, in real time; an empty ring is silence.
pub(super) fn record(file: &Path, mut ring: rtrb::Consumer<f32>) -> Result<Beat, WavError> {
    let mut recording = Recording::create(file)?;
    let name = file.to_owned();
    Ok(beat("recording", move |stop| {
        let mut is_whole = true;
        every_step(stop, || {
            let step: [f32; STEP] = std::array::from_fn(|_| ring.pop().unwrap_or(0.0));
            // A disk that is full ends the recording, not the call: the ring is emptied all the same.
            if is_whole && let Err(error) = recording.step(&step) {
                tracing::error!(file = %name.display(), %error, "the recording ends here: make room on the disk");
                is_whole = false;
            }
        });
        if let Err(error) = recording.finish() {
            tracing::error!(file = %name.display(), %error, "the end of the recording may be missing");
        }
    })?)
}

fn beat(name: &str, run: impl FnOnce(&AtomicBool) + Send + 'static) -> std::io::Result<Beat> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let handle = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&stopped))?;
    Ok(Beat { stop, thread: handle.thread().clone() })
}

/// A step every 10 ms, counted from the start: what is late is made up for, so that nothing drifts.
fn every_step(stop: &AtomicBool, mut step: impl FnMut()) {
    let mut next = now();
    while !stop.load(Ordering::Relaxed) {
        let wait = next.saturating_duration_since(now());
        if wait.is_zero() {
            step();
            next += STEP_TIME;
        } else {
            std::thread::park_timeout(wait);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this thread is the device's clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use hound::{SampleFormat, WavReader, WavSpec};

    use super::*;
    use crate::{
        audio::{
            device::{open_microphone, open_speaker},
            processing::Processing,
            thread::Audio,
            wav::tests::{amplitude, tone},
        },
        choice::Choice,
        peer::Toggle,
    };

    /// Ann's file is said into one audio thread; its packets go by hand into Ben's, which writes what it plays.
    #[test]
    fn a_tone_in_a_file_comes_out_of_the_other_file_in_real_time() {
        let folder = tempfile::tempdir().unwrap();
        let (voice, heard) = (folder.path().join("voice.wav"), folder.path().join("heard.wav"));
        tone(
            &voice,
            WavSpec { channels: 1, sample_rate: 44_100, bits_per_sample: 16, sample_format: SampleFormat::Int },
        );
        let ann = Audio::start(Choice::File(voice), Choice::None).unwrap();
        let ben = Audio::start(Choice::None, Choice::File(heard.clone())).unwrap();
        let (_, mut from) = ann.open_call(Toggle::On, Toggle::On, Processing::NOTHING);
        let (_, mut to) = ben.open_call(Toggle::Off, Toggle::On, Processing::NOTHING);
        let track = to.downlink.add_track("TR_ann");
        let begun = now();
        let (mut sequence, mut silent) = (0, 0);
        // A second of tone, then silence: that it came in real time shows in the number of packets.
        while begun.elapsed() < Duration::from_millis(1_500) {
            while let Ok(packet) = from.uplink.pop() {
                to.downlink.push(track, sequence, packet.rtp_time, now(), packet.payload.as_slice());
                sequence += 1;
                silent += u64::from(!packet.is_voice);
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop((ann, ben, from, to));
        assert!((68..=76).contains(&sequence), "50 packets a second: {sequence}");
        assert!((15..=27).contains(&silent), "silence after the file's end: {silent}");
        let mut reader = WavReader::open(&heard).unwrap();
        let sound: Vec<f32> = reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
        assert!((57_000..=76_000).contains(&sound.len()), "1.5 s, less what is not flushed yet: {}", sound.len());
        let middle = &sound[19_200..38_400];
        let level = amplitude(middle, 997.0);
        assert!((level - 0.25).abs() < 0.03, "level: {level}");
        assert!(level > 20.0 * amplitude(middle, 1_499.0), "frequency");
    }

    #[test]
    fn a_file_that_is_not_there_is_trouble_in_words() {
        let missing = Choice::File("/nowhere/voice.wav".into());
        assert!(open_microphone(&missing).map(|_| ()).unwrap_err().to_string().contains("its file"));
        assert!(open_speaker(&missing).map(|_| ()).unwrap_err().to_string().contains("its file"));
    }
}
