//! The whole system: the real binary, real clients, real networks, one story a file.

mod server;
