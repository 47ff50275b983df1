//! Apps and home devices: their certificates, their removal, their answer policies.

mod error;
mod service;

pub use error::{PutAnswerPolicyError, RemoveDeviceError, RenewCertificateError};
pub use service::Devices;
