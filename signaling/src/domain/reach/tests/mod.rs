//! The rules as a table that can be read, as laws over generated worlds, and the clock's odd nights.

mod laws;
mod matrix;
mod quiet;
mod together;
mod world;
