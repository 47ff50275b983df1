//! Signing up, signing in, recovering an account: the app's keys are made here and stay here.

use ed25519_dalek::{Signer as _, SigningKey};
use homeline_e2ee::certificate::{Certificate, Kind, Rights};
use homeline_e2ee::chain::{Chain, ChainError, verify_chain};
use homeline_e2ee::ids;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::recovery::RecoveryCode;
use homeline_e2ee::recovery_proof::{RecoveryProof, RecoveryProofError};
use homeline_e2ee::roster::{Change, Entry, Roster, RosterError};
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::http::{
    About, AppProof, NewApp, NewHome, RecoverBegin, RecoverFinish, RecoverTicket, SignIn, SignUp,
    SignedIn,
};
use homeline_protocol::id::AccountId;
use homeline_protocol::{Blob, Handle, Secret};

use super::http::{HttpError, get, post};
use crate::chance;
use crate::server::Server;
use crate::store::Identity;
use crate::time::now;

/// Who signs up or recovers.
#[derive(Clone)]
pub struct Credentials {
    pub handle: Handle,
    pub password: Secret,
}

/// What a founder chooses.
#[derive(Clone)]
pub struct FounderPlan {
    /// The name that a ringing device speaks.
    pub display_name: String,
    /// What the household sees this app as.
    pub label: String,
    pub household_name: String,
}

/// A household was founded.
pub struct Founded {
    pub identity: Identity,
    /// To be shown once and kept on paper: it brings account and household back.
    pub recovery_code: RecoveryCode,
}

/// Why recovering failed.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the server showed a roster that does not hold: {0}")]
    Roster(#[from] RosterError),
    #[error("this recovery code is not the household's newest")]
    NotTheNewest,
    /// Among them: the server shows another household than the code's.
    #[error(transparent)]
    Proof(#[from] RecoveryProofError),
    /// As when this machine's clock is wrong.
    #[error("the recovered app's chain does not hold: {0}")]
    Chain(#[from] ChainError),
}

/// What the server says of itself to anyone.
///
/// # Errors
/// When it can't be reached.
pub async fn about(server: &Server) -> Result<About, HttpError> {
    get(server, "/v1/about", None).await
}

/// Signs up and founds a household: genesis key, app key, recovery code, roster and chain are made here.
///
/// # Errors
/// When the server refuses, as for a handle that is taken.
pub async fn found_household(
    server: &Server,
    who: Credentials,
    plan: FounderPlan,
) -> Result<Founded, HttpError> {
    let at = now();
    let account = AccountId(chance::bytes());
    let (genesis, app) = (chance::private_key(), chance::private_key());
    let recovery_code = RecoveryCode::from_bytes(chance::bytes());
    let recovery = recovery_code.signing_key();
    let seed = Seed {
        genesis: &genesis,
        app: app.public(),
        account,
        label: &plan.label,
        at,
    };
    let (entries, roster) = seed.roster(&plan.household_name, recovery.public());
    let chain = seed.chain(&roster);
    let home = NewHome::Found {
        account,
        genesis: Blob(genesis.public().0.to_vec()),
        name: plan.household_name,
        roster: entries,
        chain: Blob(chain.encode()),
        recovery_certificate: Blob(seed.recovery_proof(&recovery).encode()),
        recovery_secret: recovery_secret(&recovery_code),
    };
    let body = SignUp {
        handle: who.handle,
        password: who.password,
        display_name: plan.display_name,
        app: NewApp {
            key: Blob(app.public().0.to_vec()),
            label: plan.label,
        },
        home,
    };
    let signed_in: SignedIn = post(server, "/v1/sign-up", None, &body).await?;
    let identity = Identity {
        token: signed_in.token,
        account,
        device_key: app,
        genesis_key: Some(genesis.clone()),
        genesis: genesis.public(),
        chain,
        roster_pin: roster.pin(),
        revisions: Vec::new(),
        first_contacts: Vec::new(),
        call_links: Vec::new(),
    };
    Ok(Founded {
        identity,
        recovery_code,
    })
}

/// Signs in anew with a password and the key that `identity` holds; its token is replaced.
///
/// # Errors
/// When the password is wrong or the device was removed.
pub async fn sign_in(
    server: &Server,
    who: Credentials,
    identity: &mut Identity,
) -> Result<(), HttpError> {
    let at_ms = now().0;
    let device = ids::device_id(identity.device_key.public());
    let message = format!("homeline sign-in v1\0{}\0{at_ms}", who.handle);
    let signature = SigningKey::from_bytes(&identity.device_key.seed()).sign(message.as_bytes());
    let app = Some(AppProof {
        device,
        at_ms,
        signature: Blob(signature.to_bytes().to_vec()),
    });
    let body = SignIn {
        handle: who.handle,
        password: who.password,
        app,
    };
    let signed_in: SignedIn = post(server, "/v1/sign-in", None, &body).await?;
    identity.token = signed_in.token;
    Ok(())
}

/// Brings an account back with its recovery code: a new app key, certified by the recovery key.
///
/// # Errors
/// When the code is wrong, or the server's roster is not the one the code belongs to.
pub async fn recover(
    server: &Server,
    who: Credentials,
    label: &str,
    code: &RecoveryCode,
) -> Result<Identity, RecoverError> {
    let begin = RecoverBegin {
        handle: who.handle,
        recovery_secret: recovery_secret(code),
    };
    let ticket: RecoverTicket = post(server, "/v1/recover/begin", None, &begin).await?;
    let restored = restore(&ticket, code, label, now())?;
    let body = RecoverFinish {
        ticket: ticket.ticket,
        password: who.password,
        app: NewApp {
            key: Blob(restored.app.public().0.to_vec()),
            label: label.to_owned(),
        },
        entry: Blob(restored.entry.encode()),
        chain: Blob(restored.chain.encode()),
    };
    let signed_in: SignedIn = post(server, "/v1/recover/finish", None, &body).await?;
    Ok(Identity {
        token: signed_in.token,
        account: ticket.account,
        device_key: restored.app,
        genesis_key: None,
        genesis: restored.roster.genesis_key(),
        chain: restored.chain,
        roster_pin: restored.roster.pin(),
        revisions: Vec::new(),
        first_contacts: Vec::new(),
        call_links: Vec::new(),
    })
}

/// A new app, entered and certified by the recovery key.
struct Restored {
    app: PrivateKey,
    entry: Signed,
    /// With the new entry.
    roster: Roster,
    chain: Chain,
}

/// Believes nothing that the ticket says of the household unless the recovery key itself says it too.
fn restore(
    ticket: &RecoverTicket,
    code: &RecoveryCode,
    label: &str,
    at: UnixMs,
) -> Result<Restored, RecoverError> {
    let mut roster = Roster::from_entries(&ticket.roster)?;
    let recovery = code.signing_key();
    if roster.recovery_key() != recovery.public() {
        return Err(RecoverError::NotTheNewest);
    }
    let proof =
        RecoveryProof::decode(&ticket.recovery_certificate.0).map_err(RecoveryProofError::from)?;
    let certificate = proof.open(roster.genesis_key(), recovery.public())?;
    let app = chance::private_key();
    let person = ticket.account.to_string();
    let added = Change::AddDevice {
        device: app.public(),
        kind: Kind::App,
        rights: Rights::ADULT,
        person: person.clone(),
        label: label.to_owned(),
    };
    let entry = roster.next_entry(added, at, &recovery);
    roster.append(&entry)?;
    let genesis = roster.genesis_key();
    let leaf = app_certificate(genesis, app.public(), &person, label, at, roster.seq());
    let chain = Chain(vec![leaf.sign(&recovery), certificate]);
    verify_chain(&chain, at)?;
    Ok(Restored {
        app,
        entry,
        roster,
        chain,
    })
}

fn recovery_secret(code: &RecoveryCode) -> Secret {
    Secret::new(Blob(code.server_secret().to_vec()).to_base64url())
}

fn app_certificate(
    genesis: PublicKey,
    subject: PublicKey,
    person: &str,
    label: &str,
    at: UnixMs,
    roster_seq: u64,
) -> Certificate {
    let (not_before, not_after) = Certificate::validity(Kind::App, at);
    Certificate {
        genesis,
        subject,
        kind: Kind::App,
        rights: Rights::ADULT,
        person: person.to_owned(),
        label: label.to_owned(),
        not_before,
        not_after,
        roster_seq,
    }
}

/// What a new household grows from.
pub(crate) struct Seed<'a> {
    pub(crate) genesis: &'a PrivateKey,
    pub(crate) app: PublicKey,
    pub(crate) account: AccountId,
    pub(crate) label: &'a str,
    pub(crate) at: UnixMs,
}

impl Seed<'_> {
    pub(crate) fn roster(&self, name: &str, recovery: PublicKey) -> (Vec<Blob>, Roster) {
        let first = Entry {
            genesis: self.genesis.public(),
            seq: 0,
            prev: [0; 32],
            at: self.at,
            change: Change::Genesis {
                household_name: name.to_owned(),
                recovery,
            },
        };
        let first = first.sign(self.genesis);
        let mut roster = Roster::genesis(&first).expect("a genesis entry of our own making holds");
        let added = Change::AddDevice {
            device: self.app,
            kind: Kind::App,
            rights: Rights::ADULT,
            person: self.account.to_string(),
            label: self.label.to_owned(),
        };
        let second = roster.next_entry(added, self.at, self.genesis);
        roster
            .append(&second)
            .expect("the founder's own entry holds");
        (vec![Blob(first.encode()), Blob(second.encode())], roster)
    }

    pub(crate) fn chain(&self, roster: &Roster) -> Chain {
        let genesis = self.genesis.public();
        let person = self.account.to_string();
        let leaf = app_certificate(
            genesis,
            self.app,
            &person,
            self.label,
            self.at,
            roster.seq(),
        );
        Chain(vec![leaf.sign(self.genesis)])
    }

    pub(crate) fn recovery_proof(&self, recovery: &PrivateKey) -> RecoveryProof {
        let (not_before, not_after) = Certificate::validity(Kind::RecoveryKey, self.at);
        let genesis = self.genesis.public();
        let certificate = Certificate {
            genesis,
            subject: recovery.public(),
            kind: Kind::RecoveryKey,
            rights: Rights::NONE,
            person: self.account.to_string(),
            label: "Recovery code".to_owned(),
            not_before,
            not_after,
            roster_seq: 0,
        };
        RecoveryProof::new(certificate.sign(self.genesis), genesis, recovery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId([7; 16]);

    /// What a server hands out that found a household for this code's public key.
    fn ticket(genesis: &PrivateKey, recovery: PublicKey, proof: &RecoveryProof) -> RecoverTicket {
        let (roster, _) = seed(genesis).roster("Family", recovery);
        RecoverTicket {
            ticket: Secret::new("ticket"),
            account: ACCOUNT,
            roster,
            recovery_certificate: Blob(proof.encode()),
        }
    }

    fn seed(genesis: &PrivateKey) -> Seed<'_> {
        Seed {
            genesis,
            app: PrivateKey::from_seed(&[3; 32]).public(),
            account: ACCOUNT,
            label: "Phone",
            at: UnixMs(1_795_305_600_000),
        }
    }

    #[test]
    fn only_the_household_that_the_recovery_key_names_is_restored() {
        let [genesis, evil] = [1, 2].map(|fill| PrivateKey::from_seed(&[fill; 32]));
        let code = RecoveryCode::from_bytes([9; 20]);
        let key = code.signing_key();
        let genuine = seed(&genesis).recovery_proof(&key);
        let at = seed(&genesis).at;
        let shown = ticket(&genesis, key.public(), &genuine);
        let restored = restore(&shown, &code, "New phone", at).unwrap();
        assert_eq!(restored.roster.genesis_key(), genesis.public());

        // The server makes a household with the recovery key, which is public, in its roster; its
        // genesis key vouches for that key, and binds it with the only key that it has.
        let certificate = genuine
            .clone()
            .open(genesis.public(), key.public())
            .unwrap();
        let mut body = Certificate::open(&certificate).unwrap();
        body.genesis = evil.public();
        let forged = RecoveryProof::new(body.sign(&evil), evil.public(), &evil);
        for proof in [&genuine, &forged] {
            let shown = ticket(&evil, key.public(), proof);
            let refused = restore(&shown, &code, "New phone", at).err().unwrap();
            assert_eq!(
                refused.to_string(),
                "the server shows another household than the one this recovery code belongs to"
            );
        }
        let older = RecoveryCode::from_bytes([8; 20]);
        let refused = restore(&shown, &older, "New phone", at);
        assert!(matches!(refused, Err(RecoverError::NotTheNewest)));
    }
}
