//! A target opens: from then on a drop-in is a call.

use std::sync::Arc;
use std::time::Duration;

use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{DropInRefusal, DropInStage, Event, MediaState};
use tokio::time::sleep;

use super::TargetError;
use super::service::{DECISIONS_MAX, DroppingIn};
use super::table::{Asked, Refused, Table};
use crate::domain::calls::{DropInSide, NewDropIn};
use crate::domain::reach::may_stay;
use crate::domain::roster::account_view;
use crate::model::Speaker;
use crate::store::{self, Tx};

/// A target asks for a yes or a no for twenty seconds. One that has not said by then what came of it has
/// forgotten it.
const KNOCK_MAX: Duration = Duration::from_secs(30);

impl DroppingIn {
    /// The target has played its tone and lit its indicator, and opens. Repeating it is no error.
    ///
    /// # Errors
    /// When it is not asked, may not any more, or one of the two is in a call.
    pub async fn open(
        &self,
        speaker: &Speaker,
        call: CallId,
        media: MediaState,
        stage: DropInStage,
    ) -> Result<(), TargetError> {
        let target = speaker.device.ok_or(TargetError::NotFound)?;
        for _ in 0..DECISIONS_MAX {
            let (decisions, asked) = {
                let table = self.0.table();
                if table.is_open(call, target) {
                    return Ok(());
                }
                (table.decisions(), table.asked(call, target)?.clone())
            };
            let new = self.opening(call, &asked, media, stage).await?;
            let mut table = self.0.table();
            if table.decisions() != decisions {
                continue;
            }
            // It may have been given up meanwhile.
            table.asked(call, target)?;
            return self.open_now(&mut table, (call, target, stage), new);
        }
        Err(TargetError::Over)
    }

    /// What the call begins with, if it may still begin.
    async fn opening(
        &self,
        call: CallId,
        asked: &Asked,
        media: MediaState,
        stage: DropInStage,
    ) -> Result<NewDropIn, TargetError> {
        let pair = &asked.pair;
        let target = pair.target.ok_or(TargetError::NotFound)?;
        let mut tx = self.0.db.read().await?;
        let world = self.0.world(&mut tx, pair).await?;
        if world.is_none_or(|world| may_stay(&world, target).is_err()) {
            return Err(TargetError::Over);
        }
        let own = MediaState {
            microphone: true,
            camera: asked.picture,
        };
        let (label, target) = side(&mut tx, target, media).await?;
        let (_, initiator) = side(&mut tx, pair.device, own).await?;
        let opened = Event::DropInOpened {
            call,
            device: target.device,
            label,
        };
        Ok(NewDropIn {
            call,
            target,
            initiator,
            family: pair.family,
            picture: asked.picture,
            key_package: asked.key_package.clone(),
            asking: asked.asking.clone(),
            told: vec![opened, Event::DropInStage { call, stage }],
        })
    }

    /// In one step with the table, so that whoever hangs up in this moment ends either what was asked or the
    /// call.
    fn open_now(
        &self,
        table: &mut Table,
        (call, target, stage): (CallId, DeviceId, DropInStage),
        new: NewDropIn,
    ) -> Result<(), TargetError> {
        let over = match self.0.calls.open_drop_in(new) {
            Ok(over) => over,
            Err(error) => {
                let refused = table.refuse(call, target, DropInRefusal::Busy)?;
                if let Refused::Done(told) = refused {
                    self.0.tell(told);
                }
                return Err(error.into());
            }
        };
        table.opened(call, stage);
        tracing::info!(%call, "a drop-in has opened");
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Nothing is sent: it closes when the call is over.
            drop(over.await);
            shared.table().over(call);
        });
        if stage == DropInStage::Knocking {
            tokio::spawn(self.clone().wait_for_knock(call, target));
        }
        Ok(())
    }

    async fn wait_for_knock(self, call: CallId, target: DeviceId) {
        sleep(KNOCK_MAX).await;
        let refused = {
            let mut table = self.0.table();
            let knocks = table.still_knocks(call);
            let refused = knocks.then(|| table.refuse(call, target, DropInRefusal::Unavailable));
            refused.and_then(Result::ok)
        };
        if let Some(refused) = refused {
            self.carry_out(call, refused).await;
        }
    }
}

/// A device of a drop-in as its row says it, and its label.
async fn side(
    tx: &mut Tx,
    device: DeviceId,
    media: MediaState,
) -> Result<(String, DropInSide), TargetError> {
    let row = store::devices::find(tx, device).await?;
    let row = row.filter(|row| row.removed_at_ms.is_none());
    let row = row.ok_or(TargetError::Over)?;
    let account = store::accounts::find(tx, row.account).await?;
    let account = account.ok_or(TargetError::Over)?;
    let side = DropInSide {
        device,
        switches: row.settings.switches(),
        account: account_view(&account),
        media,
    };
    Ok((row.label, side))
}
