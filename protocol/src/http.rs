//! Bodies of the HTTP API under `/v1`: what happens before there is a session.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{AccountId, CallId, CallLinkId, DeviceId, HouseholdId, InvitationId, PairingId};
use crate::session::DeviceKind;
use crate::{Blob, Handle, Secret};

/// `POST /v1/sign-up`: makes an account and either founds a household or asks to join one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SignUp {
    /// What others type to call this person.
    pub handle: Handle,
    /// At least 8 characters; kept under argon2id.
    pub password: Secret,
    /// The name that a ringing device speaks; 1 to 64 characters.
    pub display_name: String,
    /// The app that signs up.
    pub app: NewApp,
    /// Found a household, or join one.
    pub home: NewHome,
}

/// The app that signs up, recovers or signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct NewApp {
    /// Its Ed25519 public key, 32 bytes; the device id is derived from it (docs/identity.md).
    pub key: Blob,
    /// What the household sees, as "Anna's phone".
    pub label: String,
}

/// Found a household, or join one by invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NewHome {
    /// The first member founds the household. The account id is chosen by the app, since the roster names it.
    Found {
        /// Random, chosen by the app.
        account: AccountId,
        /// The genesis key, 32 bytes.
        genesis: Blob,
        /// The household's name.
        name: String,
        /// The first two roster entries: genesis, and "add device" for this app.
        roster: Vec<Blob>,
        /// This app's certificate chain.
        chain: Blob,
        /// The recovery key's certificate, signed by genesis, and its binding, signed by itself.
        recovery_certificate: Blob,
        /// The secret derived from the recovery code ("auth"), base64url; kept under argon2id.
        recovery_secret: Secret,
    },
    /// A further member asks to join; an adult's app checks the proof and certifies the app.
    Join {
        /// Random, chosen by the app, since the proof covers it.
        account: AccountId,
        /// From the link.
        invitation: InvitationId,
        /// HMAC over app key and account with the link's secret (docs/identity.md).
        proof: Blob,
    },
}

/// The answer to sign-up, sign-in and recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SignedIn {
    /// Bearer token for sessions and the HTTP API; shown once, kept hashed.
    pub token: Secret,
    /// The account.
    pub account: AccountId,
    /// The app this token speaks for; absent after a password sign-in without a key, which can only pair or recover.
    pub device: Option<DeviceId>,
    /// The household; absent until an invited member is admitted.
    pub household: Option<HouseholdId>,
}

/// `POST /v1/sign-in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct SignIn {
    /// The handle.
    pub handle: Handle,
    /// The password.
    pub password: Secret,
    /// The app that signs in, if this browser holds its key.
    pub app: Option<AppProof>,
}

/// Shows that the app holds its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct AppProof {
    /// The app.
    pub device: DeviceId,
    /// Unix time in milliseconds at which it signed; at most five minutes off.
    #[ts(type = "number")]
    pub at_ms: u64,
    /// Ed25519 over "homeline sign-in v1" || 0x00 || handle || 0x00 || decimal at_ms.
    pub signature: Blob,
}

/// `POST /v1/recover/begin`: the recovery code's secret opens what is needed to sign with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct RecoverBegin {
    /// The handle.
    pub handle: Handle,
    /// The secret derived from the recovery code ("auth"), base64url.
    pub recovery_secret: Secret,
}

/// The answer to [`RecoverBegin`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct RecoverTicket {
    /// One-time ticket for [`RecoverFinish`], valid ten minutes.
    pub ticket: Secret,
    /// The account.
    pub account: AccountId,
    /// The whole roster.
    pub roster: Vec<Blob>,
    /// The recovery key's certificate, signed by genesis, and its binding, signed by itself.
    pub recovery_certificate: Blob,
}

/// `POST /v1/recover/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct RecoverFinish {
    /// From [`RecoverTicket`].
    pub ticket: Secret,
    /// A new password.
    pub password: Secret,
    /// The new app.
    pub app: NewApp,
    /// Roster entry "add device", signed by the recovery key.
    pub entry: Blob,
    /// The new app's chain.
    pub chain: Blob,
}

/// `POST /v1/pairings`: a device without a household asks for a person. The answer is the same whether
/// or not anyone has that handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairingOffer {
    /// Whom it asks.
    pub handle: Handle,
    /// `commit_d` of docs/identity.md, 32 bytes.
    pub commit: Blob,
}

/// The answer to [`PairingOffer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairingOpened {
    /// The pairing.
    pub pairing: PairingId,
    /// Bearer token for the pairing's other requests.
    pub secret: Secret,
    /// When it ends, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
}

/// `GET /v1/pairings/{id}?after=STEP` (waits up to 25 s for a step beyond `after`): where the pairing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PairingState {
    /// Step 0: no app has taken it up yet.
    Waiting,
    /// Step 1: an app has committed; the device may reveal.
    Accepted {
        /// `commit_a`, 32 bytes.
        commit: Blob,
    },
    /// Step 2: the app has revealed; the device shows the digits.
    Revealed {
        /// The household's genesis key.
        genesis: Blob,
        /// The app's key.
        app_key: Blob,
        /// The app's nonce.
        nonce: Blob,
    },
    /// Step 3: certified; the pairing is over.
    Certified {
        /// The device's chain.
        chain: Blob,
        /// The whole roster.
        roster: Vec<Blob>,
        /// The device's token.
        token: Secret,
        /// Whom it belongs to.
        account: AccountId,
        /// The household.
        household: HouseholdId,
    },
    /// Refused by the app, wrong digits, or expired.
    Refused,
}

/// `POST /v1/pairings/{id}/reveal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PairingReveal {
    /// The device's key.
    pub device_key: Blob,
    /// Its nonce.
    pub nonce: Blob,
    /// App or home device.
    pub kind: DeviceKind,
    /// What it wants to be called.
    pub label: String,
}

/// `POST /v1/guests`: somebody without an account knocks at a call link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Knock {
    /// The link's id.
    pub link: CallLinkId,
    /// The guest's certificate chain: one certificate of kind 4, of a fresh key (docs/guests.md).
    pub chain: Blob,
    /// HMAC over link and guest key with the link's secret, 32 bytes.
    pub proof: Blob,
}

/// The answer to [`Knock`]: the guest waits. The link's maker hears of it once a session is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Knocked {
    /// Bearer token for the guest's one session; kept in memory only, and ended with the visit.
    pub token: Secret,
    /// The account that stands for the guest in calls. It is nobody's.
    pub account: AccountId,
    /// The guest's device, as the chain says.
    pub device: DeviceId,
    /// Until when the guest may wait, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
}

/// `GET /v1/about`, for anyone: what a client should know before it signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct About {
    /// The server's version.
    pub version: String,
    /// The session protocol's version.
    pub protocol: u16,
    /// SHA-256 of the app that this server serves, hexadecimal.
    pub app_hash: String,
}

/// `GET /v1/push/key`, for anyone: what a browser subscribes with, so that only this server can push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PushKey {
    /// The server's P-256 public key (RFC 8292), uncompressed, 65 bytes.
    pub key: Blob,
}

/// `POST /v1/push/decline`: declines a call that was pushed, without a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PushDecline {
    /// The call.
    pub call: CallId,
    /// From the push. It works once.
    pub decline: Secret,
}

/// `POST /v1/consent/review` and `POST /v1/consent/withdraw`: what the link in a consent's mail carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ConsentLink {
    /// The secret behind the link's `#`.
    pub secret: Secret,
}

/// A consent as its link shows it. It names nobody: a mail passes through other hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ConsentReview {
    /// The eight digits that the mail and the app show.
    pub reference: String,
    /// To which version of the text.
    pub version: u16,
    /// That text.
    pub text: String,
    /// When it was given, Unix milliseconds.
    #[ts(type = "number")]
    pub given_at_ms: u64,
    /// When it was withdrawn or replaced.
    #[ts(type = "number | null")]
    pub withdrawn_at_ms: Option<u64>,
}
