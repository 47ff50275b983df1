//! Consent for a child, and what is collected about one.

use homeline_protocol::id::{ConsentId, MailId};
use homeline_protocol::session::{ConsentRecord, ConsentText, Event, MailState, Reply, Request};

use super::{ACCOUNT, AT_MS};

const CONSENT: ConsentId = ConsentId([0xc5; 16]);
const MAIL: MailId = MailId([0x3a; 16]);

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::GetConsent { account: ACCOUNT },
        Request::GiveConsent {
            account: ACCOUNT,
            name: "Anna B.".to_owned(),
            email: "anna@example.org".parse().unwrap(),
            version: 1,
        },
        Request::WithdrawConsent { account: ACCOUNT },
        Request::ListChildCalls {
            account: ACCOUNT,
            before_ms: Some(AT_MS),
            limit: 50,
        },
        Request::ListChildCalls {
            account: ACCOUNT,
            before_ms: None,
            limit: 1,
        },
        Request::DeleteChildData { account: ACCOUNT },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    let text = ConsentText {
        version: 1,
        text: "One.\n\nTwo.".to_owned(),
    };
    let record = |mail: Option<MailId>, mail_state, withdrawn_at_ms| {
        Box::new(ConsentRecord {
            consent: CONSENT,
            child: ACCOUNT,
            by: ACCOUNT,
            name: "Anna B.".to_owned(),
            email: "anna@example.org".parse().unwrap(),
            version: 1,
            given_at_ms: AT_MS,
            withdrawn_at_ms,
            mail,
            mail_state,
        })
    };
    let records = [
        None,
        Some(record(None, MailState::Off, None)),
        Some(record(Some(MAIL), MailState::Waiting, None)),
        Some(record(Some(MAIL), MailState::Sent, Some(AT_MS))),
        Some(record(Some(MAIL), MailState::GivenUp, None)),
    ];
    let reply = |record| Reply::Consent {
        text: text.clone(),
        record,
    };
    records.into_iter().map(reply).collect()
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::ConsentChanged { account: ACCOUNT },
        Event::MailSettled {
            mail: MAIL,
            sent: true,
        },
    ]
}
