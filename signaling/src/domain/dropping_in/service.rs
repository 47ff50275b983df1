//! The verbs of a drop-in: ask, refuse, open, go on otherwise, hang up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId, GrantId};
use homeline_protocol::session::{
    Callee, DropInGrant, DropInRefusal, DropInStage, EndReason, Event, Party,
};
use tokio::time::{Instant, sleep_until};

use super::rules::{Candidate, choose};
use super::table::{Added, Asked, Pair, Refused, Table, Told};
use super::{AskError, TargetError};
use crate::bus::{Audience, Bus};
use crate::domain::calls::{Calls, SessionChange};
use crate::domain::nearby::Nearby;
use crate::domain::presence::PresenceService;
use crate::domain::reach::{Asking, Plan, Reach, Refusal, Way, World, granting, reach};
use crate::model::{Clock, Speaker};
use crate::store::{self, Db, StoreError, Tx};

/// The longest asking or key package: a chain of six certificates takes some 2 KiB.
const ASKING_BYTES_MAX: usize = 16 * 1024;
/// How often somebody is decided about anew because grants or limits changed meanwhile. Adults do not change
/// them so fast; then it is refused as when there are too many.
pub(super) const DECISIONS_MAX: usize = 8;

/// Drop-ins. Clones share them.
#[derive(Debug, Clone)]
pub struct DroppingIn(pub(super) Arc<Shared>);

/// What drop-ins are built on.
#[derive(Debug)]
pub struct DroppingInParts {
    /// Where grants and devices stand.
    pub db: Db,
    /// Where events go.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// Who is there.
    pub presence: PresenceService,
    /// Near which devices somebody was.
    pub nearby: Nearby,
    /// What an open drop-in is.
    pub calls: Calls,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) reach: Reach,
    presence: PresenceService,
    nearby: Nearby,
    pub(super) calls: Calls,
    table: Mutex<Table>,
}

/// A drop-in that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewAsking {
    /// Its id.
    pub call: CallId,
    /// On whom.
    pub to: Callee,
    /// With picture.
    pub picture: bool,
    /// What the asking device signed.
    pub asking: Blob,
    /// What the target adds to its group.
    pub key_package: Blob,
}

/// Who is to be told, and by what right.
struct Chosen {
    asked: Asked,
    /// Of the target.
    grant: Option<DropInGrant>,
    from: Party,
}

impl DroppingIn {
    /// Starts, and follows what may end a drop-in.
    #[must_use]
    pub fn start(parts: DroppingInParts) -> Self {
        let DroppingInParts {
            db,
            bus,
            clock,
            presence,
            nearby,
            calls,
        } = parts;
        let notices = bus.notices();
        let this = Self(Arc::new(Shared {
            db,
            bus,
            clock,
            reach: calls.reach().clone(),
            presence,
            nearby,
            calls,
            table: Mutex::default(),
        }));
        tokio::spawn(super::watching::follow(Arc::downgrade(&this.0), notices));
        this
    }

    /// Asks for a drop-in.
    ///
    /// # Errors
    /// [`AskError`]. What a target of another household decides, or that it is not there, is no error.
    pub async fn ask(&self, speaker: &Speaker, new: NewAsking) -> Result<(), AskError> {
        let device = speaker.device.ok_or(Refusal::NoDevice)?;
        if new.asking.0.len().max(new.key_package.0.len()) > ASKING_BYTES_MAX {
            return Err(AskError::TooLong);
        }
        if !matches!(new.to, Callee::Person { .. } | Callee::Device { .. }) {
            return Err(AskError::NotOne);
        }
        for _ in 0..DECISIONS_MAX {
            let decisions = {
                let table = self.0.table();
                if table.known(new.call, device, &new.to)?.is_some() {
                    return Ok(());
                }
                table.decisions()
            };
            if self.0.calls.is_engaged(device) {
                return Err(AskError::AlreadyInCall);
            }
            let chosen = self.chosen(speaker, device, &new).await?;
            let mut table = self.0.table();
            if table.decisions() == decisions {
                let added = table.ask(new.call, chosen.asked.clone())?;
                drop(table);
                if let Added::New(target) = added {
                    self.begin(new.call, target, chosen);
                }
                return Ok(());
            }
        }
        Err(AskError::Full)
    }

    /// The target refuses. Repeating it is no error.
    ///
    /// # Errors
    /// When it is not asked, or has opened already.
    pub async fn refuse(
        &self,
        speaker: &Speaker,
        call: CallId,
        refusal: DropInRefusal,
    ) -> Result<(), TargetError> {
        let target = speaker.device.ok_or(TargetError::NotFound)?;
        let refused = self.0.table().refuse(call, target, refusal)?;
        self.carry_out(call, refused).await;
        Ok(())
    }

    /// The target goes on otherwise.
    ///
    /// # Errors
    /// When it has no such drop-in open, or would knock again.
    pub fn set_stage(
        &self,
        speaker: &Speaker,
        call: CallId,
        stage: DropInStage,
    ) -> Result<(), TargetError> {
        let target = speaker.device.ok_or(TargetError::NotFound)?;
        let told = self.0.table().set_stage(call, target, stage)?;
        self.0.tell(told);
        Ok(())
    }

    /// Somebody hangs up. False when that is for the call that it has become, or for another.
    #[must_use]
    pub fn hang_up(&self, speaker: &Speaker, call: CallId) -> bool {
        let Some(device) = speaker.device else {
            return false;
        };
        let told = self.0.table().hang_up(call, device);
        let handled = told.is_some();
        self.0.tell(told.into_iter().flatten());
        handled
    }

    /// A device's session came or went: one that begins anew knows nothing of what it asked for.
    pub fn session_changed(&self, speaker: &Speaker, change: SessionChange) {
        let anew = matches!(change, SessionChange::Opened | SessionChange::Ended);
        if let Some(device) = speaker.device.filter(|_| anew) {
            let told = self.0.table().gone(device);
            self.0.tell(told);
        }
    }

    pub(super) async fn carry_out(&self, call: CallId, refused: Refused) {
        match refused {
            Refused::Done(told) => self.0.tell(told),
            Refused::EndCall(told) => {
                self.0.tell(told);
                self.0.calls.end_drop_in(call, EndReason::Declined).await;
            }
        }
    }

    /// Tells the target, and waits beside it for the time to pass.
    fn begin(&self, call: CallId, target: Option<DeviceId>, chosen: Chosen) {
        tracing::info!(%call, "a drop-in is asked for");
        let timeout = self.0.calls.drop_in_timeout();
        let until = chosen.asked.until;
        if let (Some(target), Some(grant)) = (target, chosen.grant) {
            let event = Event::DropInAsked {
                call,
                from: chosen.from,
                picture: chosen.asked.picture,
                asking: chosen.asked.asking,
                key_package: chosen.asked.key_package,
                grant,
                expires_at_ms: self.0.clock.now().plus(timeout).0,
            };
            self.0.tell([(target, event)]);
        }
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            sleep_until(until.into()).await;
            let told = shared.table().time_up(call, Instant::now().into_std());
            shared.tell(told);
        });
    }

    async fn chosen(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        new: &NewAsking,
    ) -> Result<Chosen, AskError> {
        let mut tx = self.0.db.read().await?;
        let asking = Asking {
            account: speaker.account,
            device: Some(device),
            household: speaker.household,
            way: Way::DropIn,
            now: self.0.clock.now(),
        };
        let world = self.0.reach.world(&mut tx, asking, &new.to).await?;
        let world = world.ok_or(AskError::NoAccount)?;
        let plan = reach(&world)?;
        let target = self.target(&plan);
        if target.is_none() && plan.family {
            return Err(AskError::Away);
        }
        let grant = match target {
            Some(target) => grant_of(&mut tx, &world, target, new.picture).await?,
            None => None,
        };
        let pair = Pair {
            account: speaker.account,
            device,
            household: speaker.household,
            to: new.to.clone(),
            target: target.filter(|_| grant.is_some()),
            family: plan.family,
        };
        let asked = Asked {
            pair,
            picture: new.picture,
            asking: new.asking.clone(),
            key_package: new.key_package.clone(),
            until: (Instant::now() + self.0.calls.drop_in_timeout()).into_std(),
            refused: false,
        };
        let from = Party {
            handle: world.asker.handle,
            display_name: world.asker.name,
            guest: false,
        };
        Ok(Chosen { asked, grant, from })
    }

    /// Only among those that have a session: what is not there hears nothing later either.
    fn target(&self, plan: &Plan) -> Option<DeviceId> {
        let now = self.0.clock.now();
        choose(plan.ring.iter().map(|one| Candidate {
            device: one.device,
            near: self.0.nearby.at(one.device, now),
            came: self.0.presence.came(one.device).unwrap_or_default(),
        }))
    }
}

impl Shared {
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, told: impl IntoIterator<Item = Told>) {
        for (device, event) in told {
            self.bus.publish(Audience::Device(device), event);
        }
    }

    /// The question of a drop-in that was let through, as it stands now.
    pub(super) async fn world(
        &self,
        tx: &mut Tx,
        pair: &Pair,
    ) -> Result<Option<World>, StoreError> {
        let asking = Asking {
            account: pair.account,
            device: Some(pair.device),
            household: pair.household,
            way: Way::DropIn,
            now: self.clock.now(),
        };
        self.reach.world(tx, asking, &pair.to).await
    }
}

async fn grant_of(
    tx: &mut Tx,
    world: &World,
    target: DeviceId,
    picture: bool,
) -> Result<Option<DropInGrant>, StoreError> {
    let Some(grant) = granting(world, target, picture) else {
        return Ok(None);
    };
    let (by, id): (_, GrantId) = (grant.by, grant.id);
    let row = store::drop_in::find(tx, by, id).await?;
    Ok(row.map(|row| DropInGrant {
        id,
        statement: Blob(row.statement),
    }))
}
