//! Clients over TCP and TLS, told apart by the first byte: a TLS handshake begins with 22, and neither a
//! STUN message nor channel data does.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::framing::{FRAME_LEN_MAX, Framing, frame};
use super::relay::{Client, OUT_LEN};
use super::shared::{QUEUE_MAX, Shared, now};

/// How long a connection may take to allocate: a handshake, and two requests.
const GREETING: Duration = Duration::from_secs(10);

/// How often a connection whose allocation is gone is looked for.
const LOOK: Duration = Duration::from_secs(30);

/// How long one write may take until the connection counts as dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages that are put into one write, and so into one TLS record.
const TOGETHER_MAX: usize = 16;

/// After a failure to accept, such as too many open files: without a pause it would be tried at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TLS_HANDSHAKE: u8 = 22;

/// The certificate of the moment; `None`: there is no TLS.
pub(super) type Tls = Option<watch::Receiver<Arc<ServerConfig>>>;

/// Accepts connections, at most so many at a time; a further one is closed at once.
pub(super) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Tls,
    places: Arc<Semaphore>,
    numbers: Arc<std::sync::atomic::AtomicU64>,
) {
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the relay can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!("the relay has too many connections");
            shared.relay().figures.refused.note_connection();
            continue;
        };
        if !shared.let_in(address.ip()) {
            tracing::debug!("the relay has too many connections from one network");
            shared.relay().figures.refused.note_connection();
            continue;
        }
        let number = numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let connection = Connection {
            shared: Arc::clone(&shared),
            client: Client::Stream { number, address },
            number,
            address: address.ip(),
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            if let Err(error) = connection.begin(stream, tls, address).await {
                tracing::trace!(%error, "a relayed connection ended");
            }
            drop(place);
        });
    }
}

struct Connection {
    shared: Arc<Shared>,
    client: Client,
    number: u64,
    address: IpAddr,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.streams().remove(&self.number);
        self.shared.relay().forget(self.client);
        self.shared.let_out(self.address);
    }
}

impl Connection {
    async fn begin(self, stream: TcpStream, tls: Tls, address: SocketAddr) -> io::Result<()> {
        let deadline = tokio::time::Instant::now() + GREETING;
        stream.set_nodelay(true)?;
        let mut first = [0];
        timeout_at(deadline, stream.peek(&mut first)).await??;
        tracing::trace!(ipv6 = address.is_ipv6(), "a connection to the relay");
        match tls {
            Some(tls) if first[0] == TLS_HANDSHAKE => {
                let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
                let stream = timeout_at(deadline, acceptor.accept(stream)).await??;
                self.serve(stream, deadline).await
            }
            _ => self.serve(stream, deadline).await,
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite>(
        self,
        stream: S,
        deadline: tokio::time::Instant,
    ) -> io::Result<()> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        self.shared.streams().insert(self.number, queue.clone());
        let (reader, writer) = tokio::io::split(stream);
        tokio::select! {
            ended = self.read(reader, queue, deadline) => ended,
            ended = write(writer, waiting) => ended,
        }
    }

    /// Reads message by message. Ends with the stream, with what is no message, and when there is no
    /// allocation for too long.
    async fn read<R: AsyncRead>(
        &self,
        reader: R,
        queue: mpsc::Sender<Vec<u8>>,
        deadline: tokio::time::Instant,
    ) -> io::Result<()> {
        tokio::pin!(reader);
        let (mut buffer, mut out) = (Vec::with_capacity(2 * FRAME_LEN_MAX), [0; OUT_LEN]);
        let mut look_at = deadline;
        loop {
            match timeout_at(look_at, reader.read_buf(&mut buffer)).await {
                Ok(Ok(0)) => return Ok(()),
                Ok(read) => drop(read?),
                Err(_) => {}
            }
            if tokio::time::Instant::now() >= look_at {
                let allocated = self.shared.relay().live(now().at, self.client).is_some();
                if !allocated {
                    return Ok(());
                }
                look_at = tokio::time::Instant::now() + LOOK;
            }
            let mut used = 0;
            loop {
                match frame(&buffer[used..]) {
                    Framing::Incomplete => break,
                    Framing::Broken => return Err(io::ErrorKind::InvalidData.into()),
                    Framing::Whole(found) => {
                        let message = &buffer[used..used + found.len];
                        if let Some(len) = self.shared.take(self.client, message, &mut out) {
                            // A client that does not read its answers asks again.
                            queue.try_send(out[..len].to_vec()).ok();
                        }
                        used += found.padded;
                    }
                }
            }
            buffer.drain(..used);
        }
    }
}

async fn write<W: AsyncWrite>(writer: W, mut waiting: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    tokio::pin!(writer);
    let mut messages = Vec::with_capacity(TOGETHER_MAX);
    let mut together = Vec::new();
    while waiting.recv_many(&mut messages, TOGETHER_MAX).await > 0 {
        together.clear();
        messages
            .drain(..)
            .for_each(|message| together.extend_from_slice(&message));
        let written = async {
            writer.write_all(&together).await?;
            writer.flush().await
        };
        timeout(WRITE_TIMEOUT, written).await??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::turn::config::TurnConfig;
    use crate::turn::doors::Doors;
    use crate::turn::relay::Relay;

    /// Real sockets, and a clock that moves on when nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_or_allocates_nothing_is_closed_after_ten_seconds() {
        let doors = Doors::new(&[], &["127.0.0.1:1".parse().unwrap()]).unwrap();
        let relay = Relay::new(&TurnConfig::default(), doors, [7; 32], Instant::now());
        let shared = Arc::new(Shared::new(relay, Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let places = Arc::new(Semaphore::new(4));
        let numbers = Arc::default();
        let accepting = accept(listener, shared, None, Arc::clone(&places), numbers);
        let accepting = tokio::spawn(accepting);
        // Nothing at all, and the beginning of a request that never ends.
        for said in [&[][..], &[0, 1, 0, 8]] {
            let begun = tokio::time::Instant::now();
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(said).await.unwrap();
            let mut buffer = [0; 16];
            // Closing with something unread is a reset.
            let ended = client.read(&mut buffer).await.unwrap_or(0);
            let waited = begun.elapsed();
            assert_eq!(ended, 0, "nothing is answered");
            assert!(waited >= GREETING && waited < GREETING + LOOK, "{waited:?}");
        }
        accepting.abort();
    }
}
