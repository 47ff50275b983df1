//! A certificate: who says which device a key is, whose, with what rights, and until when.

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{DAY_MS, UnixMs};

quiet_debug!(Certificate);

/// How long a certificate lasts, which bounds how long a withheld roster entry can matter.
pub const LIFETIME_MS: u64 = 30 * DAY_MS;

/// A certificate is renewed when less than this is left of it.
pub const RENEW_WITHIN_MS: u64 = 10 * DAY_MS;

/// A guest's certificate lasts for one visit.
pub const GUEST_LIFETIME_MS: u64 = DAY_MS;

/// The name that a guest says, in characters.
pub const GUEST_LABEL_CHARS_MAX: usize = 40;

/// What a certified key is. Processors and bridges come later and are refused now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    App,
    HomeDevice,
    RecoveryKey,
    /// Somebody without an account who came by a call link: a household of one, for one visit.
    Guest,
}

impl Kind {
    pub fn byte(self) -> u8 {
        match self {
            Self::App => 1,
            Self::HomeDevice => 2,
            Self::RecoveryKey => 3,
            Self::Guest => 4,
        }
    }

    pub fn from_byte(value: u8) -> Result<Self, DecodeError> {
        match value {
            1 => Ok(Self::App),
            2 => Ok(Self::HomeDevice),
            3 => Ok(Self::RecoveryKey),
            4 => Ok(Self::Guest),
            other => Err(DecodeError::Value {
                field: "kind",
                value: other.into(),
            }),
        }
    }

    /// Whether a household can have it in its roster.
    pub fn is_device(self) -> bool {
        matches!(self, Self::App | Self::HomeDevice)
    }
}

/// What a certified key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// May certify others and sign the roster.
    pub adult: bool,
}

impl Rights {
    pub const ADULT: Self = Self { adult: true };
    pub const NONE: Self = Self { adult: false };

    pub fn byte(self) -> u8 {
        u8::from(self.adult)
    }

    pub fn from_byte(value: u8) -> Result<Self, DecodeError> {
        match value {
            0 => Ok(Self::NONE),
            1 => Ok(Self::ADULT),
            other => Err(DecodeError::Value {
                field: "rights",
                value: other.into(),
            }),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pub genesis: PublicKey,
    pub subject: PublicKey,
    pub kind: Kind,
    pub rights: Rights,
    /// The account id in words; of a shared device, that of its default person.
    pub person: String,
    pub label: String,
    pub not_before: UnixMs,
    pub not_after: UnixMs,
    /// The roster's length when this was signed.
    pub roster_seq: u64,
}

/// Why a signed blob is not a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("a home device is never adult")]
    AdultHomeDevice,
    #[error("the certificate lasts longer than it may")]
    TooLong,
    #[error(
        "a guest certifies itself, without rights or person, with a name of 1 to 40 characters"
    )]
    GuestForm,
}

impl Certificate {
    /// The moments between which a certificate made now is valid: a little into the past, for
    /// clocks that run behind.
    pub fn validity(kind: Kind, now: UnixMs) -> (UnixMs, UnixMs) {
        match kind {
            Kind::RecoveryKey => (now, UnixMs::NEVER),
            Kind::App | Kind::HomeDevice => (now, now.plus(LIFETIME_MS)),
            Kind::Guest => (now, now.plus(GUEST_LIFETIME_MS)),
        }
    }

    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::Certificate, self.body(), key)
    }

    /// Decodes and checks signature and form; what the signer may do is `verify_chain`'s question.
    pub fn open(signed: &Signed) -> Result<Self, CertificateError> {
        signed.verify(Context::Certificate)?;
        let certificate = Self::read(&signed.body)?;
        if certificate.kind == Kind::HomeDevice && certificate.rights.adult {
            return Err(CertificateError::AdultHomeDevice);
        }
        let longest = match certificate.kind {
            // A day of grace, so that an issuer may start a certificate in the past for slow clocks.
            Kind::App | Kind::HomeDevice => certificate.not_before.plus(LIFETIME_MS + DAY_MS),
            Kind::Guest => certificate.not_before.plus(GUEST_LIFETIME_MS),
            Kind::RecoveryKey => UnixMs::NEVER,
        };
        if certificate.kind != Kind::RecoveryKey && certificate.not_after > longest {
            return Err(CertificateError::TooLong);
        }
        if certificate.kind == Kind::Guest && !certificate.is_of_a_guest(signed.signer) {
            return Err(CertificateError::GuestForm);
        }
        Ok(certificate)
    }

    /// A guest is genesis, device and signer at once, and nothing else.
    fn is_of_a_guest(&self, signer: PublicKey) -> bool {
        let itself = self.genesis == self.subject && self.subject == signer;
        let named = (1..=GUEST_LABEL_CHARS_MAX).contains(&self.label.chars().count());
        let bare = self.rights == Rights::NONE && self.person.is_empty() && self.roster_seq == 0;
        itself && named && bare
    }

    pub fn needs_renewal(&self, now: UnixMs) -> bool {
        self.not_after.since(now) < RENEW_WITHIN_MS
    }

    fn body(&self) -> Vec<u8> {
        Writer::new()
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.subject.0)
            .u8(self.kind.byte())
            .u8(self.rights.byte())
            .string(&self.person)
            .string(&self.label)
            .u64(self.not_before.0)
            .u64(self.not_after.0)
            .u64(self.roster_seq)
            .finish()
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let certificate = Self {
            genesis: PublicKey(reader.array()?),
            subject: PublicKey(reader.array()?),
            kind: Kind::from_byte(reader.u8()?)?,
            rights: Rights::from_byte(reader.u8()?)?,
            person: reader.string()?,
            label: reader.string()?,
            not_before: UnixMs(reader.u64()?),
            not_after: UnixMs(reader.u64()?),
            roster_seq: reader.u64()?,
        };
        reader.finish()?;
        Ok(certificate)
    }
}
