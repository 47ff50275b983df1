//! Who knocks at the links of this app: verified before anybody is told.

use std::collections::HashMap;

use homeline_e2ee::key::PublicKey;
use homeline_protocol::id::{CallLinkId, DeviceId};

use crate::home::{Person, Trust};

/// Knocks that wait at once, at all links of one person: twenty links with eight guests each. Further
/// ones are not shown.
const KNOCKS_MAX: usize = 160;

/// Somebody who knocks at a call link. The link's secret proves that they have the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Knock {
    /// At which link.
    pub link: CallLinkId,
    /// Their device.
    pub guest: DeviceId,
    /// What they call themselves.
    pub name: String,
    /// Their key: in this call nobody else is let in for them.
    pub(crate) key: PublicKey,
}

impl std::fmt::Debug for Knock {
    /// Names stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knock")
            .field("link", &self.link)
            .field("guest", &self.guest)
            .finish_non_exhaustive()
    }
}

impl Knock {
    /// As the other end of a call.
    pub(crate) fn person(&self) -> Person {
        Person {
            name: self.name.clone(),
            handle: self.guest.to_string(),
            trust: Trust::Guest,
        }
    }
}

/// Who waits now, and how many knocks did not hold.
#[derive(Default)]
pub(crate) struct Knocks {
    waiting: HashMap<DeviceId, Knock>,
    forged: u64,
}

impl Knocks {
    /// False when it is told already, or when there are too many.
    pub(crate) fn begin(&mut self, knock: Knock) -> bool {
        let full = self.waiting.len() >= KNOCKS_MAX;
        if full || self.waiting.contains_key(&knock.guest) {
            return false;
        }
        self.waiting.insert(knock.guest, knock);
        true
    }

    pub(crate) fn end(&mut self, guest: DeviceId) -> Option<Knock> {
        self.waiting.remove(&guest)
    }

    /// A new session: whoever still waits is told again.
    pub(crate) fn end_all(&mut self) -> Vec<Knock> {
        self.waiting.drain().map(|(_, knock)| knock).collect()
    }

    pub(crate) fn count_forged(&mut self) {
        self.forged += 1;
    }

    pub(crate) fn forged(&self) -> u64 {
        self.forged
    }
}
