//! A socket of the generator's, and the peer behind it.

use std::net::UdpSocket;
use std::time::Instant;

use crate::peer::{Features, Peer, Told};
use crate::sockets::is_media;

/// Datagrams taken from one socket before the flows get their turn.
const READS_MAX: usize = 64;

/// Which of the programs is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The media node.
    Node,
    /// The floor.
    Floor,
    /// The other server.
    Janus,
}

/// A socket, and the peer behind it if it is one of a server's.
pub struct Endpoint {
    pub(super) target: Target,
    pub(super) socket: UdpSocket,
    pub(super) peer: Option<Peer>,
    decrypts: bool,
    /// Its pictures carry dependency descriptors.
    pub(super) describes: bool,
    /// Media packets that arrived.
    pub(super) received: u64,
}

impl Endpoint {
    /// A peer of the node or of the other server.
    pub fn joined(target: Target, socket: UdpSocket, peer: Peer, features: Features) -> Self {
        Self {
            target,
            socket,
            peer: Some(peer),
            decrypts: features.reports(),
            describes: features.describes(),
            received: 0,
        }
    }

    /// A socket of the floor's.
    pub fn bare(socket: UdpSocket) -> Self {
        Self {
            target: Target::Floor,
            socket,
            peer: None,
            decrypts: false,
            describes: false,
            received: 0,
        }
    }

    /// Takes what has arrived; whether a receiver wants a key frame.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> bool {
        let mut key_wanted = false;
        for _ in 0..READS_MAX {
            let Ok((len, source)) = self.socket.recv_from(buffer) else {
                break;
            };
            let media = is_media(&buffer[..len]);
            self.received += u64::from(media);
            if let Some(peer) = self.peer.as_mut().filter(|_| !media || self.decrypts) {
                peer.receive(Instant::now(), source, &buffer[..len]);
                key_wanted |= self.poll();
            }
        }
        key_wanted
    }

    /// Sends what its peer wants sent; whether a receiver wants a key frame.
    pub(super) fn poll(&mut self) -> bool {
        let mut key_wanted = false;
        let socket = &self.socket;
        if let Some(peer) = &mut self.peer {
            peer.poll_all(|told| match told {
                Told::Datagram(to, bytes) => drop(socket.send_to(bytes, to)),
                Told::KeyFrame(_) => key_wanted = true,
                Told::Packet(_) => {}
            });
        }
        key_wanted
    }
}
