//! The control interface: a node that stands alone is commanded over HTTP (docs/media-node.md).
//!
//! It translates requests to the commands that signaling sends and decides nothing. Whoever has the admin
//! token may do everything; nobody else anything but ask whether the node lives.

mod answer;
mod config;
mod events;
mod figures;
mod health;
mod openapi;
mod peers;
mod process;
mod reachability;
mod request;
mod rooms;
mod router;
mod state;
mod token;

pub use config::{BindError, ControlConfig};
pub use reachability::{
    QUESTIONS_MAX, ReachabilityError, ReachabilityQuestion, ReachabilityQuestions,
};
pub use state::Control;
pub use token::{AdminToken, TokenError, TokenOrigin};
