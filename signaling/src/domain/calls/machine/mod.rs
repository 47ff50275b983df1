//! The call machine: `step(now, input) -> effects`, told the time, doing nothing by itself.

mod answered;
mod call;
mod media;
mod ringing;
mod switches;
mod timers;

pub(super) use call::Call;
