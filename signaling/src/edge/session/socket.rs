//! One WebSocket: upgrades, asks who is there, then carries frames between client and session.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Extension, Router};
use homeline_protocol::session::{ApiError, FRAME_BYTES_MAX, ServerFrame};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Duration, Instant, interval_at, timeout};

use super::actor::{Command, ToSocket};
use super::core::Input;
use super::frames::{Hello, parse, parse_hello};
use super::sessions::{Attached, Sessions};
use super::{origin, words};
use crate::domain::accounts::AuthenticateError;
use crate::domain::limits::Origin;
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
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
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
    // Without a connection (in tests), all come from one place.
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.0.ip());
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| serve(sessions, socket, address.into(), permit))
}

async fn serve(
    sessions: Sessions,
    mut socket: WebSocket,
    from: Origin,
    greeting: OwnedSemaphorePermit,
) {
    let (frames, outgoing) = mpsc::channel(sessions.0.config.socket_queue_max());
    let attached = match greet(&sessions, &mut socket).await {
        Ok(Some((speaker, hello))) => sessions.attach(speaker, hello.resume, (from, frames)).await,
        Ok(None) => return,
        Err(error) => Err(error),
    };
    drop(greeting);
    match attached {
        Ok(attached) => {
            let heartbeat = sessions.0.config.heartbeat();
            carry(socket, attached, outgoing, heartbeat).await;
        }
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
    let heard = timeout(sessions.0.config.hello_timeout(), first(socket)).await;
    let text = match heard.map_err(|_| words::hello_first())? {
        Heard::Text(text) => text,
        Heard::Faulty(error) => return Err(error),
        Heard::Gone | Heard::Alive => return Ok(None),
    };
    let hello = parse_hello(&text)?;
    if hello.token.expose().is_empty() {
        return Err(words::not_registered());
    }
    if let Some(guest) = sessions.0.services.guests.authenticate(&hello.token) {
        return Ok(Some((guest, hello)));
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
///
/// It also lets the client hear something in every heartbeat, in both ways there are: browsers slow
/// down the timers of hidden tabs to one a minute, but answer WebSocket pings and hand over frames
/// at once. So a tab in the background is reached, and does not think that the server is gone.
async fn carry(
    mut socket: WebSocket,
    session: Attached,
    mut outgoing: mpsc::Receiver<ToSocket>,
    heartbeat: Duration,
) {
    let Attached { link, commands } = session;
    let mut beat = interval_at(Instant::now() + heartbeat, heartbeat);
    loop {
        let command = tokio::select! {
            frame = outgoing.recv() => match frame {
                Some(ToSocket::Frame(frame)) => {
                    if !send(&mut socket, &frame).await {
                        break;
                    }
                    continue;
                }
                Some(ToSocket::Close) | None => {
                    close(&mut socket).await;
                    return;
                }
            },
            _ = beat.tick() => {
                if !send_message(&mut socket, Message::Ping(Bytes::new())).await
                    || !send(&mut socket, &ServerFrame::Pong).await
                {
                    break;
                }
                continue;
            }
            heard = next(&mut socket) => match heard {
                Heard::Text(text) => match parse(&text) {
                    Ok(input) => Command::Heard { link, input },
                    Err(error) => Command::Faulty { link, error },
                },
                Heard::Alive => Command::Heard { link, input: Input::Alive },
                Heard::Faulty(error) => Command::Faulty { link, error },
                Heard::Gone => break,
            },
        };
        if commands.send(command).await.is_err() {
            // The session has ended: what it said last is still to be sent.
            drain(&mut socket, &mut outgoing).await;
            return;
        }
    }
    if commands.send(Command::Gone { link }).await.is_err() {
        tracing::trace!("the session had ended before its connection");
    }
}

enum Heard {
    Text(String),
    /// A WebSocket ping or pong.
    Alive,
    Faulty(ApiError),
    Gone,
}

/// Dropping it loses nothing.
async fn next(socket: &mut WebSocket) -> Heard {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
        Some(Ok(Message::Binary(_))) => Heard::Faulty(words::text_only()),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Alive,
        Some(Ok(Message::Close(_))) | None => Heard::Gone,
        // Only a message beyond the bound leaves a connection that can still be written to.
        Some(Err(error)) if error.to_string().contains("too long") => {
            Heard::Faulty(words::too_large())
        }
        Some(Err(_)) => Heard::Gone,
    }
}

/// The first thing that says something.
async fn first(socket: &mut WebSocket) -> Heard {
    loop {
        match next(socket).await {
            Heard::Alive => {}
            heard => return heard,
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
    send_message(socket, Message::Text(text.into())).await
}

async fn send_message(socket: &mut WebSocket, message: Message) -> bool {
    matches!(
        timeout(SEND_TIMEOUT, socket.send(message)).await,
        Ok(Ok(()))
    )
}

async fn close(socket: &mut WebSocket) {
    let frame = CloseFrame {
        code: CLOSE_NORMAL,
        reason: "".into(),
    };
    if !send_message(socket, Message::Close(Some(frame))).await {
        tracing::trace!("the connection was gone before it was closed");
    }
}
