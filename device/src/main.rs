//! device
fn main() {}
