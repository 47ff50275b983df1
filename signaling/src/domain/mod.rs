//! The services, as a ladder: each uses only those above it, received by constructor.
//!
//! identity, secrets, limits, roster; accounts, households, devices, contacts, invitations, pairing;
//! presence, reach, settings, children, keys, history, calls, members. What must go up goes as an event
//! on the bus.
//! presence, push, reach, keys, history, calls. What must go up goes as an event on the bus.
//! identity, secrets, limits, roster; accounts, households, devices, contacts, numbers,
//! address_book, invitations, pairing; presence, reach, keys, history, calls. What must go up goes
//! as an event on the bus.
//! identity, secrets, limits, roster; mail; accounts, households, devices, contacts, invitations, pairing;
//! presence, reach, settings, children, keys, history, calls, members, guardians. What must go up goes as
//! an event on the bus.

pub mod identity;
pub mod limits;
pub mod roster;
pub mod secrets;

pub mod mail;

pub mod accounts;

pub mod households;

pub mod devices;

pub mod contacts;

pub mod numbers;

pub mod address_book;

pub mod invitations;

pub mod pairing;

pub mod presence;

pub mod push;

pub mod guests;

pub mod reach;

pub mod settings;

pub mod drop_in;

pub mod nearby;

pub mod ledgers;

pub mod announcements;

pub mod children;

pub mod keys;

pub mod history;

pub mod calls;

pub mod dropping_in;

pub mod live;

pub mod members;

pub mod guardians;

pub mod relays;

pub mod outside;
