//! A person with an app: makes every signed statement with `homeline-e2ee`, as clients do.

use std::sync::atomic::{AtomicU32, Ordering};

use homeline_e2ee::certificate::{Certificate, Kind, Rights};
use homeline_e2ee::chain::Chain;
use homeline_e2ee::contact::{Contact as Card, Pin};
use homeline_e2ee::ids;
use homeline_e2ee::invitation::JoinSecret;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::recovery::RecoveryCode;
use homeline_e2ee::recovery_proof::RecoveryProof;
use homeline_e2ee::roster::{Change, Entry, Roster};
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::http::{AppProof, NewApp, NewHome, SignIn, SignUp, SignedIn};
use homeline_protocol::id::{AccountId, ContactId, DeviceId, HouseholdId, InvitationId};
use homeline_protocol::session::Request;
use homeline_protocol::{Blob, Handle, Secret};
use ring::signature::Ed25519KeyPair;

use super::{Server, Session};

pub(crate) struct Person {
    pub(crate) account: AccountId,
    pub(crate) handle: Handle,
    pub(crate) password: Secret,
    pub(crate) app: PrivateKey,
    pub(crate) label: String,
    pub(crate) genesis: PublicKey,
    pub(crate) recovery: RecoveryCode,
    pub(crate) roster: Vec<Signed>,
    pub(crate) chain: Chain,
    pub(crate) token: Secret,
}

/// Seeds that differ from each other in one run; nothing here must be secret.
fn seed() -> [u8; 32] {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    std::array::from_fn(|at| number[at % 4] ^ 0x5a)
}

pub(crate) fn device_id(key: &PrivateKey) -> DeviceId {
    ids::device_id(key.public())
}

fn ring_signature(key: &PrivateKey, message: &[u8]) -> Blob {
    let pair = Ed25519KeyPair::from_seed_unchecked(&*key.seed()).unwrap();
    pair.sign(message).as_ref().to_vec().into()
}

impl Person {
    /// Somebody who signed up and founded a household.
    pub(crate) async fn founder(server: &Server, handle: &str) -> Self {
        let (mut person, sign_up) = Self::founding(server, handle);
        let signed_in: SignedIn = server.post("/v1/sign-up", &sign_up).await.ok();
        person.token = signed_in.token;
        person
    }

    /// Somebody about to sign up, and the request.
    pub(crate) fn founding(server: &Server, handle: &str) -> (Self, SignUp) {
        let mut account = [0; 16];
        account.copy_from_slice(&seed()[..16]);
        Self::founding_as(server, handle, AccountId(account))
    }

    /// The same with an account that may be there already.
    pub(crate) fn founding_as(server: &Server, handle: &str, account: AccountId) -> (Self, SignUp) {
        let now = server.now();
        let genesis = PrivateKey::from_seed(&seed());
        let mut random = [0; 20];
        random.copy_from_slice(&seed()[..20]);
        let recovery = RecoveryCode::from_bytes(random);
        let mut person = Self {
            account,
            handle: handle.parse().unwrap(),
            password: Secret::new(format!("password of {handle}")),
            app: PrivateKey::from_seed(&seed()),
            label: format!("{handle}'s phone"),
            genesis: genesis.public(),
            recovery,
            roster: vec![],
            chain: Chain(vec![]),
            token: Secret::new(""),
        };
        let recovery_key = person.recovery.signing_key().public();
        let first = Entry {
            genesis: genesis.public(),
            seq: 0,
            prev: [0; 32],
            at: now,
            change: Change::Genesis {
                household_name: format!("{handle}'s home"),
                recovery: recovery_key,
            },
        };
        person.roster.push(first.sign(&genesis));
        let add = person.add(&person.app, Kind::App, person.account, true, &person.label);
        person
            .roster
            .push(person.folded().next_entry(add, now, &genesis));
        let leaf = person.certificate(now, person.app.public(), Kind::App, person.account, true);
        person.chain = Chain(vec![leaf.sign(&genesis)]);
        let recovery_leaf = Certificate {
            kind: Kind::RecoveryKey,
            subject: recovery_key,
            person: String::new(),
            label: String::new(),
            not_after: UnixMs::NEVER,
            ..person.certificate(now, recovery_key, Kind::RecoveryKey, person.account, true)
        };
        let proof = RecoveryProof::new(
            recovery_leaf.sign(&genesis),
            genesis.public(),
            &person.recovery.signing_key(),
        );
        let home = NewHome::Found {
            account: person.account,
            genesis: genesis.public().0.to_vec().into(),
            name: format!("{handle}'s home"),
            roster: person
                .roster
                .iter()
                .map(|entry| entry.encode().into())
                .collect(),
            chain: person.chain.encode().into(),
            recovery_certificate: proof.encode().into(),
            recovery_secret: person.recovery_secret(),
        };
        let sign_up = person.sign_up(home);
        (person, sign_up)
    }

    /// Somebody who signs up with an invitation, and the request.
    pub(crate) fn joining(
        host: &Self,
        handle: &str,
        invitation: InvitationId,
        secret: &JoinSecret,
    ) -> (Self, SignUp) {
        let mut account = [0; 16];
        account.copy_from_slice(&seed()[..16]);
        Self::joining_as(host, handle, AccountId(account), (invitation, secret))
    }

    /// The same with an account that may be there already.
    pub(crate) fn joining_as(
        host: &Self,
        handle: &str,
        account: AccountId,
        (invitation, secret): (InvitationId, &JoinSecret),
    ) -> (Self, SignUp) {
        let person = Self {
            account,
            handle: handle.parse().unwrap(),
            password: Secret::new(format!("password of {handle}")),
            app: PrivateKey::from_seed(&seed()),
            label: format!("{handle}'s phone"),
            genesis: host.genesis,
            recovery: host.recovery.clone(),
            roster: vec![],
            chain: Chain(vec![]),
            token: Secret::new(""),
        };
        let proof = secret.proof(person.app.public(), person.account);
        let home = NewHome::Join {
            account: person.account,
            invitation,
            proof: proof.to_vec().into(),
        };
        let sign_up = person.sign_up(home);
        (person, sign_up)
    }

    fn sign_up(&self, home: NewHome) -> SignUp {
        SignUp {
            handle: self.handle.clone(),
            password: self.password.clone(),
            display_name: self.handle.as_str().to_uppercase(),
            app: NewApp {
                key: self.app.public().0.to_vec().into(),
                label: self.label.clone(),
            },
            home,
        }
    }

    pub(crate) fn recovery_secret(&self) -> Secret {
        Secret::new(Blob(self.recovery.server_secret().to_vec()).to_base64url())
    }

    pub(crate) fn household(&self) -> HouseholdId {
        ids::household_id(self.genesis)
    }

    pub(crate) fn device(&self) -> DeviceId {
        device_id(&self.app)
    }

    pub(crate) async fn session(&self, server: &Server) -> Session {
        server.session(&self.token).await
    }

    /// A sign-in with the app's proof.
    pub(crate) fn sign_in(&self, at_ms: u64) -> SignIn {
        let message = format!("homeline sign-in v1\0{}\0{at_ms}", self.handle);
        let signature = ring_signature(&self.app, message.as_bytes());
        SignIn {
            handle: self.handle.clone(),
            password: self.password.clone(),
            app: Some(AppProof {
                device: self.device(),
                at_ms,
                signature,
            }),
        }
    }

    pub(crate) fn folded(&self) -> Roster {
        Roster::from_entries(self.roster.iter().map(Signed::encode)).unwrap()
    }

    /// The next entry of the roster as this person knows it, signed by their app.
    pub(crate) fn entry(&self, change: Change, now: UnixMs) -> Signed {
        self.folded().next_entry(change, now, &self.app)
    }

    pub(crate) fn add(
        &self,
        key: &PrivateKey,
        kind: Kind,
        account: AccountId,
        adult: bool,
        label: &str,
    ) -> Change {
        Change::AddDevice {
            device: key.public(),
            kind,
            rights: Rights { adult },
            person: account.to_string(),
            label: label.to_owned(),
        }
    }

    pub(crate) fn certificate(
        &self,
        now: UnixMs,
        subject: PublicKey,
        kind: Kind,
        account: AccountId,
        adult: bool,
    ) -> Certificate {
        let (not_before, not_after) = Certificate::validity(kind, now);
        Certificate {
            genesis: self.genesis,
            subject,
            kind,
            rights: Rights { adult },
            person: account.to_string(),
            label: "label".to_owned(),
            not_before,
            not_after,
            roster_seq: self.roster.len() as u64,
        }
    }

    /// Entry and chain that take a device in, signed by this person's app.
    pub(crate) fn take_in(
        &self,
        now: UnixMs,
        key: &PrivateKey,
        kind: Kind,
        (account, adult): (AccountId, bool),
        label: &str,
    ) -> (Signed, Chain) {
        let entry = self.entry(self.add(key, kind, account, adult, label), now);
        let leaf = self
            .certificate(now, key.public(), kind, account, adult)
            .sign(&self.app);
        (entry, self.chain.extended(leaf))
    }

    pub(crate) fn card(&self, id: u8, revision: u64, name: &str, handle: &str, pin: Pin) -> Blob {
        let card = Card {
            genesis: self.genesis,
            id: ContactId([id; 16]),
            revision,
            name: name.to_owned(),
            handle: handle.to_owned(),
            pin,
        };
        card.sign(&self.app).encode().into()
    }

    pub(crate) fn put_contact(&self, id: u8, revision: u64, name: &str, handle: &str) -> Request {
        Request::PutContact {
            contact: ContactId([id; 16]),
            name: name.to_owned(),
            handle: handle.parse().unwrap(),
            card: self.card(id, revision, name, handle, Pin::NoneYet),
        }
    }
}

/// A fresh key for a device of a scenario.
pub(crate) fn fresh_key() -> PrivateKey {
    PrivateKey::from_seed(&seed())
}
