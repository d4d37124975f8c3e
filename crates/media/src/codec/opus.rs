//! Opus for speech: 48 kHz mono, 20 ms frames.

use opus::{Application, Bitrate, Channels, Decoder, Encoder, Error, Signal};

use crate::audio::{FRAME, RATE};

/// The largest packet that others may send (RFC 6716, section 3.2.1).
const MAX_RECEIVED: usize = 1275;
/// The largest packet that we send; 20 ms at 32 kbit/s are 80 bytes, this leaves room for peaks.
const MAX_SENT: usize = 400;
const BITRATE: i32 = 32_000;

/// A packet, without a heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload {
    length: u16,
    bytes: [u8; MAX_RECEIVED],
}

impl Payload {
    /// `None` if it is longer than Opus allows.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut payload = Self { length: u16::try_from(bytes.len()).ok()?, bytes: [0; MAX_RECEIVED] };
        payload.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(payload)
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Encodes one voice.
pub(crate) struct VoiceEncoder {
    encoder: Encoder,
}

impl VoiceEncoder {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(5)?;
        encoder.set_complexity(7)?;
        Ok(Self { encoder })
    }

    pub(crate) fn encode(&mut self, samples: &[f32; FRAME]) -> Result<Payload, Error> {
        let mut payload = Payload { length: 0, bytes: [0; MAX_RECEIVED] };
        let length = self.encoder.encode_float(samples, &mut payload.bytes[..MAX_SENT])?;
        payload.length = u16::try_from(length).unwrap_or(0);
        Ok(payload)
    }
}

/// Decodes one voice.
pub(crate) struct VoiceDecoder {
    decoder: Decoder,
    /// The longest packet that Opus allows: 120 ms.
    scratch: Box<[f32; 6 * FRAME]>,
}

impl VoiceDecoder {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { decoder: Decoder::new(RATE, Channels::Mono)?, scratch: Box::new([0.0; 6 * FRAME]) })
    }

    /// Decodes a packet into the next 20 ms; what is not 20 ms long is cut or filled.
    pub(crate) fn decode(&mut self, packet: &[u8], out: &mut [f32; FRAME]) {
        match self.decoder.decode_float(packet, &mut self.scratch[..], false) {
            Ok(length) => {
                out.fill(0.0);
                let length = length.min(FRAME);
                out[..length].copy_from_slice(&self.scratch[..length]);
            }
            Err(_) => self.conceal(out),
        }
    }

    /// Decodes the copy of the packet before this one.
    pub(crate) fn recover(&mut self, following: &[u8], out: &mut [f32; FRAME]) {
        if self.decoder.decode_float(following, out, true).is_err() {
            self.conceal(out);
        }
    }

    /// Guesses.
    pub(crate) fn conceal(&mut self, out: &mut [f32; FRAME]) {
        if self.decoder.decode_float(&[], out, false).is_err() {
            out.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;
    use crate::audio::level::rms;

    #[test]
    fn a_tone_survives_the_codec_and_a_lost_packet() {
        let (mut encoder, mut decoder) = (VoiceEncoder::new().unwrap(), VoiceDecoder::new().unwrap());
        let mut out = [0.0; FRAME];
        for frame in 0..50 {
            let sample = |n: usize| 0.3 * ((frame * FRAME + n) as f32 * 997.0 * TAU / 48_000.0).sin();
            let packet = encoder.encode(&std::array::from_fn(sample)).unwrap();
            if frame == 40 {
                decoder.conceal(&mut out);
            } else {
                decoder.decode(packet.as_slice(), &mut out);
            }
            // Around the guessed frame the decoder finds its way back, and may overshoot.
            let (least, most) = if (40..46).contains(&frame) { (0.02, 0.4) } else { (0.15, 0.28) };
            if frame > 5 {
                assert!((least..most).contains(&rms(&out)), "frame {frame}: {}", rms(&out));
            }
        }
    }

    #[test]
    fn the_largest_packet_that_opus_allows_is_played_and_a_larger_one_is_none() {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Audio).unwrap();
        encoder.set_bitrate(Bitrate::Max).unwrap();
        encoder.set_vbr(false).unwrap();
        let mut decoder = VoiceDecoder::new().unwrap();
        let (mut bytes, mut out, mut longest) = ([0; 1275], [0.0; FRAME], 0);
        for frame in 0..20 {
            let sample = |n: usize| 0.3 * ((frame * FRAME + n) as f32 * 997.0 * TAU / 48_000.0).sin();
            let samples: [f32; FRAME] = std::array::from_fn(sample);
            let length = encoder.encode_float(&samples, &mut bytes).unwrap();
            longest = longest.max(length);
            decoder.decode(Payload::new(&bytes[..length]).unwrap().as_slice(), &mut out);
        }
        assert!(longest > 1000, "a packet of the best quality: {longest}");
        assert!((rms(&out) - 0.212).abs() < 0.02, "{}", rms(&out));
        assert!(Payload::new(&[0; 1275]).is_some() && Payload::new(&[0; 1276]).is_none());
    }

    #[test]
    fn no_packet_of_ours_is_larger_than_400_bytes() {
        let mut encoder = VoiceEncoder::new().unwrap();
        let mut state = 1u32;
        for _ in 0..20 {
            let noise = |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            let payload = encoder.encode(&std::array::from_fn(noise)).unwrap();
            assert!(payload.as_slice().len() <= 400);
        }
    }

    #[test]
    fn junk_is_concealed_never_a_panic() {
        let mut decoder = VoiceDecoder::new().unwrap();
        let mut out = [0.0; FRAME];
        for length in 0..100 {
            let junk: Vec<u8> = (0..length).map(|n| (n * 37 + length) as u8).collect();
            decoder.decode(&junk, &mut out);
            decoder.recover(&junk, &mut out);
        }
    }
}
