//! A contact card: whom a household knows, under which name, with which household's key pinned.

use homeline_protocol::id::ContactId;

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{BadSignature, Context, Signed};

quiet_debug!(Contact);

#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The household whose address book this is.
    pub genesis: PublicKey,
    pub id: ContactId,
    pub revision: u64,
    pub name: String,
    pub handle: String,
    pub pin: Pin,
}

/// How well the contact's household is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    NoneYet,
    /// The key of the first contact, trusted because it came first.
    Unverified(PublicKey),
    /// Came by link, or a call code was compared.
    Verified(PublicKey),
    Deleted,
}

/// Why a signed blob is not a card to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the card belongs to another household")]
    OtherHousehold,
    #[error("the signer is no adult of the household")]
    SignerMayNot,
    #[error("revision {found} is older than {seen}, seen before")]
    Rollback { seen: u64, found: u64 },
}

impl Pin {
    /// The key that a call with this contact must show, if one is pinned.
    pub fn key(self) -> Option<PublicKey> {
        match self {
            Self::Unverified(key) | Self::Verified(key) => Some(key),
            Self::NoneYet | Self::Deleted => None,
        }
    }
}

impl Contact {
    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::Contact, self.body(), key)
    }

    /// Opens a card of the roster's household. `seen` is the highest revision of this card so far.
    pub fn open(signed: &Signed, roster: &Roster, seen: u64) -> Result<Self, ContactError> {
        signed.verify(Context::Contact)?;
        let contact = Self::read(&signed.body)?;
        if contact.genesis != roster.genesis_key() {
            return Err(ContactError::OtherHousehold);
        }
        if !roster.is_adult(signed.signer) {
            return Err(ContactError::SignerMayNot);
        }
        if contact.revision < seen {
            return Err(ContactError::Rollback {
                seen,
                found: contact.revision,
            });
        }
        Ok(contact)
    }

    fn body(&self) -> Vec<u8> {
        let (pin, key) = match self.pin {
            Pin::NoneYet => (0, PublicKey::ZERO),
            Pin::Unverified(key) => (1, key),
            Pin::Verified(key) => (2, key),
            Pin::Deleted => (3, PublicKey::ZERO),
        };
        Writer::new()
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.id.0)
            .u64(self.revision)
            .string(&self.name)
            .string(&self.handle)
            .u8(pin)
            .raw(&key.0)
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let genesis = PublicKey(reader.array()?);
        let id = ContactId(reader.array()?);
        let revision = reader.u64()?;
        let name = reader.string()?;
        let handle = reader.string()?;
        let pin = reader.u8()?;
        let key = PublicKey(reader.array()?);
        reader.finish()?;
        let pin = match (pin, key.is_zero()) {
            (0, true) => Pin::NoneYet,
            (1, false) => Pin::Unverified(key),
            (2, false) => Pin::Verified(key),
            (3, true) => Pin::Deleted,
            (other, _) => {
                return Err(DecodeError::Value {
                    field: "pin",
                    value: other.into(),
                });
            }
        };
        Ok(Self {
            genesis,
            id,
            revision,
            name,
            handle,
            pin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{House, key};

    fn card(house: &House, pin: Pin) -> Contact {
        Contact {
            genesis: house.genesis.public(),
            id: ContactId([1; 16]),
            revision: 4,
            name: "Ben".to_owned(),
            handle: "ben".to_owned(),
            pin,
        }
    }

    #[test]
    fn cards_of_every_pin_come_back() {
        let house = House::new(10);
        let them = key(60).public();
        for pin in [
            Pin::NoneYet,
            Pin::Unverified(them),
            Pin::Verified(them),
            Pin::Deleted,
        ] {
            let signed = card(&house, pin).sign(&house.app);
            assert_eq!(
                Contact::open(&signed, &house.roster, 4),
                Ok(card(&house, pin))
            );
        }
    }

    #[test]
    fn an_old_foreign_or_unsigned_card_is_refused() {
        let house = House::new(10);
        let signed = card(&house, Pin::NoneYet).sign(&house.app);
        let rollback = ContactError::Rollback { seen: 5, found: 4 };
        assert_eq!(Contact::open(&signed, &house.roster, 5), Err(rollback));
        let other = House::new(40);
        let refused = Contact::open(&signed, &other.roster, 0);
        assert_eq!(refused, Err(ContactError::OtherHousehold));
        let forged = card(&house, Pin::NoneYet).sign(&key(80));
        let refused = Contact::open(&forged, &house.roster, 0);
        assert_eq!(refused, Err(ContactError::SignerMayNot));
        let mut tampered = signed;
        tampered.body[60] ^= 1;
        let refused = Contact::open(&tampered, &house.roster, 0);
        assert_eq!(refused, Err(ContactError::Signature(BadSignature)));
    }

    #[test]
    fn a_pin_without_a_key_is_no_card() {
        let house = House::new(10);
        let mut body = card(&house, Pin::NoneYet).body();
        let pin_at = body.len() - 33;
        body[pin_at] = 2;
        let expected = DecodeError::Value {
            field: "pin",
            value: 2,
        };
        assert_eq!(Contact::read(&body), Err(expected));
    }
}
