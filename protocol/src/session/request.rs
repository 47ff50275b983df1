//! Everything a client can ask for in a session.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    Activity, AnnounceTo, AnnouncementHeard, BroughtEntry, Callee, Capabilities, ChildLimits,
    DeviceKind, DoNotDisturb, DropInRefusal, DropInStage, EndReason, MediaState, NumberKind,
    NumberOf, Presence, PublishSection, PushAddress, Role, SubscribeSection, Switches, TopContact,
    TrackView, WrittenNumber,
};
use crate::id::{
    AccountId, AnnouncementId, CallId, CallLinkId, ContactId, DeviceId, EntryId, GrantId, ImportId,
    InvitationId, PairingId,
};
use crate::{Blob, EmailAddress, Handle, PhoneText, Secret};

/// A request. Each variant says which [`super::Reply`] answers it; without a word, it is `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    // ---- household ----
    /// The own account and household. Reply `home`.
    GetHome,
    /// Changes the own display name.
    SetDisplayName {
        /// 1 to 64 characters.
        name: String,
    },
    /// Says whether this device can be reached (a browser device whose tab goes to sleep).
    SetPresence {
        /// `online` or `asleep`.
        presence: Presence,
    },
    /// Stores a renewed certificate chain of a device of the household (adult apps).
    RenewCertificate {
        /// The device.
        device: DeviceId,
        /// Its new chain.
        chain: Blob,
    },
    /// Takes a device out of the household; its sessions end at once (adult apps).
    RemoveDevice {
        /// The device.
        device: DeviceId,
        /// The signed roster entry.
        entry: Blob,
    },
    /// Stores a signed answer policy of a home device (adult apps).
    PutAnswerPolicy {
        /// The device.
        device: DeviceId,
        /// The signed policy.
        policy: Blob,
    },
    // ---- pairing, the app's side ----
    /// Stands at "Add a device" (or leaves): only then are pairings offered to this app. Ends by itself after ten minutes.
    ListenForPairing {
        /// Whether it listens.
        on: bool,
    },
    /// Takes up a pairing by committing.
    AcceptPairing {
        /// The pairing.
        pairing: PairingId,
        /// `commit_a`.
        commit: Blob,
    },
    /// Reveals the app's side.
    RevealPairing {
        /// The pairing.
        pairing: PairingId,
        /// The genesis key.
        genesis: Blob,
        /// The app's key.
        app_key: Blob,
        /// The app's nonce.
        nonce: Blob,
    },
    /// The digits match: adds and certifies the device. Fails with `roster_moved` when the roster grew.
    CertifyPairing {
        /// The pairing.
        pairing: PairingId,
        /// The new device.
        device: DeviceId,
        /// Whose it is.
        account: AccountId,
        /// What the roster entry says.
        kind: DeviceKind,
        /// What the roster entry says.
        label: String,
        /// What the roster entry says.
        adult: bool,
        /// The signed roster entry.
        entry: Blob,
        /// The device's chain.
        chain: Blob,
    },
    /// The digits do not match, or the person says no.
    RefusePairing {
        /// The pairing.
        pairing: PairingId,
    },
    // ---- further members ----
    /// Makes an invitation. Reply `invitation`.
    CreateInvitation,
    /// Ends an invitation.
    CancelInvitation {
        /// The invitation.
        invitation: InvitationId,
    },
    /// Admits a member whose proof this app has checked. Fails with `roster_moved` when the roster grew.
    AdmitMember {
        /// The invitation used.
        invitation: InvitationId,
        /// Who.
        account: AccountId,
        /// Their app.
        device: DeviceId,
        /// Whether their app gets the adult right.
        adult: bool,
        /// The signed roster entry.
        entry: Blob,
        /// Their app's chain.
        chain: Blob,
        /// What they are in the household; adult if absent. A child's app can't have the adult right.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        role: Option<Role>,
    },
    /// Turns a join request away.
    RefuseMember {
        /// The invitation used.
        invitation: InvitationId,
        /// Who.
        account: AccountId,
    },
    // ---- contacts ----
    /// Adds or changes a contact. Whether anyone has that handle is not told.
    PutContact {
        /// Chosen by the app.
        contact: ContactId,
        /// What the family calls them; 1 to 64 characters.
        name: String,
        /// Their handle.
        handle: Handle,
        /// The signed card.
        card: Blob,
    },
    /// Deletes a contact; the card is its signed deletion.
    DeleteContact {
        /// The contact.
        contact: ContactId,
        /// The signed card with `pin = deleted`.
        card: Blob,
    },
    // ---- calls ----
    /// Calls somebody. Sending it again with the same id does nothing more.
    StartCall {
        /// Chosen by the caller, random.
        call: CallId,
        /// Whom.
        to: Callee,
        /// With picture.
        video: bool,
        /// The caller's signed invitation (docs/identity.md).
        invitation: Blob,
    },
    /// This device rings; its fresh key package goes to the caller.
    Ringing {
        /// The call.
        call: CallId,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The signed statement that binds it to the call.
        statement: Blob,
    },
    /// This device refuses to ring, without declining for the others: the invitation did not check out.
    RefuseInvitation {
        /// The call.
        call: CallId,
    },
    /// Answers. Fails with `answered_elsewhere` when another device was first.
    Answer {
        /// The call.
        call: CallId,
        /// The answering device's switches.
        media: MediaState,
    },
    /// Declines for the person: all their devices stop ringing.
    Decline {
        /// The call.
        call: CallId,
    },
    /// The caller gives up while it rings.
    Cancel {
        /// The call.
        call: CallId,
    },
    /// Ends a call. `hung_up` from a person; `encryption_refused` or `media_failed` from a client that cannot go on.
    HangUp {
        /// The call.
        call: CallId,
        /// One of the three reasons above.
        reason: EndReason,
    },
    /// Says what this device's switches stand at.
    SetMedia {
        /// The call.
        call: CallId,
        /// The switches.
        media: MediaState,
    },
    /// Running calls of this account. Reply `calls`.
    ListCalls,
    /// Past calls of this account, newest first. Reply `history`.
    ListHistory {
        /// Only calls that began before this, Unix milliseconds.
        #[ts(type = "number | null")]
        before_ms: Option<u64>,
        /// 1 to 200.
        limit: u16,
    },
    // ---- media ----
    /// Offers media: the client always offers, the server answers. A caller may offer once the call is
    /// started; a ringing device may, held until it answers. Reply `media_answer`.
    OfferMedia {
        /// The call.
        call: CallId,
        /// The SDP offer.
        sdp: String,
        /// Its sending sections.
        publish: Vec<PublishSection>,
        /// Its receiving sections.
        subscribe: Vec<SubscribeSection>,
    },
    /// Figures of the own transport. Reply `quality`.
    GetQuality {
        /// The call.
        call: CallId,
    },
    // ---- keys ----
    /// Offers a commit for an epoch; the first wins. Fails with `epoch_taken`.
    SendCommit {
        /// The call.
        call: CallId,
        /// The epoch that the commit ends (the group's epoch before it).
        #[ts(type = "number")]
        epoch: u64,
        /// The MLS commit.
        commit: Blob,
        /// A Welcome and whom it is for, when the commit adds someone.
        welcome: Option<WelcomeFor>,
        /// Devices that the commit removes: the server stops forwarding to them at once.
        removed: Vec<DeviceId>,
    },
    /// This member holds the receive keys of the epoch.
    EpochReady {
        /// The call.
        call: CallId,
        /// The new epoch.
        #[ts(type = "number")]
        epoch: u64,
    },
    /// An MLS application message to the other members.
    SendGroupMessage {
        /// The call.
        call: CallId,
        /// The message.
        message: Blob,
    },
    // ---- rules ----
    /// Makes a member an adult or a child (owner and adults). Nobody makes or unmakes an owner, and
    /// nobody changes themself. Refused with `conflict` while an app of theirs has the adult right.
    SetRole {
        /// Who.
        account: AccountId,
        /// `adult` or `child`.
        role: Role,
    },
    /// Takes a member out of the household, with all their devices (adults' apps). Their account stays,
    /// without a household.
    RemoveMember {
        /// Who.
        account: AccountId,
        /// The signed roster removals of all their devices, in order.
        entries: Vec<Blob>,
    },
    /// Leaves the household. An adult's app sends the signed removals of all own devices, itself last;
    /// any other app sends none, and an adult's app is asked to sign (`leave_requested`).
    LeaveHousehold {
        /// The signed roster removals.
        entries: Vec<Blob>,
    },
    /// Deletes the own account at once: sessions and tokens end, running calls end, nobody reaches it and
    /// it reaches nobody. The handle is nobody's for 30 days. The last member's household goes with it.
    Deregister {
        /// The account's password.
        password: Secret,
        /// Who takes over the home devices whose default person this account is (an adult member); without
        /// it they are removed.
        hand_over_to: Option<AccountId>,
        /// The signed roster removals of what goes, if this app may sign; else none: an adult's app does
        /// it later.
        entries: Vec<Blob>,
    },
    /// Changes a device's label or room (owner and adults; an absent field stays).
    SetDevice {
        /// The device.
        device: DeviceId,
        /// 1 to 64 characters.
        label: Option<String>,
        /// At most 64 characters.
        room: Option<String>,
    },
    /// This device tells what it can do.
    SetCapabilities {
        /// All of it.
        capabilities: Capabilities,
    },
    /// This device tells where its switches stand. Heeded in running calls at once.
    SetSwitches {
        /// Both.
        switches: Switches,
    },
    /// Makes one device silent, or loud again: the device itself, or an app of the household (a child's
    /// only for their own).
    SetDeviceDoNotDisturb {
        /// The device.
        device: DeviceId,
        /// Silent?
        on: bool,
    },
    /// Makes everything that is this person's silent, or loud again, without end time.
    SetDoNotDisturbEverywhere {
        /// Silent?
        on: bool,
    },
    /// Replaces the own do not disturb: everywhere, schedule and exceptions (apps).
    SetDoNotDisturb {
        /// All of it.
        do_not_disturb: DoNotDisturb,
    },
    /// Blocks a handle: whoever has it learns what somebody away would show (apps; at most 1,000).
    Block {
        /// Whom. Whether anybody has it is not told.
        handle: Handle,
    },
    /// Lets a handle through again (apps).
    Unblock {
        /// Whom.
        handle: Handle,
    },
    /// Sets what a child may (owner and adults).
    SetChildLimits {
        /// The child.
        account: AccountId,
        /// All of it.
        limits: ChildLimits,
    },
    /// Sets or clears whom one press calls (apps).
    SetTopContact {
        /// Whom.
        top_contact: Option<TopContact>,
    },
    // ---- calls: more than two, moves, missed ----
    /// Adds somebody to a running call: their devices ring. One at a time; what comes of it is told
    /// by `adding_ringing`, `adding_answered` and `adding_ended`.
    AddToCall {
        /// The call.
        call: CallId,
        /// Whom.
        to: Callee,
        /// The signed invitation, which names the households that are in the call already.
        invitation: Blob,
    },
    /// Stops adding: the added person's devices stop ringing. After their answer, and before they
    /// are in the group, it turns them away.
    CancelAdding {
        /// The call.
        call: CallId,
    },
    /// Moves a call to another device of the same person, or to a home device of the household. From
    /// the device in the call, with its invitation; or without one from the device that wants the call.
    MoveCall {
        /// The call.
        call: CallId,
        /// Where to.
        to: DeviceId,
        /// The signed invitation; absent from the device that wants the call.
        invitation: Option<Blob>,
    },
    /// Ends a call for everyone. Only who began it may.
    EndForEveryone {
        /// The call.
        call: CallId,
    },
    /// Missed calls that were not seen, newest first. Reply `missed`.
    ListMissed,
    /// Missed calls were seen: those that began until then.
    MarkMissedSeen {
        /// Unix milliseconds.
        #[ts(type = "number")]
        until_ms: u64,
    },
    // ---- push ----
    /// Has this device woken at this address when a call rings and its app is closed. Sending it again
    /// changes nothing; a device's oldest address goes when it has too many.
    PutPushAddress(PushAddress),
    /// Has this device woken no more at this address.
    DeletePushAddress {
        /// The endpoint.
        endpoint: Secret,
    },
    // ---- address_book ----
    /// The own settings about numbers and import. Reply `address_book`.
    GetAddressBook,
    /// Allows importing address books, or forbids it: then all that was imported is deleted at once, and what was typed stays.
    SetImport {
        /// Whether it is allowed.
        on: bool,
    },
    /// The region in which numbers without a country code are read, from the next import or typed number on.
    SetPhoneRegion {
        /// Two capital letters, as "US".
        region: String,
    },
    /// Begins to bring an address book, in place of an unfinished import of the same source.
    BeginImport {
        /// Chosen by the app.
        import: ImportId,
        /// The source's name, as "Anna's phone"; 1 to 64 characters.
        source: String,
    },
    /// Brings a part of it. Sending it again changes nothing.
    ImportBatch {
        /// The import.
        import: ImportId,
        /// At most 200.
        entries: Vec<BroughtEntry>,
    },
    /// All is brought: it takes the place of what this source brought before. Until then nothing is changed. Reply `imported`.
    FinishImport {
        /// The import.
        import: ImportId,
    },
    /// Imported entries by id, 200 at a time. Reply `imported_entries`.
    ListImported {
        /// Only those after this one.
        after: Option<EntryId>,
    },
    /// Hides an imported entry, or shows it again.
    HideEntry {
        /// The entry.
        entry: EntryId,
        /// Whether it is hidden.
        hidden: bool,
    },
    /// Keeps the numbers that were typed for a contact of the household; none deletes them (adult apps).
    SetContactNumbers {
        /// The contact.
        contact: ContactId,
        /// At most 10.
        numbers: Vec<WrittenNumber>,
    },
    /// The household's typed numbers by contact, some 2,000 numbers at a time. Reply `contact_numbers`.
    ListContactNumbers {
        /// Only those of contacts after this one.
        after: Option<ContactId>,
    },
    /// Finds somebody by name, among the household's contacts and the own imported entries. Reply `found`.
    FindContact {
        /// As it was said or typed.
        name: String,
        /// "mobile" of "grandma's mobile".
        kind: Option<NumberKind>,
    },
    /// Sends a code to the own number by SMS. Reply `number_verification`.
    StartNumberVerification {
        /// As it was typed.
        number: PhoneText,
    },
    /// Enters the code; the number is then this account's.
    ConfirmNumber {
        /// Six digits.
        code: Secret,
    },
    /// Gives the own verified number up.
    ForgetNumber,
    /// Whether those who have the own verified number may find this account by it.
    SetDiscoverable {
        /// Whether they may.
        on: bool,
    },
    // ---- children ----
    /// The text of today, and the newest consent for a child (adults' apps). Reply `consent`.
    GetConsent {
        /// The child.
        account: AccountId,
    },
    /// Gives consent for a child, instead of one given before (adults' apps). Stored, and confirmed by
    /// mail. Fails with `conflict` when the text has a newer version. Reply `consent`.
    GiveConsent {
        /// The child.
        account: AccountId,
        /// The adult's name; 1 to 64 characters.
        name: String,
        /// Where the confirmation goes.
        email: EmailAddress,
        /// The version of the text that was read.
        version: u16,
    },
    /// Withdraws it: from now on the child calls nobody and nobody calls the child (adults' apps).
    WithdrawConsent {
        /// The child.
        account: AccountId,
    },
    /// Past calls of a child, newest first (adults' apps). Reply `history`.
    ListChildCalls {
        /// The child.
        account: AccountId,
        /// Only calls that began before this, Unix milliseconds.
        #[ts(type = "number | null")]
        before_ms: Option<u64>,
        /// 1 to 200.
        limit: u16,
    },
    /// Deletes everything that was collected about a child (adults' apps). The account, its devices, the
    /// limits and the consent stay. Confirmed by mail to the address of the newest consent.
    DeleteChildData {
        /// The child.
        account: AccountId,
    },
    // ---- guests ----
    /// Makes a call link (adults' apps; 20 for one person). Sending it again with the same id does
    /// nothing more.
    MakeCallLink {
        /// Chosen by the app, random.
        link: CallLinkId,
        /// What its maker calls it; 1 to 64 characters.
        label: String,
        /// When it ends, Unix milliseconds; at most 30 days ahead.
        #[ts(type = "number")]
        expires_at_ms: u64,
    },
    /// The own call links that have not ended. Reply `call_links`.
    ListCallLinks,
    /// Ends a call link of one's own: whoever waits at it is sent away.
    RevokeCallLink {
        /// The link.
        link: CallLinkId,
    },
    /// Sends a guest away who waits at a link of one's own.
    RefuseGuest {
        /// The guest's device.
        guest: DeviceId,
    },
    /// Takes a guest out of a running call. Only whose link they came by may, from any app of theirs.
    RemoveGuest {
        /// The call.
        call: CallId,
        /// The guest's device.
        guest: DeviceId,
    },
    // ---- people ----
    /// Makes another adult the owner, and the owner an adult (the owner's apps).
    HandOverOwnership {
        /// An adult member with an app that may sign.
        to: AccountId,
    },
    /// A number was called: the next time it comes first among those of its contact or entry.
    NoteNumberUsed {
        /// Whose.
        of: NumberOf,
        /// As it is written there.
        number: PhoneText,
    },
    // ---- relay ----
    /// The relays for calls from hostile networks, and credentials for them. Ask before a call's transport
    /// is made, and before its ICE is restarted once they have expired. Reply `relays`.
    GetRelays,
    // ---- pictures ----
    /// Says how large this device shows pictures of a call, which is the most that it is sent of them. Of
    /// those not named nothing changes; of one that was never named the best is sent. Said again after a
    /// track was subscribed to, since of others nothing is kept.
    SetViews {
        /// The call.
        call: CallId,
        /// At most 32.
        views: Vec<TrackView>,
    },
    // ---- outside ----
    /// Asks for a ticket that tests from outside whether this home can be reached; it counts for an hour. An
    /// adult's app. Reply `outside_ticket`.
    TestFromOutside,
    /// Asks what is known of whether this home can be reached from outside. An adult's app. Reply `outside`.
    GetOutside,
    // ---- drop_in ----
    /// Gives, changes, renews or revokes a drop-in grant, as the statement says (adults' apps). All of the
    /// household are told. A revocation is final.
    PutDropInGrant {
        /// Chosen by the app that gave it, random.
        grant: GrantId,
        /// The signed statement (docs/drop-in.md); its revision is newer than the one before.
        statement: Blob,
    },
    /// Whether anybody may drop in on a home device, whatever the grants. The device itself, or an adult's app.
    SetDropIn {
        /// Which.
        device: DeviceId,
        /// False: nobody may.
        on: bool,
    },
    /// Asks whether this device may drop in on somebody now. Reply `done`, else refused in the words that a
    /// drop-in would be refused with. That nobody can be reached now is not told.
    MayDropIn {
        /// On whom.
        to: Callee,
    },
    // ---- drop_in: once through ----
    /// Drops in on somebody with this device. What comes of it is told by `drop_in_stage`, `drop_in_opened`
    /// and `drop_in_refused`. Sending it again with the same id does nothing more. `hang_up` gives it up or
    /// ends it.
    DropIn {
        /// Chosen by the asking device, random.
        call: CallId,
        /// On whom: a device or a person. Of a person's devices it is the most recently active permitted one.
        to: Callee,
        /// With picture.
        picture: bool,
        /// What the asking device signed (docs/drop-in.md).
        asking: Blob,
        /// The MLS KeyPackage that the target adds to its group.
        key_package: Blob,
    },
    /// From the target: nothing of it will be heard or seen, or, while it knocks, no more.
    RefuseDropIn {
        /// The drop-in.
        call: CallId,
        /// Why.
        refusal: DropInRefusal,
    },
    /// From the target: its tone has played and its indicator is lit, and it adds the asking device to its
    /// group now. The rest is a call that the target began and the asking device has answered.
    OpenDropIn {
        /// The drop-in.
        call: CallId,
        /// Its switches; what the grant does not cover is off.
        media: MediaState,
        /// How it begins: `knocking`, `frosted`, or `clear` where there is no picture or the grant says so.
        stage: DropInStage,
    },
    /// From the target: it goes on otherwise.
    SetDropInStage {
        /// The drop-in.
        call: CallId,
        /// How.
        stage: DropInStage,
    },
    /// From a target: the next entry of its ledger, signed by it. Sending it again changes nothing. Fails
    /// with `conflict` when it does not follow the last one stored.
    AppendLedger {
        /// Its place, from 0.
        #[ts(type = "number")]
        index: u64,
        /// The signed entry (docs/drop-in.md).
        entry: Blob,
    },
    /// How long the ledgers of the household are (adults' apps, and a device for its own). Reply `ledger_heads`.
    GetLedgerHeads,
    /// Entries of one device's ledger (adults' apps, and the device itself). Reply `ledger`.
    ListLedger {
        /// Whose.
        device: DeviceId,
        /// From this place on.
        #[ts(type = "number")]
        from: u64,
        /// 1 to 200.
        limit: u16,
    },
    // ---- recently_active ----
    /// From a home device: somebody is near. Kept for ten minutes and never stored.
    ReportActivity {
        /// What was noticed.
        activity: Activity,
    },
    /// Whether a home device may say that somebody is near: the device itself, or an adult's app.
    SetRecentlyActive {
        /// Which.
        device: DeviceId,
        /// False: it says nothing, and what it said is forgotten.
        on: bool,
    },
    /// Near which home devices somebody was lately, of those that this account may drop in on. Reply `recently_active`.
    GetRecentlyActive,
    // ---- drop_in: whom a grant names ----
    /// Who is of a contact's household now (adults' apps): a grant to that household names them. Reply `contact_people`.
    ContactPeople {
        /// A contact whose card pins their household's key.
        contact: ContactId,
    },
    // ---- announcements ----
    /// Asks for the server's clock. Reply `time`.
    GetTime,
    /// Publishes the own sealing key. Saying it again changes nothing.
    PutSealingKey {
        /// What this device signed (docs/announcements.md).
        statement: Blob,
    },
    /// The sealing keys of the household's home devices. Reply `sealing_keys`.
    GetSealingKeys,
    /// Announces something in the own household. Sending it again with the same id does nothing more.
    /// Reply `announced`.
    Announce {
        /// Chosen by this device, random.
        announcement: AnnouncementId,
        /// Where.
        to: AnnounceTo,
        /// What this device signed, with the content's key sealed to each device (docs/announcements.md).
        statement: Blob,
        /// The encrypted content.
        content: Blob,
    },
    /// The fresh announcements for this device of which it has not said that it heard them. Reply
    /// `announcements`.
    ListAnnouncements,
    /// The encrypted content of one of them. Reply `announcement_content`.
    GetAnnouncement {
        /// Which.
        announcement: AnnouncementId,
    },
    /// What this device made of one. The announcing device is told.
    HeardAnnouncement {
        /// Which.
        announcement: AnnouncementId,
        /// What.
        heard: AnnouncementHeard,
    },
    // ---- announcements: live ----
    /// Announces something in the own household while it is spoken. For the server it is a call that this
    /// device began and in which everybody else only hears. `hang_up` ends it for all. Sending it again
    /// with the same id does nothing more. Reply `announced`.
    AnnounceLive {
        /// Chosen by this device, random.
        call: CallId,
        /// Where.
        to: AnnounceTo,
        /// What this device signed (docs/announcements.md).
        statement: Blob,
    },
    /// From a device that was told by `live_announcement`: it plays what is said there. The announcing
    /// device adds it to its group; it may then subscribe and never publish. `hang_up` leaves alone.
    HearLive {
        /// The announcement's call.
        call: CallId,
        /// The MLS KeyPackage.
        key_package: Blob,
        /// The signed statement that binds it to the call, as in `ringing`.
        statement: Blob,
    },
}

/// A Welcome and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WelcomeFor {
    /// The device added.
    pub device: DeviceId,
    /// The MLS Welcome.
    pub welcome: Blob,
}
