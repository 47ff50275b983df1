//! homeline
fn main() {}
