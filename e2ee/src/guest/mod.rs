//! Guests: a household of one, made for one visit, and the call link that they come by (docs/guests.md).

use hkdf::hmac::{Hmac, Mac as _};
use homeline_protocol::id::CallLinkId;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::certificate::{Certificate, Kind, Rights};
use crate::chain::{Chain, ChainError, Identity, verify_chain_bytes};
use crate::encoding::Writer;
use crate::ids;
use crate::invitation::{NotALink, base64_text, bytes32, parts};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::time::UnixMs;

quiet_debug!(GuestLink);

/// The secret of a call link, known to the app that made it and to whoever has the link.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GuestSecret(pub [u8; 32]);

/// `/#guest/<link id>/<secret>/<fingerprint>`: the part after the hash is never sent.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestLink {
    pub link: CallLinkId,
    pub secret: GuestSecret,
    /// Of the maker's household: the guest's page takes no other's invitation.
    pub fingerprint: [u8; 32],
}

/// Why a knock is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KnockError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the chain is no guest's")]
    NotAGuest,
    #[error("the proof was not made with the link's secret")]
    WrongProof,
}

impl GuestSecret {
    /// What a guest sends along with its chain.
    pub fn proof(&self, link: CallLinkId, guest: PublicKey) -> [u8; 32] {
        self.mac(link, guest).finalize().into_bytes().into()
    }

    /// The maker's check, in constant time.
    pub fn proves(&self, link: CallLinkId, guest: PublicKey, proof: &[u8]) -> bool {
        self.mac(link, guest).verify_slice(proof).is_ok()
    }

    fn mac(&self, link: CallLinkId, guest: PublicKey) -> Hmac<Sha256> {
        let statement = Writer::new()
            .raw(b"homeline guest v1")
            .raw(&link.0)
            .raw(&guest.0)
            .finish();
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.chain_update(statement)
    }

    /// Checks a knock as the server hands it over: who it is, proven by the link's secret.
    pub fn open_knock(
        &self,
        link: CallLinkId,
        chain: &[u8],
        proof: &[u8],
        now: UnixMs,
    ) -> Result<Identity, KnockError> {
        let guest = verify_chain_bytes(chain, now)?;
        if !guest.is_guest() {
            return Err(KnockError::NotAGuest);
        }
        match self.proves(link, guest.device_key, proof) {
            true => Ok(guest),
            false => Err(KnockError::WrongProof),
        }
    }
}

impl GuestLink {
    pub fn fragment(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(base64_text(&self.secret.0));
        let fingerprint = base64_text(&self.fingerprint);
        Zeroizing::new(format!("#guest/{}/{}/{fingerprint}", self.link, *secret))
    }

    /// Takes a fragment, or any address that ends in one.
    pub fn parse(link: &str) -> Result<Self, NotALink> {
        let [link, secret, fingerprint] = parts(link, "#guest/")?;
        Ok(Self {
            link: link.parse().map_err(|_| NotALink)?,
            secret: GuestSecret(bytes32(secret)?),
            fingerprint: bytes32(fingerprint)?,
        })
    }

    /// Whether a caller is of the household that made the link.
    pub fn is_from(&self, caller: &Identity) -> bool {
        !caller.is_guest() && ids::fingerprint(caller.genesis) == self.fingerprint
    }
}

/// A guest's chain: one certificate that its fresh key signs for itself.
///
/// `label` is the name said, 1 to 40 characters; what is longer is refused by whoever verifies it.
pub fn guest_chain(key: &PrivateKey, label: &str, now: UnixMs) -> Chain {
    let (not_before, not_after) = Certificate::validity(Kind::Guest, now);
    let certificate = Certificate {
        genesis: key.public(),
        subject: key.public(),
        kind: Kind::Guest,
        rights: Rights::NONE,
        person: String::new(),
        label: label.to_owned(),
        not_before,
        not_after,
        roster_seq: 0,
    };
    Chain(vec![certificate.sign(key)])
}

#[cfg(test)]
mod tests;
