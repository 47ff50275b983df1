//! What the path to a receiver carries, and what is sent over it.
//!
//! Pure cores that are told the time; `room/` feeds them. [`Estimator`] learns from transport-wide feedback:
//! `history` remembers what was sent, `delay` watches queues grow (`jump` tells steps from slopes), `loss`
//! losses, `meter` counts, `probe` asks for more than the application sends. [`allocate`] shares the estimate among a receiver's tracks and
//! [`Pacer`] spreads what leaves, and
//! [`Repair`] bounds what is sent again. After draft-ietf-rmcat-gcc-02, with measurements by probing in place of a
//! slow climb, since an SFU sends in steps of whole layers.
//!
//! Everything that a receiver says concerns only itself: a lie changes what the liar gets.

mod allocator;
mod delay;
mod estimator;
mod history;
mod jump;
mod level;
mod loss;
mod meter;
mod pacer;
mod probe;
mod repair;

pub(crate) use allocator::{Share, allocate, demand, given};
pub(crate) use estimator::Estimator;
pub(crate) use meter::Rate;
pub(crate) use pacer::Pacer;
pub(crate) use repair::Repair;

#[cfg(test)]
mod tests;
