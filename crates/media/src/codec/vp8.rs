//! VP8 by libvpx, in its real-time mode.

#![expect(unsafe_code, reason = "libvpx is a C library; every call is wrapped here")]

use std::{ffi::CStr, mem::MaybeUninit, ptr, time::Duration};

use bytes::Bytes;

use crate::frame::{EncodedFrame, I420};

#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::use_self,
    reason = "generated from C headers, which differ from version to version"
)]
mod vpx {
    include!(concat!(env!("OUT_DIR"), "/vpx.rs"));
}

/// libvpx could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("VP8: {0}")]
pub struct Vp8Error(String);

fn check(code: vpx::vpx_codec_err_t) -> Result<(), Vp8Error> {
    if code == vpx::VPX_CODEC_OK {
        return Ok(());
    }
    // SAFETY: returns a static string for every code.
    let text = unsafe { CStr::from_ptr(vpx::vpx_codec_err_to_string(code)) };
    Err(Vp8Error(text.to_string_lossy().into_owned()))
}

/// Whether the next picture must be decodable alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Any,
    KeyFrame,
}

/// Encodes one stream of pictures of one size.
pub(crate) struct Vp8Encoder {
    context: Box<vpx::vpx_codec_ctx_t>,
    config: vpx::vpx_codec_enc_cfg_t,
    last: i64,
}

// SAFETY: the context is owned, and libvpx ties it to no thread.
unsafe impl Send for Vp8Encoder {}

impl Vp8Encoder {
    /// `bitrate` in bits a second.
    pub(crate) fn new(width: u16, height: u16, bitrate: u64) -> Result<Self, Vp8Error> {
        let mut config = MaybeUninit::<vpx::vpx_codec_enc_cfg_t>::zeroed();
        // SAFETY: fills the whole configuration, which is plain data.
        let mut config = unsafe {
            check(vpx::vpx_codec_enc_config_default(vpx::vpx_codec_vp8_cx(), config.as_mut_ptr(), 0))?;
            config.assume_init()
        };
        config.g_w = u32::from(width);
        config.g_h = u32::from(height);
        // Microseconds.
        config.g_timebase = vpx::vpx_rational { num: 1, den: 1_000_000 };
        config.g_threads = 1;
        config.g_error_resilient = vpx::VPX_ERROR_RESILIENT_DEFAULT;
        config.g_lag_in_frames = 0;
        config.rc_end_usage = vpx::VPX_CBR;
        config.rc_target_bitrate = kilobits(bitrate);
        config.rc_min_quantizer = 4;
        config.rc_max_quantizer = 56;
        config.rc_undershoot_pct = 100;
        config.rc_overshoot_pct = 15;
        config.rc_buf_initial_sz = 500;
        config.rc_buf_optimal_sz = 600;
        config.rc_buf_sz = 1_000;
        config.rc_dropframe_thresh = 30;
        config.kf_mode = vpx::VPX_KF_AUTO;
        // Key frames come when somebody asks for them.
        config.kf_max_dist = 3_000;
        let mut context = Box::new(vpx::vpx_codec_ctx_t::default());
        let abi = i32::try_from(vpx::BELLBIRD_ENCODER_ABI).unwrap_or(0);
        // SAFETY: context and configuration outlive the call; the context stays where it is, in its box.
        unsafe {
            check(vpx::vpx_codec_enc_init_ver(&mut *context, vpx::vpx_codec_vp8_cx(), &config, 0, abi))?;
        }
        let mut encoder = Self { context, config, last: -1 };
        // As fast as real-time calls on small machines need; screen content and noise are left as they are.
        encoder.control(vpx::VP8E_SET_CPUUSED, -8)?;
        encoder.control(vpx::VP8E_SET_STATIC_THRESHOLD, 1)?;
        encoder.control(vpx::VP8E_SET_MAX_INTRA_BITRATE_PCT, 450)?;
        Ok(encoder)
    }

    pub(crate) fn set_bitrate(&mut self, bitrate: u64) -> Result<(), Vp8Error> {
        self.config.rc_target_bitrate = kilobits(bitrate);
        // SAFETY: the context was initialised with this configuration.
        unsafe { check(vpx::vpx_codec_enc_config_set(&mut *self.context, &self.config)) }
    }

    /// Encodes a picture; `None` if the rate control leaves it out.
    pub(crate) fn encode(
        &mut self,
        picture: &I420,
        at: Duration,
        wish: Wish,
    ) -> Result<Option<EncodedFrame>, Vp8Error> {
        let time = i64::try_from(at.as_micros()).unwrap_or(i64::MAX).max(self.last + 1);
        let duration = if self.last < 0 { 33_333 } else { (time - self.last).clamp(1, 1_000_000) };
        self.last = time;
        let image = wrap(picture)?;
        let flags = match wish {
            Wish::Any => 0,
            Wish::KeyFrame => i64::from(vpx::VPX_EFLAG_FORCE_KF),
        };
        let deadline = vpx::VPX_DL_REALTIME.into();
        // SAFETY: the image borrows the picture's planes, which outlive the call; the encoder only reads them.
        unsafe {
            let duration = u64::try_from(duration).unwrap_or(1);
            check(vpx::vpx_codec_encode(&mut *self.context, &image, time, duration, flags, deadline))?;
        }
        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        let mut frame = None;
        loop {
            // SAFETY: packets live until the next call of encode; they are copied at once.
            let packet = unsafe { vpx::vpx_codec_get_cx_data(&mut *self.context, &mut iterator).as_ref() };
            let Some(packet) = packet else { break };
            if packet.kind != vpx::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: the kind says that the union holds a frame; its buffer is as long as it says.
            let (data, key) = unsafe {
                let frame = &packet.data.frame;
                let data = std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz);
                (Bytes::copy_from_slice(data), frame.flags & vpx::VPX_FRAME_IS_KEY != 0)
            };
            frame = Some(EncodedFrame {
                key,
                timestamp: Duration::from_micros(u64::try_from(time).unwrap_or(0)),
                width: picture.width(),
                height: picture.height(),
                data,
            });
        }
        Ok(frame)
    }

    fn control(&mut self, id: vpx::vp8e_enc_control_id, value: i32) -> Result<(), Vp8Error> {
        let id = i32::try_from(id).unwrap_or(0);
        // SAFETY: the controls used take one int.
        unsafe { check(vpx::vpx_codec_control_(&mut *self.context, id, value)) }
    }
}

impl Drop for Vp8Encoder {
    fn drop(&mut self) {
        // SAFETY: initialised, and destroyed once.
        unsafe {
            vpx::vpx_codec_destroy(&mut *self.context);
        }
    }
}

/// Decodes one stream, for pages that cannot.
pub struct Vp8Decoder {
    context: Box<vpx::vpx_codec_ctx_t>,
}

// SAFETY: the context is owned, and libvpx ties it to no thread.
unsafe impl Send for Vp8Decoder {}

impl std::fmt::Debug for Vp8Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vp8Decoder")
    }
}

impl Vp8Decoder {
    /// A decoder that waits for a key frame.
    ///
    /// # Errors
    /// When libvpx has no memory.
    pub fn new() -> Result<Self, Vp8Error> {
        let mut context = Box::new(vpx::vpx_codec_ctx_t::default());
        let abi = i32::try_from(vpx::BELLBIRD_DECODER_ABI).unwrap_or(0);
        // SAFETY: the context stays where it is, in its box.
        unsafe {
            check(vpx::vpx_codec_dec_init_ver(&mut *context, vpx::vpx_codec_vp8_dx(), ptr::null(), 0, abi))?;
        }
        Ok(Self { context })
    }

    /// Decodes a frame; `None` if it shows nothing.
    ///
    /// # Errors
    /// When it is damaged, or a key frame is missing.
    pub fn decode(&mut self, data: &[u8]) -> Result<Option<I420>, Vp8Error> {
        let length = u32::try_from(data.len()).map_err(|_| Vp8Error("the frame is too large".to_owned()))?;
        // SAFETY: the data outlives the call.
        unsafe {
            check(vpx::vpx_codec_decode(&mut *self.context, data.as_ptr(), length, ptr::null_mut(), 0))?;
        }
        let mut iterator: vpx::vpx_codec_iter_t = ptr::null();
        // SAFETY: the image lives until the next call of decode; it is copied at once.
        let image = unsafe { vpx::vpx_codec_get_frame(&mut *self.context, &mut iterator).as_ref() };
        let Some(image) = image else { return Ok(None) };
        let (Ok(width), Ok(height)) = (u16::try_from(image.d_w), u16::try_from(image.d_h)) else {
            return Err(Vp8Error("the picture is too large".to_owned()));
        };
        let mut picture = I420::black(width, height);
        let chroma = (usize::from(width).div_ceil(2), usize::from(height).div_ceil(2));
        let sizes = [(usize::from(width), usize::from(height)), chroma, chroma];
        for ((plane, (columns, rows)), index) in picture.planes_mut().into_iter().zip(sizes).zip(0..) {
            let stride =
                usize::try_from(image.stride[index]).map_err(|_| Vp8Error("a plane is upside down".to_owned()))?;
            for (row, out) in plane.chunks_exact_mut(columns).enumerate().take(rows) {
                // SAFETY: libvpx's planes have `rows` rows of `stride` bytes, and `columns` ≤ `stride`.
                let line = unsafe { std::slice::from_raw_parts(image.planes[index].add(row * stride), columns) };
                out.copy_from_slice(line);
            }
        }
        Ok(Some(picture))
    }
}

impl Drop for Vp8Decoder {
    fn drop(&mut self) {
        // SAFETY: initialised, and destroyed once.
        unsafe {
            vpx::vpx_codec_destroy(&mut *self.context);
        }
    }
}

/// The picture as libvpx sees it, without a copy.
fn wrap(picture: &I420) -> Result<vpx::vpx_image_t, Vp8Error> {
    let mut image = vpx::vpx_image_t::default();
    let (width, height) = (u32::from(picture.width()), u32::from(picture.height()));
    let [y, u, v] = picture.planes();
    // SAFETY: fills the image's fields; the planes are set below, and nothing is read here.
    let wrapped =
        unsafe { vpx::vpx_img_wrap(&mut image, vpx::VPX_IMG_FMT_I420, width, height, 1, y.as_ptr().cast_mut()) };
    if wrapped.is_null() {
        return Err(Vp8Error("the picture has no size".to_owned()));
    }
    let chroma = i32::try_from(picture.chroma_width()).unwrap_or(0);
    image.planes = [y.as_ptr().cast_mut(), u.as_ptr().cast_mut(), v.as_ptr().cast_mut(), ptr::null_mut()];
    image.stride = [i32::from(picture.width()), chroma, chroma, 0];
    Ok(image)
}

fn kilobits(bitrate: u64) -> u32 {
    u32::try_from(bitrate / 1000).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving(frame: usize) -> I420 {
        let mut picture = I420::black(160, 96);
        let [y, u, v] = picture.planes_mut();
        for (index, pixel) in y.iter_mut().enumerate() {
            *pixel = (((index % 160) * 255 / 160 + frame * 3) % 235) as u8;
        }
        u.fill(90);
        v.fill(160);
        picture
    }

    /// Peak signal-to-noise ratio of the luma, in decibel.
    fn psnr(a: &I420, b: &I420) -> f64 {
        let pairs = a.planes()[0].iter().zip(b.planes()[0]);
        let error: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        10.0 * (255.0f64.powi(2) / (error / a.planes()[0].len() as f64).max(1e-9)).log10()
    }

    #[test]
    fn pictures_survive_the_codec_and_key_frames_come_when_asked_for() {
        let (mut encoder, mut decoder) = (Vp8Encoder::new(160, 96, 500_000).unwrap(), Vp8Decoder::new().unwrap());
        let mut keys = Vec::new();
        for frame in 0..30usize {
            let wish = if frame == 20 { Wish::KeyFrame } else { Wish::Any };
            let picture = moving(frame);
            let at = Duration::from_millis(33 * frame as u64);
            let Some(encoded) = encoder.encode(&picture, at, wish).unwrap() else { continue };
            if encoded.key {
                keys.push(frame);
            }
            let shown = decoder.decode(&encoded.data).unwrap().unwrap();
            assert!(psnr(&picture, &shown) > 25.0, "frame {frame}: {}", psnr(&picture, &shown));
        }
        assert!(keys.starts_with(&[0]) && keys.contains(&20), "{keys:?}");
    }

    #[test]
    fn junk_is_an_error_never_a_crash() {
        let mut decoder = Vp8Decoder::new().unwrap();
        for length in 0..200usize {
            let junk: Vec<u8> = (0..length).map(|n| (n * 31 + length * 7) as u8).collect();
            _ = decoder.decode(&junk);
        }
    }
}
