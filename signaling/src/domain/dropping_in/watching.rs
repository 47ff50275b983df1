//! Ends what may not go on: a grant was revoked or has ended, its hours are over, drop-in was switched off at the
//! target, a contact was deleted, somebody blocks, a child may no more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use homeline_protocol::session::{DropInRefusal, EndReason};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::service::{DroppingIn, Shared};
use super::table::Pair;
use crate::bus::Notice;
use crate::domain::reach::{Stop, may_stay};
use crate::store::{StoreError, Tx};

/// How often grants are looked at while a drop-in goes on: hours and grants end without anybody's word.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Until the bus or the drop-ins are gone.
pub(super) async fn follow(shared: Weak<Shared>, mut notices: mpsc::Receiver<Notice>) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let changed = tokio::select! {
            notice = notices.recv() => match notice {
                Some(Notice::Switched { .. }) => continue,
                Some(_) => true,
                None => return,
            },
            _ = look.tick() => false,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        DroppingIn(shared).look_again(changed).await;
    }
}

impl DroppingIn {
    /// Looks at every drop-in again. What fails is looked at the next time.
    async fn look_again(&self, changed: bool) {
        let pairs: Vec<_> = {
            let mut table = self.0.table();
            if changed {
                table.decide_anew();
            }
            let pairs = table.pairs();
            pairs.map(|(call, pair)| (call, pair.clone())).collect()
        };
        if pairs.is_empty() {
            return;
        }
        let stopped = async {
            let mut tx = self.0.db.read().await?;
            let mut stopped = Vec::new();
            for (call, pair) in pairs {
                if let Some(stop) = stop(&self.0, &mut tx, &pair).await? {
                    stopped.push((call, stop));
                }
            }
            Ok::<_, StoreError>(stopped)
        };
        match stopped.await {
            Ok(stopped) => {
                for (call, stop) in stopped {
                    let (told, runs) = self.0.table().stop(call, refusal(stop));
                    self.0.tell(told);
                    if runs {
                        tracing::info!(%call, "a drop-in may not go on");
                        self.0.calls.end_drop_in(call, EndReason::HungUp).await;
                    }
                }
            }
            Err(error) => tracing::error!(%error, "drop-ins could not be looked at"),
        }
    }
}

async fn stop(shared: &Arc<Shared>, tx: &mut Tx, pair: &Pair) -> Result<Option<Stop>, StoreError> {
    let Some(target) = pair.target else {
        return Ok(None);
    };
    let world = shared.world(tx, pair).await?;
    let stays = world.map_or(Err(Stop::NotGranted), |world| may_stay(&world, target));
    Ok(stays.err())
}

fn refusal(stop: Stop) -> DropInRefusal {
    match stop {
        Stop::Off => DropInRefusal::Off,
        Stop::NotGranted => DropInRefusal::NoGrant,
    }
}
