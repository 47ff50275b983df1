//! The verbs of announcements.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{AnnouncementId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    AnnounceTo, Announced, AnnouncementFate, AnnouncementHeard, AnnouncementReceiver, Callee,
    DeviceSealingKey, Event, Place,
};

use super::rules::{
    self, CONTENT_BYTES_MAX, DEVICES_COUNTED_MAX, FRESH, FRESH_MAX, LEAD, RATE, STATEMENT_BYTES_MAX,
};
use super::{AnnounceError, NotAMember, NotForYou, PutSealingKeyError};
use crate::bus::{Audience, Bus};
use crate::domain::identity::{AnnouncementStatement, SealingKeyStatement, StatementError};
use crate::domain::limits::Limiter;
use crate::domain::reach::{Asking, Reach, Way, World};
use crate::domain::roster;
use crate::model::{Clock, NoRight, Speaker, UnixMillis};
use crate::store::announcements::{AnnouncementRow, FateColumn, ReceiverRow};
use crate::store::{self, Db, StoreError, Tx};

/// What is announced.
#[derive(Debug)]
pub struct Announcements {
    db: Db,
    bus: Bus,
    clock: Clock,
    reach: Reach,
    often: Limiter<DeviceId>,
}

impl Announcements {
    /// The service, from its parts.
    #[must_use]
    pub fn new((db, bus, clock): (Db, Bus, Clock), reach: Reach) -> Self {
        Self {
            db,
            bus,
            clock,
            reach,
            often: Limiter::new(RATE, DEVICES_COUNTED_MAX),
        }
    }

    /// The server's clock.
    #[must_use]
    pub fn time(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Stores the speaker's own sealing key. Repeating it is no error.
    ///
    /// # Errors
    /// When the statement is not the speaker's own word.
    pub async fn put_key(
        &self,
        speaker: &Speaker,
        statement: &Blob,
    ) -> Result<(), PutSealingKeyError> {
        let (household, device) = member(speaker)?;
        let mut tx = self.db.write().await?;
        let roster = roster::load(&mut tx, household).await?;
        let said = SealingKeyStatement::open(statement.as_ref(), &roster)?;
        if said.device != device {
            return Err(StatementError::SaysOtherwise.into());
        }
        store::announcements::put_key(&mut tx, device, statement.as_ref()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What can be sealed to the household's home devices.
    ///
    /// # Errors
    /// When the speaker is in no household.
    pub async fn keys(&self, speaker: &Speaker) -> Result<Vec<DeviceSealingKey>, NotAMember> {
        let (household, _) = member(speaker)?;
        let rows = store::announcements::keys(&mut self.db.read().await?, household).await?;
        let keys = rows.into_iter().map(|row| DeviceSealingKey {
            device: row.id,
            statement: row.sealing_key.into(),
        });
        Ok(keys.collect())
    }

    /// Announces something, and tells the devices. Repeating it is no error and tells nobody again.
    ///
    /// # Errors
    /// When the speaker may not, the statement does not hold, or it is too long or too much.
    pub async fn announce(
        &self,
        speaker: &Speaker,
        (id, to): (AnnouncementId, &AnnounceTo),
        (statement, content): (&Blob, &Blob),
    ) -> Result<Vec<AnnouncementReceiver>, AnnounceError> {
        let (household, device) = member(speaker)?;
        if statement.0.len() > STATEMENT_BYTES_MAX || content.0.len() > CONTENT_BYTES_MAX {
            return Err(AnnounceError::TooLong);
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        if let Some(row) = store::announcements::find(&mut tx, household, id).await? {
            if row.device != device || row.statement != statement.0 {
                return Err(AnnounceError::IdTaken);
            }
            return Ok(receivers(&mut tx, household, id).await?);
        }
        let roster = roster::load(&mut tx, household).await?;
        let said = AnnouncementStatement::open(statement.as_ref(), &roster)?;
        if said.id != id || said.signer != device {
            return Err(StatementError::SaysOtherwise.into());
        }
        rules::check(&said, content.as_ref(), now)?;
        let world = self.world(&mut tx, speaker, to, now).await?;
        let fates = rules::fates(&world, &said.devices)?;
        self.often.check(&device, now)?;
        store::announcements::delete_expired(&mut tx, now).await?;
        if store::announcements::count(&mut tx, household).await? >= FRESH_MAX {
            return Err(AnnounceError::Full);
        }
        let row = AnnouncementRow {
            id,
            device,
            statement: statement.0.clone(),
            begin_at_ms: now.plus(LEAD),
            expires_at_ms: now.plus(FRESH),
        };
        let rows: Vec<_> = fates
            .iter()
            .map(|(device, fate)| ReceiverRow {
                device: *device,
                fate: FateColumn(*fate),
            })
            .collect();
        store::announcements::insert(&mut tx, household, &row, content.as_ref(), &rows).await?;
        let told = receivers(&mut tx, household, id).await?;
        tx.commit().await?;
        for one in rows
            .iter()
            .filter(|one| one.fate.0 != AnnouncementFate::Quiet)
        {
            // One that is away may have come meanwhile; it is told once, whichever way.
            let event = Event::Announced(view(&row, one.fate));
            self.bus.publish(Audience::Device(one.device), event);
        }
        Ok(told)
    }

    /// What waits for the speaker's device, the oldest first.
    ///
    /// # Errors
    /// When the speaker is in no household.
    pub async fn waiting(&self, speaker: &Speaker) -> Result<Vec<Announced>, NotAMember> {
        let own = member(speaker)?;
        let now = self.clock.now();
        let rows = store::announcements::waiting(&mut self.db.read().await?, own, now).await?;
        let told = rows.iter().map(|row| view(&row.announcement, row.fate));
        Ok(told.collect())
    }

    /// The encrypted content of one that is for the speaker's device.
    ///
    /// # Errors
    /// When there is no such one.
    pub async fn content(&self, speaker: &Speaker, id: AnnouncementId) -> Result<Blob, NotForYou> {
        let own = member(speaker)?;
        let now = self.clock.now();
        let mut tx = self.db.read().await?;
        let content = store::announcements::content(&mut tx, own, id, now).await?;
        Ok(content.ok_or(NotForYou::NotFound)?.into())
    }

    /// Notes what the speaker's device made of one, and tells the announcing device. Repeating it is no
    /// error; the first word counts.
    ///
    /// # Errors
    /// When there is no such one.
    pub async fn heard(
        &self,
        speaker: &Speaker,
        id: AnnouncementId,
        heard: AnnouncementHeard,
    ) -> Result<(), NotForYou> {
        let (household, device) = member(speaker)?;
        let mut tx = self.db.write().await?;
        let row = store::announcements::find(&mut tx, household, id).await?;
        let row = row.ok_or(NotForYou::NotFound)?;
        let own = (household, device);
        if !store::announcements::set_heard(&mut tx, own, id, heard).await? {
            let mut all = receivers(&mut tx, household, id).await?.into_iter();
            let known = all.any(|one| one.device == device);
            return if known {
                Ok(())
            } else {
                Err(NotForYou::NotFound)
            };
        }
        tx.commit().await?;
        let event = Event::AnnouncementHeard {
            announcement: id,
            device,
            heard,
        };
        self.bus.publish(Audience::Device(row.device), event);
        Ok(())
    }

    /// Deletes what is not fresh any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        store::announcements::delete_expired(&mut tx, self.clock.now()).await?;
        tx.commit().await
    }

    /// What decides where something is heard.
    pub(in crate::domain) async fn world(
        &self,
        tx: &mut Tx,
        speaker: &Speaker,
        to: &AnnounceTo,
        now: UnixMillis,
    ) -> Result<World, AnnounceError> {
        let asking = Asking {
            account: speaker.account,
            device: speaker.device,
            household: speaker.household,
            way: Way::Announcement,
            now,
        };
        let home = Callee::Place { place: Place::Home };
        let callee = match to {
            AnnounceTo::Home | AnnounceTo::Zone { .. } => home,
            AnnounceTo::Device { device } => Callee::Device { device: *device },
        };
        let world = self.reach.world(tx, asking, &callee).await?;
        let mut world = world.ok_or(AnnounceError::NotFound)?;
        if let (AnnounceTo::Zone { room }, Some(household)) = (to, speaker.household) {
            let zone = in_room(tx, household, room).await?;
            if zone.is_empty() {
                return Err(AnnounceError::NoSuchRoom);
            }
            rules::narrow(&mut world, &zone);
        }
        Ok(world)
    }
}

/// The speaker's household and device.
pub(in crate::domain) fn member(speaker: &Speaker) -> Result<(HouseholdId, DeviceId), NoRight> {
    let both = speaker.household.zip(speaker.device);
    both.ok_or(NoRight::NoHousehold)
}

async fn in_room(
    tx: &mut Tx,
    household: HouseholdId,
    room: &str,
) -> Result<BTreeSet<DeviceId>, StoreError> {
    let wanted = room.trim().to_lowercase();
    let rows = store::devices::of_household(tx, household).await?;
    let there = rows.into_iter().filter(|row| {
        let room = row.settings.room.trim().to_lowercase();
        !room.is_empty() && room == wanted
    });
    Ok(there.map(|row| row.id).collect())
}

async fn receivers(
    tx: &mut Tx,
    household: HouseholdId,
    id: AnnouncementId,
) -> Result<Vec<AnnouncementReceiver>, StoreError> {
    let rows = store::announcements::receivers(tx, household, id).await?;
    let all = rows.into_iter().map(|row| AnnouncementReceiver {
        device: row.device,
        fate: row.fate.0,
    });
    Ok(all.collect())
}

fn view(row: &AnnouncementRow, fate: FateColumn) -> Announced {
    Announced {
        announcement: row.id,
        statement: row.statement.clone().into(),
        begin_at_ms: row.begin_at_ms.0,
        expires_at_ms: row.expires_at_ms.0,
        play: fate.0 != AnnouncementFate::Quiet,
    }
}
