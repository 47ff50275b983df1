//! Y4M files as cameras: uncompressed pictures, as ffmpeg writes them with `-pix_fmt yuv420p FILE.y4m`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use super::image::{Image, ImageError};
use super::paced::paced;

/// The longest line of text in a file: the header, or what stands before a picture.
const LINE_BYTES_MAX: usize = 256;

/// Pictures a second that a file may have.
const RATE_MAX: f64 = 60.0;

/// Why a file can't be used as a picture.
#[derive(Debug, thiserror::Error)]
pub enum Y4mError {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error("it is no Y4M file: it does not begin with YUV4MPEG2")]
    NotY4m,
    #[error("a line of the file is longer than {LINE_BYTES_MAX} bytes, or has no end")]
    Line,
    #[error("the file does not tell its {0}")]
    Missing(&'static str),
    #[error("the file's pictures are of the kind {0}; only 420 with 8 bits can be used")]
    Colours(String),
    #[error("the file has more than {RATE_MAX} pictures a second, or less than one")]
    Rate,
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("a picture of the file does not begin with FRAME")]
    NotFrame,
    #[error("the file has not one whole picture")]
    Empty,
}

/// A file as a camera: over and over.
///
/// # Errors
/// When it is no file of that kind, or has no picture.
pub fn play_file(path: &Path) -> Result<mpsc::Receiver<Image>, Y4mError> {
    let mut film = Film::open(BufReader::new(File::open(path)?))?;
    // What is wrong with the file is told at once and not in a call.
    film.next()?;
    film.rewind()?;
    Ok(paced(film.every, move || match film.next() {
        Ok(image) => Some(image),
        Err(error) => {
            tracing::error!(%error, "the picture's file ends here");
            None
        }
    }))
}

/// The pictures of a file, one at a time; the file may be larger than the memory.
struct Film<R> {
    file: R,
    every: Duration,
    size: (u32, u32),
    /// Where the first picture begins.
    first: u64,
}

impl<R: BufRead + Seek> Film<R> {
    fn open(mut file: R) -> Result<Self, Y4mError> {
        let header = match line(&mut file) {
            Ok(Some(header)) => header,
            Ok(None) | Err(Y4mError::Line) => return Err(Y4mError::NotY4m),
            Err(error) => return Err(error),
        };
        let mut words = header.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(Y4mError::NotY4m);
        }
        let (mut width, mut height, mut every) = (None, None, None);
        for word in words.filter(|word| !word.is_empty()) {
            let mut rest = word.chars();
            let tag = rest.next();
            let rest = rest.as_str();
            match tag {
                Some('W') => width = rest.parse().ok(),
                Some('H') => height = rest.parse().ok(),
                Some('F') => every = Some(rate(rest)?),
                Some('C') if !["420", "420jpeg", "420paldv", "420mpeg2"].contains(&rest) => {
                    return Err(Y4mError::Colours(rest.to_owned()));
                }
                _ => {}
            }
        }
        let size = (
            width.ok_or(Y4mError::Missing("width"))?,
            height.ok_or(Y4mError::Missing("height"))?,
        );
        Image::bytes(size.0, size.1)?;
        let first = file.stream_position()?;
        Ok(Self {
            every: every.ok_or(Y4mError::Missing("pictures a second"))?,
            size,
            first,
            file,
        })
    }

    /// The next picture; after the last comes the first.
    fn next(&mut self) -> Result<Image, Y4mError> {
        if let Some(image) = self.read()? {
            return Ok(image);
        }
        self.rewind()?;
        self.read()?.ok_or(Y4mError::Empty)
    }

    fn rewind(&mut self) -> Result<(), Y4mError> {
        self.file.seek(SeekFrom::Start(self.first))?;
        Ok(())
    }

    /// `None` at the end; a picture that is cut off there is left out.
    fn read(&mut self) -> Result<Option<Image>, Y4mError> {
        let Some(head) = line(&mut self.file)? else {
            return Ok(None);
        };
        if head.split(' ').next() != Some("FRAME") {
            return Err(Y4mError::NotFrame);
        }
        let (width, height) = self.size;
        let mut planes = vec![0; Image::bytes(width, height)?];
        match self.file.read_exact(&mut planes) {
            Ok(()) => Ok(Some(Image::new(width, height, planes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A line without its end; `None` at the end of the file.
fn line(file: &mut impl BufRead) -> Result<Option<String>, Y4mError> {
    let mut bytes = Vec::new();
    file.by_ref()
        .take(LINE_BYTES_MAX as u64)
        .read_until(b'\n', &mut bytes)?;
    match bytes.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Some(_) => Err(Y4mError::Line),
    }
}

/// `30:1` is thirty a second.
fn rate(text: &str) -> Result<Duration, Y4mError> {
    let (count, seconds) = text.split_once(':').ok_or(Y4mError::Rate)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| Y4mError::Rate);
    let rate = f64::from(number(count)?) / f64::from(number(seconds)?);
    if !(1.0..=RATE_MAX).contains(&rate) {
        return Err(Y4mError::Rate);
    }
    Ok(Duration::from_secs_f64(1.0 / rate))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn film(bytes: &[u8]) -> Result<Film<Cursor<Vec<u8>>>, Y4mError> {
        Film::open(Cursor::new(bytes.to_vec()))
    }

    fn refused(bytes: &[u8]) -> String {
        let opened = film(bytes).and_then(|mut film| film.next());
        opened.unwrap_err().to_string()
    }

    #[test]
    fn pictures_come_one_by_one_and_begin_again() {
        let mut file = b"YUV4MPEG2 W2 H2 F30000:1001 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n".to_vec();
        file.extend(b"FRAME\nabcdef");
        file.extend(b"FRAME Ip\nuvwxyz");
        // Cut off: left out.
        file.extend(b"FRAME\nabc");
        let mut film = film(&file).unwrap();
        assert_eq!(film.every.as_micros(), 33_366);
        for wanted in [b"abcdef", b"uvwxyz", b"abcdef", b"uvwxyz"] {
            assert_eq!(film.next().unwrap().planes(), wanted);
        }
    }

    #[test]
    fn a_file_that_can_not_be_used_says_why() {
        for (file, why) in [
            (&b""[..], "no Y4M"),
            (b"RIFF", "no Y4M"),
            (b"YUV4MPEG2 W2 H2 F1:1", "no Y4M"),
            (&[b'x'; 1_000], "no Y4M"),
            (b"YUV4MPEG2 H2 F1:1\n", "width"),
            (b"YUV4MPEG2 W2 Hx F1:1\n", "height"),
            (b"YUV4MPEG2 W2 H2\n", "a second"),
            (b"YUV4MPEG2 W2 H2 F0:0\n", "a second"),
            (b"YUV4MPEG2 W2 H2 F61:1\n", "a second"),
            (b"YUV4MPEG2 W2 H2 F1:2\n", "a second"),
            (b"YUV4MPEG2 W2 H2 F30\n", "a second"),
            (b"YUV4MPEG2 W2 H2 F30:1 C422\n", "422"),
            (b"YUV4MPEG2 W2 H2 F30:1 C420p10\n", "420p10"),
            (b"YUV4MPEG2 W99999 H2 F30:1\n", "99999 by 2"),
            (b"YUV4MPEG2 W0 H2 F30:1\n", "0 by 2"),
            (b"YUV4MPEG2 W2 H2 F30:1\n", "one whole picture"),
            (b"YUV4MPEG2 W2 H2 F30:1\nFRAME\nabcde", "one whole picture"),
            (b"YUV4MPEG2 W2 H2 F30:1\nPICTURE\nabcdef", "FRAME"),
            (b"YUV4MPEG2 W2 H2 F30:1\nFRAME", "no end"),
            (
                &[b"YUV4MPEG2 W2 H2 F30:1\n", &[b'x'; 1_000][..]].concat(),
                "longer",
            ),
        ] {
            let said = refused(file);
            assert!(
                said.contains(why),
                "{}: {said}",
                String::from_utf8_lossy(file)
            );
        }
    }

    #[tokio::test]
    async fn a_file_plays_at_its_pace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.y4m");
        std::fs::write(&path, b"YUV4MPEG2 W2 H2 F50:1\nFRAME\nabcdefFRAME\nuvwxyz").unwrap();
        let mut images = play_file(&path).unwrap();
        for wanted in [b"abcdef", b"uvwxyz", b"abcdef"] {
            assert_eq!(images.recv().await.unwrap().planes(), wanted);
        }
        assert!(play_file(&folder.path().join("none.y4m")).is_err());
    }
}
