//! What is kept: SQLite now, PostgreSQL later, in one dialect of SQL.
//!
//! Each file holds one table's questions and changes as functions on a [`Tx`]; rules live in the
//! domain. `Tx::commit` returns when the change is on the disk.

mod column;
mod db;

pub mod accounts;
pub mod address_book;
pub mod announcements;
pub mod call_links;
pub mod call_members;
pub mod calls;
pub mod consents;
pub mod contacts;
pub mod devices;
pub mod drop_in;
pub mod erasure;
pub mod households;
pub mod invitations;
pub mod last_numbers;
pub mod ledgers;
pub mod mail;
pub mod numbers;
pub mod outside;
pub mod pairings;
pub mod push;
pub mod recovery;
pub mod rules;
pub mod tokens;
pub mod verifications;

pub use column::Nullable;
pub(crate) use db::on_tx;
pub use db::{Db, StoreConfig, StoreError, Tx};
