//! The signaling server through its public surface: HTTP and sessions over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that can not go on fails there"
)]

mod accounts;
mod address_book;
mod announcements;
mod call_media;
mod calls;
mod children;
mod contacts;
mod drop_in;
mod group_calls;
mod guests;
mod harness;
mod home;
mod http;
mod keys;
mod leaving;
mod ledgers;
mod manners;
mod moving_in;
mod numbers;
mod outside;
mod pairing;
mod pictures;
mod push;
mod relays;
mod resume;
mod sessions;
mod support;
mod typed_numbers;
