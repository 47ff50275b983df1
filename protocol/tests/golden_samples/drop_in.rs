//! Drop-in grants.

use homeline_protocol::id::GrantId;
use homeline_protocol::session::{
    Activity, Callee, DropInGrant, DropInRefusal, DropInStage, Event, LedgerHead, NearDevice,
    Reply, Request,
};

use super::{AT_MS, CALL, DEVICE, MEDIA, blob, handle, party};

const GRANT: GrantId = GrantId([0x94; 16]);

pub(crate) fn grant() -> DropInGrant {
    DropInGrant {
        id: GRANT,
        statement: blob(),
    }
}

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::PutDropInGrant {
            grant: GRANT,
            statement: blob(),
        },
        Request::SetDropIn {
            device: DEVICE,
            on: false,
        },
        Request::MayDropIn {
            to: Callee::Person { handle: handle() },
        },
        Request::DropIn {
            call: CALL,
            to: Callee::Device { device: DEVICE },
            picture: true,
            asking: blob(),
            key_package: blob(),
        },
        Request::RefuseDropIn {
            call: CALL,
            refusal: DropInRefusal::OutsideHours,
        },
        Request::OpenDropIn {
            call: CALL,
            media: MEDIA,
            stage: DropInStage::Frosted,
        },
        Request::SetDropInStage {
            call: CALL,
            stage: DropInStage::Clear,
        },
        Request::AppendLedger {
            index: 7,
            entry: blob(),
        },
        Request::GetLedgerHeads,
        Request::ListLedger {
            device: DEVICE,
            from: 7,
            limit: 200,
        },
        Request::ReportActivity {
            activity: Activity::Motion,
        },
        Request::SetRecentlyActive {
            device: DEVICE,
            on: false,
        },
        Request::GetRecentlyActive,
    ]
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::DropInGrantPut(grant()),
        Event::DropInGrantEnded { grant: GRANT },
        Event::DropInAsked {
            call: CALL,
            from: party(),
            picture: true,
            asking: blob(),
            key_package: blob(),
            grant: grant(),
            expires_at_ms: AT_MS,
        },
        Event::DropInOpened {
            call: CALL,
            device: DEVICE,
            label: "Kitchen".to_owned(),
        },
        Event::DropInStage {
            call: CALL,
            stage: DropInStage::Knocking,
        },
        Event::DropInRefused {
            call: CALL,
            refusal: DropInRefusal::Unavailable,
        },
        Event::DropInEnded { call: CALL },
        Event::LedgerGrew {
            device: DEVICE,
            index: 7,
            entry: blob(),
        },
        Event::RecentlyActive {
            devices: near_devices(),
        },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    let heads = vec![LedgerHead {
        device: DEVICE,
        length: 8,
    }];
    vec![
        Reply::LedgerHeads { heads },
        Reply::Ledger {
            entries: vec![blob()],
            more: true,
        },
        Reply::RecentlyActive {
            devices: near_devices(),
        },
    ]
}

fn near_devices() -> Vec<NearDevice> {
    vec![
        NearDevice {
            device: Some(DEVICE),
            handle: None,
            minutes_ago: 0,
        },
        NearDevice {
            device: None,
            handle: Some(handle()),
            minutes_ago: 5,
        },
    ]
}
