//! One sample of every event.

use homeline_protocol::session::{DeviceKind, EndReason, Event, Presence, Source};

use super::{
    AT_MS, CALL, CONTACT, DEVICE, HOUSEHOLD, INVITATION, MEDIA, PAIRING, account, answer_policy,
    blob, children, contact, device, guests, invitation, join_request, participant, party, rules,
    track,
};

pub(crate) fn events() -> Vec<Event> {
    [
        household(),
        pairing(),
        calls(),
        keys(),
        rules::events(),
        super::calls::events(),
        super::address_book::events(),
        children::events(),
        guests::events(),
        super::pictures::events(),
        super::drop_in::events(),
        super::announcements::events(),
    ]
    .concat()
}

fn household() -> Vec<Event> {
    vec![
        Event::RosterGrew {
            entries: vec![blob()],
            members: vec![rules::member()],
            devices: vec![device()],
        },
        Event::CertificateRenewed {
            device: DEVICE,
            chain: blob(),
        },
        Event::PresenceChanged {
            device: DEVICE,
            presence: Presence::Offline,
        },
        Event::MemberChanged(rules::member()),
        Event::ContactPut(contact()),
        Event::ContactDeleted { contact: CONTACT },
        Event::AnswerPolicyPut(answer_policy()),
        Event::InvitationMade(invitation()),
        Event::InvitationEnded {
            invitation: INVITATION,
        },
        Event::JoinRequested(join_request()),
        Event::Admitted {
            household: HOUSEHOLD,
            chain: blob(),
            roster: vec![blob()],
        },
        Event::JoinRefused,
    ]
}

fn pairing() -> Vec<Event> {
    vec![
        Event::PairingOffered {
            pairing: PAIRING,
            commit: blob(),
        },
        Event::PairingRevealed {
            pairing: PAIRING,
            device_key: blob(),
            nonce: blob(),
            kind: DeviceKind::App,
            label: "Anna's tablet".to_owned(),
        },
        Event::PairingEnded { pairing: PAIRING },
    ]
}

fn calls() -> Vec<Event> {
    vec![
        Event::IncomingCall {
            call: CALL,
            from: party(),
            to: account(),
            video: true,
            invitation: blob(),
            expires_at_ms: AT_MS,
        },
        Event::DeviceRinging {
            call: CALL,
            device: DEVICE,
            key_package: blob(),
            statement: blob(),
        },
        Event::CallAnswered {
            call: CALL,
            device: DEVICE,
            media: MEDIA,
            key_package: blob(),
            statement: blob(),
        },
        Event::CallEnded {
            call: CALL,
            reason: EndReason::AnsweredElsewhere,
        },
        Event::Participants {
            call: CALL,
            participants: vec![participant()],
        },
        Event::Tracks {
            call: CALL,
            tracks: vec![track(Source::Camera)],
        },
        Event::ParticipantConnection {
            call: CALL,
            device: DEVICE,
            connected: false,
        },
        Event::MediaRestart { call: CALL },
    ]
}

fn keys() -> Vec<Event> {
    vec![
        Event::GroupCommit {
            call: CALL,
            epoch: 0,
            author: DEVICE,
            commit: blob(),
        },
        Event::GroupWelcome {
            call: CALL,
            welcome: blob(),
            participants: vec![participant()],
        },
        Event::EpochExecute {
            call: CALL,
            epoch: 2,
        },
        Event::GroupMessage {
            call: CALL,
            author: DEVICE,
            message: blob(),
        },
    ]
}
