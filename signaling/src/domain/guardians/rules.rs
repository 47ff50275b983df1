//! What a consent must say, and how it is called in a mail.

use homeline_protocol::id::ConsentId;

use super::GiveConsentError;
use super::text;
use crate::model::is_name;

/// How many of the id's digits a reference has: enough for a family to tell two apart.
const REFERENCE_DIGITS: usize = 8;

/// What stands in mails and beside the child: it leads back to nobody without the database.
pub(super) fn reference(consent: ConsentId) -> String {
    consent.to_string().chars().take(REFERENCE_DIGITS).collect()
}

/// Whether a consent is one: signed with a name, and to the text of today.
pub(super) fn check(name: &str, version: u16) -> Result<(), GiveConsentError> {
    if !is_name(name) {
        return Err(GiveConsentError::Name);
    }
    if version == text::current().version {
        Ok(())
    } else {
        Err(GiveConsentError::OldText)
    }
}
