//! One WebSocket: upgrades, asks who is there, then carries frames between client and session.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use homeline_protocol::session::{ApiError, FRAME_BYTES_MAX, ServerFrame};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Duration, timeout};

use super::actor::{Command, ToSocket};
use super::frames::{Hello, parse, parse_hello};
use super::sessions::{Attached, Sessions};
use super::{origin, words};
use crate::domain::accounts::AuthenticateError;
use crate::model::Speaker;

/// A client that takes in nothing for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How much longer than allowed a message may be and still be refused in words; beyond, the
/// connection drops.
const MESSAGE_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX;

/// RFC 6455, 7.4.1: the reason is in the goodbye frame before it.
const CLOSE_NORMAL: u16 = 1000;

/// `GET /v1/session`.
pub fn routes(sessions: Sessions) -> Router {
    Router::new()
        .route("/v1/session", get(upgrade))
        .with_state(sessions)
}

async fn upgrade(
    State(sessions): State<Sessions>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !origin::is_allowed(&headers, &sessions.0.config.origins_allowed) {
        return (StatusCode::FORBIDDEN, Json(words::foreign_origin())).into_response();
    }
    let Some(permit) = sessions.0.greeting() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(words::sessions_full()),
        )
            .into_response();
    };
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| serve(sessions, socket, permit))
}

async fn serve(sessions: Sessions, mut socket: WebSocket, greeting: OwnedSemaphorePermit) {
    let (frames, outgoing) = mpsc::channel(sessions.0.config.socket_queue_max());
    let attached = match greet(&sessions, &mut socket).await {
        Ok(Some((speaker, hello))) => sessions.attach(speaker, hello.resume, frames).await,
        Ok(None) => return,
        Err(error) => Err(error),
    };
    drop(greeting);
    match attached {
        Ok(attached) => carry(socket, attached, outgoing).await,
        Err(error) => {
            sessions.0.counters.ended(error.code);
            say_goodbye(&mut socket, error).await;
        }
    }
}

/// Who is there. None if nobody is any more.
async fn greet(
    sessions: &Sessions,
    socket: &mut WebSocket,
) -> Result<Option<(Speaker, Hello)>, ApiError> {
    let heard = timeout(sessions.0.config.hello_timeout(), next_text(socket)).await;
    let text = match heard.map_err(|_| words::hello_first())? {
        Heard::Text(text) => text,
        Heard::Faulty(error) => return Err(error),
        Heard::Gone => return Ok(None),
    };
    let hello = parse_hello(&text)?;
    if hello.token.expose().is_empty() {
        return Err(words::not_registered());
    }
    match sessions
        .0
        .services
        .accounts
        .authenticate(&hello.token)
        .await
    {
        Ok(speaker) => Ok(Some((speaker, hello))),
        Err(AuthenticateError::Unknown) => Err(words::unauthorized()),
        Err(AuthenticateError::DeviceRevoked) => Err(words::ending(
            homeline_protocol::session::ErrorCode::DeviceRevoked,
        )),
        Err(AuthenticateError::Store(error)) => {
            tracing::error!(%error, "the store failed");
            Err(words::internal())
        }
    }
}

/// Carries frames both ways until either side is gone.
async fn carry(mut socket: WebSocket, session: Attached, mut outgoing: mpsc::Receiver<ToSocket>) {
    let Attached { link, commands } = session;
    loop {
        tokio::select! {
            frame = outgoing.recv() => match frame {
                Some(ToSocket::Frame(frame)) => {
                    if !send(&mut socket, &frame).await {
                        break;
                    }
                }
                Some(ToSocket::Close) | None => {
                    close(&mut socket).await;
                    return;
                }
            },
            heard = next_text(&mut socket) => {
                let command = match heard {
                    Heard::Text(text) => match parse(&text) {
                        Ok(input) => Command::Heard { link, input },
                        Err(error) => Command::Faulty { link, error },
                    },
                    Heard::Faulty(error) => Command::Faulty { link, error },
                    Heard::Gone => break,
                };
                if commands.send(command).await.is_err() {
                    // The session has ended: what it said last is still to be sent.
                    drain(&mut socket, &mut outgoing).await;
                    return;
                }
            }
        }
    }
    if commands.send(Command::Gone { link }).await.is_err() {
        tracing::trace!("the session had ended before its connection");
    }
}

enum Heard {
    Text(String),
    Faulty(ApiError),
    Gone,
}

async fn next_text(socket: &mut WebSocket) -> Heard {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => return Heard::Faulty(words::text_only()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Heard::Gone,
            // Only a message beyond the bound leaves a connection that can still be written to.
            Some(Err(error)) if error.to_string().contains("too long") => {
                return Heard::Faulty(words::too_large());
            }
            Some(Err(_)) => return Heard::Gone,
        }
    }
}

async fn drain(socket: &mut WebSocket, outgoing: &mut mpsc::Receiver<ToSocket>) {
    while let Some(ToSocket::Frame(frame)) = outgoing.recv().await {
        if !send(socket, &frame).await {
            return;
        }
    }
    close(socket).await;
}

async fn say_goodbye(socket: &mut WebSocket, error: ApiError) {
    if send(socket, &ServerFrame::Goodbye { error }).await {
        close(socket).await;
    }
}

async fn send(socket: &mut WebSocket, frame: &ServerFrame) -> bool {
    let text = match serde_json::to_string(frame) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a frame can't be written");
            return false;
        }
    };
    matches!(
        timeout(SEND_TIMEOUT, socket.send(Message::Text(text.into()))).await,
        Ok(Ok(()))
    )
}

async fn close(socket: &mut WebSocket) {
    let frame = CloseFrame {
        code: CLOSE_NORMAL,
        reason: "".into(),
    };
    let closing = timeout(SEND_TIMEOUT, socket.send(Message::Close(Some(frame)))).await;
    if !matches!(closing, Ok(Ok(()))) {
        tracing::trace!("the connection was gone before it was closed");
    }
}
