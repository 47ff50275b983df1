//! Everything the server tells a client by itself.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    Account, Announced, AnnouncementHeard, AnswerPolicy, CallLink, Child, Contact, ContactNumbers,
    Device, DeviceKind, DeviceSettings, DoNotDisturb, DropInGrant, DropInRefusal, DropInStage,
    EndReason, GradedDevice, GuestRefusal, Invitation, JoinRequest, MediaState, Member, NearDevice,
    OwnConnection, Participant, Party, PastCall, Presence, Source, TopContact, Track,
};
use crate::id::{
    AccountId, AnnouncementId, CallId, CallLinkId, ContactId, DeviceId, GrantId, HouseholdId,
    InvitationId, MailId, PairingId,
};
use crate::{Blob, Handle};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    // ---- household ----
    /// The roster grew; members and devices as they are now. Clients fold the entries onto what they hold.
    /// Without entries when a member left the server by themself: an adult's app signs out what is in the
    /// roster and not among the devices any more.
    RosterGrew {
        /// The new entries, in order.
        entries: Vec<Blob>,
        /// Members now.
        members: Vec<Member>,
        /// Devices now.
        devices: Vec<Device>,
    },
    /// A device's certificate was renewed.
    CertificateRenewed {
        /// The device.
        device: DeviceId,
        /// Its chain.
        chain: Blob,
    },
    /// A device of the household came, slept or went.
    PresenceChanged {
        /// The device.
        device: DeviceId,
        /// Now.
        presence: Presence,
    },
    /// A member changed their name, or their role was changed.
    MemberChanged(Member),
    /// A contact was added or changed.
    ContactPut(Contact),
    /// A contact was deleted.
    ContactDeleted {
        /// The contact.
        contact: ContactId,
    },
    /// A home device's answer policy changed.
    AnswerPolicyPut(AnswerPolicy),
    /// An invitation was made by another app of the household.
    InvitationMade(Invitation),
    /// An invitation ended: used, cancelled or expired.
    InvitationEnded {
        /// The invitation.
        invitation: InvitationId,
    },
    /// Somebody asks to join.
    JoinRequested(JoinRequest),
    /// This account was admitted: the session now speaks for the household.
    Admitted {
        /// The household.
        household: HouseholdId,
        /// The app's chain.
        chain: Blob,
        /// The roster.
        roster: Vec<Blob>,
    },
    /// This account's join request was turned away.
    JoinRefused,
    // ---- pairing, the app's side ----
    /// A device asks for this person.
    PairingOffered {
        /// The pairing.
        pairing: PairingId,
        /// `commit_d`.
        commit: Blob,
    },
    /// The device revealed its side: compare the digits.
    PairingRevealed {
        /// The pairing.
        pairing: PairingId,
        /// The device's key.
        device_key: Blob,
        /// Its nonce.
        nonce: Blob,
        /// What it is.
        kind: DeviceKind,
        /// What it wants to be called.
        label: String,
    },
    /// A pairing ended without a device.
    PairingEnded {
        /// The pairing.
        pairing: PairingId,
    },
    // ---- calls ----
    /// This device should ring.
    IncomingCall {
        /// The call.
        call: CallId,
        /// Who calls, as they call themselves.
        from: Party,
        /// For whom it rings on a shared device.
        to: Account,
        /// With picture.
        video: bool,
        /// The caller's signed invitation.
        invitation: Blob,
        /// When ringing ends, Unix milliseconds. A client that gets this late rings no more.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// To the caller: a device rings, and this is its key package.
    DeviceRinging {
        /// The call.
        call: CallId,
        /// The device.
        device: DeviceId,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The signed statement that binds it to the call.
        statement: Blob,
    },
    /// To the caller, and to a device that announces live: this device answered; commit it to the group.
    CallAnswered {
        /// The call.
        call: CallId,
        /// The device.
        device: DeviceId,
        /// Its switches.
        media: MediaState,
        /// Its key package, as in `device_ringing`.
        key_package: Blob,
        /// The statement, as in `device_ringing`.
        statement: Blob,
    },
    /// The call, or this device's part in it, is over.
    CallEnded {
        /// The call.
        call: CallId,
        /// Why.
        reason: EndReason,
    },
    /// The participants and their switches changed.
    Participants {
        /// The call.
        call: CallId,
        /// All participants now.
        participants: Vec<Participant>,
    },
    /// The tracks of the other participants, all of them, as they are now.
    Tracks {
        /// The call.
        call: CallId,
        /// The tracks.
        tracks: Vec<Track>,
    },
    /// A participant's connection was lost, or is back.
    ParticipantConnection {
        /// The call.
        call: CallId,
        /// Whose.
        device: DeviceId,
        /// Is it there?
        connected: bool,
    },
    /// Offer media again, with an ICE restart: the server's side of the transport is gone.
    MediaRestart {
        /// The call.
        call: CallId,
    },
    // ---- keys ----
    /// A commit won its epoch; sent to every member, its author too.
    GroupCommit {
        /// The call.
        call: CallId,
        /// The epoch that it ends.
        #[ts(type = "number")]
        epoch: u64,
        /// Who made it.
        author: DeviceId,
        /// The MLS commit.
        commit: Blob,
    },
    /// A Welcome for this device.
    GroupWelcome {
        /// The call.
        call: CallId,
        /// The MLS Welcome.
        welcome: Blob,
        /// Participants by then.
        participants: Vec<Participant>,
    },
    /// All members are ready, or waited long enough: send under this epoch's key now.
    EpochExecute {
        /// The call.
        call: CallId,
        /// The epoch.
        #[ts(type = "number")]
        epoch: u64,
    },
    /// An MLS application message from another member.
    GroupMessage {
        /// The call.
        call: CallId,
        /// Who sent it, as the server says; MLS proves it.
        author: DeviceId,
        /// The message.
        message: Blob,
    },
    // ---- rules ----
    /// A device's label, room, do not disturb, capabilities or switches changed.
    DeviceSettingsChanged {
        /// The device.
        device: DeviceId,
        /// Its label now.
        label: String,
        /// Its settings now.
        settings: DeviceSettings,
    },
    /// The own do not disturb changed, everywhere or by schedule.
    DoNotDisturbChanged(DoNotDisturb),
    /// The own blocks changed; to apps only.
    BlocksChanged {
        /// All of them now.
        blocked: Vec<Handle>,
    },
    /// The own top contact changed.
    TopContactChanged {
        /// Now.
        top_contact: Option<TopContact>,
    },
    /// What a child may, or the consent, changed. Forgotten when `member_changed` says adult.
    ChildChanged(Child),
    /// A member whose app may not sign asks to leave; an adult's app signs it.
    LeaveRequested {
        /// Who.
        account: AccountId,
    },
    /// Where a device's switches stand in a call that was not answered yet: to the caller of each device
    /// that rings, to ringing devices of the caller's. Said only when something is off, and when it changes.
    CallSwitches {
        /// The call.
        call: CallId,
        /// Whose.
        device: DeviceId,
        /// What it can send now.
        media: MediaState,
    },
    // ---- calls: more than two, moves, waiting, missed ----
    /// To the one who adds somebody: a device of the added person rings.
    AddingRinging {
        /// The call.
        call: CallId,
        /// The device.
        device: DeviceId,
    },
    /// To the one who adds somebody: this device answered; commit it to the group.
    AddingAnswered {
        /// The call.
        call: CallId,
        /// The device.
        device: DeviceId,
        /// Its switches.
        media: MediaState,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The signed statement that binds it to the call.
        statement: Blob,
    },
    /// To the one who adds somebody: they do not come. The call goes on.
    AddingEnded {
        /// The call.
        call: CallId,
        /// Why.
        reason: EndReason,
    },
    /// To one of the remaining members: this device has left; commit its removal.
    MemberLeft {
        /// The call.
        call: CallId,
        /// Whom to remove.
        device: DeviceId,
    },
    /// The call that runs at another device of the household wants to go on here. Answered like a
    /// call: `ringing`, then `answer`; or `refuse_invitation`.
    MoveOffered {
        /// The call.
        call: CallId,
        /// Where it runs now.
        from: DeviceId,
        /// Who is at the other end.
        party: Party,
        /// For whom it moves: the person whose call it is.
        to: Account,
        /// With picture.
        video: bool,
        /// The signed invitation of the device where it runs.
        invitation: Blob,
        /// When the offer ends, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// To the device in the call: another device of this person wants the call. Ask to move it there.
    MoveWanted {
        /// The call.
        call: CallId,
        /// Which device.
        device: DeviceId,
    },
    /// To a member at another end: commit the new device in and the old one out, in one commit.
    MoveAccepted {
        /// The call.
        call: CallId,
        /// The device that leaves.
        from: DeviceId,
        /// The device that comes.
        device: DeviceId,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The signed statement that binds it to the call.
        statement: Blob,
    },
    /// To the device where the call runs: it stays here.
    MoveEnded {
        /// The call.
        call: CallId,
        /// Where it should have gone.
        device: DeviceId,
        /// Why not.
        reason: EndReason,
    },
    /// To a device that is in a call: another call waits. Answering it ends the first for this device.
    CallWaiting {
        /// The call that waits.
        call: CallId,
        /// Who calls.
        from: Party,
        /// For whom.
        to: Account,
        /// With picture.
        video: bool,
        /// The caller's signed invitation.
        invitation: Blob,
        /// When ringing ends, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// Somebody called and was not answered. Kept in the history as well, until seen.
    CallMissed(PastCall),
    /// Missed calls were seen on some device of this person.
    MissedSeen {
        /// Those that began until then, Unix milliseconds.
        #[ts(type = "number")]
        until_ms: u64,
    },
    // ---- address_book ----
    /// The own imported entries, number or settings about them changed: ask for them anew.
    AddressBookChanged,
    /// The numbers typed for a contact changed.
    ContactNumbersPut(ContactNumbers),
    // ---- children ----
    /// A child's consent was given, replaced or withdrawn: ask for it anew (to the household).
    ConsentChanged {
        /// The child.
        account: AccountId,
    },
    /// A mail of the household was taken by the mail server, or given up after a day.
    MailSettled {
        /// The mail.
        mail: MailId,
        /// Whether it was taken.
        sent: bool,
    },
    // ---- guests ----
    /// A call link of one's own was made (to apps only).
    CallLinkMade(CallLink),
    /// A call link of one's own has ended, or was revoked (to apps only).
    CallLinkEnded {
        /// The link.
        link: CallLinkId,
    },
    /// A guest knocks at a link of one's own (to apps only). Said again to an app that comes online while
    /// they wait. The app checks chain and proof before it shows anything.
    GuestKnocked {
        /// The link.
        link: CallLinkId,
        /// The guest's device.
        guest: DeviceId,
        /// The guest's certificate chain: one certificate of kind 4.
        chain: Blob,
        /// HMAC over link and guest key with the link's secret (docs/guests.md).
        proof: Blob,
    },
    /// A guest knocks no more: let in, sent away, or gone (to apps only).
    GuestGone {
        /// The link.
        link: CallLinkId,
        /// The guest's device.
        guest: DeviceId,
    },
    /// To a guest: they do not come in. The session ends.
    GuestRefused {
        /// Why.
        reason: GuestRefusal,
    },
    // ---- pictures ----
    /// Which encodings or spatial layers of the own track somebody takes now: the others need not be sent
    /// until this is said again.
    LayersWanted {
        /// The call.
        call: CallId,
        /// Which of the own tracks.
        source: Source,
        /// In the order of the offer's rids, 0 the smallest picture. Empty when nobody takes any.
        wanted: Vec<u8>,
    },
    /// Who speaks, this device among them; said when it changes. Empty when all are silent.
    Speakers {
        /// The call.
        call: CallId,
        /// Participants, loudest first.
        devices: Vec<DeviceId>,
    },
    /// How good the connections in a call are; said every few seconds while something changes.
    CallConnections {
        /// The call.
        call: CallId,
        /// The own one. Absent while nothing is known of it.
        own: Option<OwnConnection>,
        /// Those of the others of which something is known.
        others: Vec<GradedDevice>,
    },
    // ---- drop_in ----
    /// A drop-in grant of the own household was given, changed, renewed or revoked.
    DropInGrantPut(DropInGrant),
    /// A drop-in grant is gone without a signature: its contact was deleted, or has another key now.
    DropInGrantEnded {
        /// The grant.
        grant: GrantId,
    },
    // ---- drop_in: once through ----
    /// To a home device: somebody wants to drop in. It decides by itself, answers with `refuse_drop_in` or
    /// plays its tone, lights its indicator and answers with `open_drop_in`.
    DropInAsked {
        /// The drop-in.
        call: CallId,
        /// Who, as they call themselves.
        from: Party,
        /// With picture.
        picture: bool,
        /// What the asking device signed (docs/drop-in.md).
        asking: Blob,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The grant that the server went by.
        grant: DropInGrant,
        /// Until then the target has to have decided, Unix milliseconds.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// To the one who drops in: the target has opened. A `group_welcome` follows.
    DropInOpened {
        /// The drop-in.
        call: CallId,
        /// The target.
        device: DeviceId,
        /// What it is called.
        label: String,
    },
    /// To the one who drops in: how far it has come.
    DropInStage {
        /// The drop-in.
        call: CallId,
        /// Now.
        stage: DropInStage,
    },
    /// To the one who drops in: nothing of the target will be heard or seen.
    DropInRefused {
        /// The drop-in.
        call: CallId,
        /// Why; to another household only `turned_away` or `unavailable`.
        refusal: DropInRefusal,
    },
    /// To a target whose drop-in has ended before it opened: given up, or too late.
    DropInEnded {
        /// The drop-in.
        call: CallId,
    },
    /// To adults' apps: a ledger of the household grew.
    LedgerGrew {
        /// Whose.
        device: DeviceId,
        /// The place of the entry.
        #[ts(type = "number")]
        index: u64,
        /// The entry.
        entry: Blob,
    },
    // ---- recently_active ----
    /// Of those whom this account may drop in on: near which devices somebody was lately, all of them now.
    RecentlyActive {
        /// They.
        devices: Vec<NearDevice>,
    },
    // ---- announcements ----
    /// To a home device: something is announced here.
    Announced(Announced),
    /// To the announcing device: what another one made of it.
    AnnouncementHeard {
        /// Which.
        announcement: AnnouncementId,
        /// Where.
        device: DeviceId,
        /// What.
        heard: AnnouncementHeard,
    },
    // ---- announcements: live ----
    /// To a home device: something is announced here while it is spoken. It decides by itself, and answers
    /// with `hear_live` or not at all.
    LiveAnnouncement {
        /// The announcement's call.
        call: CallId,
        /// The announcing device.
        device: DeviceId,
        /// What it signed (docs/announcements.md).
        statement: Blob,
    },
    /// To the announcing device: a device that was told will not hear it. What was in its way stays there.
    LiveDeclined {
        /// The announcement's call.
        call: CallId,
        /// Where it is not heard.
        device: DeviceId,
    },
}
