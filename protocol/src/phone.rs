//! A phone number as the world knows it, and the text that people write for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number in E.164: a plus and 7 to 15 digits, the first not 0. Whether it is in service is another question.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
#[ts(type = "string")]
pub struct E164(String);

/// Why a text is not a number in E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number in E.164 is a plus and 7 to 15 digits, the first not 0")]
pub struct InvalidE164;

impl E164 {
    /// The plus and the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for E164 {
    type Err = InvalidE164;
    fn from_str(text: &str) -> Result<Self, InvalidE164> {
        let digits = text.strip_prefix('+').ok_or(InvalidE164)?.as_bytes();
        let fits = (7..=15).contains(&digits.len())
            && digits.iter().all(u8::is_ascii_digit)
            && digits[0] != b'0';
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidE164)
        }
    }
}

impl TryFrom<String> for E164 {
    type Error = InvalidE164;
    fn try_from(text: String) -> Result<Self, InvalidE164> {
        text.parse()
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says only that it is a number: numbers lead to people and stay out of logs.
impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164")
    }
}

impl Serialize for E164 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A number as somebody wrote it, kept for display. Its bounds are the server's to check.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct PhoneText(pub String);

impl PhoneText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says only that it is a number.
impl fmt::Debug for PhoneText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneText")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict_and_do_not_show_themselves() {
        let number: E164 = "+12015550123".parse().unwrap();
        assert_eq!(number.as_str(), "+12015550123");
        assert_eq!(format!("{number:?}"), "E164");
        for text in [
            "",
            "+",
            "12015550123",
            "+0123456789",
            "+1201555012x",
            "+123456",
            "+1234567890123456",
        ] {
            assert_eq!(text.parse::<E164>(), Err(InvalidE164), "{text}");
        }
        assert_eq!(format!("{:?}", PhoneText("0201".to_owned())), "PhoneText");
    }
}
