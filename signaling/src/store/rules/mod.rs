//! The tables of the rules of reaching people.

pub mod children;
pub mod chosen;
pub mod leaving;
pub mod people;
