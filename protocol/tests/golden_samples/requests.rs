//! One sample or more of every request.

use homeline_protocol::session::{
    Callee, DeviceKind, EndReason, Presence, PublishSection, Request, Source, SubscribeSection,
    WelcomeFor,
};

use super::{
    ACCOUNT, AT_MS, CALL, CONTACT, DEVICE, INVITATION, MEDIA, PAIRING, TRACK, blob, children,
    guests, handle, people, rules,
};

pub(crate) fn requests() -> Vec<Request> {
    [
        household(),
        pairing(),
        members(),
        contacts(),
        calls(),
        media(),
        keys(),
        rules::requests(),
        super::calls::requests(),
        super::push::push(),
        super::address_book::requests(),
        children::requests(),
        guests::requests(),
        people::requests(),
        super::relay::requests(),
        super::pictures::requests(),
        super::outside::requests(),
        super::drop_in::requests(),
        super::newcomers::requests(),
        super::announcements::requests(),
    ]
    .concat()
}

fn household() -> Vec<Request> {
    vec![
        Request::GetHome,
        Request::SetDisplayName {
            name: "Anna".to_owned(),
        },
        Request::SetPresence {
            presence: Presence::Asleep,
        },
        Request::RenewCertificate {
            device: DEVICE,
            chain: blob(),
        },
        Request::RemoveDevice {
            device: DEVICE,
            entry: blob(),
        },
        Request::PutAnswerPolicy {
            device: DEVICE,
            policy: blob(),
        },
    ]
}

fn pairing() -> Vec<Request> {
    vec![
        Request::ListenForPairing { on: true },
        Request::AcceptPairing {
            pairing: PAIRING,
            commit: blob(),
        },
        Request::RevealPairing {
            pairing: PAIRING,
            genesis: blob(),
            app_key: blob(),
            nonce: blob(),
        },
        Request::CertifyPairing {
            pairing: PAIRING,
            device: DEVICE,
            account: ACCOUNT,
            kind: DeviceKind::HomeDevice,
            label: "Kitchen".to_owned(),
            adult: false,
            entry: blob(),
            chain: blob(),
        },
        Request::RefusePairing { pairing: PAIRING },
    ]
}

fn members() -> Vec<Request> {
    vec![
        Request::CreateInvitation,
        Request::CancelInvitation {
            invitation: INVITATION,
        },
        Request::AdmitMember {
            invitation: INVITATION,
            account: ACCOUNT,
            device: DEVICE,
            adult: true,
            entry: blob(),
            chain: blob(),
            role: None,
        },
        Request::RefuseMember {
            invitation: INVITATION,
            account: ACCOUNT,
        },
    ]
}

fn contacts() -> Vec<Request> {
    vec![
        Request::PutContact {
            contact: CONTACT,
            name: "Mom".to_owned(),
            handle: handle(),
            card: blob(),
        },
        Request::DeleteContact {
            contact: CONTACT,
            card: blob(),
        },
    ]
}

fn calls() -> Vec<Request> {
    vec![
        Request::StartCall {
            call: CALL,
            to: Callee::Person { handle: handle() },
            video: true,
            invitation: blob(),
        },
        Request::Ringing {
            call: CALL,
            key_package: blob(),
            statement: blob(),
        },
        Request::RefuseInvitation { call: CALL },
        Request::Answer {
            call: CALL,
            media: MEDIA,
        },
        Request::Decline { call: CALL },
        Request::Cancel { call: CALL },
        Request::HangUp {
            call: CALL,
            reason: EndReason::HungUp,
        },
        Request::SetMedia {
            call: CALL,
            media: MEDIA,
        },
        Request::ListCalls,
        Request::ListHistory {
            before_ms: None,
            limit: 50,
        },
        Request::ListHistory {
            before_ms: Some(AT_MS),
            limit: 200,
        },
    ]
}

fn media() -> Vec<Request> {
    vec![
        Request::OfferMedia {
            call: CALL,
            sdp: "v=0\r\n".to_owned(),
            publish: vec![PublishSection {
                mid: "0".to_owned(),
                source: Source::Microphone,
            }],
            subscribe: vec![SubscribeSection {
                mid: "1".to_owned(),
                track: TRACK,
            }],
        },
        Request::GetQuality { call: CALL },
    ]
}

fn keys() -> Vec<Request> {
    let welcome = Some(WelcomeFor {
        device: DEVICE,
        welcome: blob(),
    });
    vec![
        Request::SendCommit {
            call: CALL,
            epoch: 0,
            commit: blob(),
            welcome,
            removed: vec![],
        },
        Request::SendCommit {
            call: CALL,
            epoch: 1,
            commit: blob(),
            welcome: None,
            removed: vec![DEVICE],
        },
        Request::EpochReady {
            call: CALL,
            epoch: 2,
        },
        Request::SendGroupMessage {
            call: CALL,
            message: blob(),
        },
    ]
}
