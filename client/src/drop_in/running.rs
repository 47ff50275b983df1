//! The drop-in that runs at this device, beside what the target's machine knows of it, and what comes from it.

use homeline_e2ee::chain::{Chain, Identity};
use homeline_e2ee::drop_in::{Opening, Permit};
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::visit::VisitEvent;
use crate::call::{CallEvent, Outgoing, TargetCall};
use crate::home::Person;

pub(super) struct Running {
    pub(super) party: Person,
    pub(super) initiator: Identity,
    pub(super) chain: Chain,
    pub(super) key_package: Blob,
    /// Where the microphone's switch stood.
    pub(super) microphone: bool,
    pub(super) events: Option<mpsc::Sender<VisitEvent>>,
    pub(super) frosted: watch::Sender<bool>,
    pub(super) with: Option<Box<Outgoing>>,
    pub(super) call: Option<TargetCall>,
    /// Done when everything is shut.
    pub(super) closing: Option<JoinHandle<()>>,
    /// Since when it is written down as open.
    pub(super) opened_at: Option<UnixMs>,
}

impl Running {
    /// Whether somebody at the device is to say yes or no.
    pub(super) fn knocks(permit: Permit) -> bool {
        permit.opening != Opening::AtOnce
    }

    pub(super) fn new(
        party: Person,
        initiator: Identity,
        chain: Chain,
        key_package: Blob,
        microphone: bool,
    ) -> Self {
        Self {
            party,
            initiator,
            chain,
            key_package,
            microphone,
            events: None,
            frosted: watch::Sender::new(true),
            with: None,
            call: None,
            closing: None,
            opened_at: None,
        }
    }

    pub(super) fn tell(&self, event: VisitEvent) {
        if let Some(events) = &self.events {
            events.try_send(event).ok();
        }
    }
}

/// What comes from a drop-in that runs.
pub(super) enum News {
    Call(Option<CallEvent>),
    /// The program let go of its handle.
    Dropped,
}

pub(super) async fn news(running: &mut Option<Running>) -> News {
    let Some(Running { call, events, .. }) = running else {
        return std::future::pending().await;
    };
    tokio::select! {
        event = async {
            match call {
                Some(call) => call.call.next().await,
                None => std::future::pending().await,
            }
        } => News::Call(event),
        () = async {
            match events {
                Some(events) => events.closed().await,
                None => std::future::pending().await,
            }
        } => News::Dropped,
    }
}
