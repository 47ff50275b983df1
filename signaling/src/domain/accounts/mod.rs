//! People: signing up, in and out, recovering, and who a token stands for.

mod config;
mod error;
mod recover;
mod rules;
mod service;
mod sign_in;
mod sign_up;

pub use config::AccountsConfig;
pub use error::{
    AuthenticateError, PasswordCheckError, RecoverBeginError, RecoverFinishError, SetNameError,
    SignInError, SignUpError,
};
pub use service::{Accounts, Person};
