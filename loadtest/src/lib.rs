//! Load on a Homeline server or media node, and a report of what it carries (docs/load-test.md).
//!
//! The program `loadtest`: [`arguments`] says what is asked for, [`run`] does it; [`media`] plays peers against a
//! bare media node, [`signaling`] plays apps and devices against a whole server; [`result`] is what was found,
//! [`report`] shows it, [`budget`] and [`compare`] judge it. Load is open-loop ([`schedule`]).
//!
//! The program `packet_path`: [`mod@bench`] measures the node beside a floor and, where it is asked for, beside another
//! server, in turns of one run, and prints a table of ratios.
//!
//! Peers are `str0m`, an implementation that is not ours, so that no shared mistake hides. Only ratios of one
//! run count: machines differ, and so do their minutes.

#![warn(missing_docs)]

pub mod arguments;
pub mod bench;
pub mod budget;
pub mod child;
pub mod compare;
pub mod machine;
pub mod measure;
pub mod media;
pub mod nat;
pub mod peer;
pub mod pin;
pub mod report;
pub mod result;
pub mod run;
pub mod schedule;
pub mod shape;
pub mod signaling;
pub mod sockets;
pub mod weather;
pub mod wires;
