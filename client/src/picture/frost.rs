//! Frosted glass: a few samples drawn large, made before the encoder, so that nobody can undo it.

use tokio::sync::{mpsc, watch};

use super::IMAGES_MAX;
use super::image::Image;

/// What is left of a picture: so many samples across and down.
const ACROSS: usize = 16;
const DOWN: usize = 9;

/// These images, frosted for as long as `frosted` says so.
#[must_use]
pub fn frosted(
    mut images: mpsc::Receiver<Image>,
    frosted: watch::Receiver<bool>,
) -> mpsc::Receiver<Image> {
    let (sender, receiver) = mpsc::channel(IMAGES_MAX);
    tokio::spawn(async move {
        while let Some(image) = images.recv().await {
            // Before it is handed on, not when it was taken: what was told last counts.
            let Ok(place) = sender.reserve().await else {
                return;
            };
            let image = match *frosted.borrow() {
                true => frost(&image),
                false => image,
            };
            place.send(image);
        }
    });
    receiver
}

/// An image as through frosted glass: each sample is the mean of its part.
#[must_use]
pub fn frost(image: &Image) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let half = (width.div_ceil(2), height.div_ceil(2));
    let (light, colours) = image.planes().split_at(width * height);
    let (blue, red) = colours.split_at(half.0 * half.1);
    let mut planes = Vec::with_capacity(image.planes().len());
    for (plane, size) in [(light, (width, height)), (blue, half), (red, half)] {
        planes.extend(samples(plane, size));
    }
    Image::new(image.width(), image.height(), planes).expect("as large as it was")
}

fn samples(plane: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    let (across, down) = (ACROSS.min(width), DOWN.min(height));
    let edge = |part: usize, parts: usize, length: usize| part * length / parts;
    let mut drawn = vec![0; plane.len()];
    for row in 0..down {
        let rows = edge(row, down, height)..edge(row + 1, down, height);
        for column in 0..across {
            let (from, to) = (edge(column, across, width), edge(column + 1, across, width));
            let of = |line: usize| line * width + from..line * width + to;
            let sum: usize = rows
                .clone()
                .flat_map(|line| &plane[of(line)])
                .map(|point| usize::from(*point))
                .sum();
            let mean = sum / (rows.len() * (to - from)).max(1);
            for line in rows.clone() {
                drawn[of(line)].fill(mean as u8);
            }
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::pattern_at;
    use super::*;

    #[test]
    fn only_the_samples_are_left() {
        for size in [(320, 240), (33, 17), (5, 3)] {
            let frosted = frost(&pattern_at(size, 7));
            assert_eq!((frosted.width(), frosted.height()), size);
            // Drawn from 16 by 9 values: each line of the brightness has at most 16, in runs.
            let width = size.0 as usize;
            let light = &frosted.planes()[..width * size.1 as usize];
            let lines: BTreeSet<&[u8]> = light.chunks(width).collect();
            assert!(lines.len() <= DOWN);
            for line in lines {
                let runs = 1 + line.windows(2).filter(|two| two[0] != two[1]).count();
                assert!(runs <= ACROSS);
            }
        }
    }

    #[tokio::test]
    async fn it_clears_when_told() {
        let (images, source) = mpsc::channel(1);
        let glass = watch::Sender::new(true);
        let mut shown = frosted(source, glass.subscribe());
        let image = pattern_at((64, 48), 1);
        images.send(image.clone()).await.unwrap();
        assert_eq!(shown.recv().await.unwrap(), frost(&image));
        glass.send_replace(false);
        images.send(image.clone()).await.unwrap();
        assert_eq!(shown.recv().await.unwrap(), image);
    }
}
