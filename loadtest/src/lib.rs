//! Measures what the media node costs for each packet, beside a floor in the same run.
//!
//! [`stage`] starts a node and joins its peers, [`floor`] is the least that any such program must do,
//! [`generator`] drives both with the same flows from one other thread, [`measure`] reads both clocks in
//! turns. Peers are `str0m`, an implementation that is not ours, so that no shared mistake hides.
//!
//! Only ratios of one run count: machines differ, and so do their minutes.

#![warn(missing_docs)]

pub mod floor;
pub mod generator;
pub mod measure;
pub mod nat;
pub mod peer;
pub mod pin;
pub mod shape;
pub mod sockets;
pub mod stage;
pub mod weather;
pub mod wires;
