//! How messages are sent, with secrets that do not print themselves.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// Text messages, for verifying numbers: one HTTP request for each, as the provider or the gateway
/// at home wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SmsConfig {
    /// The address to ask; empty sends none, and numbers cannot be verified. `{to}` in it stands for
    /// the number as +12015550123 and `{text}` for the message, both percent-encoded. Plain http is
    /// meant for a gateway in the home alone.
    pub url: Masked,
    /// The HTTP method.
    pub method: String,
    /// Further headers as "Name: value", such as "Authorization: Bearer ...". Never printed.
    pub headers: Vec<Masked>,
    /// How the body is written, which decides how `{to}` and `{text}` in it are escaped: `json`,
    /// `form` or `text`.
    pub body_format: SmsBody,
    /// The body, with `{to}` and `{text}` in it; within quotation marks for `json`.
    pub body: Masked,
    /// What must be in the answer, besides a status of 200 to 299; empty: nothing.
    pub success_contains: String,
    /// How long an answer may take, in seconds.
    pub timeout_secs: u32,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            url: Masked::default(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            body_format: SmsBody::Json,
            body: Masked::new(r#"{"to":"{to}","text":"{text}"}"#),
            success_contains: String::new(),
            timeout_secs: 10,
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmsBody {
    /// JSON.
    Json,
    /// As browsers send forms.
    Form,
    /// Plain text, with nothing escaped.
    Text,
}

/// A setting that may hold a secret: printed, it shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Masked(String);

impl Masked {
    /// Wraps a setting.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The setting itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The defaults hold no secret and are written into the example; nothing else is.
        let shown = self.0.is_empty() || *self == SmsConfig::default().body;
        serializer.serialize_str(if shown { &self.0 } else { "***" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_when_printed() {
        let config = SmsConfig {
            url: Masked::new("https://sms.example/?key=hush"),
            headers: vec![Masked::new("Authorization: Bearer hush")],
            body: Masked::new("key=hush&to={to}&text={text}"),
            ..SmsConfig::default()
        };
        let printed = format!("{config:?}{}", serde_json::to_string(&config).unwrap());
        assert!(!printed.contains("hush"), "{printed}");
        let again: SmsConfig =
            serde_json::from_str(&serde_json::to_string(&SmsConfig::default()).unwrap()).unwrap();
        assert_eq!(again, SmsConfig::default());
    }
}
