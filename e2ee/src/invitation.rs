//! Links that bring people together: the join link of a household and its proof, the contact link.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::hmac::{Hmac, Mac as _};
use homeline_protocol::id::{AccountId, InvitationId};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::encoding::Writer;
use crate::key::PublicKey;
use crate::quiet::quiet_debug;

quiet_debug!(ContactLink);

/// The secret of a join link, known to the inviter's app and to the joiner, never to the server.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct JoinSecret(pub [u8; 32]);

impl JoinSecret {
    /// What the joiner sends along with its app key.
    pub fn proof(&self, app_key: PublicKey, account: AccountId) -> [u8; 32] {
        self.mac(app_key, account).finalize().into_bytes().into()
    }

    /// The inviter's check, in constant time.
    pub fn proves(&self, app_key: PublicKey, account: AccountId, proof: &[u8]) -> bool {
        self.mac(app_key, account).verify_slice(proof).is_ok()
    }

    fn mac(&self, app_key: PublicKey, account: AccountId) -> Hmac<Sha256> {
        let statement = Writer::new()
            .raw(b"homeline join v1")
            .raw(&app_key.0)
            .string(&account.to_string())
            .finish();
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.chain_update(statement)
    }
}

/// `/#join/<invitation id>/<secret>/<fingerprint>`: the part after the hash is never sent.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinLink {
    pub invitation: InvitationId,
    pub secret: JoinSecret,
    pub fingerprint: [u8; 32],
}

/// `/#contact/<handle>/<fingerprint>`: adds a contact with its household's key pinned.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactLink {
    pub handle: String,
    pub fingerprint: [u8; 32],
}

/// The text is not such a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not such a link")]
pub struct NotALink;

impl JoinLink {
    pub fn fragment(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.secret.0));
        let fingerprint = URL_SAFE_NO_PAD.encode(self.fingerprint);
        Zeroizing::new(format!(
            "#join/{}/{}/{fingerprint}",
            self.invitation, *secret
        ))
    }

    /// Takes a fragment, or any address that ends in one.
    pub fn parse(link: &str) -> Result<Self, NotALink> {
        let [invitation, secret, fingerprint] = parts(link, "#join/")?;
        Ok(Self {
            invitation: invitation.parse().map_err(|_| NotALink)?,
            secret: JoinSecret(bytes32(secret)?),
            fingerprint: bytes32(fingerprint)?,
        })
    }
}

impl ContactLink {
    pub fn fragment(&self) -> String {
        format!(
            "#contact/{}/{}",
            self.handle,
            URL_SAFE_NO_PAD.encode(self.fingerprint)
        )
    }

    /// Takes a fragment, or any address that ends in one.
    pub fn parse(link: &str) -> Result<Self, NotALink> {
        let [handle, fingerprint] = parts(link, "#contact/")?;
        if handle.is_empty() {
            return Err(NotALink);
        }
        Ok(Self {
            handle: handle.to_owned(),
            fingerprint: bytes32(fingerprint)?,
        })
    }
}

pub(crate) fn base64_text(bytes: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn parts<'a, const N: usize>(
    link: &'a str,
    start: &str,
) -> Result<[&'a str; N], NotALink> {
    let at = link.find(start).ok_or(NotALink)?;
    let parts: Vec<&str> = link[at + start.len()..].split('/').collect();
    parts.try_into().map_err(|_| NotALink)
}

pub(crate) fn bytes32(text: &str) -> Result<[u8; 32], NotALink> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotALink)?;
    bytes.try_into().map_err(|_| NotALink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    #[test]
    fn a_proof_binds_secret_key_and_account() {
        let (secret, other) = (JoinSecret([1; 32]), JoinSecret([2; 32]));
        let key = PrivateKey::from_seed(&[3; 32]).public();
        let (anna, ben) = (AccountId([4; 16]), AccountId([5; 16]));
        let proof = secret.proof(key, anna);
        assert!(secret.proves(key, anna, &proof));
        assert!(!secret.proves(key, ben, &proof));
        assert!(!secret.proves(PublicKey([9; 32]), anna, &proof));
        assert!(!other.proves(key, anna, &proof));
        assert!(!secret.proves(key, anna, &proof[..31]));
    }

    #[test]
    fn links_survive_their_text_and_others_are_refused() {
        let join = JoinLink {
            invitation: InvitationId([6; 16]),
            secret: JoinSecret([7; 32]),
            fingerprint: [8; 32],
        };
        let text = format!("https://home.example/{}", *join.fragment());
        assert!(JoinLink::parse(&text).unwrap() == join);
        let contact = ContactLink {
            handle: "anna".to_owned(),
            fingerprint: [8; 32],
        };
        assert_eq!(ContactLink::parse(&contact.fragment()), Ok(contact));
        for text in [
            "",
            "#join/",
            "#join/a/b/c",
            "#contact//x",
            "#contact/anna/short",
            "#contact/a",
        ] {
            assert!(JoinLink::parse(text).is_err(), "{text}");
            assert!(ContactLink::parse(text).is_err(), "{text}");
        }
    }
}
