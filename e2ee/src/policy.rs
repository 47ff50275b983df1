//! Whom a home device lets in without being touched: a setting that an adult's app signs.

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{BadSignature, Context, Signed};

quiet_debug!(Rule);

/// More people than anyone lets in by name; a longer policy is refused.
pub const RULES_MAX: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerPolicy {
    pub genesis: PublicKey,
    pub device: PublicKey,
    pub revision: u64,
    pub rules: Vec<Rule>,
}

/// One household, or one person of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rule {
    pub their_genesis: PublicKey,
    /// The account id in words; empty: everybody of that household.
    pub person: String,
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Answers by itself.
    Auto,
    /// Answers by itself and sends back what it hears.
    Echo,
}

/// Why a signed blob is not the policy of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the policy is for another household or device")]
    NotOurs,
    #[error("the signer is no adult of the household")]
    SignerMayNot,
    #[error("revision {found} is older than {seen}, seen before")]
    Rollback { seen: u64, found: u64 },
}

impl AnswerPolicy {
    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::AnswerPolicy, self.body(), key)
    }

    /// Opens the policy of `device`. `seen` is the highest revision so far.
    pub fn open(
        signed: &Signed,
        roster: &Roster,
        device: PublicKey,
        seen: u64,
    ) -> Result<Self, PolicyError> {
        signed.verify(Context::AnswerPolicy)?;
        let policy = Self::read(&signed.body)?;
        if policy.genesis != roster.genesis_key() || policy.device != device {
            return Err(PolicyError::NotOurs);
        }
        if !roster.is_adult(signed.signer) {
            return Err(PolicyError::SignerMayNot);
        }
        if policy.revision < seen {
            return Err(PolicyError::Rollback {
                seen,
                found: policy.revision,
            });
        }
        Ok(policy)
    }

    /// What a call of this person does by itself; `None`: it rings and asks. A rule that names the
    /// person outranks one for everybody of the household.
    pub fn mode_for(&self, their_genesis: PublicKey, person: &str) -> Option<Mode> {
        let of = |wanted: &str| {
            let fits = |rule: &&Rule| rule.their_genesis == their_genesis && rule.person == wanted;
            self.rules.iter().find(fits).map(|rule| rule.mode)
        };
        of(person).or_else(|| of(""))
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.device.0)
            .u64(self.revision);
        let rules = &self.rules[..self.rules.len().min(RULES_MAX)];
        writer.u16(u16::try_from(rules.len()).expect("at most RULES_MAX"));
        for rule in rules {
            let mode = match rule.mode {
                Mode::Auto => 1,
                Mode::Echo => 2,
            };
            writer
                .raw(&rule.their_genesis.0)
                .string(&rule.person)
                .u8(mode);
        }
        writer.finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let genesis = PublicKey(reader.array()?);
        let device = PublicKey(reader.array()?);
        let revision = reader.u64()?;
        let count = usize::from(reader.u16()?);
        if count > RULES_MAX {
            return Err(DecodeError::TooMany {
                field: "rules",
                max: RULES_MAX,
            });
        }
        let rules = (0..count)
            .map(|_| Rule::read(&mut reader))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self {
            genesis,
            device,
            revision,
            rules,
        })
    }
}

impl Rule {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let their_genesis = PublicKey(reader.array()?);
        let person = reader.string()?;
        let mode = match reader.u8()? {
            1 => Mode::Auto,
            2 => Mode::Echo,
            other => {
                return Err(DecodeError::Value {
                    field: "mode",
                    value: other.into(),
                });
            }
        };
        Ok(Self {
            their_genesis,
            person,
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{House, key};

    fn policy(house: &House) -> AnswerPolicy {
        let friends = key(60).public();
        let rule = |person: &str, mode| Rule {
            their_genesis: friends,
            person: person.to_owned(),
            mode,
        };
        AnswerPolicy {
            genesis: house.genesis.public(),
            device: key(20).public(),
            revision: 2,
            rules: vec![rule("", Mode::Echo), rule("ben", Mode::Auto)],
        }
    }

    #[test]
    fn a_named_person_outranks_the_household_and_everyone_else_is_asked() {
        let policy = policy(&House::new(10));
        let friends = key(60).public();
        assert_eq!(policy.mode_for(friends, "ben"), Some(Mode::Auto));
        assert_eq!(policy.mode_for(friends, "carla"), Some(Mode::Echo));
        assert_eq!(policy.mode_for(key(61).public(), "ben"), None);
    }

    #[test]
    fn a_policy_is_signed_by_an_adult_for_one_device_and_never_goes_back() {
        let house = House::new(10);
        let device = key(20).public();
        let signed = policy(&house).sign(&house.app);
        let open = |signed, device, seen| AnswerPolicy::open(signed, &house.roster, device, seen);
        assert_eq!(open(&signed, device, 2), Ok(policy(&house)));
        let rollback = PolicyError::Rollback { seen: 3, found: 2 };
        assert_eq!(open(&signed, device, 3), Err(rollback));
        assert_eq!(
            open(&signed, key(21).public(), 0),
            Err(PolicyError::NotOurs)
        );
        let forged = policy(&house).sign(&key(20));
        assert_eq!(open(&forged, device, 0), Err(PolicyError::SignerMayNot));
    }
}
