//! Texts, references and mails.

use homeline_protocol::Secret;
use homeline_protocol::id::{ConsentId, HouseholdId};

use super::rules::{check, reference};
use super::{GiveConsentError, letters, text};

#[test]
fn a_consent_is_signed_with_a_name_and_to_the_text_of_today() {
    let today = text::current().version;
    assert!(check("Anna B.", today).is_ok());
    assert!(matches!(check(" ", today), Err(GiveConsentError::Name)));
    for other in [0, today + 1] {
        let refused = check("Anna B.", other);
        assert!(matches!(refused, Err(GiveConsentError::OldText)));
    }
}

#[test]
fn every_version_can_be_read_and_there_is_none_before_the_first() {
    for version in 1..=text::current().version {
        let text = text::version(version.into()).unwrap();
        assert_eq!(text.version, version);
        assert!(text.text.contains("Until you consent"));
    }
    assert_eq!(text::version(0), None);
}

#[test]
fn a_mail_says_the_reference_and_where_to_withdraw() {
    let consent = ConsentId([0xab; 16]);
    assert_eq!(reference(consent), "abababab");
    let secret = Secret::new("s3cret");
    let to = "anna@example.org".parse().unwrap();
    let link = ("https://home.example:8443", &secret);
    let mail = letters::given(HouseholdId([1; 16]), to, consent, link);
    assert_eq!(mail.subject, "Homeline: your consent abababab");
    let link = "https://home.example:8443/consent#s3cret";
    assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
}
