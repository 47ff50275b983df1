//! May A reach B now, on which devices, and if not, what is A told.

mod rules;

pub use rules::{Asker, DEVICES_MAX, Plan, Refusal, Target, TargetDevice, reach};
