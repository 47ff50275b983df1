//! Being dropped in on (docs/drop-in.md): only a home device is, and it alone decides.
//!
//! In reading order: `keep` (what outlives a restart), `book` (grants, and the ledger as it is written),
//! `courier` (brings the ledger to the server), `desk` (the task that decides), `asked` (what it makes of one who asks), `running`
//! (the one who is in), `steps` (what the target's machine says, carried out), `visit` (a drop-in as the program sees it).

mod asked;
mod book;
mod courier;
mod desk;
mod keep;
mod running;
mod steps;
mod visit;

pub use homeline_e2ee::drop_in::ledger::EndedBy;
pub use visit::{Visit, VisitEvent};

pub(crate) use desk::{DeskInput, begin};
