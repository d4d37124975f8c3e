//! Pictures of people: what anybody uploads is decoded within limits, cut to a square and encoded anew.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};

/// Largest upload, in bytes.
pub(crate) const MAX_AVATAR_BYTES: usize = 5 * 1024 * 1024;
/// Largest side of an upload, in pixels.
const MAX_SIDE: u32 = 6_000;
/// Most memory that decoding may take, in bytes.
const MAX_MEMORY: u64 = 192 * 1024 * 1024;
/// Side of what is kept, in pixels: sharp on a tile of 128 at twice the density.
const SIDE: u32 = 256;
const QUALITY: u8 = 85;

/// Looks at the head of an upload: whether it is a picture, and of a size that is decoded.
///
/// # Errors
/// What is wrong with the upload, for people.
pub(crate) fn check(upload: &[u8]) -> Result<(), String> {
    decoder(upload).map(|_| ()).map_err(unreadable)
}

/// The picture as it is kept: a JPEG of 256 x 256, without what cameras write beside it (places, times, names).
///
/// # Errors
/// What is wrong with the upload, for people.
pub(crate) fn kept(upload: &[u8]) -> Result<Vec<u8>, String> {
    kept_as(upload, SIDE)
}

/// The same, with another side, in pixels.
pub(crate) fn kept_as(upload: &[u8], side: u32) -> Result<Vec<u8>, String> {
    let mut decoder = decoder(upload).map_err(unreadable)?;
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    let square = on_white(&square_of(&picture).resize_exact(side, side, FilterType::CatmullRom));
    let mut kept = Vec::new();
    square.write_with_encoder(JpegEncoder::new_with_quality(&mut kept, QUALITY)).map_err(unreadable)?;
    Ok(kept)
}

/// The middle of a picture, as wide as high. Cut before it is scaled: a line of pixels that is scaled to fill a square is a
/// thousand times as wide as that on the way.
fn square_of(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    picture.crop_imm((width - side) / 2, (height - side) / 2, side, side)
}

/// What has read the head and not yet the picture.
fn decoder(upload: &[u8]) -> Result<impl ImageDecoder, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::new(Cursor::new(upload)).with_guessed_format()?;
    reader.limits(limits);
    reader.into_decoder()
}

fn unreadable(error: ImageError) -> String {
    match error {
        ImageError::Limits(_) => format!("the picture is larger than {MAX_SIDE} x {MAX_SIDE} pixels"),
        _ => "this is no picture that can be read: JPEG, PNG and WebP can".to_owned(),
    }
}

fn on_white(picture: &DynamicImage) -> RgbImage {
    let rgba = picture.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0;
        let over = |part: u8| {
            let (part, alpha) = (u16::from(part), u16::from(alpha));
            u8::try_from((part * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([over(red), over(green), over(blue)])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn png(width: u32, height: u32, colour: [u8; 4]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        RgbaImage::from_pixel(width, height, Rgba(colour)).write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[test]
    fn an_avatar_is_a_small_square_jpeg() {
        let kept = kept(&png(900, 300, [200, 30, 30, 255])).unwrap();
        assert_eq!(image::guess_format(&kept).unwrap(), ImageFormat::Jpeg);
        let picture = image::load_from_memory(&kept).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (256, 256));
        let [red, green, _] = picture.get_pixel(128, 128).0;
        assert!(red.abs_diff(200) < 6 && green.abs_diff(30) < 6, "{red} {green}");
    }

    #[test]
    fn a_line_of_pixels_is_no_more_work_than_a_square() {
        for (width, height) in [(6_000, 1), (1, 6_000)] {
            let kept = kept(&png(width, height, [200, 30, 30, 255])).unwrap();
            assert_eq!(image::load_from_memory(&kept).unwrap().to_rgb8().dimensions(), (256, 256));
        }
    }

    #[test]
    fn what_shows_through_is_white() {
        let kept = kept(&png(10, 10, [0, 0, 0, 0])).unwrap();
        let picture = image::load_from_memory(&kept).unwrap().to_rgb8();
        assert!(picture.get_pixel(5, 5).0.iter().all(|part| *part > 250));
    }

    #[test]
    fn what_is_no_picture_and_what_is_too_large_is_refused() {
        assert!(kept(b"<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap_err().contains("JPEG"));
        let cut = png(300, 300, [9; 4]);
        assert!(kept(&cut[..cut.len() / 2]).is_err());
        // By its head alone, before anything is decoded.
        let large = png(6_001, 2, [0; 4]);
        assert!(check(&large[..64]).unwrap_err().contains("larger"));
        assert!(check(b"GIF89a").is_err());
        check(&cut[..64]).unwrap();
    }
}
