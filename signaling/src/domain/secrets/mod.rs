//! Passwords and tokens: making them, and keeping only what cannot be turned back.

mod passwords;
mod tokens;

pub use passwords::{PasswordError, Passwords, PasswordsConfig};
pub use tokens::{constant_time_eq, hash_token, new_token, random_id};
