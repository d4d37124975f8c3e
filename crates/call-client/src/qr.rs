//! An invite as a QR code: blocks for a terminal, a drawing for a page.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// White around the code, in modules; readers need four (ISO/IEC 18004).
const QUIET: usize = 4;

/// A text as a QR code.
#[derive(Debug, Clone)]
pub struct Qr {
    dark: Vec<bool>,
    width: usize,
}

/// The text is too long for a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of {length} bytes is too long for a QR code: send the link itself")]
pub struct TooLong {
    /// Its length in bytes.
    pub length: usize,
}

impl Qr {
    /// Draws a text, as an invite's link.
    ///
    /// # Errors
    /// When it has more than about 2,300 bytes.
    pub fn of(text: &str) -> Result<Self, TooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TooLong { length: text.len() })?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { dark, width: code.width() })
    }

    /// Modules on a side, with the white around.
    #[must_use]
    pub fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.dark[y * self.width + x])
    }

    /// Two rows of modules a line, as half blocks: black on white, whatever the terminal's colours are.
    #[must_use]
    pub fn for_terminal(&self) -> String {
        let mut text = String::new();
        for y in (0..self.side()).step_by(2) {
            text.push_str("\u{1b}[30;107m");
            for x in 0..self.side() {
                text.push(match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str("\u{1b}[0m\n");
        }
        text
    }

    /// A drawing in black on white, a unit for each module; it scales with its box.
    #[must_use]
    pub fn svg(&self) -> String {
        let side = self.side();
        let mut path = String::new();
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            if self.is_dark(x, y) {
                _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str =
        "bellbird://join/calls.example.org:7480/abcdefghjkmnpqrstuvw?pin=3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// What a camera would read in a picture of modules.
    fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        const PIXELS: usize = 6;
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * PIXELS, side * PIXELS, |x, y| {
            if is_dark(x / PIXELS, y / PIXELS) { 0 } else { 255 }
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one code is seen");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_terminal_shows_what_a_camera_reads() {
        let qr = Qr::of(LINK).unwrap();
        let text = qr.for_terminal().replace("\u{1b}[30;107m", "").replace("\u{1b}[0m", "");
        let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        assert!(rows.iter().all(|row| row.len() == qr.side()));
        let seen = read(qr.side(), |x, y| match rows[y / 2][x] {
            '█' => true,
            '▀' => y.is_multiple_of(2),
            '▄' => !y.is_multiple_of(2),
            _ => false,
        });
        assert_eq!(seen, LINK);
    }

    #[test]
    fn the_drawing_shows_the_same() {
        let qr = Qr::of(LINK).unwrap();
        let svg = qr.svg();
        let path = svg.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut dark = std::collections::BTreeSet::new();
        for module in path.split_inclusive('z') {
            let at = module.strip_prefix('M').unwrap().strip_suffix("h1v1h-1z").unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            dark.insert((x.parse::<usize>().unwrap(), y.parse::<usize>().unwrap()));
        }
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", qr.side())));
        assert_eq!(read(qr.side(), |x, y| dark.contains(&(x, y))), LINK);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        assert_eq!(Qr::of(&"x".repeat(3_000)).unwrap_err(), TooLong { length: 3_000 });
    }
}
