//! Somebody drawn with a few shapes, who sways a little: for pictures that people look at.

use std::f64::consts::TAU;

use super::{HEIGHT, WIDTH};
use crate::screen::Colour;

/// Who sits before the camera, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    skin: Colour,
    hair: Colour,
    shirt: Colour,
    wall: [Colour; 2],
    lamp: Colour,
    has_long_hair: bool,
}

impl Portrait {
    /// Ann, in a warm room.
    #[must_use]
    pub fn ann() -> Self {
        Self {
            skin: [238, 190, 160],
            hair: [92, 52, 34],
            shirt: [214, 96, 77],
            wall: [[246, 226, 200], [214, 176, 142]],
            lamp: [255, 240, 206],
            has_long_hair: true,
        }
    }

    /// Ben, in the evening.
    #[must_use]
    pub fn ben() -> Self {
        Self {
            skin: [172, 116, 84],
            hair: [34, 26, 26],
            shirt: [52, 108, 150],
            wall: [[96, 128, 140], [46, 66, 84]],
            lamp: [244, 206, 140],
            has_long_hair: false,
        }
    }

    pub(super) fn colour(&self, x: usize, y: usize, time: f64) -> Colour {
        let aspect = WIDTH as f64 / HEIGHT as f64;
        // Height runs from 0 to 1, width from -aspect/2 to aspect/2.
        let (x, y) = ((x as f64 / WIDTH as f64 - 0.5) * aspect, y as f64 / HEIGHT as f64);
        let mut colour = self.room(x, y);
        let sway = 0.008 * (time * TAU).sin();
        let nod = 0.004 * (time * 2.0 * TAU).sin();
        let (px, py) = (x - sway, y - nod);
        if self.has_long_hair {
            colour = mix(colour, self.hair, inside(ellipse(px, py - 0.47, 0.185, 0.30)));
        }
        let shoulders = ellipse(x - sway * 0.4, y - 1.08, 0.40, 0.36);
        colour = mix(colour, self.shirt, inside(shoulders));
        let neck = (px.abs() - 0.062).max((py - 0.66).abs() - 0.11);
        colour = mix(colour, shade(self.skin, 0.86), inside(neck));
        colour = mix(colour, self.skin, inside(ellipse(px, py - 0.43, 0.132, 0.19)));
        colour = mix(colour, self.hair, inside(self.fringe(px, py)));
        for side in [-1.0, 1.0] {
            colour = mix(colour, [250, 250, 250], inside(ellipse(px - side * 0.052, py - 0.425, 0.021, 0.013)));
            colour = mix(colour, [40, 30, 28], inside(ellipse(px - side * 0.052, py - 0.425, 0.010, 0.012)));
            let brow = ellipse(px - side * 0.052, py - 0.388, 0.026, 0.006);
            colour = mix(colour, self.hair, inside(brow));
        }
        colour = mix(colour, shade(self.skin, 0.8), inside(ellipse(px, py - 0.475, 0.012, 0.022)));
        let mouth = ellipse(px, py - 0.53, 0.045, 0.022).max(0.53 - py);
        mix(colour, [176, 74, 70], inside(mouth))
    }

    fn room(&self, x: f64, y: f64) -> Colour {
        let mut colour = blend(self.wall[0], self.wall[1], y * 0.8 + (x * 0.3).abs());
        let glow = 1.0 - ((x + 0.62).hypot(y - 0.22) / 0.5).min(1.0);
        colour = blend(colour, self.lamp, glow * glow * 0.7);
        let frame = (x - 0.60).abs().max((y - 0.30) * 0.8) - 0.13;
        let canvas = (x - 0.60).abs().max((y - 0.30).abs() * 0.8) - 0.12;
        if (y - 0.30).abs() * 0.8 < 0.13 {
            colour = mix(colour, shade(self.wall[1], 0.6), inside(frame));
        }
        mix(colour, blend(self.wall[0], self.shirt, 0.35), inside(canvas))
    }

    fn fringe(&self, x: f64, y: f64) -> f64 {
        let cap = ellipse(x, y - 0.36, 0.142, 0.155);
        let face = ellipse(x - 0.02, y - 0.45, 0.128, 0.135);
        cap.max(-face)
    }
}

/// Below zero inside; about the distance to the edge, in picture heights.
fn ellipse(x: f64, y: f64, width: f64, height: f64) -> f64 {
    ((x / width).hypot(y / height) - 1.0) * width.min(height)
}

/// How much of a pixel lies inside an edge: 0 to 1.
fn inside(distance: f64) -> f64 {
    (0.5 - distance * HEIGHT as f64 / 1.5).clamp(0.0, 1.0)
}

fn mix(under: Colour, over: Colour, share: f64) -> Colour {
    if share <= 0.0 { under } else { blend(under, over, share) }
}

fn blend(from: Colour, to: Colour, share: f64) -> Colour {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|place| (f64::from(from[place]) * (1.0 - share) + f64::from(to[place]) * share).round() as u8)
}

fn shade(colour: Colour, by: f64) -> Colour {
    colour.map(|value| (f64::from(value) * by).round() as u8)
}
