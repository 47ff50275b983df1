//! What a run found: kept as JSON, shown as a page, compared with others.

pub mod figures;
pub mod histogram;
pub mod model;

pub use histogram::{Latency, Times};
pub use model::RunResult;
