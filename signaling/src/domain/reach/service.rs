//! Loads the facts of one question. What they mean is for `rules`.

use std::sync::Arc;

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    Callee, Capabilities, DeviceKind, Place, Presence, QuietSchedule, Role,
};

use super::facts::{
    ALL_ON, Asker, ChildFacts, Companion, DeviceFacts, Grant, Grantee, GuestFacts, PersonFacts,
    StrangerCalls, StrangerLimits, Target, Way, World,
};
use super::quiet::{QuietFacts, Schedule};
use super::strangers::Strangers;
use super::together::Attendee;
use crate::domain::guests::Guests;
use crate::domain::identity::{GrantStatement, GrantTo};
use crate::domain::presence::PresenceService;
use crate::model::UnixMillis;
use crate::store::accounts::AccountRow;
use crate::store::devices::DeviceRow;
use crate::store::rules::chosen::{self, Chosen};
use crate::store::rules::{children, people};
use crate::store::{self, Nullable, StoreError, Tx};

/// Nobody has this id; asked for where nobody has a handle, so that it takes as long.
const NOBODY: AccountId = AccountId([0; 16]);

/// What a guest's page can do, as far as anybody knows.
const A_PAGE: Capabilities = Capabilities {
    microphone: true,
    speaker: true,
    screen: true,
    camera: true,
};

/// What knows the facts. Clones share it.
#[derive(Debug, Clone)]
pub struct Reach {
    presence: PresenceService,
    guests: Guests,
    strangers: Arc<Strangers>,
    limits: StrangerLimits,
}

/// Who asks, as a session says it.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// The person.
    pub account: AccountId,
    /// From which app or device.
    pub device: Option<DeviceId>,
    /// For which household.
    pub household: Option<HouseholdId>,
    /// How.
    pub way: Way,
    /// Now.
    pub now: UnixMillis,
}

impl Reach {
    /// With these limits.
    #[must_use]
    pub fn new(presence: PresenceService, guests: Guests, limits: StrangerLimits) -> Self {
        Self {
            presence,
            guests,
            strangers: Arc::default(),
            limits,
        }
    }

    /// The facts of one question; `None` when the asker's account is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn world(
        &self,
        tx: &mut Tx,
        asking: Asking,
        to: &Callee,
    ) -> Result<Option<World>, StoreError> {
        let Some(row) = store::accounts::find(tx, asking.account).await? else {
            return Ok(None);
        };
        let asker = Asker {
            account: row.id,
            handle: row.handle.clone(),
            name: row.display_name.clone(),
            device: asking.device,
            household: asking.household,
            child: child(tx, &row).await?,
        };
        let target = match to {
            Callee::Person { handle } => {
                let row = store::accounts::by_handle(tx, handle).await?;
                let person = self.person(tx, &asker, row.as_ref(), asking.now).await?;
                let person = row.map(|_| person);
                Target::Person {
                    handle: handle.clone(),
                    person,
                }
            }
            Callee::Device { device } => {
                let owner = self.owner(tx, &asker, *device, asking.now).await?;
                Target::Device {
                    device: *device,
                    owner,
                }
            }
            Callee::Guest { guest } => Target::Guest {
                guest: self.guest(*guest),
            },
            Callee::Place { place: Place::Home } => {
                let people = self.household(tx, &asker, asking.now).await?;
                Target::Home { people }
            }
        };
        let grants = match asking.way {
            Way::DropIn => grants(tx, &target, asking.now).await?,
            Way::Call | Way::Message | Way::Announcement => Vec::new(),
        };
        Ok(Some(World {
            now: asking.now,
            way: asking.way,
            asker,
            target,
            grants,
            limits: self.limits,
            company: Vec::new(),
        }))
    }

    fn guest(&self, device: DeviceId) -> Option<GuestFacts> {
        let visitor = self.guests.visitor(device)?;
        Some(GuestFacts {
            account: visitor.account,
            maker: visitor.maker,
            label: visitor.label.clone(),
            waits: visitor.waits,
            let_in: visitor.let_in,
            device: DeviceFacts {
                device,
                kind: DeviceKind::App,
                label: visitor.label,
                quiet: false,
                capabilities: A_PAGE,
                switches: ALL_ON,
                session: visitor.session,
                push: false,
                drop_in: false,
            },
        })
    }

    /// The same question about a call that these people are in: the target would talk with them all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn among(
        &self,
        tx: &mut Tx,
        mut world: World,
        there: &[AccountId],
    ) -> Result<World, StoreError> {
        let (handle, target) = match &world.target {
            Target::Person { handle, person } => {
                let target = person.as_ref().map_or(NOBODY, |person| person.account);
                (Some(handle), target)
            }
            // A guest has no handle that somebody could have blocked.
            Target::Guest { .. } => (None, NOBODY),
            Target::Device { .. } | Target::Household { .. } | Target::Home { .. } => {
                return Ok(world);
            }
        };
        let others = there.iter().filter(|one| **one != world.asker.account);
        let mut company = Vec::new();
        for account in others.filter(|one| **one != target) {
            if self.guests.has_account(*account) {
                company.push(Companion::guest());
                continue;
            }
            let Some(row) = store::accounts::find(tx, *account).await? else {
                continue;
            };
            let theirs = match handle {
                Some(handle) => people::blocks(tx, row.id, handle).await?,
                None => false,
            };
            let own = people::blocks(tx, target, &row.handle).await?;
            company.push(Companion {
                household: row.household.0,
                child: child(tx, &row).await?,
                blocked: theirs || own,
                handle: row.handle,
                guest: false,
            });
        }
        world.company = company;
        Ok(world)
    }

    /// A person as others in a call find them; `None` when the account is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attendee(
        &self,
        tx: &mut Tx,
        account: AccountId,
    ) -> Result<Option<Attendee>, StoreError> {
        if self.guests.has_account(account) {
            return Ok(Some(Attendee::guest()));
        }
        let Some(row) = store::accounts::find(tx, account).await? else {
            return Ok(None);
        };
        Ok(Some(Attendee {
            child: child(tx, &row).await?,
            handle: row.handle,
            household: row.household.0,
            guest: false,
        }))
    }

    /// A stranger's call rings somebody: it counts.
    pub fn count_stranger(&self, callee: AccountId, from: AccountId, now: UnixMillis) {
        self.strangers.rang(callee, from, now);
    }

    async fn owner(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        device: DeviceId,
        now: UnixMillis,
    ) -> Result<Option<PersonFacts>, StoreError> {
        let row = store::devices::find(tx, device).await?;
        let row = row.filter(|row| row.removed_at_ms.is_none());
        let Some(row) = row.filter(|row| row.household.0.is_some()) else {
            return Ok(None);
        };
        let account = store::accounts::find(tx, row.account).await?;
        Ok(match account {
            Some(account) => Some(self.person(tx, asker, Some(&account), now).await?),
            None => None,
        })
    }

    async fn household(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        now: UnixMillis,
    ) -> Result<Vec<PersonFacts>, StoreError> {
        let mut people = Vec::new();
        if let Some(household) = asker.household {
            for row in store::accounts::members(tx, household).await? {
                people.push(self.person(tx, asker, Some(&row), now).await?);
            }
        }
        Ok(people)
    }

    /// A person's facts. For nobody the same questions are asked of the database.
    async fn person(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        row: Option<&AccountRow>,
        now: UnixMillis,
    ) -> Result<PersonFacts, StoreError> {
        let account = row.map_or(NOBODY, |row| row.id);
        let household = row.and_then(|row| row.household.0);
        let looked_in = household.unwrap_or(HouseholdId([0; 16]));
        let devices = store::devices::of_account(tx, account).await?;
        let woken = store::push::devices_of(tx, account).await?;
        let standing = people::standing(tx, (account, looked_in), &asker.handle).await?;
        Ok(PersonFacts {
            account,
            name: row.map_or(String::new(), |row| row.display_name.clone()),
            household,
            child: match row {
                Some(row) => child(tx, row).await?,
                None => None,
            },
            blocks_asker: standing.blocks(),
            knows_asker: standing.knows(),
            stranger_calls: self.strangers.calls(account, asker.account, now),
            quiet: quiet(tx, (account, looked_in), &standing).await?,
            devices: devices
                .iter()
                .map(|row| self.device(row, woken.contains(&row.id)))
                .collect(),
        })
    }

    fn device(&self, row: &DeviceRow, push: bool) -> DeviceFacts {
        DeviceFacts {
            device: row.id,
            kind: row.kind.0,
            label: row.label.clone(),
            quiet: row.settings.quiet,
            capabilities: row.settings.capabilities(),
            switches: row.settings.switches(),
            session: self.presence.of(row.id) != Presence::Offline,
            push,
            drop_in: row.settings.drop_in,
        }
    }
}

impl World {
    /// The same question about a call that was let through already: its own call counts no more.
    #[must_use]
    pub fn let_through(mut self) -> Self {
        if let Target::Person {
            person: Some(person),
            ..
        } = &mut self.target
        {
            person.stranger_calls = StrangerCalls::default();
        }
        if let Target::Guest { guest: Some(guest) } = &mut self.target {
            guest.waits |= guest.let_in;
        }
        self
    }

    /// Every device that could come into question.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceFacts> {
        let people: &[PersonFacts] = match &self.target {
            Target::Person { person: one, .. } | Target::Device { owner: one, .. } => {
                one.as_slice()
            }
            Target::Household { people } | Target::Home { people } => people,
            Target::Guest { .. } => &[],
        };
        let guest = match &self.target {
            Target::Guest { guest } => guest.as_ref().map(|guest| &guest.device),
            _ => None,
        };
        people
            .iter()
            .flat_map(|person| &person.devices)
            .chain(guest)
    }
}

/// What lets anybody drop in on the target's devices now. For nobody the same question is asked.
async fn grants(tx: &mut Tx, target: &Target, now: UnixMillis) -> Result<Vec<Grant>, StoreError> {
    let people: &[PersonFacts] = match target {
        Target::Person { person: one, .. } | Target::Device { owner: one, .. } => one.as_slice(),
        Target::Household { people } | Target::Home { people } => people,
        Target::Guest { .. } => &[],
    };
    // All of a target are of one household.
    let by = people.iter().find_map(|person| person.household);
    let by = by.unwrap_or(HouseholdId([0; 16]));
    let rows = store::drop_in::counting(tx, by, now).await?;
    // They were checked when they were stored.
    let said = rows
        .iter()
        .filter_map(|row| GrantStatement::stored(&row.statement).ok());
    Ok(said.filter_map(|said| grant(by, said)).collect())
}

fn grant(by: HouseholdId, said: GrantStatement) -> Option<Grant> {
    let home = said.to.household().unwrap_or(by);
    let people = match &said.to {
        GrantTo::Household { people, .. } => people.clone(),
        GrantTo::OwnHousehold | GrantTo::Person { .. } => None,
    };
    let to = match said.to {
        GrantTo::OwnHousehold | GrantTo::Household { .. } => Grantee::Household(home),
        GrantTo::Person { person, .. } => Grantee::Person(person?, home),
    };
    let hours = said.hours.as_ref().map(Schedule::try_from);
    Some(Grant {
        id: said.id,
        picture: said.picture,
        people,
        by,
        to,
        devices: said.devices,
        hours: hours.transpose().ok()?,
    })
}

async fn child(tx: &mut Tx, row: &AccountRow) -> Result<Option<ChildFacts>, StoreError> {
    let (Role::Child, Nullable(Some(household))) = (row.role.0, row.household) else {
        return Ok(None);
    };
    let stored = children::find(tx, row.id).await?;
    let stored = stored.unwrap_or_else(|| children::ChildRow::unasked(row.id));
    Ok(Some(ChildFacts {
        consented: stored.consent_by.0.is_some(),
        calling: stored.calling,
        messaging: stored.messaging,
        drop_in: stored.drop_in,
        contacts: chosen::handles(tx, Chosen::ForChild, row.id, household).await?,
    }))
}

async fn quiet(
    tx: &mut Tx,
    (account, household): (AccountId, HouseholdId),
    standing: &people::StandingRow,
) -> Result<QuietFacts, StoreError> {
    let windows = people::windows(tx, account).await?;
    let undisturbed = Chosen::Undisturbed;
    let exceptions: Vec<Handle> = chosen::handles(tx, undisturbed, account, household).await?;
    let zone = standing.quiet_zone.clone();
    let schedule = zone.map(|time_zone| QuietSchedule { time_zone, windows });
    Ok(QuietFacts {
        everywhere: standing.quiet_everywhere(),
        // It was checked when it was stored.
        schedule: schedule.and_then(|one| Schedule::try_from(&one).ok()),
        exceptions,
    })
}
