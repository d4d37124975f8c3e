//! How large the pictures of the camera are when they are sent, and how many come in a second.

use std::time::{Duration, Instant};

/// What is sent where nothing says less: more does not fit into what a call of several people can take.
const USUAL: Picture = Picture { width: 640, height: 360, rate: 30 };
/// No picture is smaller than this in either direction.
const LEAST: u16 = 16;

/// The pictures of a camera as they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// Pictures a second, at most.
    pub rate: u8,
}

impl Default for Picture {
    fn default() -> Self {
        USUAL
    }
}

impl Picture {
    /// The usual picture, made smaller until it is no larger than this in any direction; its shape stays.
    #[must_use]
    pub fn within(width: u16, height: u16, rate: u8) -> Self {
        let fits = f64::from(width) / f64::from(USUAL.width);
        let fits = fits.min(f64::from(height) / f64::from(USUAL.height)).min(1.0);
        // Even: colours are stored for every second pixel.
        let side = |usual: u16| ((f64::from(usual) * fits / 2.0).floor() as u16 * 2).max(LEAST);
        Self { width: side(USUAL.width), height: side(USUAL.height), rate: rate.clamp(1, USUAL.rate) }
    }
}

/// Lets as many pictures through as may come in a second.
#[derive(Debug)]
pub(super) struct Pace {
    between: Duration,
    due: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: u8) -> Self {
        Self { between: Duration::from_secs(1) / u32::from(rate.max(1)), due: None }
    }

    /// Whether the picture of this moment is sent. Cameras are not punctual: one that is a little early counts.
    pub(super) fn takes(&mut self, at: Instant) -> bool {
        let due = self.due.unwrap_or(at);
        if at + self.between / 4 < due {
            return false;
        }
        // After a pause it begins anew instead of catching up.
        self.due = Some((due + self.between).max(at + self.between * 3 / 4));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape_within_what_a_call_allows() {
        let picture = |width, height, rate| Picture { width, height, rate };
        assert_eq!(Picture::within(1280, 720, 30), picture(640, 360, 30), "no call asks for more than is usual");
        assert_eq!(Picture::within(320, 720, 15), picture(320, 180, 15));
        assert_eq!(Picture::within(1280, 120, 60), picture(212, 120, 30));
        assert_eq!(Picture::within(0, 0, 0), picture(16, 16, 1));
    }

    #[test]
    fn no_more_pictures_are_sent_than_a_call_allows() {
        #[expect(clippy::disallowed_methods, reason = "a start to count from")]
        let begin = Instant::now();
        let sent = |rate, camera: u64| {
            let mut pace = Pace::new(rate);
            // Of ten seconds, and the camera is up to 3 ms early or late.
            let at =
                |number: u64| begin + Duration::from_micros(number * 1_000_000 / camera + (number * 7 % 6) * 1_000);
            (0..10 * camera).filter(|number| pace.takes(at(*number))).count()
        };
        assert_eq!(sent(30, 30), 300);
        assert_eq!(sent(10, 30), 100);
        assert!((145..=151).contains(&sent(15, 25)), "{}", sent(15, 25));
        assert_eq!(sent(30, 5), 50);
    }
}
