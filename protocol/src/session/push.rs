//! How a device whose app is closed is woken: where to push, and what a push says.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::EndReason;
use crate::id::CallId;
use crate::{Blob, Secret};

/// Where a device can be woken: a push service's address for it, and the keys that only it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PushAddress {
    /// The subscription's URL. Whoever knows it can send to the device, so it is kept like a secret.
    pub endpoint: Secret,
    /// The device's P-256 public key for RFC 8291, uncompressed, 65 bytes.
    pub p256dh: Blob,
    /// The device's authentication secret for RFC 8291, 16 bytes.
    pub auth: Blob,
    /// Who stands at the other end of the endpoint.
    pub kind: PushKind,
}

/// Which kind of push service an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PushKind {
    /// A browser's own service.
    WebPush,
    /// A distributor of the person's own choice (UnifiedPush). It is spoken to in the same way.
    UnifiedPush,
}

/// The content of a push, once the device has decrypted it (RFC 8291). It holds no name, handle or
/// token: what more is to be shown the device knows itself, or asks for over its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PushNotice {
    /// A call rings for this device.
    Ring {
        /// The call.
        call: CallId,
        /// When it stops ringing, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
        /// With picture.
        video: bool,
        /// Who calls, for a device that has them among its contacts: SHA-256 of "homeline push caller v1",
        /// the call id's 16 bytes and the caller's handle.
        caller: Blob,
        /// Declines this call once, for this person, while it rings (`POST /v1/push/decline`).
        decline: Secret,
    },
    /// The call was answered elsewhere or declined. It replaces the notice that it rings.
    Over {
        /// The call.
        call: CallId,
        /// Why.
        reason: EndReason,
    },
    /// The call ended unanswered. It replaces the notice that it rings.
    Missed {
        /// The call.
        call: CallId,
        /// Who called, as in `ring`.
        caller: Blob,
    },
}
