//! Pictures as they travel through the crate: raw I420 and encoded VP8.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// One encoded VP8 picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Can be decoded without the pictures before it.
    pub key: bool,
    /// Media time; its zero is the sender's choice, differences are what counts.
    pub timestamp: Duration,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// The VP8 bitstream of this picture.
    pub data: Bytes,
}

/// A raw picture: full-size luma, then U and V at half width and height (rounded up), each plane without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420 {
    width: u16,
    height: u16,
    data: Vec<u8>,
}

impl I420 {
    /// A black picture.
    pub fn black(width: u16, height: u16) -> Self {
        let luma = usize::from(width) * usize::from(height);
        let chroma = chroma_len(width, height);
        let mut data = vec![0; luma + 2 * chroma];
        data[..luma].fill(16);
        data[luma..].fill(128);
        Self { width, height, data }
    }

    /// Width in pixels.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Bytes in a row of U or V.
    pub fn chroma_width(&self) -> usize {
        usize::from(self.width).div_ceil(2)
    }

    /// All three planes, one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The planes as bytes of their own.
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }

    /// Y, U and V.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, chroma) = self.data.split_at(usize::from(self.width) * usize::from(self.height));
        let (u, v) = chroma.split_at(chroma_len(self.width, self.height));
        [luma, u, v]
    }

    /// Y, U and V, to be written.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = self.data.split_at_mut(usize::from(self.width) * usize::from(self.height));
        let (u, v) = chroma.split_at_mut(chroma_len(self.width, self.height));
        [luma, u, v]
    }
}

/// A picture and when it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) picture: I420,
    pub(crate) at: Instant,
}

fn chroma_len(width: u16, height: u16) -> usize {
    usize::from(width).div_ceil(2) * usize::from(height).div_ceil(2)
}
