//! Whether a home can be reached from outside: what a test tried, what was found, and how to mend it.
//!
//! A page that stands outside (a phone without its Wi-Fi) holds a ticket that an adult asked for, and tries each way
//! in turn. It speaks HTTP with that ticket alone, so that it may be a phone that is signed in nowhere.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::RelayServers;
use crate::Secret;

/// One way into the home.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OutsideWay {
    /// The app's pages and the API, by HTTPS.
    Web,
    /// The session, by a WebSocket.
    WebSocket,
    /// Sound and pictures over UDP.
    MediaUdp,
    /// Sound and pictures over TCP.
    MediaTcp,
    /// The relay over UDP.
    RelayUdp,
    /// The relay over TCP.
    RelayTcp,
    /// The relay over TLS.
    RelayTls,
}

/// Where a tester stands, as far as the server can tell from where its packets come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutsideFrom {
    /// In another network: what it says counts.
    Outside,
    /// In the home, or sent back into it by its own router. Proves little.
    Inside,
    /// The server sees the router, or a private network that is not its own, in place of the tester.
    Unclear,
}

/// What opens a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideTicket {
    /// What stands behind the `#` of the test's link.
    pub secret: Secret,
}

/// What a tester needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideBegun {
    /// Where the tester stands.
    pub from: OutsideFrom,
    /// The ways that this server has, in the order in which to try them.
    pub ways: Vec<OutsideWay>,
    /// The relays, with a credential.
    #[schema(value_type = Object)]
    pub relays: RelayServers,
}

/// Asks for a connection to the media node, which carries nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideOffer {
    /// The test's ticket.
    pub secret: Secret,
    /// An offer with one section that sends, mid `0`.
    pub sdp: String,
}

/// The media node's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideAnswer {
    /// With all the addresses that clients are told. It stays open for half a minute.
    pub sdp: String,
}

/// What became of one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideTried {
    /// The way.
    pub way: OutsideWay,
    /// Whether it works as an app would take it.
    pub works: bool,
    /// Whether it works at the address at which the tester reached the server, if it does not as told.
    pub works_here: bool,
}

/// What a tester found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideReport {
    /// The test's ticket.
    pub secret: Secret,
    /// Each way that was tried; at most one entry for each.
    pub tried: Vec<OutsideTried>,
}

/// One way and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideResult {
    /// The way.
    pub way: OutsideWay,
    /// The port that a router has to forward for it.
    pub port: u16,
    /// The last test.
    pub last: Option<OutsideLast>,
}

/// The last test of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideLast {
    /// Whether it worked as an app would take it.
    pub works: bool,
    /// Whether it worked at the address at which the tester reached the server.
    pub works_here: bool,
    /// From where it was tested.
    pub from: OutsideFrom,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at_ms: u64,
}

/// What was found, as a stable name for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutsideCode {
    /// Every way worked from outside.
    AllWell,
    /// Nobody has tested from outside yet.
    NeverTested,
    /// The last test came from inside.
    TestedInside,
    /// The server could not tell from where the last test came.
    SourceHidden,
    /// The provider shares one public address among many homes.
    CarrierNat,
    /// The router before this home stands behind another one.
    DoubleNat,
    /// Nothing came in on this way: it is not forwarded.
    NotForwarded,
    /// The port is open, but clients are told other addresses.
    NotAdvertised,
    /// Clients are told an address that the home has no more.
    WrongAdvertised,
    /// The relay's TLS is refused while its TCP works: the tester does not trust the certificate.
    Untrusted,
    /// Web pages work and nothing else does, and so a firewall or provider lets nothing else through.
    OnlyWeb,
    /// UDP does not get through and TCP on the same port does.
    UdpBlocked,
    /// The machine has a public address of its own.
    PublicAddress,
    /// The home has a public network of IPv6.
    PublicV6,
    /// The router says the home's public address and is at one with what clients are told.
    Router,
    /// The router does not say its address.
    RouterSilent,
}

/// What was found, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideFinding {
    /// Its name.
    pub code: OutsideCode,
    /// Whether something has to be mended.
    pub grave: bool,
    /// What is so.
    pub text: String,
    /// What to do, in this order; each is one sentence or two.
    pub steps: Vec<String>,
}

/// All that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct OutsideState {
    /// The ways that this server has.
    pub ways: Vec<OutsideResult>,
    /// The gravest first.
    pub findings: Vec<OutsideFinding>,
    /// When the server last looked at its own network, Unix milliseconds.
    #[ts(type = "number | null")]
    pub looked_at_ms: Option<u64>,
}
