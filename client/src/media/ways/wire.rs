//! Datagrams over a connection, whatever it is: packets in a stream, messages of TURN in one, or UDP.
//!
//! The framing is our own, although `rtc` has some: that one takes packets of up to 64 KiB, so that whatever else
//! answers on the port would be waited for until the time is over.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::server::Stream;

/// Datagrams that may wait on either side. Outgoing, a further one is dropped; incoming, the connection is
/// not read meanwhile.
const WAITING_MAX: usize = 64;

/// Longest datagram, as the media node and its relay take them.
const DATAGRAM_MAX: usize = 2_048;

/// How datagrams are told apart in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Each after its length in two bytes (RFC 4571 section 2).
    Packets,
    /// Messages of STUN and channel data, which say their own length (RFC 8656 section 12.5).
    Turn,
}

/// A connection while this lives.
pub(super) struct Wire {
    outgoing: mpsc::Sender<Vec<u8>>,
    incoming: mpsc::Receiver<Vec<u8>>,
    _task: JoinSet<()>,
}

impl Wire {
    pub(super) fn stream(stream: Box<dyn Stream>, framing: Framing) -> Self {
        Self::over(move |outgoing, incoming| async move {
            let (read, write) = tokio::io::split(stream);
            tokio::select! {
                ended = read_frames(read, framing, incoming) => ended,
                ended = write_frames(write, framing, outgoing) => ended,
            }
        })
    }

    pub(super) fn udp(socket: UdpSocket) -> Self {
        Self::over(move |mut outgoing, incoming| async move {
            let receive = async {
                let mut buffer = [0; DATAGRAM_MAX];
                loop {
                    let len = socket.recv(&mut buffer).await?;
                    if incoming.send(buffer[..len].to_vec()).await.is_err() {
                        return Ok(());
                    }
                }
            };
            let send = async {
                while let Some(datagram) = outgoing.recv().await {
                    socket.send(&datagram).await?;
                }
                Ok(())
            };
            tokio::select! { ended = receive => ended, ended = send => ended }
        })
    }

    fn over<F: Future<Output = io::Result<()>> + Send + 'static>(
        run: impl FnOnce(mpsc::Receiver<Vec<u8>>, mpsc::Sender<Vec<u8>>) -> F,
    ) -> Self {
        let (outgoing, to_be_sent) = mpsc::channel(WAITING_MAX);
        let (received, incoming) = mpsc::channel(WAITING_MAX);
        let running = run(to_be_sent, received);
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(error) = running.await {
                tracing::debug!(%error, "a connection for media ended");
            }
        });
        Self {
            outgoing,
            incoming,
            _task: task,
        }
    }

    /// Sends, or drops when too much waits.
    pub(super) fn send(&self, datagram: Vec<u8>) {
        self.outgoing.try_send(datagram).ok();
    }

    /// The next datagram; `None` once the connection has ended. Cancelling loses nothing.
    pub(super) async fn receive(&mut self) -> Option<Vec<u8>> {
        self.incoming.recv().await
    }

    /// Waits a moment until what was sent is on its way.
    pub(super) async fn flush(self) {
        let Self {
            outgoing,
            incoming: _incoming,
            _task: mut task,
        } = self;
        // The writer ends once all is written.
        drop(outgoing);
        task.join_next().await;
    }
}

async fn read_frames(
    mut stream: ReadHalf<Box<dyn Stream>>,
    framing: Framing,
    incoming: mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    let mut frame = Vec::with_capacity(DATAGRAM_MAX);
    loop {
        let mut head = [0; 4];
        let head = match framing {
            Framing::Packets => &mut head[..2],
            Framing::Turn => &mut head[..],
        };
        stream.read_exact(head).await?;
        let body = body(head, framing).ok_or(io::ErrorKind::InvalidData)?;
        frame.clear();
        if framing == Framing::Turn {
            frame.extend_from_slice(head);
        }
        let start = frame.len();
        frame.resize(start + body.padded, 0);
        stream.read_exact(&mut frame[start..]).await?;
        frame.truncate(start + body.len);
        // An empty packet keeps a mapping alive and says nothing.
        if !frame.is_empty() && incoming.send(frame.clone()).await.is_err() {
            return Ok(());
        }
    }
}

async fn write_frames(
    mut stream: WriteHalf<Box<dyn Stream>>,
    framing: Framing,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(DATAGRAM_MAX);
    while let Some(datagram) = outgoing.recv().await {
        bytes.clear();
        push(&mut bytes, framing, &datagram);
        // What waits already goes with it.
        while bytes.len() < 8 * DATAGRAM_MAX
            && let Ok(datagram) = outgoing.try_recv()
        {
            push(&mut bytes, framing, &datagram);
        }
        stream.write_all(&bytes).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// How long what follows a head is.
#[derive(Debug, PartialEq, Eq)]
struct Body {
    len: usize,
    padded: usize,
}

/// `None`: no frame, or a longer one than there is.
fn body(head: &[u8], framing: Framing) -> Option<Body> {
    let len = usize::from(u16::from_be_bytes(*head.last_chunk()?));
    let body = match (framing, head.first()?) {
        (Framing::Packets, _) => Body { len, padded: len },
        // A STUN message's length is counted after its whole head of twenty bytes.
        (Framing::Turn, 0..=3) => Body {
            len: len + 16,
            padded: len + 16,
        },
        (Framing::Turn, 0x40..=0x4f) => Body {
            len,
            padded: len.next_multiple_of(4),
        },
        (Framing::Turn, _) => return None,
    };
    (body.padded <= DATAGRAM_MAX).then_some(body)
}

fn push(bytes: &mut Vec<u8>, framing: Framing, datagram: &[u8]) {
    match framing {
        Framing::Packets => {
            let Ok(len) = u16::try_from(datagram.len()) else {
                return;
            };
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(datagram);
        }
        Framing::Turn => {
            bytes.extend_from_slice(datagram);
            let padded = datagram.len().next_multiple_of(4) - datagram.len();
            bytes.extend_from_slice(&[0; 4][..padded]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn through(framing: Framing, datagrams: &[&[u8]]) -> Vec<Vec<u8>> {
        let (near, far) = tokio::io::duplex(7);
        let (near, mut far) = (
            Wire::stream(Box::new(near), framing),
            Wire::stream(Box::new(far), framing),
        );
        for datagram in datagrams {
            near.send(datagram.to_vec());
        }
        let mut found = Vec::new();
        while found.len() < datagrams.len() {
            found.push(far.receive().await.unwrap());
        }
        found
    }

    #[tokio::test]
    async fn datagrams_come_out_of_a_stream_as_they_went_in() {
        let packets: [&[u8]; 3] = [b"a", b"three", &[7; 1_200]];
        assert_eq!(through(Framing::Packets, &packets).await, packets);
        let mut stun = [0; 28];
        stun[3] = 8;
        let messages: [&[u8]; 2] = [&[0x40, 0, 0, 5, 1, 2, 3, 4, 5], &stun];
        assert_eq!(through(Framing::Turn, &messages).await, messages);
    }

    #[tokio::test]
    async fn what_is_no_frame_ends_the_connection() {
        for (framing, bytes) in [
            (Framing::Packets, &b"GET / HTTP/1.1"[..]),
            (Framing::Turn, b"GET / HTTP/1.1"),
            (Framing::Turn, &[0x40, 0, 0xff, 0xff]),
        ] {
            let (mut near, far) = tokio::io::duplex(64);
            let mut wire = Wire::stream(Box::new(far), framing);
            near.write_all(bytes).await.unwrap();
            assert_eq!(wire.receive().await, None, "{framing:?}");
        }
    }

    #[tokio::test]
    async fn what_was_sent_leaves_before_a_flushed_connection_ends() {
        let (near, mut far) = tokio::io::duplex(64);
        let wire = Wire::stream(Box::new(near), Framing::Packets);
        wire.send(b"bye".to_vec());
        wire.flush().await;
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"\0\x03bye");
    }
}
