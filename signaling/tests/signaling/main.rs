//! The signaling server through its public surface: HTTP and sessions over real sockets.

mod calls;
mod harness;
