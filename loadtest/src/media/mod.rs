//! Media scenarios: many peers in this process against a bare media node.
//!
//! `plan` says who sends what to whom, `control` commands the node, `join` brings peers in on time, `driver` is
//! a thread that plays peers, `watch` samples, `views` knows who shows whom how large, `outcome` makes figures of it, and `run` is the whole from start to result.

pub mod control;
pub mod counting;
pub mod descriptor;
pub mod driver;
pub mod join;
mod outcome;
pub mod plan;
pub mod recorder;
pub mod run;
pub mod seat;
pub mod stamp;
mod views;
pub mod watch;
