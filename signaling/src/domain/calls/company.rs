//! Who may stay together in a running call: children's limits, when an adult changes them, and blocks, when somebody blocks in mid-call.
//!
//! Whoever may not stay leaves as if they had hung up, and what rings them falls silent there, while the
//! one outside waits as for somebody who does not answer. The others go on.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use tokio::sync::mpsc;

use super::input::{Input, Kind};
use super::service::Calls;
use super::task::{Message, send};
use crate::domain::reach::Attendee;
use crate::store::{StoreError, accounts, devices};

/// How often a new call is decided anew because limits or blocks changed meanwhile. Adults do not
/// change them so fast; then it is refused as when the server is full.
pub(super) const DECISIONS_MAX: usize = 8;

/// A running call as a child's limits or a block see it.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) mailbox: mpsc::Sender<Message>,
    /// A drop-in has limits of its own, which whoever let it through looks at; what is announced live was let
    /// through for its minute.
    pub(super) kind: Kind,
    /// Everybody who has a part, or may come to have one.
    pub(super) people: Vec<AccountId>,
    /// Whom it is for, where nobody has the handle.
    pub(super) nobody: Option<Handle>,
    /// Who takes part, if it is answered.
    pub(super) present: Vec<AccountId>,
    /// Who calls whom, or adds whom.
    pub(super) asks: Vec<(AccountId, AccountId)>,
}

impl Calls {
    /// A child's limits may have changed: calls that they do not allow go on without the child.
    pub(super) async fn child_limited(&self, account: AccountId) {
        self.0.index().decide_anew();
        if let Err(error) = self.keep_within_limits(account).await {
            tracing::error!(%error, "a child's calls could not be looked at");
        }
    }

    /// Somebody has blocked somebody: whoever blocks leaves the calls that both are in, and is rung
    /// no more by the other.
    pub(super) async fn blocked(&self, account: AccountId, handle: &Handle) {
        self.0.index().decide_anew();
        if let Err(error) = self.keep_apart(account, handle).await {
            tracing::error!(%error, "the calls of somebody who blocks could not be looked at");
        }
    }

    /// Limits changed while somebody was being added: everybody who is there is looked at again.
    pub(super) async fn look_again(&self, call: CallId) -> Result<(), StoreError> {
        let gathering = self.0.index().get(call).map(|entry| entry.gathering());
        for account in gathering.map(|one| one.people).unwrap_or_default() {
            self.keep_within_limits(account).await?;
        }
        Ok(())
    }

    async fn keep_within_limits(&self, account: AccountId) -> Result<(), StoreError> {
        let mut gatherings = self.0.index().gatherings(account);
        gatherings.retain(|one| one.kind == Kind::Call);
        if gatherings.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.db.read().await?;
        let child = self.0.reach.attendee(&mut tx, account).await?;
        let Some(child) = child.filter(|one| one.child.is_some()) else {
            return Ok(());
        };
        let mut outside = Vec::new();
        for gathering in gatherings {
            let mut may = child.may_call();
            for other in gathering.people.iter().filter(|one| **one != account) {
                let other = self.0.reach.attendee(&mut tx, *other).await?;
                may &= other.is_none_or(|other| child.may_be_with(&other));
            }
            may &= gathering
                .nobody
                .is_none_or(|handle| child.may_be_with(&nobody(handle)));
            if !may {
                outside.push(gathering.mailbox);
            }
        }
        let own = devices::of_account(&mut tx, account).await?;
        drop(tx);
        let own = own.into_iter().map(|row| row.id).collect();
        exclude(outside, account, own).await;
        Ok(())
    }

    async fn keep_apart(&self, account: AccountId, handle: &Handle) -> Result<(), StoreError> {
        let gatherings = self.0.index().gatherings(account);
        if gatherings.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.db.read().await?;
        let Some(blocked) = accounts::by_handle(&mut tx, handle).await? else {
            return Ok(());
        };
        let own = devices::of_account(&mut tx, account).await?;
        drop(tx);
        let with = |one: &Gathering| {
            let there = |who| one.present.contains(&who);
            there(account) && there(blocked.id) || one.asks.contains(&(blocked.id, account))
        };
        let gatherings = gatherings.into_iter().filter(with);
        let mailboxes = gatherings.map(|one| one.mailbox).collect();
        let own = own.into_iter().map(|row| row.id).collect();
        exclude(mailboxes, account, own).await;
        Ok(())
    }
}

async fn exclude(
    mailboxes: Vec<mpsc::Sender<Message>>,
    account: AccountId,
    devices: Vec<DeviceId>,
) {
    for mailbox in mailboxes {
        let input = Input::Excluded(account, devices.clone());
        send(&mailbox, Message::Input(input)).await;
    }
}

fn nobody(handle: Handle) -> Attendee {
    Attendee {
        handle,
        household: None,
        child: None,
        guest: false,
    }
}
