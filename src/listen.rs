//! Listening sockets for HTTP and HTTPS.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

use anyhow::Context as _;
use homeline_media_node::bind;

/// One listener for each address; IPv4 and IPv6 share the port. A family that the machine lacks is skipped.
pub(crate) fn on_all(addresses: &[IpAddr], port: u16) -> anyhow::Result<Vec<TcpListener>> {
    let listen = |address| {
        let listener = on(address)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    match bind::on_all(addresses, port, "listener", listen) {
        Ok(bound) => Ok(bound.into_iter().map(|(listener, _)| listener).collect()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => anyhow::bail!(
            "port {port} is in use: stop the other program, or choose another port in the configuration"
        ),
        Err(error) => Err(error).with_context(|| format!("no address to listen on at port {port}")),
    }
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
