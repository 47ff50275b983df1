//! Pairings, the app's side.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::pairing::Certification;
use crate::model::Speaker;

pub(super) async fn pairing(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let pairings = &services.pairings;
    match request {
        Request::ListenForPairing { on } => pairings.listen(speaker, on)?,
        Request::AcceptPairing { pairing, commit } => pairings.accept(speaker, pairing, commit)?,
        Request::RevealPairing {
            pairing,
            genesis,
            app_key,
            nonce,
        } => {
            pairings.reveal_app(speaker, pairing, (genesis, app_key, nonce))?;
        }
        Request::CertifyPairing {
            pairing,
            device,
            account,
            kind,
            label,
            adult,
            entry,
            chain,
        } => {
            let said = Certification {
                pairing,
                device,
                account,
                kind,
                label: &label,
                adult,
                entry: &entry,
                chain: &chain,
            };
            pairings.certify(speaker, said).await?;
        }
        Request::RefusePairing { pairing } => pairings.refuse(speaker, pairing)?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
