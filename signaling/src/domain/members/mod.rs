//! Members of a household: their roles, their removal, their leaving, and the end of an account.

mod deregister;
mod error;
mod ownership;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use deregister::Deregistration;
pub use error::{DeregisterError, HandOverError, LeaveError, RemoveMemberError, SetRoleError};
pub use service::Members;
