//! The owner makes another adult the owner, by hand.

use homeline_protocol::id::AccountId;
use homeline_protocol::session::{Event, Role};

use super::HandOverError;
use super::rules::{BadHeir, check_heir};
use super::service::{Members, standings};
use crate::bus::Audience;
use crate::domain::households::adult_of;
use crate::domain::roster::member_view;
use crate::model::Speaker;
use crate::store;

impl Members {
    /// Makes another adult the owner, and the speaker an adult like the others. Doing it to oneself
    /// changes nothing.
    ///
    /// # Errors
    /// When the speaker does not own the household, or the other can't.
    pub async fn hand_over_ownership(
        &self,
        speaker: &Speaker,
        to: AccountId,
    ) -> Result<(), HandOverError> {
        let mut tx = self.db.write().await?;
        let household = adult_of(&mut tx, speaker).await?;
        let members = standings(&mut tx, household).await?;
        check_heir(&members, speaker.account, to).map_err(|bad| match bad {
            BadHeir::ByAnother => HandOverError::NotOwner,
            BadHeir::Unknown => HandOverError::NotFound,
            BadHeir::CannotOwn => HandOverError::NoHeir,
        })?;
        if to == speaker.account {
            return Ok(());
        }
        let mut changed = Vec::new();
        for (account, role) in [(speaker.account, Role::Adult), (to, Role::Owner)] {
            store::accounts::set_role(&mut tx, account, role).await?;
            let row = store::accounts::find(&mut tx, account).await?;
            changed.push(member_view(&row.ok_or(HandOverError::NotFound)?));
        }
        tx.commit().await?;
        for member in changed {
            let audience = Audience::Household(household);
            self.bus.publish(audience, Event::MemberChanged(member));
        }
        Ok(())
    }
}
