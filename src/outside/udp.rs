//! Asks one question over UDP, a few times, and waits for an answer that fits.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Pauses before the question is repeated; about two seconds in all. A router answers within milliseconds.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1_250),
];

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1_500;

/// The first answer from `to` that `read` understands. Others, as a stranger's, are passed over.
pub(super) async fn ask<T>(
    to: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(any).await.ok()?;
    // Connected: the system passes on only what comes from there.
    socket.connect(to).await.ok()?;
    let mut buffer = [0; ANSWER_BYTES_MAX];
    for pause in PAUSES {
        socket.send(question).await.ok()?;
        let answered = timeout(pause, async {
            loop {
                let len = socket.recv(&mut buffer).await.ok()?;
                if let Some(answer) = read(&buffer[..len]) {
                    return Some(answer);
                }
            }
        });
        match answered.await {
            Ok(Some(answer)) => return Some(answer),
            // Nobody listens there.
            Ok(None) => return None,
            Err(_) => {}
        }
    }
    None
}
