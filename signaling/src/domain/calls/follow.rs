//! What happens to calls from outside: the media node's events, removed devices, a call's own end.

use homeline_protocol::id::{CallId, DeviceId, PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaEvent};
use homeline_protocol::session::{Callee, EndReason, ErrorCode, Event, Switches};
use tokio::sync::mpsc;

use super::input::{Input, PeerChange};
use super::service::Calls;
use super::task::{Message, send};
use crate::bus::{Audience, Notice};
use crate::domain::history::Ended;

impl Calls {
    /// Waits for a call's end. One that panicked takes nothing with it but itself.
    pub(super) async fn follow_call(self, id: CallId, running: tokio::task::JoinHandle<EndReason>) {
        let reason = match running.await {
            Ok(reason) => reason,
            Err(error) => {
                tracing::error!(%error, "a call failed inside the server and was ended");
                self.clean_up_failed(id).await;
                EndReason::MediaFailed
            }
        };
        self.0.index().end(id, reason);
    }

    async fn clean_up_failed(&self, call: CallId) {
        let reason = EndReason::MediaFailed;
        let entry = self.0.index().get(call).cloned();
        let Some(entry) = entry else { return };
        let ended = Ended {
            at: self.0.clock.now(),
            reason,
            callee_named: false,
            missed: false,
        };
        if let Err(error) = self.0.history.ended(call, ended).await {
            tracing::error!(%error, "a call could not be kept on record");
        }
        let people = entry
            .callees
            .iter()
            .map(|callee| Audience::Account(*callee));
        let mut audiences: Vec<_> = people.collect();
        audiences.push(Audience::Account(entry.caller));
        let present = entry.part.present.iter();
        for (device, _) in present.clone() {
            self.0.guests.call_over(*device);
        }
        if let Callee::Guest { guest } = entry.to {
            self.0.guests.call_over(guest);
        }
        audiences.extend(present.map(|(device, _)| Audience::Device(*device)));
        for audience in audiences {
            let over = Event::CallEnded { call, reason };
            self.0.bus.publish(audience, over);
        }
        let room = RoomId(call.0);
        let close = MediaCommand::CloseRoom { room };
        if let Err(error) = self.0.media.send(close).await.wait().await {
            tracing::warn!(%error, "a failed call's room could not be closed");
        }
    }

    pub(super) async fn follow_media(self, mut events: mpsc::Receiver<MediaEvent>) {
        while let Some(event) = events.recv().await {
            let device = |peer: PeerId| DeviceId(peer.0);
            let (room, input) = match event {
                MediaEvent::PeerConnected { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Connected))
                }
                MediaEvent::PeerSilent { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Silent))
                }
                MediaEvent::PeerClosed { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Closed))
                }
                MediaEvent::RoomFailed { room } => (room, Input::RoomFailed),
                MediaEvent::LayersWanted {
                    room,
                    peer,
                    track,
                    wanted,
                } => (room, Input::LayersWanted(device(peer), track, wanted)),
                MediaEvent::Speakers { room, peers } => {
                    let devices = peers.into_iter().map(device).collect();
                    (room, Input::Speakers(devices))
                }
            };
            let mailbox = self
                .0
                .index()
                .get(CallId(room.0))
                .map(|entry| entry.mailbox.clone());
            if let Some(mailbox) = mailbox {
                send(&mailbox, Message::Input(input)).await;
            }
        }
        let mailboxes: Vec<_> = self
            .0
            .index()
            .all()
            .map(|entry| entry.mailbox.clone())
            .collect();
        for mailbox in mailboxes {
            send(&mailbox, Message::Input(Input::MediaGone)).await;
        }
    }

    pub(super) async fn follow_notices(self, mut notices: mpsc::Receiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            let input = match notice {
                Notice::SessionsEnded { device, code } if is_gone(code) => {
                    Notified::Revoked(device)
                }
                Notice::SessionsEnded { .. } => continue,
                Notice::ChildLimited { account } => {
                    self.child_limited(account).await;
                    continue;
                }
                Notice::Blocked { account, handle } => {
                    self.blocked(account, &handle).await;
                    continue;
                }
                Notice::DropInChanged { .. } => continue,
                Notice::Switched { device, switches } => Notified::Switched(device, switches),
            };
            let mailboxes: Vec<_> = self
                .0
                .index()
                .all()
                .map(|entry| entry.mailbox.clone())
                .collect();
            for mailbox in mailboxes {
                send(&mailbox, Message::Input(input.into())).await;
            }
        }
    }
}

/// Whether a device whose sessions ended so is in no household any more.
fn is_gone(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::DeviceRevoked | ErrorCode::NotRegistered)
}

/// What every call is told; one that has no part in it passes over it.
#[derive(Debug, Clone, Copy)]
enum Notified {
    Revoked(DeviceId),
    Switched(DeviceId, Switches),
}

impl From<Notified> for Input {
    fn from(notified: Notified) -> Self {
        match notified {
            Notified::Revoked(device) => Self::Revoked(device),
            Notified::Switched(device, switches) => Self::Switched(device, switches),
        }
    }
}
