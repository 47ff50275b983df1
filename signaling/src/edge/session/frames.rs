//! Frames as they arrive: parsed, or told apart as far as they can be.

use homeline_protocol::PROTOCOL_VERSION;
use homeline_protocol::Secret;
use homeline_protocol::session::{ApiError, ClientFrame, FRAME_BYTES_MAX, Resume};
use serde::Deserialize;

use super::core::Input;
use super::words;

/// What a client says first.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) token: Secret,
    pub(super) resume: Option<Resume>,
}

/// What can be read of a frame that this version does not know: enough to answer it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Outline {
    Hello { protocol: u64 },
    Request { id: u64 },
}

/// Parses the first frame. Another version of the protocol is found out before anything else in the
/// frame matters.
pub(super) fn parse_hello(text: &str) -> Result<Hello, ApiError> {
    check_length(text)?;
    if let Ok(Outline::Hello { protocol }) = serde_json::from_str(text)
        && protocol != u64::from(PROTOCOL_VERSION)
    {
        return Err(words::protocol_version(protocol));
    }
    match serde_json::from_str(text) {
        Ok(ClientFrame::Hello { token, resume, .. }) => Ok(Hello { token, resume }),
        Ok(_) => Err(words::hello_first()),
        Err(error) => Err(words::not_a_frame(&reason(&error))),
    }
}

/// Parses a later frame. A request whose body does not parse still has an id to answer to.
pub(super) fn parse(text: &str) -> Result<Input, ApiError> {
    check_length(text)?;
    match serde_json::from_str(text) {
        Ok(ClientFrame::Request { id, body }) => Ok(Input::Request {
            id,
            body: Ok(*body),
        }),
        Ok(ClientFrame::Ack { event, reply }) => Ok(Input::Ack { event, reply }),
        Ok(ClientFrame::Ping) => Ok(Input::Ping),
        Ok(ClientFrame::Hello { .. }) => Err(words::not_a_frame("hello is said once")),
        Err(error) => match serde_json::from_str(text) {
            Ok(Outline::Request { id }) => Ok(Input::Request {
                id,
                body: Err(words::not_a_request(&reason(&error))),
            }),
            Ok(Outline::Hello { .. }) | Err(_) => Err(words::not_a_frame(&reason(&error))),
        },
    }
}

fn check_length(text: &str) -> Result<(), ApiError> {
    if text.len() > FRAME_BYTES_MAX {
        Err(words::too_large())
    } else {
        Ok(())
    }
}

/// What serde says, shortened: it may quote what the client sent.
fn reason(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}
