//! The frames of a session, in both directions.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ApiError, Event, Reply, Request};
use crate::Secret;
use crate::id::{AccountId, DeviceId, HouseholdId, SessionId};

/// The longest frame the server accepts, in bytes. Longer ones end the session with `too_large`.
pub const FRAME_BYTES_MAX: usize = 512 * 1024;

/// The longest frame a client takes from its server, in bytes: the whole address book of a household in
/// one `home` reply (5,000 contacts with signed cards of at most 1 KiB) stays below.
pub const SERVER_FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame, within ten seconds of connecting.
    Hello {
        /// The protocol version the client was built with.
        protocol: u16,
        /// The bearer token.
        token: Secret,
        /// The session to take up again.
        resume: Option<Resume>,
    },
    /// A request; `id` begins at 1 and grows by one in a session. Sending one again after a resume is
    /// harmless: it gets the same reply and has no second effect.
    Request {
        /// Its number.
        #[ts(type = "number")]
        id: u64,
        /// The request.
        body: Box<Request>,
    },
    /// All events up to this number, and all replies received so far, are taken in.
    Ack {
        /// The last event taken in.
        #[ts(type = "number")]
        event: u64,
        /// The last request whose reply, and those of all before it, has arrived.
        #[ts(type = "number")]
        reply: u64,
    },
    /// A heartbeat; answered by `pong`.
    Ping,
}

/// Where a client left off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// The last event taken in.
    #[ts(type = "number")]
    pub last_event: u64,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome {
        /// The protocol version spoken.
        protocol: u16,
        /// The session's id, for resuming.
        session: SessionId,
        /// Whether the session asked for was taken up again. If not, the client asks for its state anew
        /// (`get_home`, `list_calls`): what it had in flight is unknown.
        resumed: bool,
        /// The client sends something at least this often; silent for twice as long, either side reconnects.
        heartbeat_secs: u32,
        /// The server's clock, Unix milliseconds.
        #[ts(type = "number")]
        server_time_ms: u64,
        /// Who speaks.
        account: AccountId,
        /// The device of the token; absent for a key-less sign-in.
        device: Option<DeviceId>,
        /// The household; absent until admitted.
        household: Option<HouseholdId>,
    },
    /// The answer to one request.
    Reply {
        /// The request's number.
        #[ts(type = "number")]
        id: u64,
        /// What came of it.
        result: Outcome,
    },
    /// Something happened.
    Event {
        /// Its number in this session, from 1, without gaps.
        #[ts(type = "number")]
        seq: u64,
        /// What.
        body: Box<Event>,
    },
    /// The answer to `ping`.
    Pong,
    /// The last frame: the server closes the connection and says why.
    Goodbye {
        /// Why.
        error: ApiError,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, and what had to be stored is stored.
    Ok(Box<Reply>),
    /// It was not done.
    Error(ApiError),
}
