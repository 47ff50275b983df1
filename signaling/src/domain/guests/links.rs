//! The verbs of links.

use std::collections::BTreeSet;

use homeline_protocol::id::{AccountId, CallLinkId};
use homeline_protocol::session::{CallLink, Event, Role};

use super::rules::{self, LINKS_MAX};
use super::{Guests, LinkError};
use crate::model::{Speaker, UnixMillis};
use crate::store::accounts::AccountRow;
use crate::store::call_links::CallLinkRow;
use crate::store::{self, StoreError};

impl Guests {
    /// Makes a link. Its secret is made by the app and never comes here. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, a field is out of its bounds, or too many are open.
    pub async fn make_link(
        &self,
        speaker: &Speaker,
        id: CallLinkId,
        label: &str,
        expires_at: UnixMillis,
    ) -> Result<(), LinkError> {
        speaker.app()?;
        let now = self.0.clock.now();
        let mut tx = self.0.db.write().await?;
        let account = store::accounts::find(&mut tx, speaker.account).await?;
        may_have_guests(account.as_ref())?;
        match store::call_links::find(&mut tx, id).await? {
            Some(row) if row.maker == speaker.account => return Ok(()),
            Some(_) => return Err(LinkError::IdTaken),
            None => {}
        }
        rules::check(label, expires_at, now).map_err(LinkError::Field)?;
        let links = store::call_links::of_maker(&mut tx, speaker.account).await?;
        if links.iter().filter(|row| row.expires_at_ms > now).count() >= LINKS_MAX {
            return Err(LinkError::TooMany);
        }
        let row = CallLinkRow {
            id,
            maker: speaker.account,
            label: label.to_owned(),
            made_at_ms: now,
            expires_at_ms: expires_at,
        };
        store::call_links::insert(&mut tx, &row).await?;
        tx.commit().await?;
        let made = Event::CallLinkMade(view(row));
        Ok(self.0.tell_apps(speaker.account, &[made]).await?)
    }

    /// The speaker's links that have not ended, the newest first.
    ///
    /// # Errors
    /// When the speaker is no person's app.
    pub async fn links(&self, speaker: &Speaker) -> Result<Vec<CallLink>, LinkError> {
        speaker.app()?;
        let now = self.0.clock.now();
        let mut tx = self.0.db.read().await?;
        let rows = store::call_links::of_maker(&mut tx, speaker.account).await?;
        let open = rows.into_iter().filter(|row| row.expires_at_ms > now);
        Ok(open.map(view).collect())
    }

    /// Ends a link of the speaker's: whoever waits at it is sent away. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker is no person's app.
    pub async fn revoke_link(&self, speaker: &Speaker, id: CallLinkId) -> Result<(), LinkError> {
        speaker.app()?;
        let mut tx = self.0.db.write().await?;
        let row = store::call_links::find(&mut tx, id).await?;
        let Some(row) = row.filter(|row| row.maker == speaker.account) else {
            return Ok(());
        };
        store::call_links::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(self.ended(&[row]).await?)
    }

    /// Ends all links of a person who left their household, or became a child.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_links_of(&self, maker: AccountId) -> Result<(), StoreError> {
        let mut tx = self.0.db.write().await?;
        let rows = store::call_links::of_maker(&mut tx, maker).await?;
        for row in &rows {
            store::call_links::delete(&mut tx, row.id).await?;
        }
        tx.commit().await?;
        // Also those of an account that is gone, and its links with it.
        let gone = self.0.table().end(|guest| guest.maker == maker);
        self.0.tell_gone(&gone).await;
        self.ended(&rows).await
    }

    /// Sends away who has waited long enough, and forgets links that have ended. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let gone = self.0.table().due(now);
        self.0.tell_gone(&gone).await;
        let mut tx = self.0.db.write().await?;
        let rows = store::call_links::expired(&mut tx, now).await?;
        for row in &rows {
            store::call_links::delete(&mut tx, row.id).await?;
        }
        tx.commit().await?;
        self.ended(&rows).await
    }

    async fn ended(&self, rows: &[CallLinkRow]) -> Result<(), StoreError> {
        let links: BTreeSet<CallLinkId> = rows.iter().map(|row| row.id).collect();
        let gone = self.0.table().end(|guest| links.contains(&guest.link));
        self.0.tell_gone(&gone).await;
        for row in rows {
            let over = Event::CallLinkEnded { link: row.id };
            self.0.tell_apps(row.maker, &[over]).await?;
        }
        Ok(())
    }
}

/// Whether somebody may meet guests: an adult member of a household.
pub(super) fn may_have_guests(account: Option<&AccountRow>) -> Result<(), LinkError> {
    let account = account.filter(|row| row.household.0.is_some());
    match account.ok_or(LinkError::NotAdmitted)?.role.0 {
        Role::Child => Err(LinkError::Child),
        Role::Owner | Role::Adult => Ok(()),
    }
}

fn view(row: CallLinkRow) -> CallLink {
    CallLink {
        link: row.id,
        label: row.label,
        made_at_ms: row.made_at_ms.0,
        expires_at_ms: row.expires_at_ms.0,
    }
}
