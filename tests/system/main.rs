//! The whole system: the real binary, real clients, real networks, one story a file.

mod durability;
mod front;
mod logs;
mod namespace;
mod network;
mod people;
mod recorder;
mod sees_nothing;
mod server;
mod web;
