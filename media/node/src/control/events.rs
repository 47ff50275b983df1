//! The stream of what the node says by itself, a JSON object a line.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream;
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::media_http::EventLine;
use homeline_protocol::session::ApiError;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::answer::Refusal;
use super::state::Control;

/// Tells events as they come, until either side ends the connection.
///
/// Each line is a JSON object with a `type`: `peer_connected`, `peer_silent`, `peer_closed`,
/// `layers_wanted`, `speakers`, `room_failed`, or `lagged`, which says to a slow reader how many events before
/// the next line are lost to it. What happened before the request is not told.
#[utoipa::path(
    get, path = "/v1/events", tag = "node", security(("token" = [])),
    responses(
        (status = 200, description = "The stream, an object a line.", body = EventLine, content_type = "application/x-ndjson"),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 409, description = "`limit_reached`: too many readers", body = ApiError),
    )
)]
pub(super) async fn stream(State(control): State<Control>) -> Result<impl IntoResponse, Refusal> {
    let inner = &control.inner;
    let Ok(permit) = std::sync::Arc::clone(&inner.readers).try_acquire_owned() else {
        let message = "As many read the events as may. End another stream first.";
        return Err(Refusal::limit(message));
    };
    let reader = Reader {
        events: inner.events.subscribe(),
        closing: inner.closing.subscribe(),
        _permit: permit,
    };
    let lines = stream::unfold(reader, |mut reader| async {
        let line = reader.next_line().await?;
        Some((Ok::<_, std::convert::Infallible>(line), reader))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)))
}

struct Reader {
    events: broadcast::Receiver<MediaEvent>,
    closing: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The next line; `None` when the node goes.
    async fn next_line(&mut self) -> Option<Bytes> {
        let received = tokio::select! {
            received = self.events.recv() => received,
            _ = self.closing.wait_for(|closing| *closing) => return None,
        };
        let line = match received {
            Ok(event) => EventLine::Event(event),
            Err(RecvError::Lagged(lost)) => EventLine::Lagged { lost },
            Err(RecvError::Closed) => return None,
        };
        let mut text = serde_json::to_vec(&line).ok()?;
        text.push(b'\n');
        Some(text.into())
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::id::RoomId;

    use super::*;

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_lost_and_goes_on() {
        let (events, receiver) = broadcast::channel(2);
        let closing = watch::Sender::new(false);
        let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let mut reader = Reader {
            events: receiver,
            closing: closing.subscribe(),
            _permit: permits.try_acquire_owned().unwrap(),
        };
        for number in 1..=5 {
            let room = RoomId([number; 16]);
            events.send(MediaEvent::RoomFailed { room }).unwrap();
        }
        let text = |line: Option<Bytes>| String::from_utf8(line.unwrap().to_vec()).unwrap();
        assert_eq!(
            text(reader.next_line().await),
            "{\"type\":\"lagged\",\"lost\":3}\n"
        );
        let next = text(reader.next_line().await);
        let line: EventLine = serde_json::from_str(&next).unwrap();
        let room = RoomId([4; 16]);
        assert_eq!(line, EventLine::Event(MediaEvent::RoomFailed { room }));
        reader.next_line().await.unwrap();
        closing.send_replace(true);
        assert_eq!(reader.next_line().await, None);
    }
}
