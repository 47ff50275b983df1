//! What receivers behind links get of one publisher's sound and pictures.

mod camera;
mod estimate;
mod grid;
mod jumps;
mod screen;
mod stage;
mod table;
