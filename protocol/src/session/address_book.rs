//! Numbers and imported address books: what an app brings, what the server keeps, what it finds.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Handle;
use crate::id::{ContactId, EntryId};
use crate::phone::{E164, PhoneText};

/// What sort of number it is: "grandma's mobile".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// Carried along.
    Mobile,
    /// At home.
    Home,
    /// At work.
    Work,
    /// Everything else.
    Other,
}

/// A number as an app brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WrittenNumber {
    /// Its sort.
    pub kind: NumberKind,
    /// As it was written; 1 to 64 characters.
    pub text: PhoneText,
}

/// A number as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PhoneNumber {
    /// Its sort.
    pub kind: NumberKind,
    /// As it was written.
    pub text: PhoneText,
    /// What can be dialled; absent when the text is no valid number in the account's region.
    pub e164: Option<E164>,
}

/// One entry of an app's address book, as it is brought.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BroughtEntry {
    /// The source's own stable id of it; 1 to 128 bytes.
    pub source_id: String,
    /// 1 to 64 characters.
    pub name: String,
    /// At most 10.
    pub numbers: Vec<WrittenNumber>,
}

/// Names of people stay out of logs.
impl std::fmt::Debug for BroughtEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BroughtEntry")
    }
}

/// An imported entry. Only the account that imported it sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportedEntry {
    /// The server's id of it, which stays over later imports.
    pub id: EntryId,
    /// Where it came from.
    pub source: String,
    /// The name.
    pub name: String,
    /// The numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Whether the person hid it; it stays hidden over later imports.
    pub hidden: bool,
    /// The handle of somebody registered here whose verified number this is, and who may be found by it.
    pub registered: Option<Handle>,
}

/// Names of people stay out of logs.
impl std::fmt::Debug for ImportedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ImportedEntry")
    }
}

/// The numbers that the family typed for a contact of the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ContactNumbers {
    /// The contact.
    pub contact: ContactId,
    /// The numbers.
    pub numbers: Vec<PhoneNumber>,
    /// The handle of somebody registered here whose verified number one of them is, as for an imported
    /// entry: paid from the budget of whoever typed it.
    pub registered: Option<Handle>,
}

/// The account's settings about numbers and import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AddressBook {
    /// Whether address books may be imported; absent until the person chose.
    pub import: Option<bool>,
    /// The region in which numbers without a country code are read, as "US".
    pub region: String,
    /// Entries kept.
    pub entries: u32,
    /// The own number, once it is verified.
    pub number: Option<OwnNumber>,
    /// Whether this server can send a code by SMS.
    pub verification: bool,
}

/// A verified number of the own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnNumber {
    /// The number.
    pub number: E164,
    /// Whether those who have the number may find the account by it.
    pub discoverable: bool,
}

/// What a finished import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportResult {
    /// Entries of this source now.
    pub entries: u32,
    /// Entries that went, since the source has them no more.
    pub removed: u32,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Found {
    /// Exactly this.
    Unique {
        /// Whom to call, and how.
        choice: Choice,
    },
    /// Ask which, the likeliest first.
    Ambiguous {
        /// At most 20.
        choices: Vec<Choice>,
        /// Whether there are more.
        more: bool,
    },
    /// Nobody, or nobody with such a number.
    Nobody,
}

/// One way to reach somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choice {
    /// The name.
    pub name: String,
    /// The household's contact, if it is one.
    pub contact: Option<ContactId>,
    /// The imported entry, if it is one.
    pub entry: Option<EntryId>,
    /// Their handle, where they are called by it and not by a number.
    pub handle: Option<Handle>,
    /// The number, where they are called by it.
    pub number: Option<PhoneNumber>,
}

/// Names of people stay out of logs.
impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Choice")
    }
}
