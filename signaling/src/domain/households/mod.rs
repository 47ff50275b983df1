//! A household as its members see it.

mod service;
mod view;

pub use service::{HomeError, Households};
pub use view::{NotAdult, adult_of, child, children_of, person_settings};
