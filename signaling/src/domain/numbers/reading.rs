//! Reads phone numbers as people write them, in the region in which they live.
//!
//! Short numbers (emergency, services) are no numbers in this sense and keep their text alone:
//! whoever dials asks for those first, on the text.

use std::str::FromStr;

use homeline_protocol::session::WrittenNumber;
use homeline_protocol::{E164, PhoneText};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use crate::store::numbers::NumberRow;

/// Numbers of one entry or contact. More is a mistake of the source.
pub const NUMBERS_MAX: usize = 10;
/// Longer texts are no numbers.
const TEXT_CHARS_MAX: usize = 64;

/// The region in which a number without a country code is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeRegion(Region);

/// Why a text is no region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is two capital letters, as \"US\"")]
pub struct BadRegion;

impl FromStr for HomeRegion {
    type Err = BadRegion;
    fn from_str(text: &str) -> Result<Self, BadRegion> {
        let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        // There are regions without numbers of their own.
        let known = |region: &Region| {
            PHONE_NUMBER_UTIL
                .get_supported_regions()
                .any(|other| other == *region)
        };
        let region = Region::from_str(text).ok().filter(known);
        region.filter(|_| two).map(Self).ok_or(BadRegion)
    }
}

/// The number that a text stands for, if it is a valid one.
#[must_use]
pub fn read(text: &PhoneText, region: HomeRegion) -> Option<E164> {
    parse(text, region).and_then(|number| e164(&number))
}

/// Whether messages can be expected to arrive at a number.
pub(super) fn read_mobile(text: &PhoneText, region: HomeRegion) -> Option<(E164, bool)> {
    let number = parse(text, region)?;
    let mobile = matches!(
        number.get_type(),
        PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
    );
    Some((e164(&number)?, mobile))
}

/// The numbers of an entry, to be kept.
///
/// # Errors
/// In words, when they are too many, or a text is empty, too long or not printable.
pub fn read_all(
    numbers: &[WrittenNumber],
    region: HomeRegion,
) -> Result<Vec<NumberRow>, &'static str> {
    if numbers.len() > NUMBERS_MAX {
        return Err("An entry has at most 10 numbers.");
    }
    let rows = numbers.iter().map(|number| {
        if !is_text(&number.text) {
            return Err("A number has 1 to 64 characters.");
        }
        Ok(NumberRow {
            kind: number.kind,
            text: number.text.clone(),
            e164: read(&number.text, region),
        })
    });
    rows.collect()
}

fn is_text(text: &PhoneText) -> bool {
    let text = text.as_str();
    text.chars().take(TEXT_CHARS_MAX + 1).count() <= TEXT_CHARS_MAX
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control)
}

fn parse(text: &PhoneText, region: HomeRegion) -> Option<PhoneNumber> {
    if !is_text(text) {
        return None;
    }
    let number = PhoneNumber::parse(text.as_str(), Some(region.0)).ok()?;
    if number.is_valid() {
        return Some(number);
    }
    // Mexican mobiles were written with a 1 behind the country code until 2019, and address books
    // still hold them so.
    let old = number.format_as(PhoneNumberFormat::E164);
    let rest = old.strip_prefix("+521").filter(|rest| rest.len() == 10)?;
    let number = PhoneNumber::parse(format!("+52{rest}"), None).ok()?;
    number.is_valid().then_some(number)
}

fn e164(number: &PhoneNumber) -> Option<E164> {
    number.format_as(PhoneNumberFormat::E164).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(region: &str, text: &str) -> Option<String> {
        let region = region.parse().unwrap();
        read(&PhoneText(text.to_owned()), region).map(|number| number.as_str().to_owned())
    }

    #[test]
    fn numbers_are_read_where_people_live() {
        let cases = [
            ("US", "(201) 555-0123", Some("+12015550123")),
            ("US", "201.555.0123", Some("+12015550123")),
            ("US", "+44 20 7946 0958", Some("+442079460958")),
            ("US", "011 44 20 7946 0958", Some("+442079460958")),
            ("GB", "020 7946 0958", Some("+442079460958")),
            ("DE", "030 901820", Some("+4930901820")),
            ("DE", "0049 30 901820", Some("+4930901820")),
            ("MX", "+52 1 55 1234 5678", Some("+525512345678")),
            // No numbers: the text alone is kept.
            ("US", "911", None),
            ("GB", "999", None),
            ("GB", "118118", None),
            ("US", "5550123", None),
            ("US", "ask mom", None),
            ("US", "", None),
        ];
        for (region, text, expected) in cases {
            assert_eq!(
                read_in(region, text).as_deref(),
                expected,
                "{region} {text}"
            );
        }
    }

    #[test]
    fn a_region_is_two_capital_letters_of_somewhere() {
        assert!("US".parse::<HomeRegion>().is_ok());
        for text in ["", "us", "USA", "XX", "ZZ", "12", "ÄÖ"] {
            assert_eq!(text.parse::<HomeRegion>(), Err(BadRegion), "{text}");
        }
    }

    #[test]
    fn only_what_gets_messages_counts_as_mobile() {
        let mobile = |region: &str, text: &str| {
            let text = PhoneText(text.to_owned());
            read_mobile(&text, region.parse().unwrap()).map(|(_, mobile)| mobile)
        };
        assert_eq!(mobile("US", "201 555 0123"), Some(true));
        assert_eq!(mobile("DE", "01512 3456789"), Some(true));
        assert_eq!(mobile("DE", "030 901820"), Some(false));
        assert_eq!(mobile("US", "844 582 5392"), Some(false));
        assert_eq!(mobile("US", "911"), None);
    }
}
