//! media/node
