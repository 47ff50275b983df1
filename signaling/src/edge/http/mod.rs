//! The HTTP API under `/v1`: what happens before there is a session, and its description.

mod about;
mod accounts;
mod answer;
mod consent;
mod docs_page;
mod guests;
mod headers;
mod openapi;
mod outside;
mod pairings;
mod push;
mod request;
mod router;

pub use headers::security_headers;
pub use openapi::openapi;
pub use router::{HttpState, router};
