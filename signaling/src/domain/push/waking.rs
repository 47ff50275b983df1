//! Follows what calls tell devices, and has those woken that do not hear it: a push when it rings, and
//! another in its place when it rings no more.
//!
//! Nothing here is waited for by a call.

use std::time::Duration;

use futures_util::future::join_all;
use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{EndReason, Event, Presence, PushNotice};
use tokio::sync::oneshot;

use super::rules;
use super::service::Push;
use super::table::{Sent, Waking, Work};
use crate::domain::secrets::new_token;
use crate::gateway::push::{Delivery, PushMessage, Subscription};
use crate::model::UnixMillis;
use crate::store;
use crate::store::push::PushAddressRow;

/// Says that a push service has taken a ring over: the device gets time to wake.
pub type Accepted = oneshot::Receiver<()>;

/// A call that rings for a device.
struct Ring {
    call: CallId,
    device: DeviceId,
    account: AccountId,
    caller: Blob,
    video: bool,
    expires_at: UnixMillis,
}

impl Push {
    /// A call tells a device something; a device that does not hear it is woken. Returns at once.
    pub fn told(&self, device: DeviceId, event: &Event) -> Option<Accepted> {
        match event {
            Event::IncomingCall {
                call,
                from,
                to,
                video,
                expires_at_ms,
                ..
            } => self.ring(Ring {
                call: *call,
                device,
                account: to.id,
                caller: rules::caller(*call, &from.handle),
                video: *video,
                expires_at: UnixMillis(*expires_at_ms),
            }),
            Event::DeviceRinging { call, device, .. } | Event::AddingRinging { call, device } => {
                self.0.table().rings(*call, *device);
                None
            }
            // It takes part itself: what comes later is no news of a call that it missed.
            Event::Participants { call, .. } => {
                drop(self.0.table().remove(*call, device));
                None
            }
            Event::CallEnded { call, reason } => {
                self.over(*call, device, *reason);
                None
            }
            _ => None,
        }
    }

    fn ring(&self, ring: Ring) -> Option<Accepted> {
        let (call, device, now) = (ring.call, ring.device, self.0.clock.now());
        let mut table = self.0.table();
        // Told again because it came online: it was woken, or rings by itself.
        if table.has(call, device) {
            return None;
        }
        if !table.make_room(now) {
            tracing::warn!("too many devices are being woken: one is left asleep");
            return None;
        }
        let (secret, decline) = new_token();
        let notice = PushNotice::Ring {
            call,
            expires_at_ms: ring.expires_at.0,
            video: ring.video,
            caller: ring.caller.clone(),
            decline: secret,
        };
        let hears = self.0.presence.of(device) == Presence::Online;
        let (sent, push) = (Sent::default(), self.clone());
        let (accepted, acceptance) = oneshot::channel();
        let work = tokio::spawn({
            let sent = sent.clone();
            async move {
                if hears {
                    tokio::time::sleep(push.0.config.wake_after()).await;
                }
                let lifetime = ring.expires_at.since(push.0.clock.now());
                if push.send(device, &notice, lifetime, &sent).await && accepted.send(()).is_err() {
                    tracing::trace!("the call was over before its push was taken over");
                }
            }
        });
        table.insert(
            call,
            device,
            Waking {
                account: ring.account,
                caller: ring.caller,
                expires_at: ring.expires_at,
                sent,
                decline: Some(decline),
                declined_here: false,
                work: Work(work.abort_handle()),
            },
        );
        Some(acceptance)
    }

    fn over(&self, call: CallId, device: DeviceId, reason: EndReason) {
        let Some(waking) = self.0.table().remove(call, device) else {
            return;
        };
        let hears = self.0.presence.of(device) == Presence::Online;
        let Waking {
            caller,
            sent,
            declined_here,
            work,
            ..
        } = waking;
        // A ring that is still on its way must not arrive after the end.
        drop(work);
        if !sent.is_set() || hears || declined_here {
            return;
        }
        let (push, notice) = (self.clone(), rules::after_end(call, reason, caller));
        tokio::spawn(async move {
            let lifetime = push.0.config.missed_lifetime();
            push.send(device, &notice, lifetime, &sent).await;
        });
    }

    /// True when a push service has taken it over.
    async fn send(
        &self,
        device: DeviceId,
        notice: &PushNotice,
        lifetime: Duration,
        sent: &Sent,
    ) -> bool {
        let rows = match self.addresses(device).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "a device's push addresses could not be read");
                return false;
            }
        };
        if rows.is_empty() || lifetime.is_zero() {
            return false;
        }
        sent.set();
        let call = match notice {
            PushNotice::Ring { call, .. }
            | PushNotice::Over { call, .. }
            | PushNotice::Missed { call, .. } => *call,
        };
        let message = PushMessage {
            plaintext: serde_json::to_vec(notice).expect("protocol types always serialize"),
            lifetime,
            topic: rules::topic(call),
        };
        let deliveries = rows.iter().map(|row| self.deliver(row, &message));
        let delivered = join_all(deliveries).await;
        delivered.contains(&true)
    }

    async fn addresses(&self, device: DeviceId) -> Result<Vec<PushAddressRow>, store::StoreError> {
        let mut tx = self.0.db.read().await?;
        store::push::of_device(&mut tx, device, self.0.clock.now()).await
    }

    async fn deliver(&self, row: &PushAddressRow, message: &PushMessage) -> bool {
        let to = Subscription::parse(&row.endpoint.0, &row.p256dh, &row.auth);
        let Ok(to) = to else {
            tracing::error!(device = %row.device, "a kept push address can't be read");
            return false;
        };
        match self.0.gateway.deliver(&to, message).await {
            Delivery::Accepted => {
                tracing::info!(device = %row.device, "a push service has taken a message over");
                true
            }
            Delivery::Gone => {
                tracing::info!(device = %row.device, "a push subscription has ended");
                self.forget(row).await;
                false
            }
            Delivery::Failed(why) => {
                tracing::warn!(device = %row.device, ?why, "a device could not be woken");
                false
            }
        }
    }

    async fn forget(&self, row: &PushAddressRow) {
        let forgotten = async {
            let mut tx = self.0.db.write().await?;
            store::push::delete(&mut tx, row.device, &row.endpoint.0).await?;
            tx.commit().await
        };
        if let Err(error) = forgotten.await {
            tracing::error!(%error, "an ended push subscription could not be forgotten");
        }
    }
}
