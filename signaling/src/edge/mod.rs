//! What clients connect to.

pub mod http;
mod refusals;
pub mod session;
