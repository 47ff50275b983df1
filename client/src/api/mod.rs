//! The HTTP API: what happens before there is a session.

mod account;
mod guest;
mod http;
mod pairing;

#[cfg(test)]
pub(crate) use account::Seed;
pub use account::{
    Credentials, Founded, FounderPlan, RecoverError, about, found_household, recover, sign_in,
};
pub(crate) use guest::post_knock;
pub use http::HttpError;
pub use pairing::{NewDevice, PairError, PairingDigits, PairingOffered, offer_pairing};
