//! The pairing ops: both sides, by name.

use std::collections::BTreeMap;

use homeline_e2ee::chain::Chain;
use homeline_e2ee::pairing::{AppPairing, AppReveal, DevicePairing, DeviceReveal};
use serde_json::json;

use crate::json::{Answer, Failure, Fields, blob, identity};

#[derive(Default)]
pub(crate) struct Pairings {
    devices: BTreeMap<String, DevicePairing>,
    apps: BTreeMap<String, AppPairing>,
}

impl Pairings {
    pub(crate) fn answer(&mut self, op: &str, fields: Fields<'_>) -> Option<Answer> {
        let answer = match op {
            "pair_device" => self.device(fields),
            "pair_device_accepted" => self.device_accepted(fields),
            "pair_device_revealed" => self.device_revealed(fields),
            "pair_device_finish" => self.device_finish(fields),
            "pair_app" => self.app(fields),
            "pair_app_revealed" => self.app_revealed(fields),
            "pair_app_enter" => self.app_enter(fields),
            _ => return None,
        };
        Some(answer)
    }

    fn device(&mut self, fields: Fields<'_>) -> Answer {
        let label = fields.text("label")?.to_owned();
        let (key, nonce) = (fields.public("device_key")?, fields.array("nonce")?);
        let pairing = DevicePairing::new(key, fields.kind()?, label, nonce);
        let commit = blob(pairing.offer());
        self.devices
            .insert(fields.text("pairing")?.to_owned(), pairing);
        Ok(json!({ "commit_d": commit }))
    }

    fn device_named(&mut self, fields: Fields<'_>) -> Result<&mut DevicePairing, Failure> {
        let name = fields.text("pairing")?;
        self.devices
            .get_mut(name)
            .ok_or_else(|| Failure(format!("no device pairing {name}")))
    }

    fn app_named(&mut self, fields: Fields<'_>) -> Result<&mut AppPairing, Failure> {
        let name = fields.text("pairing")?;
        self.apps
            .get_mut(name)
            .ok_or_else(|| Failure(format!("no app pairing {name}")))
    }

    fn device_accepted(&mut self, fields: Fields<'_>) -> Answer {
        let reveal = self
            .device_named(fields)?
            .accepted(fields.array("commit_a")?)?;
        Ok(json!({
            "device_key": blob(reveal.device_key.0),
            "nonce": blob(reveal.nonce),
            "kind": reveal.kind.byte(),
            "label": reveal.label,
        }))
    }

    fn device_revealed(&mut self, fields: Fields<'_>) -> Answer {
        let reveal = AppReveal {
            genesis: fields.public("genesis")?,
            app_key: fields.public("app_key")?,
            nonce: fields.array("nonce")?,
        };
        let digits = self.device_named(fields)?.revealed(&reveal)?;
        Ok(json!({ "digits": digits.text() }))
    }

    fn device_finish(&mut self, fields: Fields<'_>) -> Answer {
        let chain = Chain::decode(&fields.bytes("chain")?)?;
        let entries = fields.blobs("entries")?;
        let paired = self
            .device_named(fields)?
            .finish(&chain, entries, fields.now())?;
        Ok(json!({ "identity": identity(&paired.identity) }))
    }

    fn app(&mut self, fields: Fields<'_>) -> Answer {
        let (genesis, app_key) = (fields.public("genesis")?, fields.public("app_key")?);
        let (nonce, commit_d) = (fields.array("nonce")?, fields.array("commit_d")?);
        let pairing = AppPairing::new(genesis, app_key, nonce, commit_d);
        let commit = blob(pairing.accept());
        self.apps
            .insert(fields.text("pairing")?.to_owned(), pairing);
        Ok(json!({ "commit_a": commit }))
    }

    fn app_revealed(&mut self, fields: Fields<'_>) -> Answer {
        let reveal = DeviceReveal {
            device_key: fields.public("device_key")?,
            nonce: fields.array("nonce")?,
            kind: fields.kind()?,
            label: fields.text("label")?.to_owned(),
        };
        let own = self.app_named(fields)?.revealed(&reveal)?;
        Ok(json!({
            "genesis": blob(own.genesis.0),
            "app_key": blob(own.app_key.0),
            "nonce": blob(own.nonce),
        }))
    }

    fn app_enter(&mut self, fields: Fields<'_>) -> Answer {
        let device = self.app_named(fields)?.enter(fields.text("digits")?)?;
        Ok(json!({
            "device_key": blob(device.device_key.0),
            "kind": device.kind.byte(),
            "label": device.label,
        }))
    }
}
