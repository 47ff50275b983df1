//! A made-up household for the tests, made by the same code that founds real ones.

use homeline_e2ee::ids;
use homeline_e2ee::recovery::RecoveryCode;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::AccountId;
use homeline_protocol::session::{
    Account, CameraSwitch, Capabilities, Device, DeviceKind, DeviceSettings, Home, Household,
    Member, PersonSettings, Presence, Role, Switches,
};
use homeline_protocol::{Blob, Secret};

use crate::api::Seed;
use crate::chance;
use crate::store::Identity;
use crate::time::now;

pub(crate) struct Founder {
    pub(crate) identity: Identity,
    pub(crate) handle: String,
    pub(crate) entries: Vec<Blob>,
    pub(crate) now: UnixMs,
}

pub(crate) fn founder(handle: &str) -> Founder {
    let at = now();
    let account = AccountId(chance::bytes());
    let (genesis, app) = (chance::private_key(), chance::private_key());
    let recovery = RecoveryCode::from_bytes(chance::bytes())
        .signing_key()
        .public();
    let seed = Seed {
        genesis: &genesis,
        app: app.public(),
        account,
        label: "Phone",
        at,
    };
    let (entries, roster) = seed.roster("Family", recovery);
    let identity = Identity {
        token: Secret::new("token"),
        account,
        device_key: app.clone(),
        genesis: genesis.public(),
        chain: seed.chain(&roster),
        genesis_key: Some(genesis.clone()),
        roster_pin: roster.pin(),
        revisions: vec![],
        first_contacts: vec![],
        call_links: vec![],
    };
    Founder {
        identity,
        handle: handle.to_owned(),
        entries,
        now: at,
    }
}

impl Founder {
    /// What an honest server would show.
    pub(crate) fn home(&self) -> Home {
        let account = Account {
            id: self.identity.account,
            handle: self.handle.parse().unwrap(),
            display_name: self.handle.clone(),
        };
        let device = Device {
            id: ids::device_id(self.identity.device_key.public()),
            kind: DeviceKind::App,
            account: account.id,
            label: "Phone".to_owned(),
            adult: true,
            presence: Presence::Online,
            chain: Blob(self.identity.chain.encode()),
            settings: DeviceSettings {
                room: String::new(),
                do_not_disturb: false,
                capabilities: Capabilities {
                    microphone: true,
                    speaker: true,
                    screen: false,
                    camera: false,
                },
                switches: Switches {
                    microphone: true,
                    camera: CameraSwitch::On,
                },
                drop_in: true,
                recently_active: true,
            },
        };
        let household = Household {
            id: ids::household_id(self.identity.genesis),
            genesis: Blob(self.identity.genesis.0.to_vec()),
            roster: self.entries.clone(),
            recovery_certificate: Blob::default(),
            members: vec![Member {
                id: account.id,
                handle: account.handle.clone(),
                display_name: account.display_name.clone(),
                role: Role::Owner,
            }],
            devices: vec![device],
        };
        Home {
            account,
            household: Some(household),
            contacts: vec![],
            invitations: vec![],
            join_requests: vec![],
            answer_policies: vec![],
            settings: PersonSettings::default(),
            children: vec![],
            leave_requests: vec![],
            drop_in_grants: vec![],
        }
    }
}
