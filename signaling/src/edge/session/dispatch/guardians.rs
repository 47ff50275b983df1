//! Children: consent, what they did, and its deletion.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::guardians::NewConsent;
use crate::model::Speaker;

pub(super) async fn guardians(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let guardians = &services.guardians;
    match request {
        Request::GetConsent { account } => {
            let (text, record) = guardians.consent(speaker, account).await?;
            let record = record.map(Box::new);
            return Ok(Reply::Consent { text, record });
        }
        Request::GiveConsent {
            account,
            name,
            email,
            version,
        } => {
            let new = NewConsent {
                child: account,
                name,
                email,
                version,
            };
            let (text, record) = guardians.give(speaker, new).await?;
            let record = Some(Box::new(record));
            return Ok(Reply::Consent { text, record });
        }
        Request::WithdrawConsent { account } => guardians.withdraw(speaker, account).await?,
        Request::ListChildCalls {
            account,
            before_ms,
            limit,
        } => {
            let page = (before_ms, limit);
            let calls = guardians.calls(speaker, account, page).await?;
            return Ok(Reply::History { calls });
        }
        Request::DeleteChildData { account } => guardians.erase(speaker, account).await?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
