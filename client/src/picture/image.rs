//! One picture as cameras and codecs have it: brightness for each point, colour for each four (I420).

/// The longest side of a picture, sent or taken: Full HD, upright too.
pub const SIDE_MAX: u32 = 1_920;

/// Why something is no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("a picture of {width} by {height} points: each side may have 1 to {SIDE_MAX}")]
    Size { width: u32, height: u32 },
    #[error("the picture has {bytes} bytes where its size needs {needed}")]
    Bytes { bytes: usize, needed: usize },
}

/// A picture. Its planes follow one another without gaps: brightness, blue, red.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    planes: Vec<u8>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} by {})", self.width, self.height)
    }
}

impl Image {
    /// # Errors
    /// When the size is out of bounds, or the bytes do not fit it.
    pub fn new(width: u32, height: u32, planes: Vec<u8>) -> Result<Self, ImageError> {
        let needed = Self::bytes(width, height)?;
        if planes.len() != needed {
            let bytes = planes.len();
            return Err(ImageError::Bytes { bytes, needed });
        }
        Ok(Self {
            width,
            height,
            planes,
        })
    }

    /// How many bytes an image of this size has.
    ///
    /// # Errors
    /// When the size is out of bounds.
    pub fn bytes(width: u32, height: u32) -> Result<usize, ImageError> {
        if !(1..=SIDE_MAX).contains(&width) || !(1..=SIDE_MAX).contains(&height) {
            return Err(ImageError::Size { width, height });
        }
        let colour = width.div_ceil(2) * height.div_ceil(2);
        Ok((width * height + 2 * colour) as usize)
    }

    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    #[must_use]
    pub fn planes(&self) -> &[u8] {
        &self.planes
    }
}

/// How much two images are alike, in decibels (PSNR): above 30 they look the same, below 15 they have
/// little in common. `None` when their sizes differ.
#[must_use]
pub fn similarity(one: &Image, other: &Image) -> Option<f64> {
    if (one.width, one.height) != (other.width, other.height) {
        return None;
    }
    let square = |(one, other): (&u8, &u8)| u64::from(one.abs_diff(*other)).pow(2);
    let sum: u64 = one.planes.iter().zip(&other.planes).map(square).sum();
    let mean = sum as f64 / one.planes.len() as f64;
    // Images that are the same are as alike as can be told from one point that differs by one.
    let least = 1.0 / one.planes.len() as f64;
    Some(10.0 * (255.0 * 255.0 / mean.max(least)).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded_and_odd_ones_have_their_colours() {
        assert_eq!(Image::bytes(4, 4), Ok(24));
        assert_eq!(Image::bytes(3, 5), Ok(15 + 2 * 2 * 3));
        for (width, height) in [(0, 4), (4, 0), (SIDE_MAX + 1, 4), (4, u32::MAX)] {
            assert_eq!(
                Image::bytes(width, height),
                Err(ImageError::Size { width, height })
            );
        }
        let (bytes, needed) = (23, 24);
        assert_eq!(
            Image::new(4, 4, vec![0; bytes]),
            Err(ImageError::Bytes { bytes, needed })
        );
    }

    #[test]
    fn likeness_falls_with_difference() {
        let grey = |value| Image::new(16, 16, vec![value; 384]).unwrap();
        let same = similarity(&grey(100), &grey(100)).unwrap();
        let near = similarity(&grey(100), &grey(102)).unwrap();
        let far = similarity(&grey(0), &grey(255)).unwrap();
        assert!(same > 60.0 && (40.0..50.0).contains(&near) && far.abs() < 1e-9);
        let other = Image::new(2, 2, vec![0; 6]).unwrap();
        assert_eq!(similarity(&grey(0), &other), None);
    }
}
