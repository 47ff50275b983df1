//! What is kept of calls: that they run, and how they ended.

mod members;
mod service;

pub use service::{Ended, History, HistoryError, Interrupted, Missed, RunningCallRecord};
