//! What the scenarios share: a server, people with keys of their own, and their sessions.

mod person;
mod post_office;
mod server;
mod session;

pub(crate) use person::{Person, device_id, fresh_key};
pub(crate) use post_office::PostOffice;
pub(crate) use server::{Answer, Server};
pub(crate) use session::Session;
