//! The web front: the app's files, health, metrics, the certificate page, and who may use plain HTTP.

mod assets;
mod health;
mod install;
mod metrics;
mod plain;

pub(crate) use assets::{app_hash, router as assets};
pub(crate) use health::{Health, router as health};
pub(crate) use install::{InstallPage, router as install};
pub(crate) use metrics::{Sources, media_router as media_metrics, router as metrics};
pub(crate) use plain::only_from_this_machine;
