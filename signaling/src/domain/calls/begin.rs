//! How a call begins: who is called, whether it may be tried, and its record.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{Account, Callee, Party, Switches};
use tokio::sync::mpsc;

use super::company::DECISIONS_MAX;
use super::entry::{Entry, Standing};
use super::index::{Admitted, Refused};
use super::input::{Input, Invite, Kind, Rings};
use super::machine::{Call, Part};
use super::service::Calls;
use super::task::{MAILBOX_MAX, Message, Task, send};
use crate::domain::guests::GUEST_HANDLE;
use crate::domain::history::{HistoryError, RunningCallRecord};
pub(super) use crate::domain::reach::ALL_ON;
use crate::domain::reach::{Asking, Plan, Refusal, Target, Way, World, reach};
use crate::domain::roster::account_view;
use crate::model::Speaker;
use crate::store::{self, StoreError, Tx, accounts};

/// The longest signed invitation: a chain of six certificates takes some 2 KiB.
pub(super) const INVITATION_BYTES_MAX: usize = 16 * 1024;

/// What the whole household is called where a person's name stands.
const HOME: &str = "Home";

/// A call to begin.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Its id.
    pub call: CallId,
    /// Whom.
    pub to: Callee,
    /// With picture.
    pub video: bool,
    /// The caller's signed invitation.
    pub invitation: Blob,
}

/// Why a call can't begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing is tried.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This device takes part in a call already.
    #[error("this device is in a call already; hang up first")]
    AlreadyInCall,
    /// The account has too many calls.
    #[error("there are too many calls from this account at once")]
    AccountFull,
    /// The server carries too many calls.
    #[error("the server carries as many calls as it can; try again in a few minutes")]
    Full,
    /// The id belongs to another running call.
    #[error("this call's id is taken; choose another")]
    IdTaken,
    /// The call with this id is over.
    #[error("this call is over")]
    Over,
    /// The invitation is too long.
    #[error("the invitation is longer than 16 KiB")]
    TooLong,
    /// The caller's account is gone.
    #[error("the account is gone")]
    NoAccount,
    /// The database failed.
    #[error(transparent)]
    Internal(#[from] StoreError),
}

/// Who is called, as `reach` decides.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) caller: Account,
    pub(super) caller_device: DeviceId,
    /// Where the switches of that device stand.
    pub(super) caller_switches: Switches,
    pub(super) callee: Party,
    /// Whose devices may answer.
    pub(super) people: Vec<AccountId>,
    /// For whom it rings there.
    pub(super) to: Option<Account>,
    pub(super) ring: Vec<Rings>,
    /// Whether both are of one household.
    pub(super) family: bool,
    /// Whether it counts against the limits on strangers.
    pub(super) stranger: bool,
}

/// What a call begins with.
#[derive(Debug)]
struct Beginning {
    invite: Invite,
    to: Callee,
    /// Who keeps it in their history as a call to them.
    callee: Option<AccountId>,
    /// Whether it counts against the limits on strangers.
    stranger: bool,
}

impl Calls {
    /// Calls somebody.
    ///
    /// # Errors
    /// [`StartError`]. A handle that nobody has is no error: it is not reached.
    pub async fn call(&self, speaker: &Speaker, new: NewCall) -> Result<(), StartError> {
        if new.invitation.0.len() > INVITATION_BYTES_MAX {
            return Err(StartError::TooLong);
        }
        if self.is_running(speaker, &new) {
            return Ok(());
        }
        let guest = match &new.to {
            Callee::Guest { guest } => Some(*guest),
            _ => None,
        };
        let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
        let id = new.call;
        let (beginning, admitted) = self.admitted(speaker, new, &mailbox).await?;
        let family = beginning.invite.family;
        let Admitted::New { full, engaged } = admitted else {
            return Ok(());
        };
        let callee = beginning.callee;
        let record = beginning.record(self.0.clock.now());
        if let Err(error) = self.0.history.begin(record).await {
            self.0.index().withdraw(id);
            return Err(match error {
                HistoryError::Used | HistoryError::BadLimit => StartError::Over,
                HistoryError::Internal(error) => StartError::Internal(error),
            });
        }
        if let Some(callee) = callee.filter(|_| beginning.stranger) {
            let now = self.0.clock.now();
            self.0.reach.count_stranger(callee, speaker.account, now);
        }
        if let Some(guest) = guest {
            self.0.guests.let_in(guest).await;
        }
        let moment = self.0.moment();
        let invite = Invite {
            engaged,
            ..beginning.invite
        };
        let (invite, busy) = match (full, family) {
            (true, true) => (invite, true),
            (true, false) => (invite.silenced(), false),
            (false, _) => (invite, false),
        };
        self.hears_no_more(invite.caller_device).await;
        let (call, first) = Call::start(&self.0.config, invite, busy, moment);
        let shared = Arc::clone(&self.0);
        let task = Task {
            id,
            call,
            shared,
            inbox,
            mailbox,
        };
        let running = tokio::spawn(task.run(first));
        tokio::spawn(self.clone().follow_call(id, running));
        Ok(())
    }

    /// A device that begins something itself hears no announcement any more.
    pub(super) async fn hears_no_more(&self, device: DeviceId) {
        let heard = self.0.index().heard_by(device);
        for mailbox in heard {
            send(&mailbox, Message::Input(Input::LeftFor(device))).await;
        }
    }

    /// Whether the request was repeated: a guest, say, does not wait any more by now.
    fn is_running(&self, speaker: &Speaker, new: &NewCall) -> bool {
        let index = self.0.index();
        let running = index.get(new.call);
        running.is_some_and(|one| Some(one.caller_device) == speaker.device && one.to == new.to)
    }

    /// Decides and admits as one: from then on a change of limits or blocks finds the call.
    async fn admitted(
        &self,
        speaker: &Speaker,
        new: NewCall,
        mailbox: &mpsc::Sender<Message>,
    ) -> Result<(Beginning, Admitted), StartError> {
        for _ in 0..DECISIONS_MAX {
            let decisions = self.0.index().decisions();
            let beginning = self.beginning(speaker, new.clone()).await?;
            let entry = beginning.entry(mailbox.clone());
            let ring = beginning.invite.devices();
            let family = beginning.invite.family;
            let mut index = self.0.index();
            if index.decisions() == decisions {
                let admitted = index.admit(&self.0.config, new.call, entry, &ring, family)?;
                return Ok((beginning, admitted));
            }
        }
        Err(StartError::Full)
    }

    async fn beginning(&self, speaker: &Speaker, new: NewCall) -> Result<Beginning, StartError> {
        let reached = self.reached(speaker, &new.to, &[]).await?;
        // Neither the whole household nor a guest has a history of its own.
        let has_history = !matches!(new.to, Callee::Place { .. } | Callee::Guest { .. });
        Ok(Beginning {
            callee: reached.people.first().copied().filter(|_| has_history),
            stranger: reached.stranger,
            to: new.to,
            invite: Invite {
                call: new.call,
                caller: reached.caller,
                caller_device: reached.caller_device,
                callee: reached.callee,
                ring: reached.ring,
                engaged: BTreeSet::new(),
                people: reached.people,
                to: reached.to,
                caller_switches: reached.caller_switches,
                family: reached.family,
                video: new.video,
                invitation: new.invitation,
            },
        })
    }

    /// Who is called, and which devices ring: the same decision for a new call and for somebody who
    /// is added to one, in which `there` take part already.
    pub(super) async fn reached(
        &self,
        speaker: &Speaker,
        callee: &Callee,
        there: &[AccountId],
    ) -> Result<Reached, StartError> {
        let mut tx = self.0.db.read().await?;
        let asking = Asking {
            account: speaker.account,
            device: speaker.device,
            household: speaker.household,
            way: Way::Call,
            now: self.0.clock.now(),
        };
        let world = self.0.reach.world(&mut tx, asking, callee).await?;
        let world = world.ok_or(StartError::NoAccount)?;
        let world = self.0.reach.among(&mut tx, world, there).await?;
        let plan = reach(&world)?;
        let caller = asking_person(&world);
        let caller_device = speaker.device.ok_or(Refusal::NoDevice)?;
        let caller_switches = switches_of(&mut tx, caller_device).await?;
        let (callee, to) = called(&mut tx, &world, &plan, &caller).await?;
        Ok(Reached {
            caller,
            caller_device,
            caller_switches,
            callee,
            ring: rings(&world, &plan),
            people: plan.people,
            to,
            family: plan.family,
            stranger: plan.stranger,
        })
    }
}

impl Beginning {
    fn entry(&self, mailbox: mpsc::Sender<Message>) -> Entry {
        let invite = &self.invite;
        Entry {
            mailbox,
            caller: invite.caller.id,
            caller_device: invite.caller_device,
            caller_party: Party {
                handle: invite.caller.handle.clone(),
                display_name: invite.caller.display_name.clone(),
                guest: false,
            },
            to: self.to.clone(),
            callees: invite.people.clone(),
            callee: invite.callee.clone(),
            standing: Standing::Waiting { rings: false },
            part: Part::default(),
            kind: Kind::Call,
        }
    }

    fn record(&self, started_at: crate::model::UnixMillis) -> RunningCallRecord {
        let invite = &self.invite;
        RunningCallRecord {
            call: invite.call,
            caller: invite.caller.id,
            caller_device: invite.caller_device,
            callee: self.callee,
            callee_handle: invite.callee.handle.clone(),
            callee_name: invite
                .callee
                .guest
                .then(|| invite.callee.display_name.clone()),
            video: invite.video,
            started_at,
        }
    }
}

impl From<Refused> for StartError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::AccountFull => Self::AccountFull,
            Refused::AlreadyInCall => Self::AlreadyInCall,
            Refused::IdTaken => Self::IdTaken,
        }
    }
}

/// Whose name the caller sees, and for whom it rings.
async fn called(
    tx: &mut Tx,
    world: &World,
    plan: &Plan,
    caller: &Account,
) -> Result<(Party, Option<Account>), StoreError> {
    let label = |device: DeviceId| {
        let mut devices = world.devices();
        let found = devices.find(|one| one.device == device);
        found.map_or(String::new(), |one| one.label.clone())
    };
    Ok(match &world.target {
        Target::Person { handle, person } => {
            let known = person.as_ref();
            let known = known.filter(|one| plan.people.contains(&one.account));
            let account = known.map(|one| Account {
                id: one.account,
                handle: handle.clone(),
                display_name: one.name.clone(),
            });
            let name = account.as_ref().map(|one| one.display_name.clone());
            let party = Party {
                handle: handle.clone(),
                display_name: name.unwrap_or_default(),
                guest: false,
            };
            (party, account)
        }
        Target::Device { device, .. } => {
            let row = match plan.people.first() {
                Some(person) => accounts::find(tx, *person).await?,
                None => None,
            };
            let account = row.as_ref().map(account_view);
            let handle = account.as_ref().map_or(&caller.handle, |one| &one.handle);
            let party = Party {
                handle: handle.clone(),
                display_name: label(*device),
                guest: false,
            };
            (party, account)
        }
        Target::Guest { guest } => {
            let label = guest.as_ref().map(|guest| guest.label.clone());
            let party = guest_party(label.unwrap_or_default());
            let account = plan.people.first().map(|id| Account {
                id: *id,
                handle: party.handle.clone(),
                display_name: party.display_name.clone(),
            });
            (party, account)
        }
        Target::Home { .. } | Target::Household { .. } => {
            let party = Party {
                handle: caller.handle.clone(),
                display_name: HOME.to_owned(),
                guest: false,
            };
            (party, Some(caller.clone()))
        }
    })
}

fn guest_party(label: String) -> Party {
    Party {
        handle: GUEST_HANDLE.parse().expect("it is a handle"),
        display_name: label,
        guest: true,
    }
}

/// Every device of the plan, those without a session too: one that comes at this very moment hears of
/// it, and whoever has none is told nothing.
pub(super) fn rings(world: &World, plan: &Plan) -> Vec<Rings> {
    let planned = plan.ring.iter().chain(&plan.push).chain(&plan.later);
    let known = |device: DeviceId| world.devices().find(|one| one.device == device);
    planned
        .filter_map(|one| known(one.device))
        .map(|one| Rings {
            device: one.device,
            switches: one.switches,
        })
        .collect()
}

fn asking_person(world: &World) -> Account {
    Account {
        id: world.asker.account,
        handle: world.asker.handle.clone(),
        display_name: world.asker.name.clone(),
    }
}

async fn switches_of(tx: &mut Tx, device: DeviceId) -> Result<Switches, StoreError> {
    let row = store::devices::find(tx, device).await?;
    Ok(row.map_or(ALL_ON, |row| row.settings.switches()))
}
