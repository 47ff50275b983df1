//! The composition root of Homeline: configuration, certificates, the web front, and the order in which
//! the parts are built and stopped. No rules about calls or people live here.

pub mod certificate;
pub mod config;
mod control;
mod files;
mod listen;
mod media_alone;
pub mod node;
pub mod outside;
mod relay;
pub mod shutdown;
pub mod telemetry;
mod web;
