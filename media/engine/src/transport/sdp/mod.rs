//! Session descriptions: what a client offers, and the answer to it (RFC 8866, RFC 8829, RFC 8843).
//!
//! Only what the SFU takes part in is read; everything else in an offer is skipped, and whatever it
//! cannot take part in is refused in the answer. Nothing here changes state.

mod answer;
mod codec;
mod extensions;
mod offer;
mod section;

pub(crate) use answer::{Accepted, AnswerParameters, Sending, write_answer};
pub(crate) use codec::{Codec, Feedback, Kind};
pub(crate) use extensions::{ExtensionIds, HeaderExtension};
pub(crate) use offer::{Fingerprint, FingerprintHash, Offer};
pub(crate) use section::{ENCODINGS_MAX, Section};

#[cfg(test)]
mod tests;
