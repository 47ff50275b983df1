//! The report: one page, which needs nothing from elsewhere and explains itself.
//!
//! Its plots are written by hand as inline SVG, and not by a plotting library, since their colours must follow
//! the reader's light or dark setting and their sizes the reader's screen: both come from the page's own style.

mod axis;
mod bars;
mod beside;
mod lines;
mod markup;
mod page;
mod plots;
mod tables;
pub mod words;

pub use beside::comparison;
pub use page::page;

#[cfg(test)]
mod tests;
