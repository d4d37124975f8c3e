//! A camera that the app cannot tell from a real one: a V4L2 stand-in, preloaded, which plays frames from a file.

mod card;
mod portrait;

use std::{fs::File, io::Write as _, path::Path};

use anyhow::Result;

use crate::screen::Colour;

pub use card::{Card, SPOTS};
pub use portrait::Portrait;

/// The library to preload.
pub(crate) const LIBRARY: &str = env!("BELLBIRD_CAMERA_LIBRARY");
/// Size of the pictures.
pub(crate) const WIDTH: usize = 640;
/// Size of the pictures.
pub(crate) const HEIGHT: usize = 360;
/// Frames in the loop: two seconds.
const FRAMES: usize = 60;

/// What stands before a camera.
#[derive(Debug, Clone, PartialEq)]
pub enum Scene {
    /// Spots of known colours, for measuring.
    Card(Card),
    /// Somebody drawn, for looking at.
    Portrait(Portrait),
}

impl Scene {
    /// The colour at a point of the first frame, as shares of width and height.
    #[must_use]
    pub fn colour(&self, (across, down): (f64, f64)) -> Colour {
        let (x, y) = ((across * WIDTH as f64) as usize, (down * HEIGHT as f64) as usize);
        match self {
            Self::Card(card) => card.colour(x, y, 0.0),
            Self::Portrait(portrait) => portrait.colour(x, y, 0.0),
        }
    }

    /// Writes two seconds of YUYV frames.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let mut file = File::create(file)?;
        let mut yuyv = vec![0; WIDTH * HEIGHT * 2];
        for frame in 0..FRAMES {
            let time = frame as f64 / FRAMES as f64;
            match self {
                Self::Card(card) => fill(&mut yuyv, |x, y| card.colour(x, y, time)),
                Self::Portrait(portrait) => fill(&mut yuyv, |x, y| portrait.colour(x, y, time)),
            }
            file.write_all(&yuyv)?;
        }
        Ok(())
    }
}

fn fill(yuyv: &mut [u8], colour: impl Fn(usize, usize) -> Colour) {
    for (place, pair) in yuyv.chunks_exact_mut(4).enumerate() {
        let (x, y) = (place * 2 % WIDTH, place * 2 / WIDTH);
        let (left, right) = (to_yuv(colour(x, y)), to_yuv(colour(x + 1, y)));
        let mean = |a: u8, b: u8| a.midpoint(b);
        pair.copy_from_slice(&[left[0], mean(left[1], right[1]), right[0], mean(left[2], right[2])]);
    }
}

/// ITU-R BT.601, limited range, as cameras send it.
fn to_yuv([red, green, blue]: Colour) -> [u8; 3] {
    let (red, green, blue) = (f64::from(red) / 255.0, f64::from(green) / 255.0, f64::from(blue) / 255.0);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    let y = 16.0 + 219.0 * luma;
    let u = 128.0 + 224.0 * (blue - luma) / 1.772;
    let v = 128.0 + 224.0 * (red - luma) / 1.402;
    [y, u, v].map(|value| value.round().clamp(0.0, 255.0) as u8)
}
