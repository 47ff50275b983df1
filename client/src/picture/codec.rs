//! The border to libvpx: the functions of `codec.c` behind two owners, each used by one thread at a time.

#![expect(
    unsafe_code,
    reason = "libvpx is C; this is the one file that calls it"
)]

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::NonNull;

use super::image::{Image, ImageError};

/// Why a picture was not encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("the picture codec failed: {0}")]
    Codec(String),
    #[error("the frame is no VP8: {0}")]
    NotVp8(String),
    #[error("the frame does not decode: {0}")]
    Broken(String),
    #[error("the frame has {0} bytes: 1 to {FRAME_BYTES_MAX} are taken")]
    Length(usize),
    #[error("the frame is not a key frame, and there was none before it")]
    NoKeyFrame,
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// The longest frame that is decoded: more than a key frame of the largest picture in full detail.
pub(super) const FRAME_BYTES_MAX: usize = 4 << 20;

/// Frames a second that an encoder can be told.
const RATE_MAX: u32 = 120;

#[repr(C)]
struct RawEncoder {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawDecoder {
    _opaque: [u8; 0],
}

// SAFETY: the signatures are those of codec.c, which takes plain numbers and pointers only.
unsafe extern "C" {
    fn homeline_encoder_new(
        width: c_uint,
        height: c_uint,
        rate: c_uint,
        kilobits: c_uint,
        why: *mut c_int,
    ) -> *mut RawEncoder;
    fn homeline_encoder_encode(
        encoder: *mut RawEncoder,
        planes: *const u8,
        at: i64,
        key: c_int,
        data: *mut *const u8,
        length: *mut usize,
        is_key: *mut c_int,
    ) -> c_int;
    fn homeline_encoder_free(encoder: *mut RawEncoder);
    fn homeline_decoder_new(why: *mut c_int) -> *mut RawDecoder;
    fn homeline_decoder_peek(
        data: *const u8,
        length: c_uint,
        width: *mut c_uint,
        height: *mut c_uint,
    ) -> c_int;
    fn homeline_decoder_decode(
        decoder: *mut RawDecoder,
        data: *const u8,
        length: c_uint,
        width: *mut c_uint,
        height: *mut c_uint,
    ) -> c_int;
    fn homeline_decoder_copy(decoder: *const RawDecoder, planes: *mut u8);
    fn homeline_decoder_free(decoder: *mut RawDecoder);
    fn homeline_codec_error(why: c_int) -> *const c_char;
}

/// An encoder of images of one size.
pub(super) struct Vp8Encoder {
    raw: NonNull<RawEncoder>,
    width: u32,
    height: u32,
}

// SAFETY: libvpx ties an encoder to no thread, and only its owner has the pointer.
unsafe impl Send for Vp8Encoder {}

impl Vp8Encoder {
    pub(super) fn new(
        (width, height): (u32, u32),
        rate: u32,
        kilobits: u32,
    ) -> Result<Self, CodecError> {
        Image::bytes(width, height)?;
        let mut why = 0;
        let rate = rate.clamp(1, RATE_MAX);
        // SAFETY: `why` is a valid place to write to; the numbers are in the bounds that libvpx has.
        let raw = unsafe { homeline_encoder_new(width, height, rate, kilobits, &raw mut why) };
        let raw = NonNull::new(raw).ok_or_else(|| CodecError::Codec(words(why)))?;
        Ok(Self { raw, width, height })
    }

    /// Encodes an image, `at` in RTP's ticks, later than the one before: the frame, and whether it is a
    /// key frame.
    pub(super) fn encode(
        &mut self,
        image: &Image,
        at: i64,
        key: bool,
    ) -> Result<(Vec<u8>, bool), CodecError> {
        let (width, height) = (image.width(), image.height());
        if (width, height) != (self.width, self.height) {
            return Err(ImageError::Size { width, height }.into());
        }
        let (mut data, mut length, mut is_key) = (std::ptr::null(), 0, 0);
        // SAFETY: the encoder lives, the planes are as long as its size needs (an `Image` sees to that),
        // they are only read, and the rest are valid places to write to.
        let why = unsafe {
            homeline_encoder_encode(
                self.raw.as_ptr(),
                image.planes().as_ptr(),
                at,
                c_int::from(key),
                &raw mut data,
                &raw mut length,
                &raw mut is_key,
            )
        };
        if why != 0 {
            return Err(CodecError::Codec(words(why)));
        }
        if data.is_null() {
            return Err(CodecError::Codec("no frame came out".to_owned()));
        }
        // SAFETY: libvpx says where its frame is and how long; it stands until the next call.
        let frame = unsafe { std::slice::from_raw_parts(data, length) };
        Ok((frame.to_vec(), is_key != 0))
    }
}

impl Drop for Vp8Encoder {
    fn drop(&mut self) {
        // SAFETY: it was made by `homeline_encoder_new`, and is not used again.
        unsafe { homeline_encoder_free(self.raw.as_ptr()) };
    }
}

/// A decoder of one stream.
pub(super) struct Vp8Decoder {
    raw: NonNull<RawDecoder>,
    begun: bool,
}

// SAFETY: libvpx ties a decoder to no thread, and only its owner has the pointer.
unsafe impl Send for Vp8Decoder {}

impl Vp8Decoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        let mut why = 0;
        // SAFETY: `why` is a valid place to write to.
        let raw = unsafe { homeline_decoder_new(&raw mut why) };
        let raw = NonNull::new(raw).ok_or_else(|| CodecError::Codec(words(why)))?;
        Ok(Self { raw, begun: false })
    }

    /// Decodes a frame of whoever sent it. `None`: it is not to be shown.
    pub(super) fn decode(&mut self, frame: &[u8]) -> Result<Option<Image>, CodecError> {
        let length = match c_uint::try_from(frame.len()) {
            Ok(length) if (1..=FRAME_BYTES_MAX).contains(&frame.len()) => length,
            _ => return Err(CodecError::Length(frame.len())),
        };
        if is_key(frame) {
            check_size(frame, length)?;
        } else if !self.begun {
            return Err(CodecError::NoKeyFrame);
        }
        let (mut width, mut height) = (0, 0);
        // SAFETY: the decoder lives, the frame is as long as told and only read, and the rest are valid
        // places to write to.
        let why = unsafe {
            homeline_decoder_decode(
                self.raw.as_ptr(),
                frame.as_ptr(),
                length,
                &raw mut width,
                &raw mut height,
            )
        };
        if why != 0 {
            return Err(CodecError::Broken(words(why)));
        }
        self.begun = true;
        if (width, height) == (0, 0) {
            return Ok(None);
        }
        let mut planes = vec![0; Image::bytes(width, height)?];
        // SAFETY: the image of the decode above is still the decoder's last, and the planes have as many
        // bytes as an image of that size.
        unsafe { homeline_decoder_copy(self.raw.as_ptr(), planes.as_mut_ptr()) };
        Ok(Some(Image::new(width, height, planes)?))
    }
}

impl Drop for Vp8Decoder {
    fn drop(&mut self) {
        // SAFETY: it was made by `homeline_decoder_new`, and is not used again.
        unsafe { homeline_decoder_free(self.raw.as_ptr()) };
    }
}

/// Whether a frame says that it can be decoded without others (RFC 6386, section 9.1).
pub(super) fn is_key(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 1 == 0)
}

/// Before decoding, since libvpx takes memory for whatever size a key frame claims.
fn check_size(key_frame: &[u8], length: c_uint) -> Result<(), CodecError> {
    let (mut width, mut height) = (0, 0);
    // SAFETY: the frame is as long as told and only read, and the rest are valid places to write to.
    let why = unsafe {
        homeline_decoder_peek(key_frame.as_ptr(), length, &raw mut width, &raw mut height)
    };
    if why != 0 {
        return Err(CodecError::NotVp8(words(why)));
    }
    Image::bytes(width, height)?;
    Ok(())
}

fn words(why: c_int) -> String {
    // SAFETY: libvpx gives a constant string for every number.
    let words = unsafe { CStr::from_ptr(homeline_codec_error(why)) };
    words.to_string_lossy().into_owned()
}
