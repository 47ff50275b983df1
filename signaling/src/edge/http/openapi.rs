//! The OpenAPI document: every route and error code, and the session in words.

use homeline_protocol::http::{
    About, AppProof, ConsentLink, ConsentReview, Knock, Knocked, NewApp, NewHome, PairingOffer,
    PairingOpened, PairingReveal, PairingState, PushDecline, PushKey, RecoverBegin, RecoverFinish,
    RecoverTicket, SignIn, SignUp, SignedIn,
};
use homeline_protocol::session::{
    ApiError, DeviceKind, ErrorCode, OutsideAnswer, OutsideBegun, OutsideOffer, OutsideReport,
    OutsideState, OutsideTicket,
};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{about, accounts, consent, guests, outside, pairings, push};

/// The OpenAPI document of this server.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Homeline",
        description = "The API of a Homeline server. Everything else goes over a session \
            (`/v1/session`).\n\nBlobs (keys, certificates, signed statements) are base64url without \
            padding, in the formats of docs/identity.md; ids are 32 lowercase hexadecimal digits; \
            times are Unix milliseconds. Every error is an `ApiError`: a stable `code` for programs \
            and a `message` that says what to do."
    ),
    paths(
        accounts::sign_up,
        accounts::sign_in,
        accounts::sign_out,
        accounts::recover_begin,
        accounts::recover_finish,
        pairings::open,
        pairings::state,
        pairings::reveal,
        push::key,
        push::decline,
        consent::review,
        consent::withdraw,
        guests::knock,
        outside::begin,
        outside::offer,
        outside::report,
        session,
        about::about,
        about::openapi_json,
        about::docs,
    ),
    components(schemas(
        SignUp, NewApp, NewHome, SignedIn, SignIn, AppProof, RecoverBegin, RecoverTicket,
        RecoverFinish, PairingOffer, PairingOpened, PairingState, PairingReveal, DeviceKind, About,
        ConsentLink, ConsentReview, Knock, Knocked,
        ApiError, ErrorCode, PushKey, PushDecline,
        OutsideTicket, OutsideBegun, OutsideOffer, OutsideAnswer, OutsideReport, OutsideState,
    )),
    modifiers(&Schemes),
    tags(
        (name = "people", description = "Signing up, in and out, and recovering"),
        (name = "pairing", description = "A new device's side of being taken into a household"),
        (name = "push", description = "Waking apps that are closed"),
        (name = "children", description = "A consent for a child, by the link in its mail"),
        (name = "guests", description = "Coming into a call by a call link, without an account"),
        (name = "session", description = "Everything once a client has a token"),
        (name = "server", description = "What anyone may know"),
    )
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = || SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", bearer());
        components.add_security_scheme("pairing secret", bearer());
    }
}

/// Opens a session: a WebSocket that carries JSON texts, at most 512 KiB each.
///
/// The client says `{"type":"hello","protocol":1,"token":"…","resume":null}` within ten seconds and
/// is answered by `welcome` (the session's id, who speaks, and how often to be heard), or by
/// `goodbye` with an `ApiError`, after which the server closes.
///
/// Then the client sends `{"type":"request","id":1,"body":{"type":"get_home"}}` with ids that grow by
/// one; each is answered once by `{"type":"reply","id":1,"result":{"ok":…}}` or `{"error":…}` with an
/// `ApiError`. The server sends `{"type":"event","seq":1,"body":{"type":…}}`, numbered without gaps.
/// The client acknowledges with `{"type":"ack","event":N,"reply":N}` and is heard at least every
/// `heartbeat_secs`, if by nothing else than by `{"type":"ping"}`, which is answered by `pong`.
///
/// After a lost connection the client connects anew and says `hello` with
/// `"resume":{"session":"…","last_event":N}`: what it has not acknowledged is sent again, and
/// requests that it repeats under their old ids have no second effect. If `welcome` says
/// `"resumed":false`, it asks for its state anew.
///
/// Requests: `get_home`, `set_display_name`, `set_presence`, `renew_certificate`, `remove_device`,
/// `put_answer_policy`; `listen_for_pairing`, `accept_pairing`, `reveal_pairing`, `certify_pairing`,
/// `refuse_pairing`; `create_invitation`, `cancel_invitation`, `admit_member`, `refuse_member`;
/// `put_contact`, `delete_contact`; `start_call`, `ringing`, `refuse_invitation`, `answer`,
/// `decline`, `cancel`, `hang_up`, `set_media`, `list_calls`, `list_history`; `offer_media`,
/// `get_quality`; `send_commit`, `epoch_ready`, `send_group_message`; `put_push_address`,
/// `delete_push_address`; `get_consent`, `give_consent`, `withdraw_consent`, `list_child_calls`,
/// `delete_child_data`; `make_call_link`, `list_call_links`, `revoke_call_link`, `refuse_guest`,
/// `remove_guest`; `test_from_outside`, `get_outside`.
///
/// Events: `roster_grew`, `certificate_renewed`, `presence_changed`, `member_changed`, `contact_put`,
/// `contact_deleted`, `answer_policy_put`, `invitation_made`, `invitation_ended`, `join_requested`,
/// `admitted`, `join_refused`; `pairing_offered`, `pairing_revealed`, `pairing_ended`;
/// `incoming_call`, `device_ringing`, `call_answered`, `call_ended`, `participants`, `tracks`,
/// `participant_connection`, `media_restart`; `group_commit`, `group_welcome`, `epoch_execute`,
/// `group_message`; `consent_changed`, `mail_settled`; `call_link_made`, `call_link_ended`, `guest_knocked`,
/// `guest_gone`, `guest_refused`.
///
/// The fields of each stand in `protocol/src/session`, from which the app's TypeScript types are
/// generated.
#[utoipa::path(
    get, path = "/v1/session", tag = "session",
    responses(
        (status = 101, description = "A WebSocket. Errors from here on are `goodbye` frames: `bad_request`, `too_large`, `protocol_version`, `unauthorized`, `not_registered`, `session_replaced`, `device_revoked`, `shutting_down`, `outbox_full`, `internal`."),
        (status = 400, description = "Not a WebSocket handshake."),
    )
)]
#[expect(
    dead_code,
    reason = "only its description is used; edge::session answers"
)]
fn session() {}
