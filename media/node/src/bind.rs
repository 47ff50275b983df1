//! One port on several addresses: how everything here that listens is bound.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// Binds every address on one port by `bind`, which says where it is bound in the end. With port 0 the first takes a free
/// one, and the others the same. A family that the machine lacks is skipped.
///
/// # Errors
/// When the port is taken on one of the addresses, or nothing could be bound at all.
pub fn on_all<S>(
    addresses: &[IpAddr],
    mut port: u16,
    what: &str,
    mut bind: impl FnMut(SocketAddr) -> io::Result<(S, SocketAddr)>,
) -> io::Result<Vec<(S, SocketAddr)>> {
    let mut bound = Vec::with_capacity(addresses.len());
    let mut last_error = None;
    for address in addresses {
        match bind(SocketAddr::new(*address, port)) {
            Ok((socket, at)) => {
                port = at.port();
                bound.push((socket, at));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => {
                tracing::warn!(%address, %error, "no {what} on this address");
                last_error = Some(error);
            }
        }
    }
    if bound.is_empty() {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "no address to bind");
        return Err(last_error.unwrap_or_else(none));
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kinds: &[Option<io::ErrorKind>]) -> io::Result<Vec<u16>> {
        let addresses = vec![IpAddr::from([127, 0, 0, 1]); kinds.len()];
        let mut kinds = kinds.iter();
        let bound = on_all(&addresses, 0, "test", |address| match kinds.next() {
            Some(Some(kind)) => Err(io::Error::from(*kind)),
            _ => Ok((address.port(), SocketAddr::new(address.ip(), 7_000))),
        });
        bound.map(|bound| bound.into_iter().map(|(asked, _)| asked).collect())
    }

    #[test]
    fn the_first_takes_a_free_port_and_the_others_the_same() {
        let lacking = Some(io::ErrorKind::AddrNotAvailable);
        assert_eq!(asked(&[None, None]).unwrap(), [0, 7_000]);
        assert_eq!(asked(&[lacking, None]).unwrap(), [0]);
        let taken = asked(&[None, Some(io::ErrorKind::AddrInUse)]).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        let nothing = asked(&[lacking, lacking]).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::AddrNotAvailable);
        assert_eq!(asked(&[]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
