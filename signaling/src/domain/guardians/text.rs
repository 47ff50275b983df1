//! What an adult consents to, in all its versions.
//!
//! A text is never edited once it was shipped: a change is a new version, and what was consented to
//! before can still be read.

use homeline_protocol::session::ConsentText;

const TEXTS: [&str; 1] = [include_str!("consent/1.txt")];

/// The newest text.
pub(super) fn current() -> ConsentText {
    version(TEXTS.len()).unwrap_or(ConsentText {
        version: 0,
        text: String::new(),
    })
}

/// The text of a version, counted from 1.
pub(super) fn version(number: usize) -> Option<ConsentText> {
    let text = TEXTS.get(number.checked_sub(1)?)?;
    Some(ConsentText {
        version: u16::try_from(number).ok()?,
        text: text.trim_end().to_owned(),
    })
}
