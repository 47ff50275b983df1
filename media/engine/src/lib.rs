//! media/engine
pub mod srtp;
pub mod wire;
