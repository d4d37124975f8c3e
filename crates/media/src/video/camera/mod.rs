//! The camera, watched over because drivers block; the newest picture goes into a slot.

pub(crate) mod convert;
mod watch;
pub(crate) mod y4m;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use nokhwa::{
    Camera,
    pixel_format::RgbFormat,
    utils::{ApiBackend, CameraFormat, FrameFormat, RequestedFormat, RequestedFormatType, Resolution},
};

use self::watch::{Times, watch};
pub(crate) use self::y4m::Y4m;
use crate::{
    choice::Choice,
    engine::DeviceInfo,
    frame::Captured,
    video::{
        latest::Putter,
        picture::{Pace, Picture},
    },
};

const FRAME_RATE: u32 = 30;

/// What a camera tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CameraState {
    Works,
    Failed(String),
}

/// A running camera; dropping it closes the device.
pub(crate) struct RunningCamera {
    stop: Arc<AtomicBool>,
}

impl Drop for RunningCamera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Every camera of this machine.
pub(crate) fn list() -> Vec<DeviceInfo> {
    let cameras = nokhwa::query(ApiBackend::Auto).unwrap_or_default();
    let listed = cameras.into_iter().enumerate().map(|(place, camera)| DeviceInfo {
        id: camera.index().as_string(),
        name: camera.human_name(),
        is_default: place == 0,
    });
    listed.collect()
}

/// Starts the chosen camera, the first one, or the file in its place; tries again while it does not work.
pub(crate) fn start(
    choice: Choice,
    picture: Picture,
    pictures: Putter<Captured>,
    tell: impl Fn(CameraState) + Send + 'static,
) -> std::io::Result<RunningCamera> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let pictures = Arc::new(pictures);
    let open = move || Ok(next_picture(open(&choice, picture)?, picture, Arc::clone(&pictures)));
    std::thread::Builder::new()
        .name("camera".to_owned())
        .spawn(move || watch(Times::default(), open, &stopped, tell))?;
    Ok(RunningCamera { stop })
}

enum Opened {
    Device(Camera),
    File(Y4m),
}

fn open(choice: &Choice, picture: Picture) -> Result<Opened, String> {
    match choice {
        Choice::Default => open_device(None, picture).map(Opened::Device),
        Choice::Device(id) => open_device(Some(id), picture).map(Opened::Device),
        Choice::File(file) => {
            let opened = Y4m::open(file).map_err(|why| format!("{} cannot be shown: {why}", file.display()));
            opened.map(Opened::File)
        }
        Choice::None => Err("No camera is used here.".to_owned()),
    }
}

fn open_device(chosen: Option<&str>, picture: Picture) -> Result<Camera, String> {
    let cameras = nokhwa::query(ApiBackend::Auto).unwrap_or_default();
    let wanted = cameras.iter().find(|camera| Some(camera.index().as_string().as_str()) == chosen);
    let camera = wanted.or_else(|| cameras.first());
    let index =
        camera.map(|camera| camera.index().clone()).ok_or("No camera was found: plug one in, or go on without.")?;
    let in_use =
        |error: nokhwa::NokhwaError| format!("The camera cannot be used ({error}): another program may be using it.");
    let mut camera =
        Camera::new(index, RequestedFormat::new::<RgbFormat>(RequestedFormatType::None)).map_err(in_use)?;
    let formats = camera.compatible_camera_formats().map_err(in_use)?;
    if let Some(best) = best_format(&formats, picture) {
        let exact = RequestedFormat::new::<RgbFormat>(RequestedFormatType::Exact(best));
        camera.set_camera_requset(exact).map_err(in_use)?;
    }
    camera.open_stream().map_err(in_use)?;
    Ok(camera)
}

/// The cheapest format that is large and fast enough: raw before compressed, near the size that is sent.
fn best_format(formats: &[CameraFormat], picture: Picture) -> Option<CameraFormat> {
    let wanted = Resolution::new(u32::from(picture.width), u32::from(picture.height));
    let cost = |format: &CameraFormat| {
        let kind = match format.format() {
            FrameFormat::YUYV => 0,
            FrameFormat::NV12 => 1,
            FrameFormat::MJPEG => 2,
            FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => return None,
        };
        let (size, rate) = (format.resolution(), format.frame_rate());
        let too_small = size.width() < wanted.width() || size.height() < wanted.height();
        let too_large = (size.width() * size.height()).saturating_sub(wanted.width() * wanted.height());
        Some((rate < FRAME_RATE.min(24), too_small, too_large / 50_000, kind, rate.abs_diff(FRAME_RATE)))
    };
    formats.iter().filter_map(|format| Some((cost(format)?, *format))).min_by_key(|(cost, _)| *cost).map(|(_, f)| f)
}

/// Takes one picture at a time; dropping it closes the device or the file.
fn next_picture(
    opened: Opened,
    size: Picture,
    pictures: Arc<Putter<Captured>>,
) -> Box<dyn FnMut() -> Result<(), String>> {
    match opened {
        Opened::Device(camera) => Box::new(next_of_device(camera, size, pictures)),
        Opened::File(file) => Box::new(next_of_file(file, size, pictures)),
    }
}

fn next_of_device(
    mut camera: Camera,
    size: Picture,
    pictures: Arc<Putter<Captured>>,
) -> impl FnMut() -> Result<(), String> {
    let mut pace = Pace::new(size.rate);
    move || {
        let buffer = camera
            .frame()
            .map_err(|error| format!("The camera stopped ({error}): check its plug; it is being tried again."))?;
        let at = now();
        if pace.takes(at)
            && let Some(picture) = convert::to_i420(&buffer, size.width, size.height)
        {
            pictures.put(Captured { picture, at });
        }
        Ok(())
    }
}

/// Shows a file at its own rate, counted from the start; what is late is skipped.
fn next_of_file(mut file: Y4m, size: Picture, pictures: Arc<Putter<Captured>>) -> impl FnMut() -> Result<(), String> {
    let begun = now();
    let mut pace = Pace::new(size.rate);
    let mut number = 0;
    move || {
        let at = begun + file.due(number);
        while at > now() {
            std::thread::park_timeout(at.saturating_duration_since(now()));
        }
        file.advance()?;
        number += 1;
        if begun + file.due(number) > now() && pace.takes(at) {
            let picture = convert::from_i420(file.picture(), file.width, file.height, size.width, size.height);
            pictures.put(Captured { picture, at });
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "pictures are stamped when they come")]
fn now() -> Instant {
    Instant::now()
}
