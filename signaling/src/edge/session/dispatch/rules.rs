//! The rules of reaching people: roles, leaving, settings, children.

use std::sync::Arc;

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::bus::Bus;
use crate::domain::accounts::Accounts;
use crate::domain::calls::Calls;
use crate::domain::children::Children;
use crate::domain::members::{Deregistration, Members};
use crate::domain::roster::RosterGate;
use crate::domain::settings::Settings;
use crate::model::{Clock, Speaker};
use crate::store::Db;

/// The services of this area.
#[derive(Debug, Clone)]
pub struct Rules {
    settings: Arc<Settings>,
    children: Arc<Children>,
    members: Arc<Members>,
}

impl Rules {
    /// From what they are built on.
    #[must_use]
    pub fn new(
        (db, bus, clock): (Db, Bus, Clock),
        gate: RosterGate,
        accounts: Arc<Accounts>,
        calls: Calls,
    ) -> Self {
        let parts = || (db.clone(), bus.clone(), clock.clone());
        let (store, events, time) = parts();
        let settings = Arc::new(Settings::new(store, events, time));
        let children = Arc::new(Children::new(db.clone(), bus.clone()));
        Self {
            settings,
            children,
            members: Arc::new(Members::new(parts(), gate, accounts, calls)),
        }
    }
}

impl Rules {
    pub(super) fn members(&self) -> &Members {
        &self.members
    }
}

/// Whether a request belongs here.
pub(super) fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::SetRole { .. }
            | Request::RemoveMember { .. }
            | Request::LeaveHousehold { .. }
            | Request::Deregister { .. }
            | Request::SetDevice { .. }
            | Request::SetCapabilities { .. }
            | Request::SetSwitches { .. }
            | Request::SetDeviceDoNotDisturb { .. }
            | Request::SetDoNotDisturbEverywhere { .. }
            | Request::SetDoNotDisturb { .. }
            | Request::Block { .. }
            | Request::Unblock { .. }
            | Request::SetChildLimits { .. }
            | Request::SetTopContact { .. }
    )
}

pub(super) async fn rules(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let Rules {
        settings,
        children,
        members,
    } = &services.rules;
    match request {
        Request::SetRole { account, role } => members.set_role(speaker, account, role).await?,
        Request::RemoveMember { account, entries } => {
            members.remove(speaker, account, &entries).await?;
        }
        Request::LeaveHousehold { entries } => members.leave(speaker, &entries).await?,
        Request::Deregister {
            password,
            hand_over_to,
            entries,
        } => {
            let said = Deregistration {
                password: &password,
                hand_over_to,
                entries: &entries,
            };
            members.deregister(speaker, said).await?;
        }
        Request::SetChildLimits { account, limits } => {
            children.set_limits(speaker, account, &limits).await?;
        }
        Request::SetDevice {
            device,
            label,
            room,
        } => settings.set_device(speaker, device, label, room).await?,
        Request::SetCapabilities { capabilities } => {
            settings.set_capabilities(speaker, capabilities).await?;
        }
        Request::SetSwitches { switches } => settings.set_switches(speaker, switches).await?,
        Request::SetDeviceDoNotDisturb { device, on } => {
            settings
                .set_device_do_not_disturb(speaker, device, on)
                .await?;
        }
        Request::SetDoNotDisturbEverywhere { on } => settings.set_everywhere(speaker, on).await?,
        Request::SetDoNotDisturb { do_not_disturb } => {
            settings
                .set_do_not_disturb(speaker, &do_not_disturb)
                .await?;
        }
        Request::Block { handle } => settings.block(speaker, &handle, true).await?,
        Request::Unblock { handle } => settings.block(speaker, &handle, false).await?,
        Request::SetTopContact { top_contact } => {
            settings.set_top_contact(speaker, top_contact).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
