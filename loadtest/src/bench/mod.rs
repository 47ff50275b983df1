//! The figures of `make bench`: what the media node costs beside a floor in the same run.
//!
//! `setting` says what is switched on, `stage` starts the programs and joins their peers, `floor` is the least that
//! any such program must do, `generator` drives all with the same flows from one other thread. `turns`, `saturation`
//! and `slope` measure, `table` prints. `janus` is another server on the same load.

pub mod endpoint;
pub mod floor;
pub mod generator;
pub mod janus;
pub mod saturation;
pub mod setting;
pub mod slope;
pub mod stage;
pub mod table;
pub mod turns;
