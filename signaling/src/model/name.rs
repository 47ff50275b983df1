//! What may be a name: of a person, a household, a device, a contact.

/// A name's longest form, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Whether a text can be shown and spoken as a name: 1 to 64 characters, not blank, no control
/// characters. Names are part of signed statements, so they are refused and never mended.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let short = text.chars().take(NAME_CHARS_MAX + 1).count() <= NAME_CHARS_MAX;
    short && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_visible() {
        for name in ["A", "Änne's Küche", &"ü".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for text in ["", "  ", "a\nb", &"a".repeat(65)] {
            assert!(!is_name(text), "{text:?}");
        }
    }
}
