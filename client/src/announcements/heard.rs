//! What became of announcements at this device, in a file of its own beside its identity: after a restart
//! none of them is played again, whatever the server shows. One that was not heard yet still is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use homeline_e2ee::announcement::Heard;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::AnnouncementId;
use homeline_protocol::session::AnnouncementHeard;
use serde::{Deserialize, Serialize};

use crate::store::{Identity, StoreError, read_private, write_private};

/// Bounded as `Heard` is: nothing is in it that was not taken there.
pub(super) struct HeardBook {
    path: Option<PathBuf>,
    owner: Owner,
    ones: BTreeMap<AnnouncementId, One>,
    /// Those of an earlier run.
    earlier: BTreeSet<AnnouncementId>,
}

#[derive(Clone, Copy)]
struct One {
    /// Until then it could count.
    until: UnixMs,
    how: AnnouncementHeard,
}

/// What one device has heard counts for no other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner {
    device: PublicKey,
    genesis: PublicKey,
}

/// The file's form. Bytes are base64url.
#[derive(Serialize, Deserialize)]
struct Row {
    version: u32,
    device: Blob,
    genesis: Blob,
    heard: Vec<(AnnouncementId, u64, AnnouncementHeard)>,
}

impl HeardBook {
    /// Reads it, and has the memory know what it says. A file that can't be read is an error, and never
    /// taken for an empty one.
    pub(super) fn open(
        identity: &Identity,
        path: Option<&Path>,
        heard: &mut Heard<AnnouncementId>,
    ) -> Result<Self, StoreError> {
        let owner = Owner {
            device: identity.device_key.public(),
            genesis: identity.genesis,
        };
        let path = path.map(|identity| identity.with_extension("heard.json"));
        let ones = match &path {
            Some(path) => load(path, owner)?,
            None => BTreeMap::new(),
        };
        for (id, one) in &ones {
            heard.restore(*id, one.until);
        }
        Ok(Self {
            path,
            owner,
            earlier: ones.keys().copied().collect(),
            ones,
        })
    }

    /// Notes what became of one, before anybody is told.
    pub(super) fn note(
        &mut self,
        id: AnnouncementId,
        (until, how): (UnixMs, AnnouncementHeard),
        now: UnixMs,
    ) {
        self.ones.retain(|_, one| one.until >= now);
        self.ones.entry(id).or_insert(One { until, how });
        let Some(path) = &self.path else { return };
        let row = Row::of(&self.ones, self.owner);
        let text = serde_json::to_vec(&row).expect("a row always serializes");
        // With a full disk it is remembered until the program ends.
        if let Err(error) = write_private(path, &text) {
            tracing::error!(%error, "what was heard can't be written");
        }
    }

    /// What became of it in an earlier run.
    pub(super) fn earlier(&self, id: AnnouncementId) -> Option<AnnouncementHeard> {
        let one = self.ones.get(&id).filter(|_| self.earlier.contains(&id));
        one.map(|one| one.how)
    }
}

impl Row {
    fn of(ones: &BTreeMap<AnnouncementId, One>, owner: Owner) -> Self {
        let one = |(id, one): (&AnnouncementId, &One)| (*id, one.until.0, one.how);
        Self {
            version: 1,
            device: Blob(owner.device.0.to_vec()),
            genesis: Blob(owner.genesis.0.to_vec()),
            heard: ones.iter().map(one).collect(),
        }
    }
}

fn load(path: &Path, owner: Owner) -> Result<BTreeMap<AnnouncementId, One>, StoreError> {
    let there = path.try_exists().map_err(|error| StoreError::Io {
        path: path.to_owned(),
        error,
    })?;
    if !there {
        return Ok(BTreeMap::new());
    }
    let unreadable = || StoreError::Unreadable {
        path: path.to_owned(),
    };
    let row: Row = serde_json::from_slice(&read_private(path)?).map_err(|_| unreadable())?;
    if row.version != 1 {
        return Err(unreadable());
    }
    if row.genesis.0 != owner.genesis.0 || row.device.0 != owner.device.0 {
        return Ok(BTreeMap::new());
    }
    let one = |(id, until, how)| {
        let until = UnixMs(until);
        (id, One { until, how })
    };
    Ok(row.heard.into_iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample;

    fn identity(genesis: u8) -> Identity {
        Identity {
            genesis: PublicKey([genesis; 32]),
            ..sample()
        }
    }

    #[test]
    fn it_survives_its_file_while_it_counts_and_for_one_household_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let open = |genesis| {
            let mut heard = Heard::default();
            HeardBook::open(&identity(genesis), Some(&path), &mut heard)
        };
        let id = |number| AnnouncementId([number; 16]);
        let mut book = open(7).unwrap();
        let played = AnnouncementHeard::Played;
        book.note(id(1), (UnixMs(100), played), UnixMs(10));
        book.note(id(2), (UnixMs(300), played), UnixMs(20));
        assert_eq!(book.earlier(id(2)), None);
        let mut book = open(7).unwrap();
        assert_eq!(
            (book.earlier(id(1)), book.earlier(id(2))),
            (Some(played), Some(played))
        );
        // The first counts no more; the first word about the second does.
        book.note(
            id(2),
            (UnixMs(300), AnnouncementHeard::PutAside),
            UnixMs(200),
        );
        let book = open(7).unwrap();
        assert_eq!(
            (book.earlier(id(1)), book.earlier(id(2))),
            (None, Some(played))
        );
        assert_eq!(open(8).unwrap().earlier(id(2)), None);
        std::fs::write(path.with_extension("heard.json"), "{").unwrap();
        assert!(open(7).is_err());
    }
}
