//! What is counted of sessions and requests, for `/metrics`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use homeline_protocol::session::{ErrorCode, Outcome, Request};

use crate::domain::calls::CallFigures;

/// All counts of signaling at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignalingFigures {
    /// Sessions and requests.
    pub sessions: SessionFigures,
    /// Calls.
    pub calls: CallFigures,
}

/// Counts of sessions and requests at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFigures {
    /// Sessions, with a connection or waiting for one.
    pub running: usize,
    /// Sessions opened since the start.
    pub opened_total: u64,
    /// Sessions taken up again since the start.
    pub resumed_total: u64,
    /// Sessions and connections that the server ended since the start, by code.
    pub ended_total: HashMap<ErrorCode, u64>,
    /// Requests answered since the start, by kind and by error, if any.
    pub requests_total: HashMap<(&'static str, Option<ErrorCode>), u64>,
}

/// Where they are counted.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<SessionFigures>);

impl Counters {
    pub(super) fn opened(&self) {
        self.change(|figures| figures.opened_total += 1);
    }

    pub(super) fn resumed(&self) {
        self.change(|figures| figures.resumed_total += 1);
    }

    pub(super) fn ended(&self, code: ErrorCode) {
        self.change(|figures| *figures.ended_total.entry(code).or_default() += 1);
    }

    pub(super) fn answered(&self, kind: &'static str, outcome: &Outcome) {
        let error = match outcome {
            Outcome::Ok(_) => None,
            Outcome::Error(error) => Some(error.code),
        };
        self.change(|figures| *figures.requests_total.entry((kind, error)).or_default() += 1);
    }

    pub(super) fn snapshot(&self, running: usize) -> SessionFigures {
        let figures = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        SessionFigures { running, ..figures }
    }

    fn change(&self, change: impl FnOnce(&mut SessionFigures)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The kind of a request, as on the wire.
pub(super) fn kind(request: &Request) -> &'static str {
    match request {
        Request::PutPushAddress(_) => "put_push_address",
        Request::DeletePushAddress { .. } => "delete_push_address",
        Request::GetHome => "get_home",
        Request::SetDisplayName { .. } => "set_display_name",
        Request::SetPresence { .. } => "set_presence",
        Request::RenewCertificate { .. } => "renew_certificate",
        Request::RemoveDevice { .. } => "remove_device",
        Request::PutAnswerPolicy { .. } => "put_answer_policy",
        Request::ListenForPairing { .. } => "listen_for_pairing",
        Request::AcceptPairing { .. } => "accept_pairing",
        Request::RevealPairing { .. } => "reveal_pairing",
        Request::CertifyPairing { .. } => "certify_pairing",
        Request::RefusePairing { .. } => "refuse_pairing",
        Request::CreateInvitation => "create_invitation",
        Request::CancelInvitation { .. } => "cancel_invitation",
        Request::AdmitMember { .. } => "admit_member",
        Request::RefuseMember { .. } => "refuse_member",
        Request::PutContact { .. } => "put_contact",
        Request::DeleteContact { .. } => "delete_contact",
        Request::StartCall { .. } => "start_call",
        Request::Ringing { .. } => "ringing",
        Request::RefuseInvitation { .. } => "refuse_invitation",
        Request::Answer { .. } => "answer",
        Request::Decline { .. } => "decline",
        Request::Cancel { .. } => "cancel",
        Request::HangUp { .. } => "hang_up",
        Request::SetMedia { .. } => "set_media",
        Request::ListCalls => "list_calls",
        Request::ListHistory { .. } => "list_history",
        Request::OfferMedia { .. } => "offer_media",
        Request::GetQuality { .. } => "get_quality",
        Request::SendCommit { .. } => "send_commit",
        Request::EpochReady { .. } => "epoch_ready",
        Request::SendGroupMessage { .. } => "send_group_message",
        Request::GetConsent { .. } => "get_consent",
        Request::GiveConsent { .. } => "give_consent",
        Request::WithdrawConsent { .. } => "withdraw_consent",
        Request::ListChildCalls { .. } => "list_child_calls",
        Request::DeleteChildData { .. } => "delete_child_data",
        other => kind_of_rules(other),
    }
}

/// The kinds of requests about the rules of reaching people, and about changing calls.
fn kind_of_rules(request: &Request) -> &'static str {
    match request {
        Request::SetRole { .. } => "set_role",
        Request::RemoveMember { .. } => "remove_member",
        Request::LeaveHousehold { .. } => "leave_household",
        Request::Deregister { .. } => "deregister",
        Request::SetDevice { .. } => "set_device",
        Request::SetCapabilities { .. } => "set_capabilities",
        Request::SetSwitches { .. } => "set_switches",
        Request::SetDeviceDoNotDisturb { .. } => "set_device_do_not_disturb",
        Request::SetDoNotDisturbEverywhere { .. } => "set_do_not_disturb_everywhere",
        Request::SetDoNotDisturb { .. } => "set_do_not_disturb",
        Request::Block { .. } => "block",
        Request::Unblock { .. } => "unblock",
        Request::SetChildLimits { .. } => "set_child_limits",
        Request::SetTopContact { .. } => "set_top_contact",
        Request::AddToCall { .. } => "add_to_call",
        Request::CancelAdding { .. } => "cancel_adding",
        Request::MoveCall { .. } => "move_call",
        Request::EndForEveryone { .. } => "end_for_everyone",
        Request::ListMissed => "list_missed",
        Request::MarkMissedSeen { .. } => "mark_missed_seen",
        other => kind_of_address_book(other),
    }
}

/// The kinds of requests about address books, numbers and guests.
fn kind_of_address_book(request: &Request) -> &'static str {
    match request {
        Request::GetAddressBook => "get_address_book",
        Request::SetImport { .. } => "set_import",
        Request::SetPhoneRegion { .. } => "set_phone_region",
        Request::BeginImport { .. } => "begin_import",
        Request::ImportBatch { .. } => "import_batch",
        Request::FinishImport { .. } => "finish_import",
        Request::ListImported { .. } => "list_imported",
        Request::HideEntry { .. } => "hide_entry",
        Request::SetContactNumbers { .. } => "set_contact_numbers",
        Request::ListContactNumbers { .. } => "list_contact_numbers",
        Request::FindContact { .. } => "find_contact",
        Request::StartNumberVerification { .. } => "start_number_verification",
        Request::ConfirmNumber { .. } => "confirm_number",
        Request::ForgetNumber => "forget_number",
        Request::SetDiscoverable { .. } => "set_discoverable",
        Request::MakeCallLink { .. } => "make_call_link",
        Request::ListCallLinks => "list_call_links",
        Request::RevokeCallLink { .. } => "revoke_call_link",
        Request::RefuseGuest { .. } => "refuse_guest",
        Request::RemoveGuest { .. } => "remove_guest",
        Request::HandOverOwnership { .. } => "hand_over_ownership",
        Request::NoteNumberUsed { .. } => "note_number_used",
        Request::TestFromOutside => "test_from_outside",
        Request::GetOutside => "get_outside",
        other => kind_of_drop_in(other),
    }
}

/// The kinds of requests about dropping in and about who is near.
fn kind_of_drop_in(request: &Request) -> &'static str {
    match request {
        Request::DropIn { .. } => "drop_in",
        Request::RefuseDropIn { .. } => "refuse_drop_in",
        Request::OpenDropIn { .. } => "open_drop_in",
        Request::SetDropInStage { .. } => "set_drop_in_stage",
        Request::ReportActivity { .. } => "report_activity",
        Request::SetRecentlyActive { .. } => "set_recently_active",
        Request::GetRecentlyActive => "get_recently_active",
        Request::ContactPeople { .. } => "contact_people",
        other => kind_of_announcements(other),
    }
}

/// The kinds of requests about announcements.
fn kind_of_announcements(request: &Request) -> &'static str {
    match request {
        Request::GetTime => "get_time",
        Request::PutSealingKey { .. } => "put_sealing_key",
        Request::GetSealingKeys => "get_sealing_keys",
        Request::Announce { .. } => "announce",
        Request::ListAnnouncements => "list_announcements",
        Request::GetAnnouncement { .. } => "get_announcement",
        Request::HeardAnnouncement { .. } => "heard_announcement",
        Request::AnnounceLive { .. } => "announce_live",
        Request::HearLive { .. } => "hear_live",
        _ => "other",
    }
}
