//! What happened at home devices.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

/// Whether a request belongs here.
pub(super) const fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::AppendLedger { .. } | Request::GetLedgerHeads | Request::ListLedger { .. }
    )
}

pub(super) async fn ledgers(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let ledgers = &services.ledgers;
    Ok(match request {
        Request::AppendLedger { index, entry } => {
            ledgers.append(speaker, index, &entry).await?;
            Reply::Done
        }
        Request::GetLedgerHeads => Reply::LedgerHeads {
            heads: ledgers.heads(speaker).await?,
        },
        Request::ListLedger {
            device,
            from,
            limit,
        } => {
            let (entries, more) = ledgers.list(speaker, device, from, limit).await?;
            Reply::Ledger { entries, more }
        }
        _ => return Err(misplaced()),
    })
}
