//! Being dropped in on (docs/drop-in.md): only a home device is, and it alone decides.
//!
//! In reading order: `keep` (what outlives a restart), `book` (grants, and the ledger as it is written),
//! `courier` (brings the ledger to the server), `desk` (the task that decides and carries out), `asked` (what
//! it makes of one who asks), `visit` (a drop-in as the program sees it).

mod asked;
mod book;
mod courier;
mod desk;
mod keep;
mod visit;

pub use homeline_e2ee::drop_in::ledger::EndedBy;
pub use visit::{Visit, VisitEvent};

pub(crate) use desk::{DeskInput, begin};
