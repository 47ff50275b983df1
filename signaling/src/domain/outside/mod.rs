//! Whether this home can be reached from outside its own network, and how to mend it. (Who may reach whom is
//! `reach`'s affair.)
//!
//! The server looks at itself and at its router (`facts`, filled in by the composition root), somebody outside
//! tries each way, and one pure function (`rules`) says what both together mean.

mod config;
mod facts;
mod place;
mod rules;
mod service;
mod tested;
mod tickets;
mod words;

pub use config::OutsideConfig;
pub use facts::{Facts, Look, Network, Ports, Router, Verdict};
pub use place::{is_carrier, is_public};
pub use rules::diagnose;
pub use service::{Asked, Outside, OutsideError, state};
pub use tested::{BadReport, Tester};

#[cfg(test)]
mod tests;
