//! What sign-ups must look like, decided without the store.

use homeline_protocol::http::NewApp;
use homeline_protocol::id::{AccountId, HouseholdId};
use homeline_protocol::{Blob, Secret};

use super::SignUpError;
use crate::domain::identity::{Chain, Change, Kind, PublicKey, Roster, household_id};
use crate::model::{UnixMillis, is_name};

/// A shorter password is guessed.
const PASSWORD_CHARS_MIN: usize = 8;
/// A longer one is a mistake, or meant to keep argon2 busy.
const PASSWORD_BYTES_MAX: usize = 1024;
/// The recovery secret is 32 bytes as base64url.
const RECOVERY_SECRET_BYTES_MAX: usize = 128;

pub(super) const BAD_PASSWORD: &str = "A password has at least 8 characters; choose a longer one.";
pub(super) const BAD_NAME: &str = "A name has 1 to 64 characters.";
pub(super) const BAD_LABEL: &str = "An app's or device's label has 1 to 64 characters.";
pub(super) const BAD_KEY: &str = "A key has 32 bytes.";
pub(super) const BAD_PROOF: &str = "A proof has 32 bytes.";
pub(super) const BAD_RECOVERY_SECRET: &str = "The recovery secret is not one.";

pub(super) fn check_password(password: &Secret) -> Result<(), &'static str> {
    let text = password.expose();
    let long_enough = text.chars().take(PASSWORD_CHARS_MIN).count() == PASSWORD_CHARS_MIN;
    if long_enough && text.len() <= PASSWORD_BYTES_MAX {
        Ok(())
    } else {
        Err(BAD_PASSWORD)
    }
}

pub(super) fn check_recovery_secret(secret: &Secret) -> Result<(), &'static str> {
    let fits = (32..=RECOVERY_SECRET_BYTES_MAX).contains(&secret.expose().len());
    if fits {
        Ok(())
    } else {
        Err(BAD_RECOVERY_SECRET)
    }
}

/// The app's key, if key and label are in their bounds.
pub(super) fn check_app(app: &NewApp) -> Result<PublicKey, &'static str> {
    if !is_name(&app.label) {
        return Err(BAD_LABEL);
    }
    PublicKey::try_from(app.key.as_ref()).map_err(|_| BAD_KEY)
}

/// What a founder sends about the new household.
pub(super) struct Founding<'a> {
    pub(super) account: AccountId,
    pub(super) app_key: PublicKey,
    pub(super) app_label: &'a str,
    pub(super) genesis: &'a Blob,
    pub(super) name: &'a str,
    pub(super) roster: &'a [Blob],
    pub(super) chain: &'a Blob,
    pub(super) recovery_certificate: &'a Blob,
}

/// Checks that all a founder sends speaks of one household with one adult app.
pub(super) fn check_founding(
    founding: &Founding<'_>,
    now: UnixMillis,
) -> Result<HouseholdId, SignUpError> {
    let genesis =
        PublicKey::try_from(founding.genesis.as_ref()).map_err(|_| SignUpError::Field(BAD_KEY))?;
    let [first, second] = founding.roster else {
        return Err(SignUpError::Field("A founding roster has two entries."));
    };
    let (mut roster, name) = Roster::found(first.as_ref())?;
    let change = roster.append(second.as_ref())?;
    let person = founding.account.to_string();
    let expected = Change::AddDevice {
        key: founding.app_key,
        kind: Kind::App,
        adult: true,
        person: person.clone(),
        label: founding.app_label.to_owned(),
    };
    let identity = Chain::verify(founding.chain.as_ref(), now)?;
    let recovery = Chain::verify_recovery(founding.recovery_certificate.as_ref(), genesis)?;
    let agrees = roster.genesis() == genesis
        && roster.recovery() == recovery
        && name == founding.name
        && change == expected
        && identity.key == founding.app_key
        && identity.kind == Kind::App
        && identity.adult
        && identity.person == person
        && roster.vouches_for(&identity);
    if agrees {
        Ok(household_id(genesis))
    } else {
        Err(SignUpError::SaysOtherwise)
    }
}
