//! Listening sockets for HTTP and HTTPS.

use std::net::{IpAddr, SocketAddr, TcpListener};

use tracing::warn;

/// One listener for each address; IPv4 and IPv6 share the port. A family that the machine lacks is skipped.
pub(crate) fn on_all(addresses: &[IpAddr], port: u16) -> anyhow::Result<Vec<TcpListener>> {
    let mut port = port;
    let mut listeners = Vec::new();
    for address in addresses {
        match on(SocketAddr::new(*address, port)) {
            Ok(listener) => {
                // With port 0 the first listener takes a free one, and the others the same.
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                anyhow::bail!(
                    "port {port} is in use: stop the other program, or choose another port in the configuration"
                );
            }
            Err(error) => warn!(%address, %error, "not listening on this address"),
        }
    }
    anyhow::ensure!(
        !listeners.is_empty(),
        "no address to listen on at port {port}"
    );
    Ok(listeners)
}

/// A listener at an address.
pub(crate) fn on(address: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
