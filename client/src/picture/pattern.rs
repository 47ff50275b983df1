//! A moving test picture: stripes of colour, a brightness that rises from left to right, and a square that wanders.

use std::time::Duration;

use tokio::sync::mpsc;

use super::image::Image;
use super::paced::paced;

/// Small enough for any line and any machine, large enough to be seen.
const SIZE: (u32, u32) = (320, 240);

/// Fifteen pictures a second.
const EVERY: Duration = Duration::from_nanos(1_000_000_000 / 15);

/// The colours of the stripes, as differences of blue and red.
const STRIPES: [(u8, u8); 4] = [(90, 160), (160, 90), (90, 90), (170, 170)];

/// Points that the square wanders from one picture to the next.
const STEP: u32 = 4;

const SQUARE_BRIGHTNESS: u8 = 235;

/// The test picture, for ever.
#[must_use]
pub fn pattern() -> mpsc::Receiver<Image> {
    let mut number = 0_u32;
    paced(EVERY, move || {
        let image = pattern_at(SIZE, number);
        number = number.wrapping_add(1);
        Some(image)
    })
}

/// The test picture at one moment, at any size.
///
/// # Panics
/// When a side is 0 or too long: sizes are the program's own.
#[must_use]
pub fn pattern_at((width, height): (u32, u32), number: u32) -> Image {
    let square = (width.min(height) / 4).max(1);
    let left = (number.wrapping_mul(STEP)) % (width - square + 1);
    let top = (height - square) / 2;
    let mut planes = Vec::with_capacity((width * height * 2) as usize);
    for row in 0..height {
        let start = planes.len();
        planes.extend((0..width).map(|column| (40 + column * 160 / width) as u8));
        if (top..top + square).contains(&row) {
            let (from, to) = (left as usize, (left + square) as usize);
            planes[start + from..start + to].fill(SQUARE_BRIGHTNESS);
        }
    }
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    for of in [|stripe: (u8, u8)| stripe.0, |stripe: (u8, u8)| stripe.1] {
        for row in 0..half_height {
            let stripe = STRIPES[(row * STRIPES.len() as u32 / half_height) as usize];
            planes.extend(std::iter::repeat_n(of(stripe), half_width as usize));
        }
    }
    Image::new(width, height, planes).expect("each plane has its rows and columns")
}

#[cfg(test)]
mod tests {
    use super::super::similarity;
    use super::*;

    #[test]
    fn the_picture_moves_and_stays_itself() {
        let first = pattern_at(SIZE, 0);
        let later = similarity(&first, &pattern_at(SIZE, 10)).unwrap();
        assert!((12.0..25.0).contains(&later), "{later}");
        assert_eq!(similarity(&first, &pattern_at((64, 48), 0)), None);
        let wrapped = pattern_at(SIZE, u32::MAX);
        assert_eq!((wrapped.width(), wrapped.height()), SIZE);
    }

    #[tokio::test]
    async fn it_comes_one_by_one() {
        let mut images = pattern();
        for number in 0..3 {
            assert_eq!(images.recv().await.unwrap(), pattern_at(SIZE, number));
        }
    }
}
