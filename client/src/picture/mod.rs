//! Pictures for programs: an encoder and a decoder (VP8, by libvpx), a moving test picture, Y4M files.
//!
//! In reading order: `image` (one picture), `codec` (the border to C), `encoder` (images to a call's
//! camera), `decoder` (what is seen to images), `pattern` and `y4m` (where images come from).

mod codec;
mod decoder;
mod encoder;
mod frost;
mod image;
mod paced;
mod pattern;
mod y4m;

pub use codec::CodecError;
pub use decoder::{Decoder, Shown, screen};
pub use encoder::{Encoder, camera};
pub use frost::{frost, frosted};
pub use image::{Image, ImageError, SIDE_MAX, similarity};
pub use pattern::{pattern, pattern_at};
pub use y4m::{Y4mError, play_file};

/// Images that may wait between a source and the encoder: the newest count, so a few.
const IMAGES_MAX: usize = 2;

/// Encoded frames that may wait for the network.
const FRAMES_MAX: usize = 4;

/// Encoded frames that may wait for the decoder: a second of them.
const SEEN_MAX: usize = 30;
