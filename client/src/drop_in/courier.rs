//! Brings this device's ledger to the server: entry by entry, in order, and again until each is stored.

use std::sync::Arc;
use std::time::Duration;

use homeline_e2ee::drop_in::ledger::{Head, LedgerFault, LedgerReader};
use homeline_e2ee::ids;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{Reply, Request};
use tokio::sync::{mpsc, watch};

use super::book::Book;
use crate::client::ClientEvent;
use crate::session::{RequestError, Session};

/// Entries that are read at once, when the whole is read.
const PAGE: u16 = 200;

/// After a failure that no new session heals.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

pub(super) struct Courier {
    pub(super) book: Arc<Book>,
    pub(super) session: Session,
    /// Changes with each new session.
    pub(super) sessions: watch::Receiver<u32>,
    pub(super) events: mpsc::Sender<ClientEvent>,
}

/// Why an entry did not get to the server, for now.
#[derive(Debug, thiserror::Error)]
enum BringError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("what the server shows of this device's ledger does not hold: {0}")]
    Fault(#[from] LedgerFault),
    #[error("the server shows a ledger entry that can't be read")]
    Unreadable,
}

impl Courier {
    /// Until it is aborted.
    pub(super) async fn run(mut self) {
        let mut met = false;
        // Before the first session there is nobody to bring anything to.
        if self.sessions.changed().await.is_err() {
            return;
        }
        loop {
            let brought = self.bring(&mut met).await;
            if let Err(error) = &brought {
                tracing::info!(%error, "the ledger waits");
            }
            tokio::select! {
                changed = self.sessions.changed() => match changed {
                    Ok(()) => met = false,
                    Err(_) => return,
                },
                () = self.book.wrote(), if brought.is_ok() => {}
                () = tokio::time::sleep(AGAIN_AFTER), if brought.is_err() => {}
            }
        }
    }

    /// The server's end of it is compared with what was written here before anything is added.
    async fn bring(&self, met: &mut bool) -> Result<(), BringError> {
        if !*met {
            self.meet().await?;
            *met = true;
        }
        loop {
            let next = {
                let kept = self.book.kept();
                kept.ledger
                    .next()
                    .map(|(index, entry)| (index, Blob(entry.encode())))
            };
            let Some((index, entry)) = next else {
                return Ok(());
            };
            let request = Request::AppendLedger { index, entry };
            if let Err(error) = self.session.done(request).await {
                *met = false;
                return Err(error.into());
            }
            self.book.kept().ledger.stored(index);
            // What could not be written down is met with the next session.
            self.book.save();
        }
    }

    async fn meet(&self) -> Result<(), BringError> {
        let device = ids::device_id(self.book.owner().device);
        let reply = self.session.request(Request::GetLedgerHeads).await?;
        let Reply::LedgerHeads { heads } = reply else {
            return Err(RequestError::WrongReply.into());
        };
        let own = heads.iter().find(|head| head.device == device);
        let length = own.map_or(0, |head| head.length);
        let last = match length.checked_sub(1) {
            Some(place) => {
                let (entries, _) = self.page(device, place, 1).await?;
                let entry = entries.first().ok_or(BringError::Unreadable)?;
                Some(Signed::decode(&entry.0).map_err(|_| BringError::Unreadable)?)
            }
            None => None,
        };
        if self.book.meet(length, last.as_ref()).is_err() {
            self.events.try_send(ClientEvent::LedgerDiffers).ok();
            self.read_whole(device).await?;
        }
        // What could not be written down is met with the next session.
        self.book.save();
        Ok(())
    }

    async fn read_whole(&self, device: DeviceId) -> Result<(), BringError> {
        let genesis = self.book.owner().genesis;
        let mut reader = LedgerReader::new(genesis, device, Head::default());
        let mut from = 0;
        loop {
            let (entries, more) = self.page(device, from, PAGE).await?;
            for entry in &entries {
                let entry = Signed::decode(&entry.0).map_err(|_| BringError::Unreadable)?;
                reader.read(&entry)?;
            }
            from += entries.len() as u64;
            if !more || entries.is_empty() {
                return Ok(self.book.resume(reader)?);
            }
        }
    }

    async fn page(
        &self,
        device: DeviceId,
        from: u64,
        limit: u16,
    ) -> Result<(Vec<Blob>, bool), BringError> {
        let request = Request::ListLedger {
            device,
            from,
            limit,
        };
        match self.session.request(request).await? {
            Reply::Ledger { entries, more } => Ok((entries, more)),
            _ => Err(RequestError::WrongReply.into()),
        }
    }
}
