//! Ids: sixteen bytes, written as 32 lowercase hexadecimal digits, one type for each kind of thing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 lowercase hexadecimal digits")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS)]
        #[ts(type = "string")]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex(text).map(Self)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <String as utoipa::PartialSchema>::schema()
            }
        }
        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// A person's account on this server.
    AccountId;
    /// A household: the hash of its genesis key (docs/identity.md).
    HouseholdId;
    /// An app or a home device: the hash of its key (docs/identity.md).
    DeviceId;
    /// A call, chosen by the caller, which makes starting it idempotent. Also the id of its MLS group.
    CallId;
    /// A session of one app or device with the server.
    SessionId;
    /// A room of the SFU. A call's room has the call's bytes.
    RoomId;
    /// A peer in a room. A device's peer has the device's bytes.
    PeerId;
    /// A published track.
    TrackId;
    /// A contact in a household's address book, chosen by the app that adds it.
    ContactId;
    /// A pairing in progress.
    PairingId;
    /// An invitation of a further member to a household.
    InvitationId;
    /// An entry of an imported address book.
    EntryId;
    /// One import of an app's address book, chosen by the app, which makes beginning it idempotent.
    ImportId;
    /// A consent that an adult gave for a child.
    ConsentId;
    /// A mail that the server sends.
    MailId;
    /// A call link, chosen by the app that makes it, which makes making it idempotent.
    CallLinkId;
    /// A drop-in grant, chosen by the app that gives it. Its versions share it.
    GrantId;
    /// An announcement, chosen by the device that makes it, which makes making it idempotent.
    AnnouncementId;
}

fn write_hex(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn parse_hex(text: &str) -> Result<[u8; 16], InvalidId> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(InvalidId);
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

fn digit(character: u8) -> Result<u8, InvalidId> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_refuses_any_other_form() {
        let id = CallId([0xa0; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "a0",
            &"A0".repeat(16),
            &"g0".repeat(16),
            &"é".repeat(16),
        ] {
            assert_eq!(text.parse::<CallId>(), Err(InvalidId), "{text}");
        }
    }
}
