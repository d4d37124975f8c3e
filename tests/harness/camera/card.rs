//! A test card: five spots of known colours over a moving ground, so that encoders have something to do.

use super::{HEIGHT, WIDTH};
use crate::screen::Colour;

/// Where the spots are, as shares of width and height: four corners and the middle.
pub const SPOTS: [(f64, f64); 5] = [(0.125, 0.125), (0.875, 0.125), (0.125, 0.875), (0.875, 0.875), (0.5, 0.5)];
/// Half the side of a spot, in pixels.
const SPOT: f64 = 36.0;

/// A card is known by the colours of its spots, in the order of [`SPOTS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The colours.
    pub spots: [Colour; 5],
}

impl Card {
    /// Reds and yellows.
    #[must_use]
    pub fn warm() -> Self {
        Self { spots: [[200, 40, 40], [220, 180, 40], [150, 60, 20], [240, 240, 240], [230, 120, 30]] }
    }

    /// Blues and greens.
    #[must_use]
    pub fn cold() -> Self {
        Self { spots: [[40, 60, 200], [30, 160, 90], [20, 20, 20], [60, 190, 200], [110, 60, 170]] }
    }

    pub(super) fn colour(&self, x: usize, y: usize, time: f64) -> Colour {
        for ((across, down), colour) in SPOTS.iter().zip(&self.spots) {
            let (from_x, from_y) = (x as f64 - across * WIDTH as f64, y as f64 - down * HEIGHT as f64);
            if from_x.abs() < SPOT && from_y.abs() < SPOT {
                return *colour;
            }
        }
        // Slow waves in grey; they close after the loop.
        let wave = ((x + y) as f64 / 60.0 + time * std::f64::consts::TAU).sin();
        [(120.0 + 40.0 * wave) as u8; 3]
    }
}
