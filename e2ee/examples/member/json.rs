//! Fields of a JSON request, and values of a reply.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_e2ee::certificate::{Kind, Rights};
use homeline_e2ee::chain::Identity;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::roster::Roster;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use serde_json::{Value, json};

/// What goes back as `error`.
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

pub(crate) type Answer = Result<Value, Failure>;

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    fn value(self, name: &str) -> Result<&'a Value, Failure> {
        self.0
            .get(name)
            .ok_or_else(|| Failure(format!("field {name} is missing")))
    }

    pub(crate) fn text(self, name: &str) -> Result<&'a str, Failure> {
        self.value(name)?
            .as_str()
            .ok_or_else(|| Failure(format!("field {name} is no text")))
    }

    pub(crate) fn number(self, name: &str) -> Result<u64, Failure> {
        self.value(name)?
            .as_u64()
            .ok_or_else(|| Failure(format!("field {name} is no number")))
    }

    pub(crate) fn flag(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn list(self, name: &str) -> Result<Vec<Self>, Failure> {
        let list = self.value(name)?.as_array();
        let list = list.ok_or_else(|| Failure(format!("field {name} is no list")))?;
        Ok(list.iter().map(Fields).collect())
    }

    pub(crate) fn object(self, name: &str) -> Result<Self, Failure> {
        self.value(name).map(Self)
    }

    pub(crate) fn bytes(self, name: &str) -> Result<Vec<u8>, Failure> {
        decode(self.text(name)?)
    }

    /// A list of blobs.
    pub(crate) fn blobs(self, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let text = |one: Fields<'_>| one.0.as_str().map(str::to_owned);
        let list = self.list(name)?.into_iter().map(text);
        list.map(|one| decode(&one.unwrap_or_default())).collect()
    }

    pub(crate) fn array<const N: usize>(self, name: &str) -> Result<[u8; N], Failure> {
        let bytes = self.bytes(name)?;
        bytes
            .try_into()
            .map_err(|_| Failure(format!("field {name} is not {N} bytes long")))
    }

    pub(crate) fn public(self, name: &str) -> Result<PublicKey, Failure> {
        Ok(PublicKey(self.array(name)?))
    }

    pub(crate) fn key(self) -> Result<PrivateKey, Failure> {
        Ok(PrivateKey::from_seed(&self.array("seed")?))
    }

    pub(crate) fn signed(self, name: &str) -> Result<Signed, Failure> {
        Ok(Signed::decode(&self.bytes(name)?)?)
    }

    pub(crate) fn kind(self) -> Result<Kind, Failure> {
        let byte = u8::try_from(self.number("kind")?)?;
        Ok(Kind::from_byte(byte)?)
    }

    pub(crate) fn rights(self) -> Rights {
        Rights {
            adult: self.flag("adult"),
        }
    }

    pub(crate) fn roster(self) -> Result<Roster, Failure> {
        Ok(Roster::from_entries(self.blobs("entries")?)?)
    }

    pub(crate) fn id<T: FromStr<Err: std::error::Error>>(self, name: &str) -> Result<T, Failure> {
        Ok(self.text(name)?.parse()?)
    }

    pub(crate) fn now(self) -> UnixMs {
        #[expect(
            clippy::disallowed_methods,
            reason = "an example is the one who tells the time"
        )]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let real = since.unwrap_or_default().as_millis();
        UnixMs(
            self.number("now_ms")
                .unwrap_or(u64::try_from(real).unwrap_or(u64::MAX)),
        )
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    Ok(URL_SAFE_NO_PAD.decode(text)?)
}

pub(crate) fn blob(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn identity(identity: &Identity) -> Value {
    json!({
        "genesis": blob(identity.genesis.0),
        "household": identity.household.to_string(),
        "device": identity.device.to_string(),
        "device_key": blob(identity.device_key.0),
        "kind": identity.kind.byte(),
        "adult": identity.rights.adult,
        "person": identity.person,
        "label": identity.label,
        "not_after_ms": identity.not_after.0,
    })
}
