//! Which web pages may open a session: the server's own.
//!
//! A browser sends cookies and reaches private addresses on behalf of any page, so a page of another
//! site must not speak for the person. Programs that are not browsers send no origin.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether a request with these headers may open a session.
pub(super) fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if allowed
        .iter()
        .any(|one| one.trim_end_matches('/').eq_ignore_ascii_case(origin))
    {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let plain = |text: &str| text.trim_end_matches(default_port).to_ascii_lowercase();
    host.is_some_and(|host| plain(host) == plain(authority))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_own_pages_and_programs_may_open_sessions() {
        let table = [
            (None, "home:8080", true, "not a browser"),
            (Some("http://home:8080"), "home:8080", true, "the own page"),
            (
                Some("https://Home.example"),
                "home.example:443",
                true,
                "the default port",
            ),
            (
                Some("https://home.example"),
                "home.example:8443",
                false,
                "another port",
            ),
            (
                Some("https://evil.example"),
                "home.example",
                false,
                "another site",
            ),
            (
                Some("https://home.example.evil.example"),
                "home.example",
                false,
                "a look-alike",
            ),
            (Some("null"), "home.example", false, "a sandboxed page"),
            (
                Some("file://home.example"),
                "home.example",
                false,
                "another scheme",
            ),
            (Some("https://proxy.example"), "inner:8080", true, "listed"),
        ];
        for (origin, host, expected, why) in table {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let allowed = ["https://proxy.example/".to_owned()];
            assert_eq!(is_allowed(&headers, &allowed), expected, "{why}");
        }
    }
}
