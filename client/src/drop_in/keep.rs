//! What a home device keeps about drop-ins between runs, in a file of its own beside its identity.
//!
//! Without it a server could show an older grant again, or an asking twice, and the ledger would begin
//! anew. So a file that can't be read is an error, and never taken for an empty one.

use std::path::{Path, PathBuf};

use homeline_e2ee::drop_in::ledger::OwnLedger;
use homeline_e2ee::drop_in::{Asked, HeldGrants, Seen};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, GrantId};
use serde::{Deserialize, Serialize};

use crate::store::{StoreError, read_private, write_private};

/// All of it.
#[derive(Clone, Default)]
pub(super) struct Kept {
    pub(super) held: HeldGrants,
    pub(super) asked: Asked,
    pub(super) ledger: OwnLedger,
    /// The drop-in whose beginning is written and whose end is not, and since when it is open.
    pub(super) opened: Option<(CallId, UnixMs)>,
}

/// Whose it is: what one device has seen and written counts for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) device: PublicKey,
    pub(super) genesis: PublicKey,
}

/// The file's form. Bytes are base64url.
#[derive(Serialize, Deserialize)]
struct Row {
    version: u32,
    /// Whose, in which household; for another one all begins anew.
    device: Blob,
    genesis: Blob,
    statements: Vec<(GrantId, Blob)>,
    seen: Vec<SeenRow>,
    ended_here: Vec<GrantId>,
    out_since_ms: u64,
    off: bool,
    asked: Vec<(CallId, u64)>,
    ledger: Blob,
    #[serde(default)]
    opened: Option<(CallId, u64)>,
}

#[derive(Serialize, Deserialize)]
struct SeenRow {
    grant: GrantId,
    revision: u64,
    hash: Blob,
    revoked: bool,
    until_ms: u64,
}

impl Kept {
    /// Where it is kept, by where the identity is.
    pub(super) fn path(identity: &Path) -> PathBuf {
        identity.with_extension("drop-in.json")
    }

    /// Reads it; a device that has none yet begins with nothing.
    pub(super) fn load(path: &Path, owner: Owner) -> Result<Self, StoreError> {
        let there = path.try_exists().map_err(|error| StoreError::Io {
            path: path.to_owned(),
            error,
        })?;
        if !there {
            return Ok(Self::default());
        }
        let text = read_private(path)?;
        let unreadable = || StoreError::Unreadable {
            path: path.to_owned(),
        };
        let row: Row = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        if row.genesis.0 == owner.genesis.0 && row.device.0 == owner.device.0 {
            row.open().ok_or_else(unreadable)
        } else {
            Ok(Self::default())
        }
    }

    /// Writes it anew, whole or not at all.
    pub(super) fn save(&self, path: &Path, owner: Owner) -> Result<(), StoreError> {
        let text = serde_json::to_vec(&Row::of(self, owner)).expect("a row always serializes");
        write_private(path, &text)
    }
}

impl Row {
    fn of(kept: &Kept, owner: Owner) -> Self {
        let Kept {
            held,
            asked,
            ledger,
            opened,
        } = kept;
        let statement = |(id, signed): (&GrantId, &Signed)| (*id, Blob(signed.encode()));
        let seen = |(grant, seen): (&GrantId, &Seen)| SeenRow {
            grant: *grant,
            revision: seen.revision,
            hash: Blob(seen.hash.to_vec()),
            revoked: seen.revoked,
            until_ms: seen.until.0,
        };
        Self {
            version: 1,
            device: Blob(owner.device.0.to_vec()),
            genesis: Blob(owner.genesis.0.to_vec()),
            statements: held.statements.iter().map(statement).collect(),
            seen: held.seen.iter().map(seen).collect(),
            ended_here: held.ended_here.iter().copied().collect(),
            out_since_ms: held.out_since.0,
            off: held.off,
            asked: asked.calls.iter().map(|(id, at)| (*id, at.0)).collect(),
            ledger: Blob(ledger.encode()),
            opened: opened.map(|(call, at)| (call, at.0)),
        }
    }

    fn open(self) -> Option<Kept> {
        if self.version != 1 {
            return None;
        }
        let mut held = HeldGrants {
            ended_here: self.ended_here.into_iter().collect(),
            out_since: UnixMs(self.out_since_ms),
            off: self.off,
            ..HeldGrants::default()
        };
        for (id, statement) in self.statements {
            held.statements
                .insert(id, Signed::decode(&statement.0).ok()?);
        }
        for row in self.seen {
            let seen = Seen {
                revision: row.revision,
                hash: row.hash.0.as_slice().try_into().ok()?,
                revoked: row.revoked,
                until: UnixMs(row.until_ms),
            };
            held.seen.insert(row.grant, seen);
        }
        let calls = self.asked.into_iter().map(|(id, at)| (id, UnixMs(at)));
        Some(Kept {
            held,
            asked: Asked {
                calls: calls.collect(),
            },
            ledger: OwnLedger::decode(&self.ledger.0).ok()?,
            opened: self.opened.map(|(call, at)| (call, UnixMs(at))),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use homeline_e2ee::drop_in::ledger::What;
    use homeline_e2ee::key::PrivateKey;

    use super::*;

    #[test]
    fn it_survives_its_file_and_counts_for_one_household_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = Kept::path(&folder.path().join("identity.json"));
        let key = PrivateKey::from_seed(&[5; 32]);
        let genesis = PublicKey([7; 32]);
        let owner = Owner {
            device: key.public(),
            genesis,
        };
        let mut kept = Kept::default();
        assert!(Kept::load(&path, owner).unwrap().held == HeldGrants::default());
        let seen = Seen {
            revision: 3,
            hash: [1; 32],
            revoked: true,
            until: UnixMs(9),
        };
        kept.held.seen.insert(GrantId([2; 16]), seen);
        kept.held.everyone_out(UnixMs(4));
        kept.held.off = true;
        assert!(kept.asked.note(CallId([3; 16]), UnixMs(5)));
        let put_out = kept.ledger.write(UnixMs(6), genesis, &key, What::PutOut);
        assert!(put_out.is_ok());
        kept.opened = Some((CallId([4; 16]), UnixMs(7)));
        kept.save(&path, owner).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Kept::load(&path, owner).unwrap();
        assert!(read.held == kept.held && read.asked == kept.asked && read.ledger == kept.ledger);
        assert_eq!(read.opened, kept.opened);
        let genesis = PublicKey([8; 32]);
        let other = Kept::load(&path, Owner { genesis, ..owner }).unwrap();
        assert!(other.held == HeldGrants::default());
    }

    #[test]
    fn a_file_that_can_not_be_read_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.drop-in.json");
        write_private(&path, b"{").unwrap();
        let device = PublicKey([7; 32]);
        let genesis = device;
        assert!(Kept::load(&path, Owner { device, genesis }).is_err());
    }
}
