//! A session between one app or device and the server: frames, requests, replies, events, errors.
//!
//! JSON texts over a WebSocket (`/v1/session`). The client says `hello` first. Requests carry an id that
//! grows by one; the server answers each id once, remembers its answers until they are acknowledged, and
//! numbers its events, so that a client which resumes repeats nothing and loses nothing.

mod address_book;
mod announcements;
mod call;
mod children;
mod drop_in;
mod error;
mod event;
mod frame;
mod guests;
mod home;
mod outside;
mod people;
mod pictures;
mod push;
mod relay;
mod reply;
mod request;
mod rules;

pub use address_book::*;
pub use announcements::*;
pub use call::*;
pub use children::*;
pub use drop_in::*;
pub use error::{ApiError, ErrorCode};
pub use event::Event;
pub use frame::*;
pub use guests::*;
pub use home::*;
pub use outside::*;
pub use people::*;
pub use pictures::*;
pub use push::*;
pub use relay::*;
pub use reply::Reply;
pub use request::{Request, WelcomeFor};
pub use rules::*;
