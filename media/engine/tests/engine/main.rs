//! The engine between simulated clients, on a virtual clock. What measures the process's memory runs alone: `soak`.

#[path = "../support/mod.rs"]
mod support;

mod audio;
mod calls;
mod networks;
mod repair;
mod replay;
mod simulation;
mod span;
mod statistics;
mod trains;
