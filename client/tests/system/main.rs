//! The SDK against a whole server in this process: people, devices and calls as a program sees them.

mod calls;
mod house;
mod pairing;
mod proxy;
mod refused;
mod server;
