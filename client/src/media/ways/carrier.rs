//! Between ICE's socket and the connections that carry its datagrams: which stand-in is which.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;

/// Datagrams that may wait for a connection: a second of sound and some picture. A further one is dropped,
/// as by any full queue on the way.
const OUTGOING_MAX: usize = 64;

/// Datagrams that may wait for ICE's socket. A further one is dropped.
const INCOMING_MAX: usize = 256;

/// The port of all stand-ins: that of "discard", as RFC 6544 has it for those that nobody can connect to.
const PORT: u16 = 9;

/// A datagram, and the stand-in that it seems to come from.
pub(super) type Arrival = (SocketAddr, Vec<u8>);

/// One for each peer connection.
#[derive(Debug, Default)]
pub(crate) struct Carrier(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// To the one socket that speaks with stand-ins. It goes when ICE binds new sockets.
    socket: Option<mpsc::Sender<Arrival>>,
    routes: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    /// Stand-ins given out so far. None is given twice, so that nothing late finds a wrong way.
    given: u16,
    /// Where media went last, a stand-in or not.
    in_use: Option<SocketAddr>,
}

/// A stand-in and what is sent to it, for as long as this lives.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) stand_in: SocketAddr,
    pub(super) outgoing: mpsc::Receiver<Vec<u8>>,
    carrier: Arc<Carrier>,
}

impl Carrier {
    /// A socket of ICE's; the first that is there while no other is gets what comes from stand-ins.
    pub(super) fn attach(&self) -> Option<mpsc::Receiver<Arrival>> {
        let mut state = self.state();
        if state.socket.as_ref().is_some_and(|held| !held.is_closed()) {
            return None;
        }
        let (socket, incoming) = mpsc::channel(INCOMING_MAX);
        state.socket = Some(socket);
        Some(incoming)
    }

    /// A stand-in for a connection that is ready. `None`: all 65,535 were given.
    pub(super) fn route(self: &Arc<Self>) -> Option<Route> {
        let mut state = self.state();
        state.given = state.given.checked_add(1)?;
        let [high, low] = state.given.to_be_bytes();
        let stand_in = SocketAddr::from((Ipv4Addr::new(240, 0, high, low), PORT));
        let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
        state.routes.insert(stand_in, sender);
        Some(Route {
            stand_in,
            outgoing,
            carrier: Arc::clone(self),
        })
    }

    /// From ICE to a stand-in. What leads nowhere any more is dropped.
    pub(super) fn send(&self, to: SocketAddr, datagram: &[u8]) {
        let mut state = self.state();
        let Some(route) = state.routes.get(&to) else {
            return;
        };
        route.try_send(datagram.to_vec()).ok();
        state.note_use(to, datagram);
    }

    /// From ICE to a real address.
    pub(super) fn sent_directly(&self, to: SocketAddr, datagram: &[u8]) {
        self.state().note_use(to, datagram);
    }

    /// From a connection to ICE.
    pub(super) fn deliver(&self, from: SocketAddr, datagram: Vec<u8>) {
        if let Some(socket) = &self.state().socket {
            socket.try_send((from, datagram)).ok();
        }
    }

    /// Whether media goes to this stand-in.
    pub(super) fn uses(&self, stand_in: SocketAddr) -> bool {
        self.state().in_use == Some(stand_in)
    }

    /// Whether media went anywhere since ICE began.
    pub(super) fn is_in_use(&self) -> bool {
        self.state().in_use.is_some()
    }

    /// Media goes nowhere yet: ICE begins anew.
    pub(crate) fn forget_use(&self) {
        self.state().in_use = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it is held")
    }
}

impl State {
    fn note_use(&mut self, to: SocketAddr, datagram: &[u8]) {
        // Checks go everywhere; what is no STUN goes where ICE has decided for.
        if datagram.first().is_some_and(|first| *first > 3) {
            self.in_use = Some(to);
        }
    }
}

/// 240.0.0.0/4 is reserved (RFC 1112 section 4): no host has such an address.
pub(super) fn is_stand_in(address: SocketAddr) -> bool {
    matches!(address, SocketAddr::V4(v4) if v4.ip().octets()[0] == 240)
}

impl Drop for Route {
    fn drop(&mut self) {
        self.carrier.state().routes.remove(&self.stand_in);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stand_in_leads_to_its_own_connection_until_that_is_gone() {
        let carrier = Arc::new(Carrier::default());
        let (mut one, mut two) = (carrier.route().unwrap(), carrier.route().unwrap());
        assert!(is_stand_in(one.stand_in) && one.stand_in != two.stand_in);
        carrier.send(one.stand_in, &[0, 1]);
        assert!(!carrier.uses(one.stand_in));
        carrier.send(two.stand_in, &[22, 2]);
        assert!(carrier.uses(two.stand_in));
        assert_eq!(one.outgoing.try_recv(), Ok(vec![0, 1]));
        assert_eq!(two.outgoing.try_recv(), Ok(vec![22, 2]));
        let gone = one.stand_in;
        drop(one);
        carrier.send(gone, &[22]);
        assert!(carrier.uses(two.stand_in));
        carrier.forget_use();
        assert!(!carrier.is_in_use());
        carrier.sent_directly(SocketAddr::from(([192, 0, 2, 1], 1)), &[22]);
        assert!(carrier.is_in_use() && !carrier.uses(two.stand_in));
    }

    #[test]
    fn one_socket_at_a_time_speaks_with_stand_ins() {
        let carrier = Arc::new(Carrier::default());
        let from = carrier.route().unwrap().stand_in;
        let mut first = carrier.attach().unwrap();
        assert!(carrier.attach().is_none());
        carrier.deliver(from, vec![1]);
        assert_eq!(first.try_recv(), Ok((from, vec![1])));
        drop(first);
        let mut second = carrier.attach().unwrap();
        carrier.deliver(from, vec![2]);
        assert_eq!(second.try_recv(), Ok((from, vec![2])));
    }

    #[test]
    fn a_full_queue_drops() {
        let carrier = Arc::new(Carrier::default());
        let mut route = carrier.route().unwrap();
        for _ in 0..2 * OUTGOING_MAX {
            carrier.send(route.stand_in, &[22]);
        }
        let kept = std::iter::from_fn(|| route.outgoing.try_recv().ok());
        assert_eq!(kept.count(), OUTGOING_MAX);
    }
}
