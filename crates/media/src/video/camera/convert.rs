//! What cameras give, as I420 of the size that is sent.

use nokhwa::{Buffer, utils::FrameFormat};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use crate::frame::I420;

/// A source of samples: luma and chroma anywhere in a picture.
struct Source<'a> {
    width: usize,
    height: usize,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// Y U Y V, two bytes a pixel.
    Yuyv(&'a [u8]),
    /// Luma, then interleaved chroma at half size.
    Nv12(&'a [u8]),
    /// Luma, then U, then V, each at half size rounded up.
    I420(&'a [u8]),
    /// Y, Cb, Cr, three bytes a pixel.
    YCbCr(Vec<u8>),
}

/// A whole I420 picture, scaled.
pub(super) fn from_i420(data: &[u8], source_width: usize, source_height: usize, width: u16, height: u16) -> I420 {
    scale(&Source { width: source_width, height: source_height, kind: Kind::I420(data) }, width, height)
}

/// Converts and scales in one go; `None` for damaged pictures and formats that are never asked for.
pub(crate) fn to_i420(buffer: &Buffer, width: u16, height: u16) -> Option<I420> {
    let size = buffer.resolution();
    let (source_width, source_height) = (size.width() as usize, size.height() as usize);
    if source_width == 0 || source_height == 0 {
        return None;
    }
    let data = buffer.buffer();
    // Chroma comes in pairs: there is none for half a pair.
    let kind = match buffer.source_frame_format() {
        FrameFormat::YUYV if source_width % 2 == 0 => Kind::Yuyv(data.get(..source_width * source_height * 2)?),
        FrameFormat::NV12 if source_width % 2 == 0 && source_height % 2 == 0 => {
            Kind::Nv12(data.get(..source_width * source_height * 3 / 2)?)
        }
        FrameFormat::YUYV | FrameFormat::NV12 => return None,
        FrameFormat::MJPEG => Kind::YCbCr(decode_jpeg(data, source_width, source_height)?),
        FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => return None,
    };
    Some(scale(&Source { width: source_width, height: source_height, kind }, width, height))
}

fn decode_jpeg(data: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    // The header first: what it says is what is allocated.
    decoder.decode_headers().ok()?;
    if decoder.dimensions() != Some((width, height)) {
        return None;
    }
    decoder.decode().ok().filter(|pixels| pixels.len() == width * height * 3)
}

/// Fills the whole picture: the source is cut to its shape around the middle, and the nearest samples are taken.
fn scale(source: &Source<'_>, width: u16, height: u16) -> I420 {
    let mut picture = I420::black(width, height);
    let (width, height) = (usize::from(width), usize::from(height));
    // The largest part of the source that has the picture's shape.
    let (cut_width, cut_height) = if source.width * height > source.height * width {
        (source.height * width / height, source.height)
    } else {
        (source.width, source.width * height / width)
    };
    let (left, top) = ((source.width - cut_width) / 2, (source.height - cut_height) / 2);
    let column = |x: usize, of: usize| left + x * cut_width / of;
    let row = |y: usize, of: usize| top + y * cut_height / of;
    let [luma, u, v] = picture.planes_mut();
    let columns: Vec<usize> = (0..width).map(|x| column(x, width)).collect();
    for (y, line) in luma.chunks_exact_mut(width).enumerate() {
        source.luma_line(row(y, height), &columns, line);
    }
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let columns: Vec<usize> = (0..half_width).map(|x| column(x, half_width)).collect();
    for (y, (u, v)) in u.chunks_exact_mut(half_width).zip(v.chunks_exact_mut(half_width)).enumerate() {
        source.chroma_line(row(y, half_height), &columns, u, v);
    }
    picture
}

impl Source<'_> {
    fn luma_line(&self, row: usize, columns: &[usize], out: &mut [u8]) {
        let (line, step) = match &self.kind {
            Kind::Yuyv(data) => (&data[row * self.width * 2..][..self.width * 2], 2),
            Kind::Nv12(data) | Kind::I420(data) => (&data[row * self.width..][..self.width], 1),
            Kind::YCbCr(data) => (&data[row * self.width * 3..][..self.width * 3], 3),
        };
        for (out, column) in out.iter_mut().zip(columns) {
            *out = line[column * step];
        }
    }

    fn chroma_line(&self, row: usize, columns: &[usize], u: &mut [u8], v: &mut [u8]) {
        for ((u, v), column) in u.iter_mut().zip(v).zip(columns) {
            (*u, *v) = match &self.kind {
                Kind::Yuyv(data) => {
                    let pair = row * self.width * 2 + (column / 2) * 4;
                    (data[pair + 1], data[pair + 3])
                }
                Kind::Nv12(data) => {
                    let pair = self.width * self.height + (row / 2) * self.width + (column / 2) * 2;
                    (data[pair], data[pair + 1])
                }
                Kind::I420(data) => {
                    let (half_width, half_height) = (self.width.div_ceil(2), self.height.div_ceil(2));
                    let place = self.width * self.height + (row / 2) * half_width + column / 2;
                    (data[place], data[place + half_width * half_height])
                }
                Kind::YCbCr(data) => {
                    let pixel = (row * self.width + column) * 3;
                    (data[pixel + 1], data[pixel + 2])
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_keep_their_place_when_scaled_from_any_format() {
        // Left half bright and reddish, right half dark and bluish.
        let (width, height) = (8usize, 4usize);
        let is_left = |x: usize| x < width / 2;
        let yuyv: Vec<u8> = (0..height)
            .flat_map(|_| {
                (0..width / 2)
                    .flat_map(|pair| if is_left(pair * 2) { [200, 100, 200, 180] } else { [50, 180, 50, 100] })
            })
            .collect();
        let mut nv12 = vec![0u8; width * height * 3 / 2];
        for y in 0..height {
            for x in 0..width {
                nv12[y * width + x] = if is_left(x) { 200 } else { 50 };
                let pair = width * height + (y / 2) * width + (x / 2) * 2;
                nv12[pair..pair + 2].copy_from_slice(if is_left(x) { &[100, 180] } else { &[180, 100] });
            }
        }
        let luma = width * height;
        let chroma = |of: usize| nv12[luma..].iter().skip(of).step_by(2).copied();
        let i420: Vec<u8> = nv12[..luma].iter().copied().chain(chroma(0)).chain(chroma(1)).collect();
        for kind in [Kind::Yuyv(&yuyv), Kind::Nv12(&nv12), Kind::I420(&i420)] {
            let picture = scale(&Source { width, height, kind }, 16, 8);
            let [y, u, v] = picture.planes();
            assert_eq!((y[0], y[15], u[0], u[7], v[0], v[7]), (200, 50, 100, 180, 180, 100));
        }
    }

    #[test]
    fn a_picture_of_another_shape_is_cut_not_stretched() {
        // 4:3 into 16:9: rows at the top and bottom are cut.
        let (width, height) = (8usize, 6usize);
        let yuyv: Vec<u8> = (0..height).flat_map(|y| vec![if y == 0 || y == 5 { 10 } else { 90 }; width * 2]).collect();
        let picture = scale(&Source { width, height, kind: Kind::Yuyv(&yuyv) }, 16, 8);
        assert!(picture.planes()[0].iter().all(|luma| *luma == 90));
    }
}
