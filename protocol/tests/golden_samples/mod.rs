//! One sample or more of everything that a session says.

mod address_book;
mod announcements;
mod calls;
mod children;
mod drop_in;
mod events;
mod guests;
mod newcomers;
mod outside;
mod people;
mod pictures;
mod push;
mod relay;
mod requests;
mod rules;

pub(crate) use events::events;
use homeline_protocol::id::{
    AccountId, CallId, ContactId, DeviceId, HouseholdId, InvitationId, PairingId, SessionId,
    TrackId,
};
use homeline_protocol::session::{
    Account, AnswerPolicy, ApiError, CallDirection, CallPhase, ClientFrame, Contact, Device,
    DeviceKind, EndReason, ErrorCode, Event, Home, Household, Invitation, JoinRequest, MediaState,
    Outcome, Participant, Party, PastCall, PersonSettings, Presence, Quality, Reply, Request,
    Resume, RunningCall, ServerFrame, Source, Track,
};
use homeline_protocol::{Blob, Handle, Secret};
pub(crate) use push::push_notices;
pub(crate) use requests::requests;

pub(crate) const ACCOUNT: AccountId = AccountId([0x0a; 16]);
pub(crate) const CALL: CallId = CallId([0xca; 16]);
pub(crate) const CONTACT: ContactId = ContactId([0xc0; 16]);
pub(crate) const DEVICE: DeviceId = DeviceId([0xde; 16]);
pub(crate) const HOUSEHOLD: HouseholdId = HouseholdId([0x40; 16]);
pub(crate) const INVITATION: InvitationId = InvitationId([0x19; 16]);
pub(crate) const PAIRING: PairingId = PairingId([0x9a; 16]);
pub(crate) const SESSION: SessionId = SessionId([0x5e; 16]);
pub(crate) const TRACK: TrackId = TrackId([0x7a; 16]);
pub(crate) const AT_MS: u64 = 1_795_305_600_123;
pub(crate) const MEDIA: MediaState = MediaState {
    microphone: true,
    camera: false,
};

/// Bytes whose base64url has both of its own characters and no padding.
pub(crate) fn blob() -> Blob {
    Blob(vec![0xfb, 0xff, 0x00, 0x01])
}

pub(crate) fn handle() -> Handle {
    "anna.b".parse().unwrap()
}

pub(crate) fn account() -> Account {
    Account {
        id: ACCOUNT,
        handle: handle(),
        display_name: "Anna \"B\" Ü".to_owned(),
    }
}

pub(crate) fn party() -> Party {
    Party {
        handle: handle(),
        display_name: "Anna".to_owned(),
        guest: false,
    }
}

pub(crate) fn device() -> Device {
    Device {
        id: DEVICE,
        kind: DeviceKind::HomeDevice,
        account: ACCOUNT,
        label: "Kitchen".to_owned(),
        adult: false,
        presence: Presence::Online,
        chain: blob(),
        settings: rules::device_settings(),
    }
}

pub(crate) fn contact() -> Contact {
    Contact {
        id: CONTACT,
        name: "Mom".to_owned(),
        handle: handle(),
        card: blob(),
    }
}

pub(crate) fn invitation() -> Invitation {
    Invitation {
        id: INVITATION,
        expires_at_ms: AT_MS,
    }
}

pub(crate) fn join_request() -> JoinRequest {
    JoinRequest {
        invitation: INVITATION,
        account: account(),
        app_key: blob(),
        label: "Ben's phone".to_owned(),
        proof: blob(),
    }
}

pub(crate) fn answer_policy() -> AnswerPolicy {
    AnswerPolicy {
        device: DEVICE,
        policy: blob(),
    }
}

pub(crate) fn participant() -> Participant {
    Participant {
        device: DEVICE,
        account: ACCOUNT,
        party: party(),
        media: MEDIA,
    }
}

pub(crate) fn track(source: Source) -> Track {
    Track {
        track: TRACK,
        device: DEVICE,
        source,
    }
}

/// The home of a member, and of somebody who waits for admission.
fn homes() -> [Home; 2] {
    let home = Home {
        account: account(),
        household: Some(household()),
        contacts: vec![contact()],
        invitations: vec![invitation()],
        join_requests: vec![join_request()],
        answer_policies: vec![answer_policy()],
        settings: rules::person_settings(),
        children: vec![rules::child()],
        leave_requests: vec![ACCOUNT],
        drop_in_grants: vec![drop_in::grant()],
    };
    let waiting = Home {
        household: None,
        contacts: vec![],
        invitations: vec![],
        join_requests: vec![],
        answer_policies: vec![],
        settings: PersonSettings::default(),
        children: vec![],
        leave_requests: vec![],
        drop_in_grants: vec![],
        ..home.clone()
    };
    [home, waiting]
}

pub(crate) fn replies() -> Vec<Reply> {
    [session_replies(), calls::replies()].concat()
}

fn session_replies() -> Vec<Reply> {
    let [home, waiting] = homes();
    let running = |direction, phase, here| RunningCall {
        call: CALL,
        direction,
        party: party(),
        phase,
        here,
    };
    let past = |answered_at_ms, reason| PastCall {
        call: CALL,
        direction: CallDirection::Outgoing,
        party: party(),
        video: true,
        started_at_ms: AT_MS,
        answered_at_ms,
        ended_at_ms: AT_MS,
        reason,
    };
    let quality = Quality {
        loss_up_percent: 0,
        loss_down_percent: 100,
        round_trip_ms: Some(20),
    };
    let mut replies = vec![
        Reply::Done,
        Reply::Home(Box::new(home)),
        Reply::Home(Box::new(waiting)),
        Reply::Invitation(invitation()),
        Reply::Calls {
            calls: vec![
                running(CallDirection::Outgoing, CallPhase::Inviting, true),
                running(CallDirection::Incoming, CallPhase::Ringing, false),
                running(CallDirection::Incoming, CallPhase::Answered, true),
            ],
        },
        Reply::History {
            calls: vec![
                past(None, EndReason::NoAnswer),
                past(Some(AT_MS), EndReason::HungUp),
            ],
        },
        Reply::MediaAnswer {
            sdp: "v=0\r\n".to_owned(),
            tracks: vec![track(Source::Microphone), track(Source::Camera)],
        },
        Reply::Quality(quality),
        Reply::Quality(Quality {
            round_trip_ms: None,
            ..quality
        }),
    ];
    replies.extend(address_book::replies());
    replies.extend(children::replies());
    replies.extend(guests::replies());
    replies.extend(relay::replies());
    replies.extend(outside::replies());
    replies.extend(drop_in::replies());
    replies.extend(newcomers::replies());
    replies.extend(announcements::replies());
    replies
}

fn household() -> Household {
    Household {
        id: HOUSEHOLD,
        genesis: blob(),
        roster: vec![blob(), blob()],
        recovery_certificate: blob(),
        members: vec![rules::member()],
        devices: vec![device()],
    }
}

pub(crate) fn client_frames() -> Vec<ClientFrame> {
    let hello = |resume| ClientFrame::Hello {
        protocol: 1,
        token: Secret::new("t0ken"),
        resume,
    };
    vec![
        hello(None),
        hello(Some(Resume {
            session: SESSION,
            last_event: 41,
        })),
        ClientFrame::Request {
            id: 1,
            body: Box::new(Request::GetHome),
        },
        ClientFrame::Request {
            id: 2,
            body: Box::new(Request::Decline { call: CALL }),
        },
        ClientFrame::Ack {
            event: 41,
            reply: 2,
        },
        ClientFrame::Ping,
    ]
}

pub(crate) fn server_frames() -> Vec<ServerFrame> {
    let welcome = |device, household| ServerFrame::Welcome {
        protocol: 1,
        session: SESSION,
        resumed: false,
        heartbeat_secs: 10,
        server_time_ms: AT_MS,
        account: ACCOUNT,
        device,
        household,
    };
    let ended = Event::CallEnded {
        call: CALL,
        reason: EndReason::HungUp,
    };
    let error = ApiError::new(ErrorCode::SessionReplaced, "Connected from another window.");
    let mut frames = vec![
        welcome(Some(DEVICE), Some(HOUSEHOLD)),
        welcome(None, None),
        ServerFrame::Event {
            seq: 42,
            body: Box::new(ended),
        },
        ServerFrame::Pong,
        ServerFrame::Goodbye { error },
    ];
    frames.extend(
        outcomes()
            .into_iter()
            .map(|result| ServerFrame::Reply { id: 7, result }),
    );
    frames
}

pub(crate) fn outcomes() -> Vec<Outcome> {
    let error = ApiError::new(ErrorCode::EpochTaken, "Another commit won this epoch.");
    vec![
        Outcome::Ok(Box::new(Reply::Done)),
        Outcome::Ok(Box::new(Reply::Invitation(invitation()))),
        Outcome::Error(error),
    ]
}

pub(crate) fn error_codes() -> Vec<ErrorCode> {
    use ErrorCode::*;
    vec![
        BadRequest,
        TooLarge,
        ProtocolVersion,
        Unauthorized,
        NotRegistered,
        WrongCredentials,
        Forbidden,
        NotFound,
        HandleTaken,
        Conflict,
        RateLimited,
        LimitReached,
        EpochTaken,
        AnsweredElsewhere,
        CallEnded,
        AlreadyInCall,
        RosterMoved,
        BadOffer,
        SessionReplaced,
        DeviceRevoked,
        ShuttingDown,
        OutboxFull,
        Internal,
        NotAvailable,
    ]
}

pub(crate) fn end_reasons() -> Vec<EndReason> {
    use EndReason::*;
    vec![
        HungUp,
        Declined,
        Cancelled,
        NoAnswer,
        AnsweredElsewhere,
        Busy,
        Unreachable,
        DeviceLost,
        DeviceRevoked,
        ServerRestarted,
        EncryptionRefused,
        MediaFailed,
        Moved,
    ]
}
