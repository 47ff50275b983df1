//! What a request that succeeded is answered with.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    AddressBook, Announced, AnnouncementReceiver, CallLink, ConsentRecord, ConsentText,
    ContactNumbers, DeviceSealingKey, Found, Home, ImportResult, ImportedEntry, Invitation,
    LedgerHead, NearDevice, OutsideState, PastCall, Quality, RelayServers, RunningCall, Track,
};
use crate::id::AccountId;
use crate::{Blob, E164, Secret};

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Done and stored; nothing to tell.
    Done,
    /// The own account and household.
    Home(Box<Home>),
    /// The invitation made.
    Invitation(Invitation),
    /// Running calls.
    Calls {
        /// The calls.
        calls: Vec<RunningCall>,
    },
    /// Past calls, newest first.
    History {
        /// The calls.
        calls: Vec<PastCall>,
    },
    /// The answer to a media offer.
    MediaAnswer {
        /// The SDP answer.
        sdp: String,
        /// The tracks that can be subscribed to now.
        tracks: Vec<Track>,
    },
    /// Figures of the own transport.
    Quality(Quality),
    // ---- calls: missed ----
    /// Missed calls that were not seen, newest first.
    Missed {
        /// The calls.
        calls: Vec<PastCall>,
    },
    // ---- address_book ----
    /// The own settings about numbers and import.
    AddressBook(AddressBook),
    /// An import is done.
    Imported(ImportResult),
    /// Imported entries, by id.
    ImportedEntries {
        /// The entries.
        entries: Vec<ImportedEntry>,
        /// Whether there are more.
        more: bool,
    },
    /// Typed numbers, by contact.
    ContactNumbers {
        /// The contacts that have numbers.
        contacts: Vec<ContactNumbers>,
        /// Whether there are more.
        more: bool,
    },
    /// What a name stands for.
    Found(Found),
    /// A code is on its way.
    NumberVerification {
        /// To this number.
        number: E164,
        /// It counts until then, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    // ---- children ----
    /// What is consented to, and what is on record.
    Consent {
        /// The text of today.
        text: ConsentText,
        /// The newest consent, which may have been withdrawn.
        record: Option<Box<ConsentRecord>>,
    },
    // ---- guests ----
    /// The own call links that have not ended, the newest first.
    CallLinks {
        /// The links.
        links: Vec<CallLink>,
    },
    // ---- relay ----
    /// The relays, and what opens them.
    Relays(RelayServers),
    // ---- outside ----
    /// What opens a test from outside.
    OutsideTicket {
        /// For the page `/outside`, behind its `#`.
        secret: Secret,
        /// The home's public address, as far as the server knows it: where a link outside should lead.
        address: Option<String>,
        /// It counts until then, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// Whether the home can be reached from outside.
    Outside(Box<OutsideState>),
    // ---- drop_in ----
    /// How long the household's ledgers are.
    LedgerHeads {
        /// One for each home device that has any.
        heads: Vec<LedgerHead>,
    },
    /// Entries of one ledger, in order.
    Ledger {
        /// As they were signed.
        entries: Vec<Blob>,
        /// Whether there are more.
        more: bool,
    },
    // ---- recently_active ----
    /// Near which devices somebody was lately.
    RecentlyActive {
        /// They.
        devices: Vec<NearDevice>,
    },
    // ---- drop_in: whom a grant names ----
    /// Who is of a contact's household now.
    ContactPeople {
        /// The contact.
        person: AccountId,
        /// All of their household, the contact among them.
        household: Vec<AccountId>,
    },
    // ---- announcements ----
    /// The server's clock.
    Time {
        /// Unix milliseconds.
        #[ts(type = "number")]
        server_time_ms: u64,
    },
    /// What can be sealed to whom.
    SealingKeys {
        /// One for each home device that has published one.
        keys: Vec<DeviceSealingKey>,
    },
    /// It is stored, and the devices are told.
    Announced {
        /// Those that it is for.
        receivers: Vec<AnnouncementReceiver>,
    },
    /// Announcements for this device.
    Announcements {
        /// The oldest first.
        announcements: Vec<Announced>,
    },
    /// What was encrypted.
    AnnouncementContent {
        /// The ciphertext.
        content: Blob,
    },
}
