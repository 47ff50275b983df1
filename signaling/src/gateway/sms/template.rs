//! Fills `{to}` and `{text}` in, escaped for where they stand.

use super::SmsBody;

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In an address.
    Url,
    /// In a body.
    Body(SmsBody),
}

/// The template with both filled in. What is filled in is never read as a template itself.
pub(super) fn fill(template: &str, place: Place, to: &str, text: &str) -> String {
    let mut filled = String::with_capacity(template.len() + to.len() + text.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        rest = if let Some(after) = from.strip_prefix("{to}") {
            filled.push_str(&escape(to, place));
            after
        } else if let Some(after) = from.strip_prefix("{text}") {
            filled.push_str(&escape(text, place));
            after
        } else {
            filled.push('{');
            &from[1..]
        };
    }
    filled.push_str(rest);
    filled
}

fn escape(value: &str, place: Place) -> String {
    match place {
        Place::Url | Place::Body(SmsBody::Form) => percent_encoded(value),
        Place::Body(SmsBody::Json) => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Place::Body(SmsBody::Text) => value.to_owned(),
    }
}

/// RFC 3986: all but the unreserved characters.
fn percent_encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_their_place_and_not_filled_in_twice() {
        let (to, text) = ("+12015550123", "a \"{to}\" & ü");
        let cases = [
            (
                Place::Url,
                "https://sms.example/send?to={to}&text={text}",
                "https://sms.example/send?to=%2B12015550123&text=a%20%22%7Bto%7D%22%20%26%20%C3%BC",
            ),
            (
                Place::Body(SmsBody::Json),
                r#"{"phoneNumbers":["{to}"],"textMessage":{"text":"{text}"}}"#,
                r#"{"phoneNumbers":["+12015550123"],"textMessage":{"text":"a \"{to}\" & ü"}}"#,
            ),
            (
                Place::Body(SmsBody::Form),
                "To={to}&From=1&Body={text}",
                "To=%2B12015550123&From=1&Body=a%20%22%7Bto%7D%22%20%26%20%C3%BC",
            ),
            (
                Place::Body(SmsBody::Text),
                "{to}: {text} {",
                "+12015550123: a \"{to}\" & ü {",
            ),
        ];
        for (place, template, expected) in cases {
            assert_eq!(fill(template, place, to, text), expected, "{place:?}");
        }
    }
}
