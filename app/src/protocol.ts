// Generated from the Rust types by `protocol/tests/typescript.rs`. Do not edit.

export const PROTOCOL_VERSION = 1;

export type About = { 
/**
 * The server's version.
 */
version: string, 
/**
 * The session protocol's version.
 */
protocol: number, 
/**
 * SHA-256 of the app that this server serves, hexadecimal.
 */
app_hash: string, };

export type Account = { 
/**
 * The id.
 */
id: AccountId, 
/**
 * What others type.
 */
handle: Handle, 
/**
 * What devices speak.
 */
display_name: string, };

export type AccountId = string;

export type Activity = "interaction" | "motion";

export type AddressBook = { 
/**
 * Whether address books may be imported; absent until the person chose.
 */
import: boolean | null, 
/**
 * The region in which numbers without a country code are read, as "US".
 */
region: string, 
/**
 * Entries kept.
 */
entries: number, 
/**
 * The own number, once it is verified.
 */
number: OwnNumber | null, 
/**
 * Whether this server can send a code by SMS.
 */
verification: boolean, };

export type AnnounceTo = { "type": "home" } | { "type": "device", 
/**
 * Which.
 */
device: DeviceId, } | { "type": "zone", 
/**
 * As the settings say it; 1 to 64 characters.
 */
room: string, };

export type Announced = { 
/**
 * Chosen by the device that announces.
 */
announcement: AnnouncementId, 
/**
 * What it signed (docs/announcements.md).
 */
statement: Blob, 
/**
 * When all begin to play it, by the server's clock, Unix milliseconds. Passed: at once.
 */
begin_at_ms: number, 
/**
 * Then it is deleted, and played nowhere any more.
 */
expires_at_ms: number, 
/**
 * False: do not disturb was on when it was announced. It is not played, and may be offered.
 */
play: boolean, };

export type AnnouncementFate = "told" | "away" | "quiet" | "busy";

export type AnnouncementHeard = "played" | "shown" | "put_aside";

export type AnnouncementId = string;

export type AnnouncementReceiver = { 
/**
 * Which.
 */
device: DeviceId, 
/**
 * What becomes of it there.
 */
fate: AnnouncementFate, };

export type AnswerPolicy = { 
/**
 * The device.
 */
device: DeviceId, 
/**
 * The signed policy.
 */
policy: Blob, };

export type ApiError = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * For people: what happened, what to do.
 */
message: string, 
/**
 * Seconds after which to try again, for `rate_limited`.
 */
retry_after_secs?: number, };

export type AppProof = { 
/**
 * The app.
 */
device: DeviceId, 
/**
 * Unix time in milliseconds at which it signed; at most five minutes off.
 */
at_ms: number, 
/**
 * Ed25519 over "homeline sign-in v1" || 0x00 || handle || 0x00 || decimal at_ms.
 */
signature: Blob, };

export type Blob = string;

export type BroughtEntry = { 
/**
 * The source's own stable id of it; 1 to 128 bytes.
 */
source_id: string, 
/**
 * 1 to 64 characters.
 */
name: string, 
/**
 * At most 10.
 */
numbers: Array<WrittenNumber>, };

export type CallDirection = "outgoing" | "incoming";

export type CallId = string;

export type CallLink = { 
/**
 * The id in the link.
 */
link: CallLinkId, 
/**
 * What its maker calls it; 1 to 64 characters.
 */
label: string, 
/**
 * When it was made, Unix milliseconds.
 */
made_at_ms: number, 
/**
 * When it ends, Unix milliseconds.
 */
expires_at_ms: number, };

export type CallLinkId = string;

export type CallPhase = "inviting" | "ringing" | "answered";

export type Callee = { 
/**
 * The handle.
 */
handle: Handle, } | { 
/**
 * The device.
 */
device: DeviceId, } | { 
/**
 * Which.
 */
place: Place, } | { 
/**
 * The guest's device.
 */
guest: DeviceId, };

export type CameraSwitch = "on" | "off" | "shutter";

export type Capabilities = { 
/**
 * It can hear.
 */
microphone: boolean, 
/**
 * It can be heard.
 */
speaker: boolean, 
/**
 * It can show.
 */
screen: boolean, 
/**
 * It can see.
 */
camera: boolean, };

export type Child = { 
/**
 * Who.
 */
account: AccountId, 
/**
 * What they may.
 */
limits: ChildLimits, 
/**
 * Without it they reach nobody and nobody reaches them.
 */
consent: Consent | null, };

export type ChildLimits = { 
/**
 * May call and be called.
 */
calling: boolean, 
/**
 * May write and be written to, and announce.
 */
messaging: boolean, 
/**
 * May drop in, and be dropped in on.
 */
drop_in: boolean, 
/**
 * Outside the household: only these contacts, in both directions; at most 256.
 */
contacts: Array<ContactId>, };

export type Choice = { 
/**
 * The name.
 */
name: string, 
/**
 * The household's contact, if it is one.
 */
contact: ContactId | null, 
/**
 * The imported entry, if it is one.
 */
entry: EntryId | null, 
/**
 * Their handle, where they are called by it and not by a number.
 */
handle: Handle | null, 
/**
 * The number, where they are called by it.
 */
number: PhoneNumber | null, };

export type ClientFrame = { "type": "hello", 
/**
 * The protocol version the client was built with.
 */
protocol: number, 
/**
 * The bearer token.
 */
token: Secret, 
/**
 * The session to take up again.
 */
resume: Resume | null, } | { "type": "request", 
/**
 * Its number.
 */
id: number, 
/**
 * The request.
 */
body: Request, } | { "type": "ack", 
/**
 * The last event taken in.
 */
event: number, 
/**
 * The last request whose reply, and those of all before it, has arrived.
 */
reply: number, } | { "type": "ping" };

export type Consent = { 
/**
 * Which adult.
 */
by: AccountId, 
/**
 * When, Unix milliseconds.
 */
at_ms: number, };

export type ConsentId = string;

export type ConsentLink = { 
/**
 * The secret behind the link's `#`.
 */
secret: Secret, };

export type ConsentRecord = { 
/**
 * The consent. Its first eight digits stand in the mail, which names nobody.
 */
consent: ConsentId, 
/**
 * The child.
 */
child: AccountId, 
/**
 * Which account gave it.
 */
by: AccountId, 
/**
 * The name that the adult signed with.
 */
name: string, 
/**
 * Where the confirmation went.
 */
email: EmailAddress, 
/**
 * To which version of the text.
 */
version: number, 
/**
 * When, Unix milliseconds.
 */
given_at_ms: number, 
/**
 * When it was withdrawn or replaced by another.
 */
withdrawn_at_ms: number | null, 
/**
 * The mail that confirms it; absent where the server sends none.
 */
mail: MailId | null, 
/**
 * What became of that mail.
 */
mail_state: MailState, };

export type ConsentReview = { 
/**
 * The eight digits that the mail and the app show.
 */
reference: string, 
/**
 * To which version of the text.
 */
version: number, 
/**
 * That text.
 */
text: string, 
/**
 * When it was given, Unix milliseconds.
 */
given_at_ms: number, 
/**
 * When it was withdrawn or replaced.
 */
withdrawn_at_ms: number | null, };

export type ConsentText = { 
/**
 * Grows by one with each change of the text.
 */
version: number, 
/**
 * Paragraphs, separated by empty lines.
 */
text: string, };

export type Contact = { 
/**
 * Chosen by the app that added it.
 */
id: ContactId, 
/**
 * What the family calls them.
 */
name: string, 
/**
 * Their handle.
 */
handle: Handle, 
/**
 * The signed card (docs/identity.md); clients trust only this for name, handle and pinned key.
 */
card: Blob, };

export type ContactId = string;

export type ContactNumbers = { 
/**
 * The contact.
 */
contact: ContactId, 
/**
 * The numbers.
 */
numbers: Array<PhoneNumber>, 
/**
 * The handle of somebody registered here whose verified number one of them is, as for an imported
 * entry: paid from the budget of whoever typed it.
 */
registered: Handle | null, };

export type Device = { 
/**
 * The id.
 */
id: DeviceId, 
/**
 * App or home device.
 */
kind: DeviceKind, 
/**
 * Whose it is; a shared device's default person.
 */
account: AccountId, 
/**
 * Its label, as "Kitchen".
 */
label: string, 
/**
 * Whether it may certify and sign.
 */
adult: boolean, 
/**
 * Reachable now?
 */
presence: Presence, 
/**
 * Its newest certificate chain.
 */
chain: Blob, 
/**
 * Its room, do not disturb, capabilities and switches.
 */
settings: DeviceSettings, };

export type DeviceId = string;

export type DeviceKind = "app" | "home_device";

export type DeviceSealingKey = { 
/**
 * Whose it is.
 */
device: DeviceId, 
/**
 * What the device signed (docs/announcements.md).
 */
statement: Blob, };

export type DeviceSettings = { 
/**
 * Where it stands, as "Upstairs"; at most 64 characters, empty for nowhere in particular.
 */
room: string, 
/**
 * Whether this one device is silent, until somebody switches it off.
 */
do_not_disturb: boolean, 
/**
 * What it can do.
 */
capabilities: Capabilities, 
/**
 * Its switches.
 */
switches: Switches, 
/**
 * Whether anybody may drop in on it, whatever the grants.
 */
drop_in: boolean, 
/**
 * Whether it may say that somebody is near it.
 */
recently_active: boolean, };

export type DoNotDisturb = { 
/**
 * On now, until it is switched off.
 */
everywhere: boolean, 
/**
 * On by itself at these times.
 */
schedule: QuietSchedule | null, 
/**
 * Contacts of the household who get through `everywhere` and the schedule, at most 64. A device
 * that is silent by its own switch stays silent for them too.
 */
exceptions: Array<ContactId>, };

export type DropInGrant = { 
/**
 * Chosen by the app that gave it.
 */
id: GrantId, 
/**
 * What an adult's app signed (docs/drop-in.md).
 */
statement: Blob, };

export type DropInRefusal = "off" | "initiator" | "not_in_household" | "no_grant" | "forged" | "other_household" | "signer_may_not" | "replayed" | "revoked" | "ended_here" | "not_yet" | "expired" | "not_a_contact" | "other_device" | "outside_hours" | "sound_only" | "busy" | "quiet" | "turned_away" | "no_signal" | "unavailable" | "new_member";

export type DropInStage = "knocking" | "frosted" | "clear" | "hushed";

export type E164 = string;

export type EmailAddress = string;

export type EndReason = "hung_up" | "declined" | "cancelled" | "no_answer" | "answered_elsewhere" | "busy" | "unreachable" | "device_lost" | "device_revoked" | "server_restarted" | "encryption_refused" | "media_failed" | "moved";

export type EntryId = string;

export type ErrorCode = "bad_request" | "too_large" | "protocol_version" | "unauthorized" | "not_registered" | "wrong_credentials" | "forbidden" | "not_found" | "handle_taken" | "conflict" | "rate_limited" | "limit_reached" | "epoch_taken" | "answered_elsewhere" | "call_ended" | "already_in_call" | "roster_moved" | "bad_offer" | "session_replaced" | "device_revoked" | "shutting_down" | "outbox_full" | "internal" | "not_available";

export type Event = { "type": "roster_grew", 
/**
 * The new entries, in order.
 */
entries: Array<Blob>, 
/**
 * Members now.
 */
members: Array<Member>, 
/**
 * Devices now.
 */
devices: Array<Device>, } | { "type": "certificate_renewed", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its chain.
 */
chain: Blob, } | { "type": "presence_changed", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Now.
 */
presence: Presence, } | { "type": "member_changed" } & Member | { "type": "contact_put" } & Contact | { "type": "contact_deleted", 
/**
 * The contact.
 */
contact: ContactId, } | { "type": "answer_policy_put" } & AnswerPolicy | { "type": "invitation_made" } & Invitation | { "type": "invitation_ended", 
/**
 * The invitation.
 */
invitation: InvitationId, } | { "type": "join_requested" } & JoinRequest | { "type": "admitted", 
/**
 * The household.
 */
household: HouseholdId, 
/**
 * The app's chain.
 */
chain: Blob, 
/**
 * The roster.
 */
roster: Array<Blob>, } | { "type": "join_refused" } | { "type": "pairing_offered", 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * `commit_d`.
 */
commit: Blob, } | { "type": "pairing_revealed", 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * The device's key.
 */
device_key: Blob, 
/**
 * Its nonce.
 */
nonce: Blob, 
/**
 * What it is.
 */
kind: DeviceKind, 
/**
 * What it wants to be called.
 */
label: string, } | { "type": "pairing_ended", 
/**
 * The pairing.
 */
pairing: PairingId, } | { "type": "incoming_call", 
/**
 * The call.
 */
call: CallId, 
/**
 * Who calls, as they call themselves.
 */
from: Party, 
/**
 * For whom it rings on a shared device.
 */
to: Account, 
/**
 * With picture.
 */
video: boolean, 
/**
 * The caller's signed invitation.
 */
invitation: Blob, 
/**
 * When ringing ends, Unix milliseconds. A client that gets this late rings no more.
 */
expires_at_ms: number, } | { "type": "device_ringing", 
/**
 * The call.
 */
call: CallId, 
/**
 * The device.
 */
device: DeviceId, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The signed statement that binds it to the call.
 */
statement: Blob, } | { "type": "call_answered", 
/**
 * The call.
 */
call: CallId, 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its switches.
 */
media: MediaState, 
/**
 * Its key package, as in `device_ringing`.
 */
key_package: Blob, 
/**
 * The statement, as in `device_ringing`.
 */
statement: Blob, } | { "type": "call_ended", 
/**
 * The call.
 */
call: CallId, 
/**
 * Why.
 */
reason: EndReason, } | { "type": "participants", 
/**
 * The call.
 */
call: CallId, 
/**
 * All participants now.
 */
participants: Array<Participant>, } | { "type": "tracks", 
/**
 * The call.
 */
call: CallId, 
/**
 * The tracks.
 */
tracks: Array<Track>, } | { "type": "participant_connection", 
/**
 * The call.
 */
call: CallId, 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * Is it there?
 */
connected: boolean, } | { "type": "media_restart", 
/**
 * The call.
 */
call: CallId, } | { "type": "group_commit", 
/**
 * The call.
 */
call: CallId, 
/**
 * The epoch that it ends.
 */
epoch: number, 
/**
 * Who made it.
 */
author: DeviceId, 
/**
 * The MLS commit.
 */
commit: Blob, } | { "type": "group_welcome", 
/**
 * The call.
 */
call: CallId, 
/**
 * The MLS Welcome.
 */
welcome: Blob, 
/**
 * Participants by then.
 */
participants: Array<Participant>, } | { "type": "epoch_execute", 
/**
 * The call.
 */
call: CallId, 
/**
 * The epoch.
 */
epoch: number, } | { "type": "group_message", 
/**
 * The call.
 */
call: CallId, 
/**
 * Who sent it, as the server says; MLS proves it.
 */
author: DeviceId, 
/**
 * The message.
 */
message: Blob, } | { "type": "device_settings_changed", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its label now.
 */
label: string, 
/**
 * Its settings now.
 */
settings: DeviceSettings, } | { "type": "do_not_disturb_changed" } & DoNotDisturb | { "type": "blocks_changed", 
/**
 * All of them now.
 */
blocked: Array<Handle>, } | { "type": "top_contact_changed", 
/**
 * Now.
 */
top_contact: TopContact | null, } | { "type": "child_changed" } & Child | { "type": "leave_requested", 
/**
 * Who.
 */
account: AccountId, } | { "type": "call_switches", 
/**
 * The call.
 */
call: CallId, 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * What it can send now.
 */
media: MediaState, } | { "type": "adding_ringing", 
/**
 * The call.
 */
call: CallId, 
/**
 * The device.
 */
device: DeviceId, } | { "type": "adding_answered", 
/**
 * The call.
 */
call: CallId, 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its switches.
 */
media: MediaState, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The signed statement that binds it to the call.
 */
statement: Blob, } | { "type": "adding_ended", 
/**
 * The call.
 */
call: CallId, 
/**
 * Why.
 */
reason: EndReason, } | { "type": "member_left", 
/**
 * The call.
 */
call: CallId, 
/**
 * Whom to remove.
 */
device: DeviceId, } | { "type": "move_offered", 
/**
 * The call.
 */
call: CallId, 
/**
 * Where it runs now.
 */
from: DeviceId, 
/**
 * Who is at the other end.
 */
party: Party, 
/**
 * For whom it moves: the person whose call it is.
 */
to: Account, 
/**
 * With picture.
 */
video: boolean, 
/**
 * The signed invitation of the device where it runs.
 */
invitation: Blob, 
/**
 * When the offer ends, Unix milliseconds.
 */
expires_at_ms: number, } | { "type": "move_wanted", 
/**
 * The call.
 */
call: CallId, 
/**
 * Which device.
 */
device: DeviceId, } | { "type": "move_accepted", 
/**
 * The call.
 */
call: CallId, 
/**
 * The device that leaves.
 */
from: DeviceId, 
/**
 * The device that comes.
 */
device: DeviceId, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The signed statement that binds it to the call.
 */
statement: Blob, } | { "type": "move_ended", 
/**
 * The call.
 */
call: CallId, 
/**
 * Where it should have gone.
 */
device: DeviceId, 
/**
 * Why not.
 */
reason: EndReason, } | { "type": "call_waiting", 
/**
 * The call that waits.
 */
call: CallId, 
/**
 * Who calls.
 */
from: Party, 
/**
 * For whom.
 */
to: Account, 
/**
 * With picture.
 */
video: boolean, 
/**
 * The caller's signed invitation.
 */
invitation: Blob, 
/**
 * When ringing ends, Unix milliseconds.
 */
expires_at_ms: number, } | { "type": "call_missed" } & PastCall | { "type": "missed_seen", 
/**
 * Those that began until then, Unix milliseconds.
 */
until_ms: number, } | { "type": "address_book_changed" } | { "type": "contact_numbers_put" } & ContactNumbers | { "type": "consent_changed", 
/**
 * The child.
 */
account: AccountId, } | { "type": "mail_settled", 
/**
 * The mail.
 */
mail: MailId, 
/**
 * Whether it was taken.
 */
sent: boolean, } | { "type": "call_link_made" } & CallLink | { "type": "call_link_ended", 
/**
 * The link.
 */
link: CallLinkId, } | { "type": "guest_knocked", 
/**
 * The link.
 */
link: CallLinkId, 
/**
 * The guest's device.
 */
guest: DeviceId, 
/**
 * The guest's certificate chain: one certificate of kind 4.
 */
chain: Blob, 
/**
 * HMAC over link and guest key with the link's secret (docs/guests.md).
 */
proof: Blob, } | { "type": "guest_gone", 
/**
 * The link.
 */
link: CallLinkId, 
/**
 * The guest's device.
 */
guest: DeviceId, } | { "type": "guest_refused", 
/**
 * Why.
 */
reason: GuestRefusal, } | { "type": "layers_wanted", 
/**
 * The call.
 */
call: CallId, 
/**
 * Which of the own tracks.
 */
source: Source, 
/**
 * In the order of the offer's rids, 0 the smallest picture. Empty when nobody takes any.
 */
wanted: Array<number>, } | { "type": "speakers", 
/**
 * The call.
 */
call: CallId, 
/**
 * Participants, loudest first.
 */
devices: Array<DeviceId>, } | { "type": "call_connections", 
/**
 * The call.
 */
call: CallId, 
/**
 * The own one. Absent while nothing is known of it.
 */
own: OwnConnection | null, 
/**
 * Those of the others of which something is known.
 */
others: Array<GradedDevice>, } | { "type": "drop_in_grant_put" } & DropInGrant | { "type": "drop_in_grant_ended", 
/**
 * The grant.
 */
grant: GrantId, } | { "type": "drop_in_asked", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * Who, as they call themselves.
 */
from: Party, 
/**
 * With picture.
 */
picture: boolean, 
/**
 * What the asking device signed (docs/drop-in.md).
 */
asking: Blob, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The grant that the server went by.
 */
grant: DropInGrant, 
/**
 * Until then the target has to have decided, Unix milliseconds.
 */
expires_at_ms: number, } | { "type": "drop_in_opened", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * The target.
 */
device: DeviceId, 
/**
 * What it is called.
 */
label: string, } | { "type": "drop_in_stage", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * Now.
 */
stage: DropInStage, } | { "type": "drop_in_refused", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * Why; to another household only `turned_away` or `unavailable`.
 */
refusal: DropInRefusal, } | { "type": "drop_in_ended", 
/**
 * The drop-in.
 */
call: CallId, } | { "type": "ledger_grew", 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * The place of the entry.
 */
index: number, 
/**
 * The entry.
 */
entry: Blob, } | { "type": "recently_active", 
/**
 * They.
 */
devices: Array<NearDevice>, } | { "type": "announced" } & Announced | { "type": "announcement_heard", 
/**
 * Which.
 */
announcement: AnnouncementId, 
/**
 * Where.
 */
device: DeviceId, 
/**
 * What.
 */
heard: AnnouncementHeard, } | { "type": "live_announcement", 
/**
 * The announcement's call.
 */
call: CallId, 
/**
 * The announcing device.
 */
device: DeviceId, 
/**
 * What it signed (docs/announcements.md).
 */
statement: Blob, } | { "type": "live_declined", 
/**
 * The announcement's call.
 */
call: CallId, 
/**
 * Where it is not heard.
 */
device: DeviceId, };

export type Found = { "answer": "unique", 
/**
 * Whom to call, and how.
 */
choice: Choice, } | { "answer": "ambiguous", 
/**
 * At most 20.
 */
choices: Array<Choice>, 
/**
 * Whether there are more.
 */
more: boolean, } | { "answer": "nobody" };

export type Grade = "good" | "fair" | "poor";

export type GradedDevice = { 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * How good.
 */
grade: Grade, };

export type GrantId = string;

export type GuestRefusal = "refused" | "link_ended" | "no_answer";

export type Handle = string;

export type Home = { 
/**
 * The account that asks.
 */
account: Account, 
/**
 * The household; absent until admitted.
 */
household: Household | null, 
/**
 * The household's contacts.
 */
contacts: Array<Contact>, 
/**
 * Open invitations of further members.
 */
invitations: Array<Invitation>, 
/**
 * Members who wait for admission.
 */
join_requests: Array<JoinRequest>, 
/**
 * The signed answer policies of home devices.
 */
answer_policies: Array<AnswerPolicy>, 
/**
 * What the asking account has set for itself.
 */
settings: PersonSettings, 
/**
 * The household's children, and what each may.
 */
children: Array<Child>, 
/**
 * Members who asked to leave and wait for an adult's app to sign them out.
 */
leave_requests: Array<AccountId>, 
/**
 * Who may drop in on the household's home devices.
 */
drop_in_grants: Array<DropInGrant>, };

export type Household = { 
/**
 * The id.
 */
id: HouseholdId, 
/**
 * The genesis key; clients check it against the one they pinned.
 */
genesis: Blob, 
/**
 * The roster, all entries in order.
 */
roster: Array<Blob>, 
/**
 * The recovery key's certificate, signed by genesis, and its binding, signed by itself.
 */
recovery_certificate: Blob, 
/**
 * Members.
 */
members: Array<Member>, 
/**
 * Devices that are not removed.
 */
devices: Array<Device>, };

export type HouseholdId = string;

export type ImportId = string;

export type ImportResult = { 
/**
 * Entries of this source now.
 */
entries: number, 
/**
 * Entries that went, since the source has them no more.
 */
removed: number, };

export type ImportedEntry = { 
/**
 * The server's id of it, which stays over later imports.
 */
id: EntryId, 
/**
 * Where it came from.
 */
source: string, 
/**
 * The name.
 */
name: string, 
/**
 * The numbers.
 */
numbers: Array<PhoneNumber>, 
/**
 * Whether the person hid it; it stays hidden over later imports.
 */
hidden: boolean, 
/**
 * The handle of somebody registered here whose verified number this is, and who may be found by it.
 */
registered: Handle | null, };

export type Invitation = { 
/**
 * The id in the link.
 */
id: InvitationId, 
/**
 * When it ends, Unix milliseconds.
 */
expires_at_ms: number, };

export type InvitationId = string;

export type JoinRequest = { 
/**
 * The invitation used.
 */
invitation: InvitationId, 
/**
 * Who.
 */
account: Account, 
/**
 * Their app's key.
 */
app_key: Blob, 
/**
 * Their app's label.
 */
label: string, 
/**
 * HMAC with the link's secret (docs/identity.md).
 */
proof: Blob, };

export type Knock = { 
/**
 * The link's id.
 */
link: CallLinkId, 
/**
 * The guest's certificate chain: one certificate of kind 4, of a fresh key (docs/guests.md).
 */
chain: Blob, 
/**
 * HMAC over link and guest key with the link's secret, 32 bytes.
 */
proof: Blob, };

export type Knocked = { 
/**
 * Bearer token for the guest's one session; kept in memory only, and ended with the visit.
 */
token: Secret, 
/**
 * The account that stands for the guest in calls. It is nobody's.
 */
account: AccountId, 
/**
 * The guest's device, as the chain says.
 */
device: DeviceId, 
/**
 * Until when the guest may wait, Unix milliseconds.
 */
expires_at_ms: number, };

export type LedgerHead = { 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * How many entries it has.
 */
length: number, };

export type MailId = string;

export type MailState = "off" | "waiting" | "sent" | "given_up";

export type MediaState = { 
/**
 * False when muted.
 */
microphone: boolean, 
/**
 * False with video off.
 */
camera: boolean, };

export type Member = { 
/**
 * The id.
 */
id: AccountId, 
/**
 * What others type.
 */
handle: Handle, 
/**
 * What devices speak.
 */
display_name: string, 
/**
 * What they are.
 */
role: Role, };

export type NearDevice = { 
/**
 * Which of the own household's devices; absent for another household, of which devices are not told.
 */
device: DeviceId | null, 
/**
 * Whose it is, if it is another household's: the person's handle.
 */
handle: Handle | null, 
/**
 * Within the last five minutes or the five before: 0 or 5.
 */
minutes_ago: number, };

export type NewApp = { 
/**
 * Its Ed25519 public key, 32 bytes; the device id is derived from it (docs/identity.md).
 */
key: Blob, 
/**
 * What the household sees, as "Anna's phone".
 */
label: string, };

export type NewHome = { "type": "found", 
/**
 * Random, chosen by the app.
 */
account: AccountId, 
/**
 * The genesis key, 32 bytes.
 */
genesis: Blob, 
/**
 * The household's name.
 */
name: string, 
/**
 * The first two roster entries: genesis, and "add device" for this app.
 */
roster: Array<Blob>, 
/**
 * This app's certificate chain.
 */
chain: Blob, 
/**
 * The recovery key's certificate, signed by genesis, and its binding, signed by itself.
 */
recovery_certificate: Blob, 
/**
 * The secret derived from the recovery code ("auth"), base64url; kept under argon2id.
 */
recovery_secret: Secret, } | { "type": "join", 
/**
 * Random, chosen by the app, since the proof covers it.
 */
account: AccountId, 
/**
 * From the link.
 */
invitation: InvitationId, 
/**
 * HMAC over app key and account with the link's secret (docs/identity.md).
 */
proof: Blob, };

export type NumberKind = "mobile" | "home" | "work" | "other";

export type NumberOf = { "type": "contact", 
/**
 * Which.
 */
contact: ContactId, } | { "type": "entry", 
/**
 * Which.
 */
entry: EntryId, };

export type Outcome = { "ok": Reply } | { "error": ApiError };

export type OutsideAnswer = { 
/**
 * With all the addresses that clients are told. It stays open for half a minute.
 */
sdp: string, };

export type OutsideBegun = { 
/**
 * Where the tester stands.
 */
from: OutsideFrom, 
/**
 * The ways that this server has, in the order in which to try them.
 */
ways: Array<OutsideWay>, 
/**
 * The relays, with a credential.
 */
relays: RelayServers, };

export type OutsideCode = "all_well" | "never_tested" | "tested_inside" | "source_hidden" | "carrier_nat" | "double_nat" | "not_forwarded" | "not_advertised" | "wrong_advertised" | "untrusted" | "only_web" | "udp_blocked" | "public_address" | "public_v6" | "router" | "router_silent";

export type OutsideFinding = { 
/**
 * Its name.
 */
code: OutsideCode, 
/**
 * Whether something has to be mended.
 */
grave: boolean, 
/**
 * What is so.
 */
text: string, 
/**
 * What to do, in this order; each is one sentence or two.
 */
steps: Array<string>, };

export type OutsideFrom = "outside" | "inside" | "unclear";

export type OutsideLast = { 
/**
 * Whether it worked as an app would take it.
 */
works: boolean, 
/**
 * Whether it worked at the address at which the tester reached the server.
 */
works_here: boolean, 
/**
 * From where it was tested.
 */
from: OutsideFrom, 
/**
 * When, Unix milliseconds.
 */
at_ms: number, };

export type OutsideOffer = { 
/**
 * The test's ticket.
 */
secret: Secret, 
/**
 * An offer with one section that sends, mid `0`.
 */
sdp: string, };

export type OutsideReport = { 
/**
 * The test's ticket.
 */
secret: Secret, 
/**
 * Each way that was tried; at most one entry for each.
 */
tried: Array<OutsideTried>, };

export type OutsideResult = { 
/**
 * The way.
 */
way: OutsideWay, 
/**
 * The port that a router has to forward for it.
 */
port: number, 
/**
 * The last test.
 */
last: OutsideLast | null, };

export type OutsideState = { 
/**
 * The ways that this server has.
 */
ways: Array<OutsideResult>, 
/**
 * The gravest first.
 */
findings: Array<OutsideFinding>, 
/**
 * When the server last looked at its own network, Unix milliseconds.
 */
looked_at_ms: number | null, };

export type OutsideTicket = { 
/**
 * What stands behind the `#` of the test's link.
 */
secret: Secret, };

export type OutsideTried = { 
/**
 * The way.
 */
way: OutsideWay, 
/**
 * Whether it works as an app would take it.
 */
works: boolean, 
/**
 * Whether it works at the address at which the tester reached the server, if it does not as told.
 */
works_here: boolean, };

export type OutsideWay = "web" | "web_socket" | "media_udp" | "media_tcp" | "relay_udp" | "relay_tcp" | "relay_tls";

export type OwnConnection = { 
/**
 * How good; the others are told this word and no figure.
 */
grade: Grade, 
/**
 * Loss towards the server in the last interval, percent.
 */
loss_up_percent: number, 
/**
 * Loss from the server as last reported, percent.
 */
loss_down_percent: number, 
/**
 * Round trip, milliseconds.
 */
round_trip_ms: number | null, 
/**
 * Jitter as last reported, milliseconds.
 */
jitter_ms: number, 
/**
 * What the way to this device is estimated to carry, in 1,000 bits a second.
 */
estimate_kbit_per_second: number | null, };

export type OwnNumber = { 
/**
 * The number.
 */
number: E164, 
/**
 * Whether those who have the number may find the account by it.
 */
discoverable: boolean, };

export type PairingId = string;

export type PairingOffer = { 
/**
 * Whom it asks.
 */
handle: Handle, 
/**
 * `commit_d` of docs/identity.md, 32 bytes.
 */
commit: Blob, };

export type PairingOpened = { 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * Bearer token for the pairing's other requests.
 */
secret: Secret, 
/**
 * When it ends, Unix milliseconds.
 */
expires_at_ms: number, };

export type PairingReveal = { 
/**
 * The device's key.
 */
device_key: Blob, 
/**
 * Its nonce.
 */
nonce: Blob, 
/**
 * App or home device.
 */
kind: DeviceKind, 
/**
 * What it wants to be called.
 */
label: string, };

export type PairingState = { "type": "waiting" } | { "type": "accepted", 
/**
 * `commit_a`, 32 bytes.
 */
commit: Blob, } | { "type": "revealed", 
/**
 * The household's genesis key.
 */
genesis: Blob, 
/**
 * The app's key.
 */
app_key: Blob, 
/**
 * The app's nonce.
 */
nonce: Blob, } | { "type": "certified", 
/**
 * The device's chain.
 */
chain: Blob, 
/**
 * The whole roster.
 */
roster: Array<Blob>, 
/**
 * The device's token.
 */
token: Secret, 
/**
 * Whom it belongs to.
 */
account: AccountId, 
/**
 * The household.
 */
household: HouseholdId, } | { "type": "refused" };

export type Participant = { 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its account.
 */
account: AccountId, 
/**
 * Who that is, as they call themselves.
 */
party: Party, 
/**
 * Its switches.
 */
media: MediaState, };

export type Party = { 
/**
 * Their handle.
 */
handle: Handle, 
/**
 * What they call themselves; a contact's name, where there is one, outranks it on screens.
 */
display_name: string, 
/**
 * Whether it is a guest who came by a call link: then the handle is nobody's, and the name what the
 * guest said. Clients go by the certificate where they have one.
 */
guest?: boolean, };

export type PastCall = { 
/**
 * The call.
 */
call: CallId, 
/**
 * Which way.
 */
direction: CallDirection, 
/**
 * The other side.
 */
party: Party, 
/**
 * With picture?
 */
video: boolean, 
/**
 * When it began to ring, Unix milliseconds.
 */
started_at_ms: number, 
/**
 * When it was answered.
 */
answered_at_ms: number | null, 
/**
 * When it ended.
 */
ended_at_ms: number, 
/**
 * Why it ended.
 */
reason: EndReason, };

export type PersonSettings = { 
/**
 * Do not disturb.
 */
do_not_disturb: DoNotDisturb, 
/**
 * Who reaches them no more.
 */
blocked: Array<Handle>, 
/**
 * Whom one press calls.
 */
top_contact: TopContact | null, };

export type PhoneNumber = { 
/**
 * Its sort.
 */
kind: NumberKind, 
/**
 * As it was written.
 */
text: PhoneText, 
/**
 * What can be dialled; absent when the text is no valid number in the account's region.
 */
e164: E164 | null, };

export type PhoneText = string;

export type Place = "home";

export type Presence = "online" | "asleep" | "offline";

export type PublishSection = { 
/**
 * The section's mid, at most 16 characters.
 */
mid: string, 
/**
 * What it carries.
 */
source: Source, };

export type PushAddress = { 
/**
 * The subscription's URL. Whoever knows it can send to the device, so it is kept like a secret.
 */
endpoint: Secret, 
/**
 * The device's P-256 public key for RFC 8291, uncompressed, 65 bytes.
 */
p256dh: Blob, 
/**
 * The device's authentication secret for RFC 8291, 16 bytes.
 */
auth: Blob, 
/**
 * Who stands at the other end of the endpoint.
 */
kind: PushKind, };

export type PushDecline = { 
/**
 * The call.
 */
call: CallId, 
/**
 * From the push. It works once.
 */
decline: Secret, };

export type PushKey = { 
/**
 * The server's P-256 public key (RFC 8292), uncompressed, 65 bytes.
 */
key: Blob, };

export type PushKind = "web_push" | "unified_push";

export type PushNotice = { "type": "ring", 
/**
 * The call.
 */
call: CallId, 
/**
 * When it stops ringing, Unix milliseconds.
 */
expires_at_ms: number, 
/**
 * With picture.
 */
video: boolean, 
/**
 * Who calls, for a device that has them among its contacts: SHA-256 of "homeline push caller v1",
 * the call id's 16 bytes and the caller's handle.
 */
caller: Blob, 
/**
 * Declines this call once, for this person, while it rings (`POST /v1/push/decline`).
 */
decline: Secret, } | { "type": "over", 
/**
 * The call.
 */
call: CallId, 
/**
 * Why.
 */
reason: EndReason, } | { "type": "missed", 
/**
 * The call.
 */
call: CallId, 
/**
 * Who called, as in `ring`.
 */
caller: Blob, };

export type Quality = { 
/**
 * Loss towards the server in the last interval, percent.
 */
loss_up_percent: number, 
/**
 * Loss from the server as last reported, percent.
 */
loss_down_percent: number, 
/**
 * Round trip, milliseconds.
 */
round_trip_ms: number | null, };

export type QuietSchedule = { 
/**
 * IANA name of the time zone whose wall clock counts, as "Europe/Berlin".
 */
time_zone: string, 
/**
 * The windows, at most 32.
 */
windows: Array<QuietWindow>, };

export type QuietWindow = { 
/**
 * On which days it begins; at least one, none twice.
 */
days: Array<Weekday>, 
/**
 * When it begins: minutes of the day on the wall clock, 0 to 1439.
 */
from_minute: number, 
/**
 * When it ends, 0 to 1439. Before the beginning, or equal to it: on the next day.
 */
to_minute: number, };

export type RecoverBegin = { 
/**
 * The handle.
 */
handle: Handle, 
/**
 * The secret derived from the recovery code ("auth"), base64url.
 */
recovery_secret: Secret, };

export type RecoverFinish = { 
/**
 * From [`RecoverTicket`].
 */
ticket: Secret, 
/**
 * A new password.
 */
password: Secret, 
/**
 * The new app.
 */
app: NewApp, 
/**
 * Roster entry "add device", signed by the recovery key.
 */
entry: Blob, 
/**
 * The new app's chain.
 */
chain: Blob, };

export type RecoverTicket = { 
/**
 * One-time ticket for [`RecoverFinish`], valid ten minutes.
 */
ticket: Secret, 
/**
 * The account.
 */
account: AccountId, 
/**
 * The whole roster.
 */
roster: Array<Blob>, 
/**
 * The recovery key's certificate, signed by genesis, and its binding, signed by itself.
 */
recovery_certificate: Blob, };

export type RelayServer = { 
/**
 * Where it is; none: where the client reached this server, which for TLS is the name in the
 * certificate that it has already accepted.
 */
host: string | null, 
/**
 * Its port.
 */
port: number, 
/**
 * How it is spoken to.
 */
transport: RelayTransport, };

export type RelayServers = { 
/**
 * None where there is no relay.
 */
servers: Array<RelayServer>, 
/**
 * An expiry and a random-looking text; no name of anybody.
 */
username: string, 
/**
 * The password.
 */
credential: Secret, 
/**
 * Nothing new can be begun with them from then on, Unix milliseconds; what runs goes on.
 */
expires_at_ms: number, };

export type RelayTransport = "udp" | "tcp" | "tls";

export type Reply = { "type": "done" } | { "type": "home" } & Home | { "type": "invitation" } & Invitation | { "type": "calls", 
/**
 * The calls.
 */
calls: Array<RunningCall>, } | { "type": "history", 
/**
 * The calls.
 */
calls: Array<PastCall>, } | { "type": "media_answer", 
/**
 * The SDP answer.
 */
sdp: string, 
/**
 * The tracks that can be subscribed to now.
 */
tracks: Array<Track>, } | { "type": "quality" } & Quality | { "type": "missed", 
/**
 * The calls.
 */
calls: Array<PastCall>, } | { "type": "address_book" } & AddressBook | { "type": "imported" } & ImportResult | { "type": "imported_entries", 
/**
 * The entries.
 */
entries: Array<ImportedEntry>, 
/**
 * Whether there are more.
 */
more: boolean, } | { "type": "contact_numbers", 
/**
 * The contacts that have numbers.
 */
contacts: Array<ContactNumbers>, 
/**
 * Whether there are more.
 */
more: boolean, } | { "type": "found" } & Found | { "type": "number_verification", 
/**
 * To this number.
 */
number: E164, 
/**
 * It counts until then, Unix milliseconds.
 */
expires_at_ms: number, } | { "type": "consent", 
/**
 * The text of today.
 */
text: ConsentText, 
/**
 * The newest consent, which may have been withdrawn.
 */
record: ConsentRecord | null, } | { "type": "call_links", 
/**
 * The links.
 */
links: Array<CallLink>, } | { "type": "relays" } & RelayServers | { "type": "outside_ticket", 
/**
 * For the page `/outside`, behind its `#`.
 */
secret: Secret, 
/**
 * The home's public address, as far as the server knows it: where a link outside should lead.
 */
address: string | null, 
/**
 * It counts until then, Unix milliseconds.
 */
expires_at_ms: number, } | { "type": "outside" } & OutsideState | { "type": "ledger_heads", 
/**
 * One for each home device that has any.
 */
heads: Array<LedgerHead>, } | { "type": "ledger", 
/**
 * As they were signed.
 */
entries: Array<Blob>, 
/**
 * Whether there are more.
 */
more: boolean, } | { "type": "recently_active", 
/**
 * They.
 */
devices: Array<NearDevice>, } | { "type": "contact_people", 
/**
 * The contact.
 */
person: AccountId, 
/**
 * All of their household, the contact among them.
 */
household: Array<AccountId>, } | { "type": "time", 
/**
 * Unix milliseconds.
 */
server_time_ms: number, } | { "type": "sealing_keys", 
/**
 * One for each home device that has published one.
 */
keys: Array<DeviceSealingKey>, } | { "type": "announced", 
/**
 * Those that it is for.
 */
receivers: Array<AnnouncementReceiver>, } | { "type": "announcements", 
/**
 * The oldest first.
 */
announcements: Array<Announced>, } | { "type": "announcement_content", 
/**
 * The ciphertext.
 */
content: Blob, };

export type Request = { "type": "get_home" } | { "type": "set_display_name", 
/**
 * 1 to 64 characters.
 */
name: string, } | { "type": "set_presence", 
/**
 * `online` or `asleep`.
 */
presence: Presence, } | { "type": "renew_certificate", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Its new chain.
 */
chain: Blob, } | { "type": "remove_device", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * The signed roster entry.
 */
entry: Blob, } | { "type": "put_answer_policy", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * The signed policy.
 */
policy: Blob, } | { "type": "listen_for_pairing", 
/**
 * Whether it listens.
 */
on: boolean, } | { "type": "accept_pairing", 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * `commit_a`.
 */
commit: Blob, } | { "type": "reveal_pairing", 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * The genesis key.
 */
genesis: Blob, 
/**
 * The app's key.
 */
app_key: Blob, 
/**
 * The app's nonce.
 */
nonce: Blob, } | { "type": "certify_pairing", 
/**
 * The pairing.
 */
pairing: PairingId, 
/**
 * The new device.
 */
device: DeviceId, 
/**
 * Whose it is.
 */
account: AccountId, 
/**
 * What the roster entry says.
 */
kind: DeviceKind, 
/**
 * What the roster entry says.
 */
label: string, 
/**
 * What the roster entry says.
 */
adult: boolean, 
/**
 * The signed roster entry.
 */
entry: Blob, 
/**
 * The device's chain.
 */
chain: Blob, } | { "type": "refuse_pairing", 
/**
 * The pairing.
 */
pairing: PairingId, } | { "type": "create_invitation" } | { "type": "cancel_invitation", 
/**
 * The invitation.
 */
invitation: InvitationId, } | { "type": "admit_member", 
/**
 * The invitation used.
 */
invitation: InvitationId, 
/**
 * Who.
 */
account: AccountId, 
/**
 * Their app.
 */
device: DeviceId, 
/**
 * Whether their app gets the adult right.
 */
adult: boolean, 
/**
 * The signed roster entry.
 */
entry: Blob, 
/**
 * Their app's chain.
 */
chain: Blob, 
/**
 * What they are in the household; adult if absent. A child's app can't have the adult right.
 */
role?: Role, } | { "type": "refuse_member", 
/**
 * The invitation used.
 */
invitation: InvitationId, 
/**
 * Who.
 */
account: AccountId, } | { "type": "put_contact", 
/**
 * Chosen by the app.
 */
contact: ContactId, 
/**
 * What the family calls them; 1 to 64 characters.
 */
name: string, 
/**
 * Their handle.
 */
handle: Handle, 
/**
 * The signed card.
 */
card: Blob, } | { "type": "delete_contact", 
/**
 * The contact.
 */
contact: ContactId, 
/**
 * The signed card with `pin = deleted`.
 */
card: Blob, } | { "type": "start_call", 
/**
 * Chosen by the caller, random.
 */
call: CallId, 
/**
 * Whom.
 */
to: Callee, 
/**
 * With picture.
 */
video: boolean, 
/**
 * The caller's signed invitation (docs/identity.md).
 */
invitation: Blob, } | { "type": "ringing", 
/**
 * The call.
 */
call: CallId, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The signed statement that binds it to the call.
 */
statement: Blob, } | { "type": "refuse_invitation", 
/**
 * The call.
 */
call: CallId, } | { "type": "answer", 
/**
 * The call.
 */
call: CallId, 
/**
 * The answering device's switches.
 */
media: MediaState, } | { "type": "decline", 
/**
 * The call.
 */
call: CallId, } | { "type": "cancel", 
/**
 * The call.
 */
call: CallId, } | { "type": "hang_up", 
/**
 * The call.
 */
call: CallId, 
/**
 * One of the three reasons above.
 */
reason: EndReason, } | { "type": "set_media", 
/**
 * The call.
 */
call: CallId, 
/**
 * The switches.
 */
media: MediaState, } | { "type": "list_calls" } | { "type": "list_history", 
/**
 * Only calls that began before this, Unix milliseconds.
 */
before_ms: number | null, 
/**
 * 1 to 200.
 */
limit: number, } | { "type": "offer_media", 
/**
 * The call.
 */
call: CallId, 
/**
 * The SDP offer.
 */
sdp: string, 
/**
 * Its sending sections.
 */
publish: Array<PublishSection>, 
/**
 * Its receiving sections.
 */
subscribe: Array<SubscribeSection>, } | { "type": "get_quality", 
/**
 * The call.
 */
call: CallId, } | { "type": "send_commit", 
/**
 * The call.
 */
call: CallId, 
/**
 * The epoch that the commit ends (the group's epoch before it).
 */
epoch: number, 
/**
 * The MLS commit.
 */
commit: Blob, 
/**
 * A Welcome and whom it is for, when the commit adds someone.
 */
welcome: WelcomeFor | null, 
/**
 * Devices that the commit removes: the server stops forwarding to them at once.
 */
removed: Array<DeviceId>, } | { "type": "epoch_ready", 
/**
 * The call.
 */
call: CallId, 
/**
 * The new epoch.
 */
epoch: number, } | { "type": "send_group_message", 
/**
 * The call.
 */
call: CallId, 
/**
 * The message.
 */
message: Blob, } | { "type": "set_role", 
/**
 * Who.
 */
account: AccountId, 
/**
 * `adult` or `child`.
 */
role: Role, } | { "type": "remove_member", 
/**
 * Who.
 */
account: AccountId, 
/**
 * The signed roster removals of all their devices, in order.
 */
entries: Array<Blob>, } | { "type": "leave_household", 
/**
 * The signed roster removals.
 */
entries: Array<Blob>, } | { "type": "deregister", 
/**
 * The account's password.
 */
password: Secret, 
/**
 * Who takes over the home devices whose default person this account is (an adult member); without
 * it they are removed.
 */
hand_over_to: AccountId | null, 
/**
 * The signed roster removals of what goes, if this app may sign; else none: an adult's app does
 * it later.
 */
entries: Array<Blob>, } | { "type": "set_device", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * 1 to 64 characters.
 */
label: string | null, 
/**
 * At most 64 characters.
 */
room: string | null, } | { "type": "set_capabilities", 
/**
 * All of it.
 */
capabilities: Capabilities, } | { "type": "set_switches", 
/**
 * Both.
 */
switches: Switches, } | { "type": "set_device_do_not_disturb", 
/**
 * The device.
 */
device: DeviceId, 
/**
 * Silent?
 */
on: boolean, } | { "type": "set_do_not_disturb_everywhere", 
/**
 * Silent?
 */
on: boolean, } | { "type": "set_do_not_disturb", 
/**
 * All of it.
 */
do_not_disturb: DoNotDisturb, } | { "type": "block", 
/**
 * Whom. Whether anybody has it is not told.
 */
handle: Handle, } | { "type": "unblock", 
/**
 * Whom.
 */
handle: Handle, } | { "type": "set_child_limits", 
/**
 * The child.
 */
account: AccountId, 
/**
 * All of it.
 */
limits: ChildLimits, } | { "type": "set_top_contact", 
/**
 * Whom.
 */
top_contact: TopContact | null, } | { "type": "add_to_call", 
/**
 * The call.
 */
call: CallId, 
/**
 * Whom.
 */
to: Callee, 
/**
 * The signed invitation, which names the households that are in the call already.
 */
invitation: Blob, } | { "type": "cancel_adding", 
/**
 * The call.
 */
call: CallId, } | { "type": "move_call", 
/**
 * The call.
 */
call: CallId, 
/**
 * Where to.
 */
to: DeviceId, 
/**
 * The signed invitation; absent from the device that wants the call.
 */
invitation: Blob | null, } | { "type": "end_for_everyone", 
/**
 * The call.
 */
call: CallId, } | { "type": "list_missed" } | { "type": "mark_missed_seen", 
/**
 * Unix milliseconds.
 */
until_ms: number, } | { "type": "put_push_address" } & PushAddress | { "type": "delete_push_address", 
/**
 * The endpoint.
 */
endpoint: Secret, } | { "type": "get_address_book" } | { "type": "set_import", 
/**
 * Whether it is allowed.
 */
on: boolean, } | { "type": "set_phone_region", 
/**
 * Two capital letters, as "US".
 */
region: string, } | { "type": "begin_import", 
/**
 * Chosen by the app.
 */
import: ImportId, 
/**
 * The source's name, as "Anna's phone"; 1 to 64 characters.
 */
source: string, } | { "type": "import_batch", 
/**
 * The import.
 */
import: ImportId, 
/**
 * At most 200.
 */
entries: Array<BroughtEntry>, } | { "type": "finish_import", 
/**
 * The import.
 */
import: ImportId, } | { "type": "list_imported", 
/**
 * Only those after this one.
 */
after: EntryId | null, } | { "type": "hide_entry", 
/**
 * The entry.
 */
entry: EntryId, 
/**
 * Whether it is hidden.
 */
hidden: boolean, } | { "type": "set_contact_numbers", 
/**
 * The contact.
 */
contact: ContactId, 
/**
 * At most 10.
 */
numbers: Array<WrittenNumber>, } | { "type": "list_contact_numbers", 
/**
 * Only those of contacts after this one.
 */
after: ContactId | null, } | { "type": "find_contact", 
/**
 * As it was said or typed.
 */
name: string, 
/**
 * "mobile" of "grandma's mobile".
 */
kind: NumberKind | null, } | { "type": "start_number_verification", 
/**
 * As it was typed.
 */
number: PhoneText, } | { "type": "confirm_number", 
/**
 * Six digits.
 */
code: Secret, } | { "type": "forget_number" } | { "type": "set_discoverable", 
/**
 * Whether they may.
 */
on: boolean, } | { "type": "get_consent", 
/**
 * The child.
 */
account: AccountId, } | { "type": "give_consent", 
/**
 * The child.
 */
account: AccountId, 
/**
 * The adult's name; 1 to 64 characters.
 */
name: string, 
/**
 * Where the confirmation goes.
 */
email: EmailAddress, 
/**
 * The version of the text that was read.
 */
version: number, } | { "type": "withdraw_consent", 
/**
 * The child.
 */
account: AccountId, } | { "type": "list_child_calls", 
/**
 * The child.
 */
account: AccountId, 
/**
 * Only calls that began before this, Unix milliseconds.
 */
before_ms: number | null, 
/**
 * 1 to 200.
 */
limit: number, } | { "type": "delete_child_data", 
/**
 * The child.
 */
account: AccountId, } | { "type": "make_call_link", 
/**
 * Chosen by the app, random.
 */
link: CallLinkId, 
/**
 * What its maker calls it; 1 to 64 characters.
 */
label: string, 
/**
 * When it ends, Unix milliseconds; at most 30 days ahead.
 */
expires_at_ms: number, } | { "type": "list_call_links" } | { "type": "revoke_call_link", 
/**
 * The link.
 */
link: CallLinkId, } | { "type": "refuse_guest", 
/**
 * The guest's device.
 */
guest: DeviceId, } | { "type": "remove_guest", 
/**
 * The call.
 */
call: CallId, 
/**
 * The guest's device.
 */
guest: DeviceId, } | { "type": "hand_over_ownership", 
/**
 * An adult member with an app that may sign.
 */
to: AccountId, } | { "type": "note_number_used", 
/**
 * Whose.
 */
of: NumberOf, 
/**
 * As it is written there.
 */
number: PhoneText, } | { "type": "get_relays" } | { "type": "set_views", 
/**
 * The call.
 */
call: CallId, 
/**
 * At most 32.
 */
views: Array<TrackView>, } | { "type": "test_from_outside" } | { "type": "get_outside" } | { "type": "put_drop_in_grant", 
/**
 * Chosen by the app that gave it, random.
 */
grant: GrantId, 
/**
 * The signed statement (docs/drop-in.md); its revision is newer than the one before.
 */
statement: Blob, } | { "type": "set_drop_in", 
/**
 * Which.
 */
device: DeviceId, 
/**
 * False: nobody may.
 */
on: boolean, } | { "type": "may_drop_in", 
/**
 * On whom.
 */
to: Callee, } | { "type": "drop_in", 
/**
 * Chosen by the asking device, random.
 */
call: CallId, 
/**
 * On whom: a device or a person. Of a person's devices it is the most recently active permitted one.
 */
to: Callee, 
/**
 * With picture.
 */
picture: boolean, 
/**
 * What the asking device signed (docs/drop-in.md).
 */
asking: Blob, 
/**
 * The MLS KeyPackage that the target adds to its group.
 */
key_package: Blob, } | { "type": "refuse_drop_in", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * Why.
 */
refusal: DropInRefusal, } | { "type": "open_drop_in", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * Its switches; what the grant does not cover is off.
 */
media: MediaState, 
/**
 * How it begins: `knocking`, `frosted`, or `clear` where there is no picture or the grant says so.
 */
stage: DropInStage, } | { "type": "set_drop_in_stage", 
/**
 * The drop-in.
 */
call: CallId, 
/**
 * How.
 */
stage: DropInStage, } | { "type": "append_ledger", 
/**
 * Its place, from 0.
 */
index: number, 
/**
 * The signed entry (docs/drop-in.md).
 */
entry: Blob, } | { "type": "get_ledger_heads" } | { "type": "list_ledger", 
/**
 * Whose.
 */
device: DeviceId, 
/**
 * From this place on.
 */
from: number, 
/**
 * 1 to 200.
 */
limit: number, } | { "type": "report_activity", 
/**
 * What was noticed.
 */
activity: Activity, } | { "type": "set_recently_active", 
/**
 * Which.
 */
device: DeviceId, 
/**
 * False: it says nothing, and what it said is forgotten.
 */
on: boolean, } | { "type": "get_recently_active" } | { "type": "contact_people", 
/**
 * A contact whose card pins their household's key.
 */
contact: ContactId, } | { "type": "get_time" } | { "type": "put_sealing_key", 
/**
 * What this device signed (docs/announcements.md).
 */
statement: Blob, } | { "type": "get_sealing_keys" } | { "type": "announce", 
/**
 * Chosen by this device, random.
 */
announcement: AnnouncementId, 
/**
 * Where.
 */
to: AnnounceTo, 
/**
 * What this device signed, with the content's key sealed to each device (docs/announcements.md).
 */
statement: Blob, 
/**
 * The encrypted content.
 */
content: Blob, } | { "type": "list_announcements" } | { "type": "get_announcement", 
/**
 * Which.
 */
announcement: AnnouncementId, } | { "type": "heard_announcement", 
/**
 * Which.
 */
announcement: AnnouncementId, 
/**
 * What.
 */
heard: AnnouncementHeard, } | { "type": "announce_live", 
/**
 * Chosen by this device, random.
 */
call: CallId, 
/**
 * Where.
 */
to: AnnounceTo, 
/**
 * What this device signed (docs/announcements.md).
 */
statement: Blob, } | { "type": "hear_live", 
/**
 * The announcement's call.
 */
call: CallId, 
/**
 * The MLS KeyPackage.
 */
key_package: Blob, 
/**
 * The signed statement that binds it to the call, as in `ringing`.
 */
statement: Blob, };

export type Resume = { 
/**
 * The session.
 */
session: SessionId, 
/**
 * The last event taken in.
 */
last_event: number, };

export type Role = "owner" | "adult" | "child";

export type RunningCall = { 
/**
 * The call.
 */
call: CallId, 
/**
 * Which way.
 */
direction: CallDirection, 
/**
 * The other side.
 */
party: Party, 
/**
 * Where it stands.
 */
phase: CallPhase, 
/**
 * Whether the asking device itself takes part (called, or answered).
 */
here: boolean, };

export type Secret = string;

export type ServerFrame = { "type": "welcome", 
/**
 * The protocol version spoken.
 */
protocol: number, 
/**
 * The session's id, for resuming.
 */
session: SessionId, 
/**
 * Whether the session asked for was taken up again. If not, the client asks for its state anew
 * (`get_home`, `list_calls`): what it had in flight is unknown.
 */
resumed: boolean, 
/**
 * The client sends something at least this often; silent for twice as long, either side reconnects.
 */
heartbeat_secs: number, 
/**
 * The server's clock, Unix milliseconds.
 */
server_time_ms: number, 
/**
 * Who speaks.
 */
account: AccountId, 
/**
 * The device of the token; absent for a key-less sign-in.
 */
device: DeviceId | null, 
/**
 * The household; absent until admitted.
 */
household: HouseholdId | null, } | { "type": "reply", 
/**
 * The request's number.
 */
id: number, 
/**
 * What came of it.
 */
result: Outcome, } | { "type": "event", 
/**
 * Its number in this session, from 1, without gaps.
 */
seq: number, 
/**
 * What.
 */
body: Event, } | { "type": "pong" } | { "type": "goodbye", 
/**
 * Why.
 */
error: ApiError, };

export type SessionId = string;

export type SignIn = { 
/**
 * The handle.
 */
handle: Handle, 
/**
 * The password.
 */
password: Secret, 
/**
 * The app that signs in, if this browser holds its key.
 */
app: AppProof | null, };

export type SignUp = { 
/**
 * What others type to call this person.
 */
handle: Handle, 
/**
 * At least 8 characters; kept under argon2id.
 */
password: Secret, 
/**
 * The name that a ringing device speaks; 1 to 64 characters.
 */
display_name: string, 
/**
 * The app that signs up.
 */
app: NewApp, 
/**
 * Found a household, or join one.
 */
home: NewHome, };

export type SignedIn = { 
/**
 * Bearer token for sessions and the HTTP API; shown once, kept hashed.
 */
token: Secret, 
/**
 * The account.
 */
account: AccountId, 
/**
 * The app this token speaks for; absent after a password sign-in without a key, which can only pair or recover.
 */
device: DeviceId | null, 
/**
 * The household; absent until an invited member is admitted.
 */
household: HouseholdId | null, };

export type Source = "microphone" | "camera";

export type SubscribeSection = { 
/**
 * The section's mid, at most 16 characters.
 */
mid: string, 
/**
 * The track wanted.
 */
track: TrackId, };

export type Switches = { 
/**
 * False: the microphone's power is cut.
 */
microphone: boolean, 
/**
 * The camera.
 */
camera: CameraSwitch, };

export type TopContact = { "type": "contact", 
/**
 * The contact.
 */
contact: ContactId, } | { "type": "person", 
/**
 * The handle.
 */
handle: Handle, };

export type Track = { 
/**
 * Its id.
 */
track: TrackId, 
/**
 * Who sends it. Clients check it against the sender that the frame's key names.
 */
device: DeviceId, 
/**
 * What it carries.
 */
source: Source, };

export type TrackId = string;

export type TrackView = { 
/**
 * A camera of another participant.
 */
track: TrackId, 
/**
 * Pixels across.
 */
width: number, 
/**
 * Pixels down.
 */
height: number, };

export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";

export type WelcomeFor = { 
/**
 * The device added.
 */
device: DeviceId, 
/**
 * The MLS Welcome.
 */
welcome: Blob, };

export type WrittenNumber = { 
/**
 * Its sort.
 */
kind: NumberKind, 
/**
 * As it was written; 1 to 64 characters.
 */
text: PhoneText, };
