//! A household as its members see it.

mod service;

pub use service::{HomeError, Households};
