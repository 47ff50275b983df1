//! Guests, through the public surface: links, knocking over HTTP, and calls with somebody who has no
//! account.

mod calls;
mod children;
mod ends;
mod links;

use axum::http::StatusCode;
use homeline_e2ee::guest::{GuestSecret, guest_chain};
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::http::{Knock, Knocked};
use homeline_protocol::id::{CallId, CallLinkId, DeviceId};
use homeline_protocol::session::{ApiError, Callee, ErrorCode, Event, Request};

use crate::harness::{Client, Seat, Server, blob, fresh};
use crate::support::fresh_key;

const SECRET: GuestSecret = GuestSecret([7; 32]);
const HOUR_MS: u64 = 60 * 60 * 1000;

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
}

fn make(link: CallLinkId, expires_at_ms: u64) -> Request {
    Request::MakeCallLink {
        link,
        label: "Birthday".to_owned(),
        expires_at_ms,
    }
}

/// A link that lasts for an hour.
pub(crate) async fn link_of(maker: &mut Client) -> CallLinkId {
    let link = CallLinkId(fresh());
    maker.ok(make(link, now_ms() + HOUR_MS)).await;
    link
}

fn knock(link: CallLinkId, key: &PrivateKey, name: &str, at_ms: u64) -> Knock {
    Knock {
        link,
        chain: guest_chain(key, name, UnixMs(at_ms)).encode().into(),
        proof: SECRET.proof(link, key.public()).to_vec().into(),
    }
}

/// Knocks with a fresh key.
async fn knocks(server: &Server, link: CallLinkId, name: &str) -> Result<Seat, ErrorCode> {
    posts(server, &knock(link, &fresh_key(), name, now_ms())).await
}

async fn posts(server: &Server, knock: &Knock) -> Result<Seat, ErrorCode> {
    let (status, body) = server.post("/v1/guests", knock).await;
    if status != StatusCode::OK {
        let error: ApiError = serde_json::from_slice(&body).unwrap();
        return Err(error.code);
    }
    let knocked: Knocked = serde_json::from_slice(&body).unwrap();
    Ok(Seat {
        device: knocked.device,
        account: knocked.account,
        token: knocked.token,
    })
}

/// Somebody knocks and waits, and the maker is told.
pub(crate) async fn waits(
    server: &Server,
    maker: &mut Client,
    link: CallLinkId,
    name: &str,
) -> Client {
    let seat = knocks(server, link, name).await.unwrap();
    let guest = Client::connect(server, &seat).await;
    assert_eq!(knocked(maker).await, (link, seat.device));
    guest
}

async fn knocked(maker: &mut Client) -> (CallLinkId, DeviceId) {
    let knocks = |event: &Event| match event {
        Event::GuestKnocked { link, guest, .. } => Some((*link, *guest)),
        _ => None,
    };
    maker.event_of(knocks).await
}

async fn gone(maker: &mut Client) -> DeviceId {
    let gone = |event: &Event| match event {
        Event::GuestGone { guest, .. } => Some(*guest),
        _ => None,
    };
    maker.event_of(gone).await
}

pub(crate) fn call_guest(call: CallId, guest: DeviceId) -> Request {
    Request::StartCall {
        call,
        to: Callee::Guest { guest },
        video: false,
        invitation: blob("invitation"),
    }
}

fn add_guest(call: CallId, guest: DeviceId) -> Request {
    Request::AddToCall {
        call,
        to: Callee::Guest { guest },
        invitation: blob("invitation"),
    }
}
