//! A wire between clients and a server that keeps all they say: what a third party with the server's ears has.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use homeline_protocol::session::ServerFrame;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server said, one connection each.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    streams: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    /// Stands before `server`; clients connect to the address it gives.
    pub(crate) async fn before(server: SocketAddr) -> (Self, SocketAddr) {
        let recorder = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let recording = recorder.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let index = {
                    let mut streams = recording.streams.lock().unwrap();
                    streams.push(Vec::new());
                    streams.len() - 1
                };
                tokio::spawn(pass(from_client, to_server, |_| {}));
                let streams = Arc::clone(&recording.streams);
                let keep = move |bytes: &[u8]| streams.lock().unwrap()[index].extend(bytes);
                tokio::spawn(pass(from_server, to_client, keep));
            }
        });
        (recorder, address)
    }

    /// All session frames of the server, from all sessions.
    pub(crate) fn frames(&self) -> Vec<ServerFrame> {
        let streams = self.streams.lock().unwrap();
        streams
            .iter()
            .flat_map(|stream| texts(stream))
            .filter_map(|text| serde_json::from_slice(text).ok())
            .collect()
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    keep: impl Fn(&[u8]),
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        keep(&buffer[..count]);
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    // The other end may be gone first.
    to.shutdown().await.ok();
}

/// The text frames of a WebSocket after its handshake (RFC 6455 section 5.2); a server does not mask.
fn texts(stream: &[u8]) -> Vec<&[u8]> {
    let mut texts = Vec::new();
    let Some(head) = stream.windows(4).position(|four| four == b"\r\n\r\n") else {
        return texts;
    };
    if !stream.starts_with(b"HTTP/1.1 101") {
        return texts;
    }
    let mut rest = &stream[head + 4..];
    while let [first, length, after @ ..] = rest {
        let (length, after) = match (length & 0x7f, after) {
            (126, [a, b, after @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), after),
            (127, after) if after.len() >= 8 => {
                let (number, after) = after.split_at(8);
                (
                    u64::from_be_bytes(number.try_into().unwrap()) as usize,
                    after,
                )
            }
            (short, after) => (usize::from(short), after),
        };
        let Some((payload, after)) = after.split_at_checked(length) else {
            break;
        };
        if first & 0x0f == 1 {
            texts.push(payload);
        }
        rest = after;
    }
    texts
}
