//! A virtual screen: looked at pixel by pixel, and touched with a mouse.

use std::{fs::File, io::BufWriter, path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};
use x11rb::{
    connection::Connection as _,
    protocol::{
        xproto::{
            AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ChangeWindowAttributesAux, ClientMessageEvent,
            ConnectionExt as _, CreateGCAux, EventMask, GetPropertyReply, ImageFormat, MOTION_NOTIFY_EVENT, Window,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

use crate::process::Program;

/// Width and height of every screen, in pixels.
const SIZE: (u16, u16) = (1280, 800);

/// Red, green, blue.
pub type Colour = [u8; 3];

/// A part of a screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// A point of it; `(0.5, 0.5)` is the middle.
    #[must_use]
    pub fn at(&self, across: f64, down: f64) -> (i32, i32) {
        ((self.x + self.width * across).round() as i32, (self.y + self.height * down).round() as i32)
    }
}

/// What a screen showed.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// RGB, row by row.
    pixels: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Picture {}×{}", self.width, self.height)
    }
}

impl Picture {
    /// The mean colour around a point (9×9 pixels).
    #[must_use]
    pub fn colour(&self, (x, y): (i32, i32)) -> Colour {
        let mut sum = [0u32; 3];
        let mut count = 0;
        for row in y - 4..=y + 4 {
            for column in x - 4..=x + 4 {
                let (Ok(row), Ok(column)) = (usize::try_from(row), usize::try_from(column)) else { continue };
                if row < self.height && column < self.width {
                    let place = (row * self.width + column) * 3;
                    for (sum, value) in sum.iter_mut().zip(&self.pixels[place..place + 3]) {
                        *sum += u32::from(*value);
                    }
                    count += 1;
                }
            }
        }
        sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    }

    /// A part of it, with some room around.
    #[must_use]
    pub fn part(&self, rect: Rect, room: f64) -> Self {
        let within = |value: f64, most: usize| (value.max(0.0) as usize).min(most);
        let (left, right) = (within(rect.x - room, self.width), within(rect.x + rect.width + room, self.width));
        let (top, bottom) = (within(rect.y - room, self.height), within(rect.y + rect.height + room, self.height));
        let row = |row: usize| self.pixels[(row * self.width + left) * 3..(row * self.width + right) * 3].iter();
        Self { width: right - left, height: bottom - top, pixels: (top..bottom).flat_map(row).copied().collect() }
    }

    /// Another picture to the right of this one.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        let (width, height) = (self.width + other.width, self.height.min(other.height));
        let mut pixels = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            pixels.extend_from_slice(&self.pixels[row * self.width * 3..(row + 1) * self.width * 3]);
            pixels.extend_from_slice(&other.pixels[row * other.width * 3..(row + 1) * other.width * 3]);
        }
        Self { width, height, pixels }
    }

    /// Writes it as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: &Path) -> Result<()> {
        let file = BufWriter::new(File::create(file)?);
        let mut encoder = png::Encoder::new(file, u32::try_from(self.width)?, u32::try_from(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(())
    }
}

/// A screen with nothing on it but what is started there.
pub(crate) struct Screen {
    name: String,
    connection: RustConnection,
    root: Window,
    _server: Program,
}

impl Screen {
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let (width, height) = SIZE;
        let size = format!("{width}x{height}x24");
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", &size, "-dpi", "96", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped());
        let mut server = Program::start("Xvfb", &mut command, &folder.join("xvfb.log"))?;
        let printed = server.child().stdout.take().context("Xvfb has no output")?;
        let number = BufReader::new(printed).lines().next_line().await?;
        let number = number.context("Xvfb ended before it named its display; see xvfb.log")?;
        let name = format!(":{}", number.trim());
        let (connection, screen) = x11rb::connect(Some(&name))?;
        let root = connection.setup().roots[screen].root;
        paint_wall(&connection, root)?;
        Ok(Self { name, connection, root, _server: server })
    }

    /// The value for `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn picture(&self) -> Result<Picture> {
        let (width, height) = SIZE;
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, !0)?.reply()?;
        let (width, height) = (usize::from(width), usize::from(height));
        if image.data.len() != width * height * 4 {
            bail!("the screen has an unexpected depth");
        }
        // Blue, green, red, unused: the order of a 24-bit visual on a little-endian machine.
        let pixels = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok(Picture { width, height, pixels })
    }

    /// Moves the mouse.
    pub(crate) fn point(&self, (x, y): (i32, i32)) -> Result<()> {
        let (x, y) = (i16::try_from(x)?, i16::try_from(y)?);
        self.connection.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, self.root, x, y, 0)?.check()?;
        Ok(())
    }

    /// Presses the left button down where the mouse is.
    pub(crate) fn press(&self) -> Result<()> {
        self.connection.xtest_fake_input(BUTTON_PRESS_EVENT, 1, 0, self.root, 0, 0, 0)?.check()?;
        Ok(())
    }

    /// Lets the left button go.
    pub(crate) fn release(&self) -> Result<()> {
        self.connection.xtest_fake_input(BUTTON_RELEASE_EVENT, 1, 0, self.root, 0, 0, 0)?.check()?;
        Ok(())
    }

    /// Moves the mouse out of the way.
    pub(crate) fn put_mouse_away(&self) -> Result<()> {
        self.point((i32::from(SIZE.0) - 1, 0))
    }

    /// Presses the close button of a window with this title, as the window manager offers it.
    pub(crate) fn close(&self, title: &str) -> Result<()> {
        let atom =
            |name: &str| -> Result<u32> { Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom) };
        let read = |window, property| -> Result<GetPropertyReply> {
            Ok(self.connection.get_property(false, window, property, AtomEnum::ANY, 0, 1024)?.reply()?)
        };
        let (list, name, close) = (atom("_NET_CLIENT_LIST")?, atom("_NET_WM_NAME")?, atom("_NET_CLOSE_WINDOW")?);
        let windows: Vec<Window> = read(self.root, list)?.value32().context("no list of windows")?.collect();
        for window in windows {
            if read(window, name)?.value == title.as_bytes() {
                let event = ClientMessageEvent::new(32, window, close, [0, 2, 0, 0, 0]);
                let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
                self.connection.send_event(false, self.root, mask, event)?.check()?;
                return Ok(());
            }
        }
        bail!("there is no window {title:?}")
    }

    /// The window that would get what is typed.
    pub(crate) fn focus(&self) -> Result<Window> {
        Ok(self.connection.get_input_focus()?.reply()?.focus)
    }
}

/// A dusky gradient, so that windows stand out from what is behind them.
fn paint_wall(connection: &RustConnection, root: Window) -> Result<()> {
    /// Rows a request; more would not fit into one.
    const STRIP: u16 = 40;
    let (width, height) = SIZE;
    let (pixmap, context) = (connection.generate_id()?, connection.generate_id()?);
    connection.create_pixmap(24, pixmap, root, width, height)?;
    connection.create_gc(context, pixmap, &CreateGCAux::new())?;
    for top in (0..height).step_by(usize::from(STRIP)) {
        let mut strip = Vec::with_capacity(usize::from(STRIP) * usize::from(width) * 4);
        for y in top..top + STRIP {
            for x in 0..width {
                let share = (f64::from(y) / f64::from(height) + f64::from(x) / f64::from(width)) / 2.0;
                let fade = |from: f64, to: f64| (from + (to - from) * share).round() as u8;
                strip.extend_from_slice(&[fade(112.0, 64.0), fade(126.0, 52.0), fade(98.0, 38.0), 0]);
            }
        }
        let y = i16::try_from(top)?;
        connection.put_image(ImageFormat::Z_PIXMAP, pixmap, context, width, STRIP, 0, y, 0, 24, &strip)?.check()?;
    }
    let background = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
    connection.change_window_attributes(root, &background)?;
    connection.clear_area(false, root, 0, 0, 0, 0)?.check()?;
    Ok(())
}
