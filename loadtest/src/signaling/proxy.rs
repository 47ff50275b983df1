//! What stands between sessions and the server in a storm, to cut them all at once.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay of TCP connections.
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) address: SocketAddr,
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// Relays to a server on this machine.
    pub(super) async fn start(server: String) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("a port for the relay")?;
        let address = listener.local_addr()?;
        let (cuts, cut) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                tokio::spawn(relay(inner, server.clone(), cut.clone()));
            }
        });
        Ok(Self { address, cuts })
    }

    /// Cuts every connection that is open now, without a word.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn relay(mut inner: TcpStream, server: String, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    // A server that refuses looks like a connection that is closed.
    let Ok(mut outer) = TcpStream::connect(server).await else {
        return;
    };
    // Frames are small and wanted at once.
    inner.set_nodelay(true).ok();
    outer.set_nodelay(true).ok();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut inner, &mut outer) => {}
        _ = cut.changed() => {}
    }
}
