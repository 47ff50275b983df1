//! The mails to adults. They pass through other hands, so they name nobody: neither child nor household.

use homeline_protocol::id::ConsentId;
use homeline_protocol::{EmailAddress, Secret};

use super::rules::reference;
use crate::domain::mail::NewMail;
use homeline_protocol::id::HouseholdId;

/// Confirms a consent, with the link to review or withdraw it.
pub(super) fn given(
    household: HouseholdId,
    to: EmailAddress,
    consent: ConsentId,
    (link_base, secret): (&str, &Secret),
) -> NewMail {
    let reference = reference(consent);
    let link = format!("{}/consent#{}", link_base, secret.expose());
    let text = format!(
        "You have given your consent for a child of your household to use Homeline.\n\
         \n\
         Reference: {reference}\n\
         The app shows the same reference beside the child, under Household, Children.\n\
         \n\
         To read what you consented to, or to withdraw your consent, open this link.\n\
         It needs no sign-in, so keep this mail to yourself:\n\
         \n\
         {link}\n\
         \n\
         If it was not you who consented, open the link and withdraw it.\n\
         This mail names nobody on purpose.\n"
    );
    NewMail {
        household,
        to,
        subject: format!("Homeline: your consent {reference}"),
        text,
    }
}

/// Confirms that everything was deleted.
pub(super) fn deleted(household: HouseholdId, to: EmailAddress, consent: ConsentId) -> NewMail {
    let reference = reference(consent);
    let text = format!(
        "As an adult of your household asked, everything that this Homeline server had collected\n\
         about the child of consent {reference} was deleted.\n\
         \n\
         The child's account, its devices and what you allow the child are still there, and so is\n\
         your consent. The app shows them under Household, Children.\n\
         This mail names nobody on purpose.\n"
    );
    NewMail {
        household,
        to,
        subject: format!("Homeline: deleted, consent {reference}"),
        text,
    }
}
