//! A Y4M file in place of a camera: raw pictures (4:2:0, 8 bit), again and again.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

/// Longest header line; real ones have some fifty bytes.
const MAX_LINE: u64 = 4096;
/// Pictures larger than this in either direction are a damaged header.
const MAX_SIDE: usize = 8192;

/// An open file.
pub(crate) struct Y4m<F = File> {
    file: BufReader<F>,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pictures in so many seconds.
    rate: (u32, u32),
    /// Where the first picture begins.
    first: u64,
    picture: Vec<u8>,
}

impl Y4m {
    /// Opens a file.
    pub(crate) fn open(file: &Path) -> Result<Self, String> {
        Self::read_from(File::open(file).map_err(|error| error.to_string())?)
    }
}

impl<F: Read + Seek> Y4m<F> {
    /// Reads the header and the first picture; says in words what is wrong with them.
    pub(crate) fn read_from(file: F) -> Result<Self, String> {
        let mut file = BufReader::new(file);
        let header = line(&mut file).map_err(|error| error.to_string())?;
        let mut words = header.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err("it is not a Y4M file: convert it, for example with ffmpeg -pix_fmt yuv420p".to_owned());
        }
        let (mut width, mut height, mut rate) = (0, 0, None);
        for word in words.filter(|word| word.is_char_boundary(1)) {
            let (kind, value) = word.split_at(1);
            match kind {
                "W" => width = value.parse().unwrap_or(0),
                "H" => height = value.parse().unwrap_or(0),
                "F" => rate = parse_rate(value),
                "C" if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                    return Err(format!(
                        "its colours are stored as {value}: convert it, for example with ffmpeg -pix_fmt yuv420p"
                    ));
                }
                _ => {}
            }
        }
        let rate = rate.ok_or("its header names no frame rate")?;
        if !(2..=MAX_SIDE).contains(&width) || !(2..=MAX_SIDE).contains(&height) {
            return Err(format!("its header says {width}×{height} pixels, which is no picture"));
        }
        let first = file.stream_position().map_err(|error| error.to_string())?;
        let picture = vec![0; width * height + 2 * width.div_ceil(2) * height.div_ceil(2)];
        let mut opened = Self { file, width, height, rate, first, picture };
        opened.advance()?;
        opened.rewind()?;
        Ok(opened)
    }

    /// When the picture with this number is due, from the start.
    pub(super) fn due(&self, number: u64) -> Duration {
        let (pictures, seconds) = self.rate;
        Duration::from_secs_f64(number as f64 * f64::from(seconds) / f64::from(pictures))
    }

    /// The picture that was read last: Y, U and V, one after the other.
    pub(super) fn picture(&self) -> &[u8] {
        &self.picture
    }

    /// Goes on to the next picture; after the last comes the first.
    pub(crate) fn advance(&mut self) -> Result<(), String> {
        if self.read().is_err() {
            self.rewind()?;
            self.read().map_err(|error| format!("it has no whole picture ({error})"))?;
        }
        Ok(())
    }

    fn read(&mut self) -> std::io::Result<()> {
        let header = line(&mut self.file)?;
        if !header.starts_with("FRAME") {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        self.file.read_exact(&mut self.picture)
    }

    fn rewind(&mut self) -> Result<(), String> {
        self.file.seek(SeekFrom::Start(self.first)).map(|_| ()).map_err(|error| error.to_string())
    }
}

fn line<F: Read>(file: &mut BufReader<F>) -> std::io::Result<String> {
    let mut line = Vec::new();
    file.take(MAX_LINE).read_until(b'\n', &mut line)?;
    line.pop_if(|last| *last == b'\n').ok_or(std::io::ErrorKind::UnexpectedEof)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn parse_rate(text: &str) -> Option<(u32, u32)> {
    let (pictures, seconds) = text.split_once(':')?;
    let rate = (pictures.parse().ok()?, seconds.parse().ok()?);
    (rate.0 > 0 && rate.1 > 0).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, pictures: &[u8]) -> (tempfile::TempDir, Result<Y4m, String>) {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("card.y4m");
        let mut bytes = format!("{header}\n").into_bytes();
        for luma in pictures {
            bytes.extend_from_slice(b"FRAME\n");
            bytes.extend_from_slice(&[*luma; 12]);
            bytes.extend_from_slice(&[128; 8]);
        }
        std::fs::write(&name, bytes).unwrap();
        let opened = Y4m::open(&name);
        (folder, opened)
    }

    #[test]
    fn pictures_come_again_and_again_and_in_time() {
        // 3 × 4 pixels: chroma of odd sizes is rounded up.
        let (_folder, opened) = file("YUV4MPEG2 W3 H4 F30000:1001 Ip A1:1 C420jpeg", &[10, 20]);
        let mut opened = opened.unwrap();
        let mut next = || opened.advance().map(|()| opened.picture()[0]).unwrap();
        let seen: Vec<u8> = (0..5).map(|_| next()).collect();
        assert_eq!(seen, [10, 20, 10, 20, 10]);
        assert_eq!(opened.due(30_000).as_millis(), 1_001_000);
    }

    #[test]
    fn what_cannot_be_shown_is_refused_in_words() {
        for (header, pictures, why) in [
            ("RIFF", 1, "not a Y4M"),
            ("YUV4MPEG2 W3 H4 F30:1 C444", 1, "yuv420p"),
            ("YUV4MPEG2 W3 H4", 1, "frame rate"),
            ("YUV4MPEG2 W0 H4 F30:1", 1, "no picture"),
            ("YUV4MPEG2 W3 H4 F30:1", 0, "no whole picture"),
        ] {
            let (_folder, opened) = file(header, &vec![10; pictures]);
            let said = opened.map(|_| ()).unwrap_err();
            assert!(said.contains(why), "{header}: {said}");
        }
    }
}
