//! A closed app rings: pushes as they arrive at a push service and at the device behind it.
//!
//! The push service here is a stand-in on the loopback interface, since headless browsers can not
//! subscribe at a real one. It takes what the server sends, verifies the VAPID signature and decrypts
//! with other implementations (RustCrypto's P-256, `web-push-native`) than the server's own on `ring`.

mod children;
mod refused;
mod service;
mod stories;
