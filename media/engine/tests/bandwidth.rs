//! What a receiver is sent over a narrow, lossy link, on a virtual clock.

mod simulation;
mod support;
