//! What goes: packets of the microphone, pictures of the camera, and the camera itself.

use std::sync::Arc;

use str0m::{
    format::Codec,
    media::{Frequency, MediaTime, Mid},
};

use super::{Call, CallError, now};
use crate::{
    frame::{Captured, EncodedFrame},
    peer::{DeviceKind, PeerEvent, Toggle},
    video::{
        camera::{self, CameraState, RunningCamera},
        encode, latest,
    },
};

/// A track we send, once its m-line is there.
pub(super) struct Sending {
    pub(super) cid: String,
    pub(super) mid: Option<Mid>,
}

/// The camera and its encoder while the picture is sent.
pub(super) struct Filming {
    pub(super) _camera: RunningCamera,
}

impl Call {
    pub(super) fn send_voice(&mut self) -> Result<(), CallError> {
        while let Ok(packet) = self.setup.call.uplink.pop() {
            let Some(mid) = self.microphone.as_ref().and_then(|sending| sending.mid) else { continue };
            let now = now();
            let Some(writer) = self.publisher.rtc.writer(mid) else { continue };
            let opus = writer.payload_params().find(|params| params.spec().codec == Codec::Opus);
            let Some(pt) = opus.map(str0m::format::PayloadParams::pt) else { continue };
            let time = MediaTime::new(u64::from(packet.rtp_time), Frequency::FORTY_EIGHT_KHZ);
            let writer = writer.audio_level(packet.level_dbov, packet.is_voice);
            if let Err(error) = writer.write(pt, now, time, packet.payload.as_slice().to_vec()) {
                tracing::debug!(%error, "a packet of sound was not taken");
            }
            self.publisher.drain(now)?;
        }
        Ok(())
    }

    pub(super) fn send_picture(&mut self, frame: &EncodedFrame) -> Result<(), CallError> {
        let Some(mid) = self.camera.as_ref().and_then(|sending| sending.mid) else { return Ok(()) };
        let now = now();
        let Some(writer) = self.publisher.rtc.writer(mid) else { return Ok(()) };
        let vp8 = writer.payload_params().find(|params| params.spec().codec == Codec::Vp8);
        let Some(pt) = vp8.map(str0m::format::PayloadParams::pt) else { return Ok(()) };
        let micros = u64::try_from(frame.timestamp.as_micros()).unwrap_or(0);
        let time = MediaTime::from_90khz(micros * 9 / 100);
        if let Err(error) = writer.write(pt, now, time, frame.data.to_vec()) {
            tracing::debug!(%error, "a picture was not taken");
        }
        self.stats.frames_sent += 1;
        self.publisher.drain(now)?;
        Ok(())
    }

    /// Opens or closes the camera as wanted.
    pub(super) fn film(&mut self) {
        let wanted = self.camera_wanted == Toggle::On && self.camera.is_some();
        if !wanted {
            self.filming = None;
        } else if self.filming.is_none() {
            let (putter, taker) = latest::slot::<Captured>();
            let states = self.camera_sender.clone();
            let (frames, hub) = (self.frame_sender.clone(), self.setup.video.clone());
            let picture = self.setup.options.picture;
            let encoding = encode::start(taker, frames, hub, Arc::clone(&self.steering), picture, self.origin);
            let tell = move |state| _ = states.try_send(state);
            let camera = encoding.and_then(|()| camera::start(self.setup.camera.clone(), picture, putter, tell));
            match camera {
                Ok(camera) => self.filming = Some(Filming { _camera: camera }),
                Err(error) => tracing::error!(%error, "the camera's threads cannot be made"),
            }
        }
    }

    pub(super) async fn on_camera(&mut self, state: CameraState) {
        if self.filming.is_none() {
            return;
        }
        match state {
            CameraState::Works => self.emit(PeerEvent::DeviceRecovered { kind: DeviceKind::Camera }).await,
            CameraState::Failed(why) => self.emit(PeerEvent::DeviceFailed { kind: DeviceKind::Camera, why }).await,
        }
    }
}
