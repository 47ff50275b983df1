//! Who waits at which link, and who was let in. Pure: told the time, tells nobody.

use std::collections::HashMap;
use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallLinkId, DeviceId};
use homeline_protocol::session::{Event, GuestRefusal};

use crate::model::UnixMillis;

/// Guests who wait at one link; a further one is told to come back later.
pub(super) const GUESTS_PER_LINK_MAX: usize = 8;
/// Guests of the whole server, waiting and in calls; a further one is told to come back later.
pub(super) const GUESTS_MAX: usize = 1_024;
/// How long a guest may wait.
pub(super) const WAIT_MAX: Duration = Duration::from_mins(10);
/// Whoever knocks opens a session at once. Until then nobody is told, and a place is held only so long.
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// All guests.
#[derive(Debug, Default)]
pub(super) struct Table {
    guests: HashMap<DeviceId, Guest>,
    tokens: HashMap<[u8; 32], DeviceId>,
}

/// One guest.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) link: CallLinkId,
    pub(super) maker: AccountId,
    pub(super) account: AccountId,
    pub(super) device: DeviceId,
    /// The name said.
    pub(super) label: String,
    pub(super) chain: Blob,
    pub(super) proof: Blob,
    /// Hash of the token.
    pub(super) token: [u8; 32],
    pub(super) knocked_at: UnixMillis,
    pub(super) stand: Stand,
    /// Whether there is a session.
    pub(super) session: bool,
    /// When the link ends.
    pub(super) link_until: UnixMillis,
    /// Whether it was ended before.
    pub(super) link_over: bool,
}

/// Where a guest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Has a token and no session yet: nobody was told.
    Knocking,
    /// Waits to be let in.
    Waiting,
    /// Is being called.
    LetIn,
    /// Is in the call's group.
    Inside,
}

/// A guest, as calls must know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The account that stands for them.
    pub account: AccountId,
    /// Who may let them in.
    pub maker: AccountId,
    /// The name said.
    pub label: String,
    /// Whether they wait, and may be let in.
    pub waits: bool,
    /// Whether a call rings for them, or they are in one.
    pub let_in: bool,
    /// Whether there is a session.
    pub session: bool,
}

/// What is told of a guest who waits no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) link: CallLinkId,
    pub(super) maker: AccountId,
    pub(super) device: DeviceId,
    /// What the guest is told, unless they went themself.
    pub(super) refusal: Option<GuestRefusal>,
    /// Whether the maker had been told of them.
    pub(super) known: bool,
}

/// Why somebody can't wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    Known,
    LinkFull,
    Full,
}

/// What the end of a call means for a guest.
#[derive(Debug, PartialEq)]
pub(super) enum CallOver {
    /// The visit is over.
    Left,
    /// They never came in, and wait on.
    Waits(AccountId, Event),
    /// They never came in, and the time or the link is over.
    Refused(Gone),
}

impl Guest {
    /// As the maker's apps are told.
    pub(super) fn knock(&self) -> Event {
        Event::GuestKnocked {
            link: self.link,
            guest: self.device,
            chain: self.chain.clone(),
            proof: self.proof.clone(),
        }
    }

    fn gone(&self, refusal: Option<GuestRefusal>) -> Gone {
        Gone {
            link: self.link,
            maker: self.maker,
            device: self.device,
            refusal,
            known: self.stand == Stand::Waiting,
        }
    }

    fn has_not_come_in(&self) -> bool {
        matches!(self.stand, Stand::Knocking | Stand::Waiting)
    }
}

impl Table {
    pub(super) fn knock(&mut self, guest: Guest) -> Result<(), NoPlace> {
        if self.guests.contains_key(&guest.device) {
            return Err(NoPlace::Known);
        }
        let same = |other: &&Guest| other.link == guest.link && other.has_not_come_in();
        if self.guests.values().filter(same).count() >= GUESTS_PER_LINK_MAX {
            return Err(NoPlace::LinkFull);
        }
        if self.guests.len() >= GUESTS_MAX {
            return Err(NoPlace::Full);
        }
        self.tokens.insert(guest.token, guest.device);
        self.guests.insert(guest.device, guest);
        Ok(())
    }

    /// Account and device behind the hash of a token.
    pub(super) fn of_token(&self, hash: &[u8; 32]) -> Option<(AccountId, DeviceId)> {
        let guest = self.guests.get(self.tokens.get(hash)?)?;
        Some((guest.account, guest.device))
    }

    pub(super) fn visitor(&self, device: DeviceId, now: UnixMillis) -> Option<Visitor> {
        self.guests.get(&device).map(|guest| Visitor {
            account: guest.account,
            maker: guest.maker,
            label: guest.label.clone(),
            waits: guest.stand == Stand::Waiting && guest.why_over(now).is_none(),
            let_in: matches!(guest.stand, Stand::LetIn | Stand::Inside),
            session: guest.session,
        })
    }

    pub(super) fn has_account(&self, account: AccountId) -> bool {
        self.guests.values().any(|guest| guest.account == account)
    }

    /// A guest has a session. Says what the maker of their link is to be told, if they wait.
    pub(super) fn opened(&mut self, device: DeviceId) -> Option<(AccountId, Event)> {
        let guest = self.guests.get_mut(&device)?;
        guest.session = true;
        if guest.stand == Stand::Knocking {
            guest.stand = Stand::Waiting;
        }
        (guest.stand == Stand::Waiting).then(|| (guest.maker, guest.knock()))
    }

    /// A guest's session is over, for good. One who is in a call is gone when the call says so.
    pub(super) fn closed(&mut self, device: DeviceId) -> Option<Gone> {
        let guest = self.guests.get_mut(&device)?;
        guest.session = false;
        if !guest.has_not_come_in() {
            return None;
        }
        let gone = guest.gone(None);
        self.remove(device);
        Some(gone)
    }

    /// Those who wait at the links of a person.
    pub(super) fn waiting_for(&self, maker: AccountId) -> Vec<Event> {
        let waits = |guest: &&Guest| guest.maker == maker && guest.stand == Stand::Waiting;
        let waiting = self.guests.values().filter(waits);
        waiting.map(Guest::knock).collect()
    }

    /// The maker sends somebody away who waits.
    pub(super) fn refuse(&mut self, device: DeviceId, maker: AccountId) -> Option<Gone> {
        let guest = self.guests.get(&device)?;
        if guest.maker != maker || !guest.has_not_come_in() {
            return None;
        }
        let gone = guest.gone(Some(GuestRefusal::Refused));
        self.remove(device);
        Some(gone)
    }

    /// A call rings for the guest: they wait no more.
    pub(super) fn let_in(&mut self, device: DeviceId) -> Option<Gone> {
        let guest = self.guests.get_mut(&device)?;
        if guest.stand != Stand::Waiting {
            return None;
        }
        let gone = guest.gone(None);
        guest.stand = Stand::LetIn;
        Some(gone)
    }

    /// The guest is in the call's group.
    pub(super) fn joined(&mut self, device: DeviceId) {
        if let Some(guest) = self.guests.get_mut(&device) {
            guest.stand = Stand::Inside;
        }
    }

    /// The call is over for the guest.
    pub(super) fn call_over(&mut self, device: DeviceId, now: UnixMillis) -> Option<CallOver> {
        let guest = self.guests.get_mut(&device)?;
        let over = match (guest.stand, guest.why_over(now)) {
            (Stand::LetIn, None) if guest.session => {
                guest.stand = Stand::Waiting;
                return Some(CallOver::Waits(guest.maker, guest.knock()));
            }
            (Stand::LetIn, why) => CallOver::Refused(guest.gone(why)),
            (Stand::Knocking | Stand::Waiting, _) => return None,
            (Stand::Inside, _) => CallOver::Left,
        };
        self.remove(device);
        Some(over)
    }

    /// Some links have ended: whoever waits there goes. Those in calls stay.
    pub(super) fn end(&mut self, ended: impl Fn(&Guest) -> bool) -> Vec<Gone> {
        for guest in self.guests.values_mut().filter(|guest| ended(guest)) {
            guest.link_over = true;
        }
        let why = |guest: &Guest| {
            let waits = guest.link_over && guest.has_not_come_in();
            waits.then(|| guest.gone(Some(GuestRefusal::LinkEnded)))
        };
        self.send_away(why)
    }

    /// Whoever waited long enough goes.
    pub(super) fn due(&mut self, now: UnixMillis) -> Vec<Gone> {
        self.send_away(|guest| {
            let silent = guest.knocked_at.plus(CONNECT_MAX) <= now;
            let why = match guest.stand {
                Stand::Knocking if silent => Some(GuestRefusal::NoAnswer),
                Stand::Knocking | Stand::Waiting => guest.why_over(now),
                Stand::LetIn | Stand::Inside => None,
            };
            why.map(|why| guest.gone(Some(why)))
        })
    }

    fn send_away(&mut self, why: impl Fn(&Guest) -> Option<Gone>) -> Vec<Gone> {
        let gone: Vec<Gone> = self.guests.values().filter_map(why).collect();
        for one in &gone {
            self.remove(one.device);
        }
        gone
    }

    fn remove(&mut self, device: DeviceId) {
        if let Some(guest) = self.guests.remove(&device) {
            self.tokens.remove(&guest.token);
        }
    }
}

impl Guest {
    pub(super) fn waits_until(&self) -> UnixMillis {
        self.knocked_at.plus(WAIT_MAX)
    }

    /// Why they can wait no longer.
    fn why_over(&self, now: UnixMillis) -> Option<GuestRefusal> {
        if self.link_over || self.link_until <= now {
            Some(GuestRefusal::LinkEnded)
        } else if self.waits_until() <= now {
            Some(GuestRefusal::NoAnswer)
        } else {
            None
        }
    }
}
