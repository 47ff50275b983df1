//! What a client must remember between runs: its keys and what it has pinned, in a file only it may read.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use homeline_e2ee::chain::Chain;
use homeline_e2ee::guest::GuestSecret;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::roster::RosterPin;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::{AccountId, CallLinkId, ContactId, GrantId};
use homeline_protocol::{Blob, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Who this client is, and what it has seen of its household. No `Debug`: it holds keys.
#[derive(Clone)]
pub struct Identity {
    pub token: Secret,
    pub account: AccountId,
    pub device_key: PrivateKey,
    /// Held by the founder's app only.
    pub genesis_key: Option<PrivateKey>,
    /// The pinned household.
    pub genesis: PublicKey,
    /// The newest own certificate chain.
    pub chain: Chain,
    /// The longest roster seen; a shorter or different one is refused.
    pub roster_pin: RosterPin,
    /// The highest revision seen of each signed card, and of the own answer policy.
    pub revisions: Vec<Seen>,
    /// Households met in calls with handles for which no adult has pinned a key yet.
    pub first_contacts: Vec<FirstContact>,
    /// The call links that this app made, with their secrets.
    pub call_links: Vec<OwnLink>,
}

/// A call link that this app made. No `Debug`: it holds the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnLink {
    pub link: CallLinkId,
    pub secret: GuestSecret,
    /// When it ends, Unix milliseconds; then the secret is forgotten.
    pub ends_at_ms: u64,
}

/// Links whose secrets are kept; the server lets a person have twenty. The oldest goes.
const CALL_LINKS_MAX: usize = 20;

/// The household that was at the other end of the first call with a handle.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstContact {
    pub handle: String,
    pub genesis: PublicKey,
}

/// First contacts remembered; the oldest goes when one more comes.
pub const FIRST_CONTACTS_MAX: usize = 1_024;

/// The highest revision seen of something signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub what: Signed,
    pub revision: u64,
}

/// What has revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Contact(ContactId),
    OwnAnswerPolicy,
    /// A drop-in grant, at an adult's app: one that is shown in an older revision is not renewed.
    Grant(GrantId),
}

/// Grants whose revisions are kept; the oldest goes. The server has 128 of a household at once.
const GRANTS_SEEN_MAX: usize = 1_024;

/// Why an identity can't be loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {error}", path = path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{path}: others may read this file; `chmod 600` it and think about who did", path = path.display())]
    Open { path: PathBuf },
    #[error("{path}: not what this program wrote, or of a newer version", path = path.display())]
    Unreadable { path: PathBuf },
}

/// The file's form. Bytes are base64url.
#[derive(Serialize, Deserialize)]
struct Row {
    version: u32,
    token: Secret,
    account: AccountId,
    device_seed: Blob,
    genesis_seed: Option<Blob>,
    genesis: Blob,
    chain: Blob,
    roster_seq: u64,
    roster_head: Blob,
    #[serde(default)]
    contacts: Vec<(ContactId, u64)>,
    #[serde(default)]
    grants: Vec<(GrantId, u64)>,
    #[serde(default)]
    answer_policy: u64,
    #[serde(default)]
    first_contacts: Vec<(String, Blob)>,
    #[serde(default)]
    call_links: Vec<(CallLinkId, Blob, u64)>,
}

impl Identity {
    /// The highest revision seen of `what`, 0 for none.
    #[must_use]
    pub fn seen(&self, what: Signed) -> u64 {
        self.revisions
            .iter()
            .find(|seen| seen.what == what)
            .map_or(0, |seen| seen.revision)
    }

    /// Remembers a revision; true when it was news.
    pub fn saw(&mut self, what: Signed, revision: u64) -> bool {
        match self.revisions.iter_mut().find(|seen| seen.what == what) {
            Some(seen) if seen.revision >= revision => false,
            Some(seen) => {
                seen.revision = revision;
                true
            }
            None => {
                if matches!(what, Signed::Grant(_)) {
                    self.forget_oldest_grant();
                }
                self.revisions.push(Seen { what, revision });
                true
            }
        }
    }

    fn forget_oldest_grant(&mut self) {
        let is_grant = |seen: &Seen| matches!(seen.what, Signed::Grant(_));
        let grants = self.revisions.iter().filter(|seen| is_grant(seen)).count();
        if grants >= GRANTS_SEEN_MAX
            && let Some(oldest) = self.revisions.iter().position(is_grant)
        {
            self.revisions.remove(oldest);
        }
    }

    /// The household met at the first call with this handle.
    #[must_use]
    pub fn first_contact(&self, handle: &str) -> Option<PublicKey> {
        self.first_contacts
            .iter()
            .find(|met| met.handle == handle)
            .map(|met| met.genesis)
    }

    /// Remembers the household of a first call; true when it was news. A known one is never replaced.
    pub fn meet(&mut self, handle: &str, genesis: PublicKey) -> bool {
        if self.first_contact(handle).is_some() {
            return false;
        }
        if self.first_contacts.len() >= FIRST_CONTACTS_MAX {
            self.first_contacts.remove(0);
        }
        self.first_contacts.push(FirstContact {
            handle: handle.to_owned(),
            genesis,
        });
        true
    }

    /// Keeps the secret of a new call link, and forgets those of links that have ended.
    pub(crate) fn keep_link(&mut self, own: OwnLink, now: UnixMs) {
        self.call_links.retain(|one| one.ends_at_ms > now.0);
        if self.call_links.len() >= CALL_LINKS_MAX {
            self.call_links.remove(0);
        }
        self.call_links.push(own);
    }

    /// The secret of a call link, if this app made it.
    pub(crate) fn link_secret(&self, link: CallLinkId) -> Option<GuestSecret> {
        let own = self.call_links.iter().find(|one| one.link == link)?;
        Some(own.secret.clone())
    }

    /// Forgets a call link's secret; true when it was known.
    pub(crate) fn forget_link(&mut self, link: CallLinkId) -> bool {
        let before = self.call_links.len();
        self.call_links.retain(|one| one.link != link);
        self.call_links.len() < before
    }

    /// Reads an identity file; refuses one that others may read.
    ///
    /// # Errors
    /// When it is missing, open to others, or not an identity.
    pub fn load(path: &Path) -> Result<Self, StoreError> {
        let text = read_private(path)?;
        let unreadable = || StoreError::Unreadable {
            path: path.to_owned(),
        };
        let row: Row = serde_json::from_slice(&text).map_err(|_| unreadable())?;
        row.open().ok_or_else(unreadable)
    }

    /// Writes the file anew, whole or not at all: a power cut leaves the old one or the new one.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        let text = serde_json::to_vec_pretty(&Row::of(self)).expect("a row always serializes");
        let text = Zeroizing::new(text);
        write_private(path, &text)
    }
}

impl Row {
    fn of(identity: &Identity) -> Self {
        let contact = |seen: &Seen| match seen.what {
            Signed::Contact(id) => Some((id, seen.revision)),
            _ => None,
        };
        let grant = |seen: &Seen| match seen.what {
            Signed::Grant(id) => Some((id, seen.revision)),
            _ => None,
        };
        Self {
            version: 1,
            token: identity.token.clone(),
            account: identity.account,
            device_seed: Blob(identity.device_key.seed().to_vec()),
            genesis_seed: identity
                .genesis_key
                .as_ref()
                .map(|key| Blob(key.seed().to_vec())),
            genesis: Blob(identity.genesis.0.to_vec()),
            chain: Blob(identity.chain.encode()),
            roster_seq: identity.roster_pin.seq,
            roster_head: Blob(identity.roster_pin.head.to_vec()),
            contacts: identity.revisions.iter().filter_map(contact).collect(),
            grants: identity.revisions.iter().filter_map(grant).collect(),
            answer_policy: identity.seen(Signed::OwnAnswerPolicy),
            first_contacts: identity
                .first_contacts
                .iter()
                .map(|met| (met.handle.clone(), Blob(met.genesis.0.to_vec())))
                .collect(),
            call_links: identity
                .call_links
                .iter()
                .map(|own| (own.link, Blob(own.secret.0.to_vec()), own.ends_at_ms))
                .collect(),
        }
    }

    fn open(self) -> Option<Identity> {
        if self.version != 1 {
            return None;
        }
        let contact = |(id, revision)| Seen {
            what: Signed::Contact(id),
            revision,
        };
        let grant = |(id, revision)| Seen {
            what: Signed::Grant(id),
            revision,
        };
        let met = |(handle, genesis): (String, Blob)| {
            array(&genesis).map(|key| FirstContact {
                handle,
                genesis: PublicKey(key),
            })
        };
        let mut identity = Identity {
            token: self.token,
            account: self.account,
            device_key: private(&self.device_seed)?,
            genesis_key: match &self.genesis_seed {
                Some(seed) => Some(private(seed)?),
                None => None,
            },
            genesis: PublicKey(array(&self.genesis)?),
            chain: Chain::decode(&self.chain.0).ok()?,
            roster_pin: RosterPin {
                seq: self.roster_seq,
                head: array(&self.roster_head)?,
            },
            revisions: self
                .contacts
                .into_iter()
                .map(contact)
                .chain(self.grants.into_iter().map(grant))
                .collect(),
            first_contacts: self.first_contacts.into_iter().filter_map(met).collect(),
            call_links: self.call_links.into_iter().filter_map(own_link).collect(),
        };
        identity.saw(Signed::OwnAnswerPolicy, self.answer_policy);
        Some(identity)
    }
}

fn own_link((link, secret, ends_at_ms): (CallLinkId, Blob, u64)) -> Option<OwnLink> {
    let secret = GuestSecret(array(&secret)?);
    Some(OwnLink {
        link,
        secret,
        ends_at_ms,
    })
}

fn private(seed: &Blob) -> Option<PrivateKey> {
    Some(PrivateKey::from_seed(&Zeroizing::new(array(seed)?)))
}

fn array(blob: &Blob) -> Option<[u8; 32]> {
    blob.0.as_slice().try_into().ok()
}

/// Reads a file of the device's own; refuses one that others may read.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let io = |error| StoreError::Io {
        path: path.to_owned(),
        error,
    };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(StoreError::Open {
            path: path.to_owned(),
        });
    }
    fs::read(path).map(Zeroizing::new).map_err(io)
}

/// Writes a file that nobody else may read anew, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes).map_err(|error| StoreError::Io {
        path: path.to_owned(),
        error,
    })
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    homeline_durable::write(path, bytes)
}

/// Some device's, for tests.
#[cfg(test)]
pub(crate) fn sample() -> Identity {
    let key = PrivateKey::from_seed(&[5; 32]);
    Identity {
        token: Secret::new("token"),
        account: AccountId([1; 16]),
        device_key: key.clone(),
        genesis_key: Some(PrivateKey::from_seed(&[6; 32])),
        genesis: key.public(),
        chain: Chain(vec![]),
        roster_pin: RosterPin {
            seq: 3,
            head: [9; 32],
        },
        revisions: vec![],
        first_contacts: vec![],
        call_links: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_file_which_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/identity.json");
        let mut written = sample();
        assert!(written.saw(Signed::Contact(ContactId([4; 16])), 7));
        assert!(!written.saw(Signed::Contact(ContactId([4; 16])), 6));
        assert!(written.saw(Signed::Grant(GrantId([5; 16])), 8));
        assert!(written.meet("ben", PublicKey([3; 32])));
        assert!(!written.meet("ben", PublicKey([4; 32])));
        let own = |link: u8, ends_at_ms| OwnLink {
            link: CallLinkId([link; 16]),
            secret: GuestSecret([link; 32]),
            ends_at_ms,
        };
        written.keep_link(own(1, 100), UnixMs(50));
        written.keep_link(own(2, 300), UnixMs(200));
        written.save(&path).unwrap();
        written.save(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let read = Identity::load(&path).unwrap();
        assert_eq!(read.token.expose(), "token");
        assert_eq!(*read.device_key.seed(), [5; 32]);
        assert_eq!(
            read.genesis_key.as_ref().map(|key| *key.seed()),
            Some([6; 32])
        );
        assert_eq!(read.roster_pin, written.roster_pin);
        assert_eq!(read.first_contact("ben"), Some(PublicKey([3; 32])));
        assert_eq!(read.revisions.first(), written.revisions.first());
        assert_eq!(read.seen(Signed::Grant(GrantId([5; 16]))), 8);
        let secret = |link: u8| read.link_secret(CallLinkId([link; 16]));
        assert!(secret(1).is_none() && secret(2) == Some(GuestSecret([2; 32])));
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_broken_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        sample().save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Identity::load(&path),
            Err(StoreError::Open { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{").unwrap();
        assert!(matches!(
            Identity::load(&path),
            Err(StoreError::Unreadable { .. })
        ));
    }
}
