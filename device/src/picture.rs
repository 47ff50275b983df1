//! Where pictures come from and go to: a test picture or a file, and, without a screen, a count.

use homeline_client::media::{Camera, Seen};
use homeline_client::picture::{self, Image, Shown};
use tokio::sync::{mpsc, watch};

use crate::arguments::Picture;
use crate::report::{Report, Told};

/// Decoded pictures that may wait to be counted.
const SHOWN_MAX: usize = 8;

/// A picture is told of again after so many more.
const TELL_EVERY: u64 = 100;

/// And of another size not sooner than after so many: whoever sends it may change it with every picture.
const TELL_SIZE_EVERY: u64 = 25;

/// Opens the camera for a drop-in on this device: frosted before it is encoded, until it clears.
pub(crate) fn frosted_camera(
    picture: &Picture,
    frosted: watch::Receiver<bool>,
) -> anyhow::Result<Camera> {
    Ok(picture::camera(picture::frosted(
        images(picture)?,
        frosted,
    ))?)
}

/// Opens the camera for one call.
pub(crate) fn camera(picture: &Picture) -> anyhow::Result<Camera> {
    Ok(picture::camera(images(picture)?)?)
}

fn images(picture: &Picture) -> anyhow::Result<mpsc::Receiver<Image>> {
    Ok(match picture {
        Picture::Pattern => picture::pattern(),
        Picture::File(path) => picture::play_file(path)?,
    })
}

/// Takes one call's pictures of others, decodes them, and tells that they are seen.
pub(crate) fn screen(report: Report) -> anyhow::Result<mpsc::Sender<Seen>> {
    let (shown, mut images) = mpsc::channel::<Shown>(SHOWN_MAX);
    let screen = picture::screen(shown)?;
    tokio::spawn(async move {
        let mut count = Count::default();
        while let Some(Shown { image, .. }) = images.recv().await {
            if let Some(told) = count.count((image.width(), image.height())) {
                report.tell(&told);
            }
        }
    });
    Ok(screen)
}

/// When it is worth telling that pictures are seen.
#[derive(Default)]
struct Count {
    frames: u64,
    told_at: u64,
    told_size: (u32, u32),
}

impl Count {
    fn count(&mut self, size: (u32, u32)) -> Option<Told> {
        self.frames += 1;
        let since = self.frames - self.told_at;
        let first = self.frames == 1;
        let resized = size != self.told_size && since >= TELL_SIZE_EVERY;
        if !(first || resized || since >= TELL_EVERY) {
            return None;
        }
        self.told_at = self.frames;
        self.told_size = size;
        Some(Told::PictureSeen {
            width: size.0,
            height: size.1,
            frames: self.frames,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many pictures something is told, when their sizes are these.
    fn told(sizes: impl Iterator<Item = (u32, u32)>) -> Vec<u64> {
        let mut count = Count::default();
        let told = sizes.filter_map(|size| count.count(size));
        told.map(|told| match told {
            Told::PictureSeen { frames, .. } => frames,
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn the_first_is_told_and_then_every_hundredth() {
        let sizes = std::iter::repeat_n((320, 240), 250);
        assert_eq!(told(sizes), [1, 101, 201]);
    }

    #[test]
    fn another_size_is_told_but_not_each_of_a_flood() {
        let once = (0..60).map(|number| if number < 40 { (64, 48) } else { (32, 24) });
        assert_eq!(told(once), [1, 41]);
        let flood = (0..100).map(|number| (64, number));
        assert_eq!(told(flood), [1, 26, 51, 76]);
    }
}
