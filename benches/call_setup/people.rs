//! Who calls whom: households, people and devices, written straight into the database.

use std::path::Path;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, Role};
use homeline_protocol::{Handle, Secret};
use homeline_signaling::domain::secrets::{hash_token, new_token};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::accounts::NewAccount;
use homeline_signaling::store::devices::{DeviceRow, KindColumn, SettingsColumns};
use homeline_signaling::store::households::HouseholdRow;
use homeline_signaling::store::{
    Db, Nullable, StoreConfig, Tx, accounts, devices, households, tokens,
};

/// People who call, each from one device, into one call at a time.
pub(crate) const CALLERS: usize = 250;
/// People who are called: each by five at a time, of the eight that one may have.
const CALLEES: usize = 50;
pub(crate) const DEVICES_OF_CALLEE: usize = 3;

/// A signed invitation with its chain of certificates has about as many bytes.
pub(crate) const INVITATION_BYTES: usize = 1_500;

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// The tokens of every device.
pub(crate) struct People {
    pub(crate) callers: Vec<Secret>,
    pub(crate) callees: Vec<Secret>,
}

impl People {
    /// Writes them into the database of a server that is not started yet.
    pub(crate) async fn settle(data: &Path) -> Self {
        let path = data.join("homeline.db");
        let db = Db::open(&StoreConfig { path }).await.expect("a database");
        let mut tx = db.write().await.expect("the database writes");
        let mut people = Self {
            callers: Vec::new(),
            callees: Vec::new(),
        };
        for number in 0..CALLERS {
            let tokens = person(&mut tx, number, "caller", 1).await;
            people.callers.extend(tokens);
        }
        for number in 0..CALLEES {
            let tokens = person(&mut tx, CALLERS + number, "callee", DEVICES_OF_CALLEE).await;
            people.callees.extend(tokens);
        }
        tx.commit().await.expect("the database writes");
        db.close().await;
        people
    }

    /// Whom a caller calls.
    pub(crate) fn callee_of(&self, caller: usize) -> Handle {
        handle("callee", CALLERS + caller % CALLEES)
    }
}

fn handle(role: &str, number: usize) -> Handle {
    format!("{role}{number}").parse().expect("a handle")
}

/// One household with one person, and the tokens of their devices.
async fn person(tx: &mut Tx, number: usize, role: &str, count: usize) -> Vec<Secret> {
    let now = Clock::System.now();
    let id = |what: u8| {
        let mut id = [what; 16];
        id[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
        id
    };
    let household = HouseholdId(id(1));
    let row = HouseholdRow {
        id: household,
        genesis: vec![1; 32],
        recovery_certificate: vec![2; 64],
        recovery_hash: "none".to_owned(),
    };
    let stored = households::insert(tx, &row, now).await;
    stored.expect("a household");
    let account = AccountId(id(2));
    let new = NewAccount {
        id: account,
        handle: &handle(role, number),
        display_name: role,
        password_hash: "none",
        household: Some(household),
        role: Role::Adult,
        at: now,
    };
    accounts::insert(tx, new).await.expect("an account");
    let mut tokens = Vec::new();
    for nth in 0..count {
        let nth = u8::try_from(nth).expect("few");
        let device = DeviceId(id(10 + nth));
        let kind = if nth == 0 {
            DeviceKind::App
        } else {
            DeviceKind::HomeDevice
        };
        tokens.push(add_device(tx, (account, household), (device, kind), now).await);
    }
    tokens
}

async fn add_device(
    tx: &mut Tx,
    (account, household): (AccountId, HouseholdId),
    (device, kind): (DeviceId, DeviceKind),
    now: UnixMillis,
) -> Secret {
    let row = DeviceRow {
        id: device,
        public_key: device.0.repeat(2),
        account,
        household: Nullable(Some(household)),
        kind: KindColumn(kind),
        label: "Room".to_owned(),
        adult: kind == DeviceKind::App,
        chain: Some(vec![4; 64]),
        removed_at_ms: None,
        settings: SettingsColumns::default(),
    };
    devices::insert(tx, &row, now).await.expect("a device");
    let (token, _) = new_token();
    let until = UnixMillis(now.0 + DAY_MILLIS);
    let whose = (account, Some(device));
    let stored = tokens::insert(tx, hash_token(&token), whose, now, until).await;
    stored.expect("a token");
    token
}
