//! The verbs of who is near: devices report, people ask, and who may see it is told of changes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{Activity, Callee, CameraSwitch, DeviceKind, Event, NearDevice};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval};

use super::table::Table;
use super::{ReportError, SetNearbyError};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::households::{NotAdult, adult_of};
use crate::domain::identity::{GrantStatement, GrantTo};
use crate::domain::reach::{Asking, Reach, Way, may_see};
use crate::model::{Clock, NoRight, Speaker, UnixMillis};
use crate::store::devices::DeviceRow;
use crate::store::{self, Db, StoreError, Tx, accounts};

/// How often it is looked whether what is shown has grown old. It is rounded to five minutes.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// People who were told of somebody near. Others ask for it.
const TOLD_MAX: usize = 4_096;

/// Who is near which home device. Clones share it.
#[derive(Debug, Clone)]
pub struct Nearby(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Db,
    bus: Bus,
    clock: Clock,
    reach: Reach,
    table: Mutex<Table>,
    /// What is shown may have changed.
    changed: Arc<Notify>,
}

/// What people were told last, if it was anything.
type Told = HashMap<AccountId, Vec<NearDevice>>;

impl Nearby {
    /// Starts, and tells people of what changes.
    #[must_use]
    pub fn start((db, bus, clock): (Db, Bus, Clock), reach: Reach) -> Self {
        let notices = bus.notices();
        let shared = Arc::new(Shared {
            db,
            bus,
            clock,
            reach,
            table: Mutex::default(),
            changed: Arc::default(),
        });
        tokio::spawn(tell(Arc::downgrade(&shared), notices));
        Self(shared)
    }

    /// A home device noticed somebody. Nothing is kept of what a covered camera saw, nor of a device that may
    /// not say it, nor of one that says it again and again.
    ///
    /// # Errors
    /// When it is no home device.
    pub async fn report(&self, speaker: &Speaker, activity: Activity) -> Result<(), ReportError> {
        let (Some(household), Some(device), DeviceKind::HomeDevice) =
            (speaker.household, speaker.device, speaker.kind)
        else {
            return Err(ReportError::NotAHomeDevice);
        };
        let now = self.0.clock.now();
        if !self.0.table().may_tell(device, now) {
            return Ok(());
        }
        let mut tx = self.0.db.read().await?;
        let row = store::devices::find(&mut tx, device).await?;
        let heeded = row.is_some_and(|row| heeds(&row, activity));
        if heeded && self.0.table().seen(device, household, now) {
            self.0.changed.notify_one();
        }
        Ok(())
    }

    /// Whether a home device may say that somebody is near. Switched off, what it said is forgotten.
    ///
    /// # Errors
    /// When the speaker is neither the device nor an adult's app of its household.
    pub async fn set_device(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        on: bool,
    ) -> Result<(), SetNearbyError> {
        let mut tx = self.0.db.write().await?;
        let household = if speaker.device == Some(device) {
            speaker
                .household
                .ok_or(NotAdult::from(NoRight::NoHousehold))?
        } else {
            adult_of(&mut tx, speaker).await?
        };
        let row = store::devices::find(&mut tx, device).await?;
        let row = row
            .filter(|row| stands_in(row, household))
            .ok_or(SetNearbyError::NotFound)?;
        let mut settings = row.settings.view();
        settings.recently_active = on;
        store::devices::set_settings(&mut tx, device, &row.label, &settings).await?;
        tx.commit().await?;
        if !on {
            self.0.table().forget(device);
        }
        let event = Event::DeviceSettingsChanged {
            device,
            label: row.label,
            settings,
        };
        let audience = Audience::Household(household);
        self.0.bus.publish(audience, event);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Near which home devices somebody was lately, of those that the speaker may drop in on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, speaker: &Speaker) -> Result<Vec<NearDevice>, StoreError> {
        let mut tx = self.0.db.read().await?;
        let mut lets = BTreeMap::new();
        self.0.shown_to(&mut tx, speaker.account, &mut lets).await
    }

    /// When somebody was near a device, if it was lately.
    #[must_use]
    pub fn at(&self, device: DeviceId, now: UnixMillis) -> Option<UnixMillis> {
        self.0.table().at(device, now)
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a person may see now, whichever of their apps asks.
    async fn shown_to(
        &self,
        tx: &mut Tx,
        account: AccountId,
        lets: &mut BTreeMap<HouseholdId, Vec<Grantee>>,
    ) -> Result<Vec<NearDevice>, StoreError> {
        let now = self.clock.now();
        let near = self.table().all(now);
        let asker = accounts::find(tx, account).await?;
        let Some(own) = asker.and_then(|asker| asker.household.0) else {
            return Ok(Vec::new());
        };
        let mut shown = Vec::new();
        for (device, home, minutes_ago) in near {
            // Of homes that have let nobody in whom this could be, nothing more is asked.
            let to = match lets.entry(home) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(grantees(tx, home, now).await?),
            };
            if !to.iter().any(|to| to.could_be(account, own)) {
                continue;
            }
            let asking = Asking {
                account,
                device: None,
                household: Some(own),
                way: Way::DropIn,
                now,
            };
            if let Some(whose) = self.seen_by(tx, asking, (device, home)).await? {
                let (device, handle) = whose;
                shown.push(NearDevice {
                    device,
                    handle,
                    minutes_ago,
                });
            }
        }
        Ok(one_of_each(shown))
    }

    /// How a device is shown to somebody: by its id in the own household, else by its person's handle.
    async fn seen_by(
        &self,
        tx: &mut Tx,
        asking: Asking,
        (device, home): (DeviceId, HouseholdId),
    ) -> Result<Option<(Option<DeviceId>, Option<homeline_protocol::Handle>)>, StoreError> {
        let row = store::devices::find(tx, device).await?;
        let row = row.filter(|row| stands_in(row, home) && row.settings.recently_active);
        let Some(row) = row else { return Ok(None) };
        let owner = accounts::find(tx, row.account).await?;
        let Some(owner) = owner else { return Ok(None) };
        let family = asking.household == Some(home);
        let to = match family {
            true => Callee::Device { device },
            false => Callee::Person {
                handle: owner.handle.clone(),
            },
        };
        let world = self.reach.world(tx, asking, &to).await?;
        let sees = world.is_some_and(|world| may_see(&world, device));
        let shown = match family {
            true => (Some(device), None),
            false => (None, Some(owner.handle)),
        };
        Ok(sees.then_some(shown))
    }

    /// Tells everybody whose list is another one now.
    async fn tell(&self, told: &mut Told) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.table().sweep(now);
        let homes: BTreeSet<_> = self.table().all(now).iter().map(|one| one.1).collect();
        let mut people: BTreeSet<AccountId> = told.keys().copied().collect();
        let mut tx = self.db.read().await?;
        // Asked once for each home, not once more for each person.
        let mut lets = BTreeMap::new();
        for home in homes {
            let to = grantees(&mut tx, home, now).await?;
            for to in &to {
                people.extend(to.people(&mut tx).await?);
            }
            lets.insert(home, to);
        }
        for account in people {
            let devices = self.shown_to(&mut tx, account, &mut lets).await?;
            let before = told.get(&account).map_or(&[][..], Vec::as_slice);
            if before == devices || (before.is_empty() && told.len() >= TOLD_MAX) {
                continue;
            }
            if devices.is_empty() {
                told.remove(&account);
            } else {
                told.insert(account, devices.clone());
            }
            let event = Event::RecentlyActive { devices };
            self.bus.publish(Audience::Account(account), event);
        }
        Ok(())
    }
}

/// Until the bus or the service is gone. Whatever changes who may drop in changes who sees it.
async fn tell(shared: Weak<Shared>, mut notices: mpsc::Receiver<Notice>) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::new();
    while let Some(now) = shared.upgrade() {
        if let Err(error) = now.tell(&mut told).await {
            tracing::error!(%error, "who is near could not be told");
        }
        let changed = Arc::clone(&now.changed);
        drop(now);
        tokio::select! {
            concerns = concerning(&mut notices) => if concerns.is_none() { return },
            () = changed.notified() => {}
            _ = look.tick() => {}
        }
        // All that has come by now is answered by one look.
        while notices.try_recv().is_ok() {}
    }
}

/// The next notice that can change who sees what; `None` when the bus is gone.
async fn concerning(notices: &mut mpsc::Receiver<Notice>) -> Option<Notice> {
    loop {
        match notices.recv().await? {
            Notice::Switched { .. } => {}
            notice => return Some(notice),
        }
    }
}

/// Whom a grant may let in.
enum Grantee {
    Person(AccountId),
    Household(HouseholdId),
}

impl Grantee {
    fn could_be(&self, account: AccountId, household: HouseholdId) -> bool {
        match self {
            Self::Person(person) => *person == account,
            Self::Household(home) => *home == household,
        }
    }

    async fn people(&self, tx: &mut Tx) -> Result<Vec<AccountId>, StoreError> {
        Ok(match self {
            Self::Person(person) => vec![*person],
            Self::Household(home) => {
                let members = accounts::members(tx, *home).await?;
                members.into_iter().map(|row| row.id).collect()
            }
        })
    }
}

async fn grantees(
    tx: &mut Tx,
    home: HouseholdId,
    now: UnixMillis,
) -> Result<Vec<Grantee>, StoreError> {
    let rows = store::drop_in::counting(tx, home, now).await?;
    // They were checked when they were stored.
    let said = rows
        .iter()
        .filter_map(|row| GrantStatement::stored(&row.statement).ok());
    Ok(said
        .filter_map(|said| match said.to {
            GrantTo::Person { person, .. } => person.map(Grantee::Person),
            _ => Some(Grantee::Household(said.to.household().unwrap_or(home))),
        })
        .collect())
}

fn heeds(row: &DeviceRow, activity: Activity) -> bool {
    let sees = row.settings.switches().camera == CameraSwitch::On;
    row.settings.recently_active && (activity == Activity::Interaction || sees)
}

fn stands_in(row: &DeviceRow, household: HouseholdId) -> bool {
    let here = row.household.0 == Some(household) && row.removed_at_ms.is_none();
    here && row.kind.0 == DeviceKind::HomeDevice
}

/// Of another household's person one is shown, however many devices are theirs.
fn one_of_each(mut shown: Vec<NearDevice>) -> Vec<NearDevice> {
    shown.sort_by(|one, next| {
        let key = |near: &NearDevice| (near.device, near.handle.as_ref().map(ToString::to_string));
        key(one)
            .cmp(&key(next))
            .then(one.minutes_ago.cmp(&next.minutes_ago))
    });
    shown.dedup_by(|later, first| later.device == first.device && later.handle == first.handle);
    shown
}
