//! One WebSocket connection: frames in, frames out.

use futures_util::{SinkExt as _, StreamExt as _};
use homeline_protocol::session::{ClientFrame, SERVER_FRAME_BYTES_MAX, ServerFrame};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::server::{Server, Stream};

pub(super) struct Connection(WebSocketStream<Box<dyn Stream>>);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    WebSocket(Box<Error>),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server sent a frame that this version does not know")]
    UnknownFrame,
}

impl From<Error> for ConnectionError {
    fn from(error: Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

impl Connection {
    pub(super) async fn open(server: &Server) -> Result<Self, ConnectionError> {
        let scheme = if server.is_encrypted() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}/v1/session", server.authority());
        let request = url.into_client_request()?;
        let stream = server.connect().await?;
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(SERVER_FRAME_BYTES_MAX);
        config.max_frame_size = Some(SERVER_FRAME_BYTES_MAX);
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self(socket))
    }

    pub(super) async fn send(&mut self, frame: &ClientFrame) -> Result<(), ConnectionError> {
        let text = serde_json::to_string(frame).expect("protocol types always serialize");
        self.0.send(Message::text(text)).await?;
        Ok(())
    }

    /// The next frame. Cancelling loses nothing: the socket keeps what is half read.
    pub(super) async fn receive(&mut self) -> Result<ServerFrame, ConnectionError> {
        loop {
            let Some(message) = self.0.next().await else {
                return Err(ConnectionError::Closed);
            };
            match message? {
                Message::Text(text) => {
                    return serde_json::from_str(text.as_str())
                        .map_err(|_| ConnectionError::UnknownFrame);
                }
                Message::Close(_) => return Err(ConnectionError::Closed),
                // Pings are answered by the library; nobody sends binary or raw frames.
                _ => {}
            }
        }
    }

    pub(super) async fn close(&mut self) {
        // The other side may be gone already, which is as good.
        self.0.close(None).await.ok();
    }
}
