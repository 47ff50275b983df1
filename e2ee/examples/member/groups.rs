//! The group ops: MLS and SFrame without the epoch machine, by party.

use std::collections::BTreeMap;

use homeline_e2ee::chain::Chain;
use homeline_e2ee::group::{
    Applied, CallGroup, CallParty, CommitPlan, Committed, Credential, Expect, Member,
};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::sframe::{EpochKey, FrameReceiver, FrameSender, FrameSource};
use homeline_e2ee::time::UnixMs;
use serde_json::{Value, json};

use crate::json::{Answer, Failure, Fields, blob, identity};

#[derive(Default)]
pub(crate) struct Groups(BTreeMap<String, Seat>);

/// A party, the group once it is in it, and its frame keys.
struct Seat {
    party: CallParty,
    group: Option<CallGroup>,
    sender: FrameSender,
    receiver: FrameReceiver,
}

impl Groups {
    pub(crate) fn answer(&mut self, op: &str, fields: Fields<'_>) -> Option<Answer> {
        if op == "party" {
            return Some(self.party(fields));
        }
        let known = matches!(
            op,
            "key_package"
                | "create"
                | "welcome"
                | "add"
                | "remove"
                | "update"
                | "commit"
                | "state"
                | "message_encrypt"
                | "message_decrypt"
                | "execute"
                | "encrypt"
                | "decrypt"
                | "forget"
        );
        known.then(|| {
            let name = fields.text("party")?;
            let seat = self.0.get_mut(name);
            seat.ok_or_else(|| Failure(format!("no party {name}")))?
                .answer(op, fields)
        })
    }

    fn party(&mut self, fields: Fields<'_>) -> Answer {
        let now = fields.now();
        let party = CallParty::new(
            credential(fields)?,
            fields.id("call")?,
            expect(fields)?,
            now,
        );
        let device = party.device().to_string();
        let (sender, receiver) = (FrameSender::default(), FrameReceiver::default());
        let seat = Seat {
            party,
            group: None,
            sender,
            receiver,
        };
        self.0.insert(fields.text("party")?.to_owned(), seat);
        Ok(json!({ "device": device }))
    }
}

pub(crate) fn credential(fields: Fields<'_>) -> Result<Credential, Failure> {
    let chain = Chain::decode(&fields.bytes("chain")?)?;
    Ok(Credential::new(fields.key()?, chain, fields.now())?)
}

pub(crate) fn expect(fields: Fields<'_>) -> Result<Expect, Failure> {
    let own = match fields.flag("guest") {
        true => Expect::own_guest(fields.key()?.public()),
        false => Expect::own_household(fields.roster()?),
    };
    let expect = keys(fields, "households")?
        .into_iter()
        .fold(own, Expect::and);
    let expect = keys(fields, "guests")?
        .into_iter()
        .fold(expect, Expect::and_guest);
    Ok(keys(fields, "whoever")?
        .into_iter()
        .fold(expect, Expect::and_whoever))
}

/// A list of keys that may be absent.
fn keys(fields: Fields<'_>, name: &str) -> Result<Vec<PublicKey>, Failure> {
    if !fields.has(name) {
        return Ok(Vec::new());
    }
    let key = |bytes: Vec<u8>| {
        let bytes = bytes.try_into();
        bytes
            .map(PublicKey)
            .map_err(|_| Failure("a key has 32 bytes".to_owned()))
    };
    fields.blobs(name)?.into_iter().map(key).collect()
}

impl Seat {
    fn answer(&mut self, op: &str, fields: Fields<'_>) -> Answer {
        let now = fields.now();
        match op {
            "key_package" => {
                let offer = self.party.key_package(now)?;
                let (package, statement) = (blob(offer.key_package), blob(offer.statement));
                Ok(json!({ "key_package": package, "statement": statement }))
            }
            "create" => self.enter(now, self.party.create(now)?),
            "welcome" => self.enter(now, self.party.join(now, &fields.bytes("welcome")?)?),
            "add" | "remove" | "update" => {
                let plan = self.plan(op, fields)?;
                self.group()?
                    .commit(now, &plan)
                    .map(show_committed)
                    .map_err(Failure::from)
            }
            "commit" => self.apply(fields),
            "state" => self.state(),
            "message_encrypt" => {
                let message = self.group()?.encrypt_message(&fields.bytes("data")?)?;
                Ok(json!({ "message": blob(message) }))
            }
            "message_decrypt" => {
                let message = fields.bytes("message")?;
                let (member, data) = self.group()?.decrypt_message(now, &message)?;
                Ok(json!({ "device": member.identity.device.to_string(), "data": blob(data) }))
            }
            "execute" => self.execute(),
            "encrypt" => {
                let frame = self.sender.encrypt(&fields.bytes("frame")?)?;
                Ok(json!({ "frame": blob(frame) }))
            }
            "decrypt" => {
                let source = FrameSource {
                    owner: fields.id("owner")?,
                    tag: 0,
                };
                let frame = self
                    .receiver
                    .decrypt(now, source, &fields.bytes("frame")?)?;
                Ok(json!({ "frame": blob(frame) }))
            }
            _ => {
                self.receiver.forget(fields.number("epoch")?);
                Ok(json!({}))
            }
        }
    }

    fn group(&mut self) -> Result<&mut CallGroup, Failure> {
        self.group
            .as_mut()
            .ok_or_else(|| Failure("the party is in no group".to_owned()))
    }

    fn enter(&mut self, now: UnixMs, group: CallGroup) -> Answer {
        self.group = Some(group);
        self.install(now)?;
        self.state()
    }

    fn plan(&self, op: &str, fields: Fields<'_>) -> Result<CommitPlan, Failure> {
        let mut plan = CommitPlan::default();
        match op {
            "add" => {
                let (package, statement) =
                    (fields.bytes("key_package")?, fields.bytes("statement")?);
                let add = self
                    .party
                    .accept_key_package(fields.now(), &package, &statement)?;
                plan.add = Some(add);
            }
            "remove" => plan.remove.push(fields.id("device")?),
            _ => {}
        }
        Ok(plan)
    }

    fn apply(&mut self, fields: Fields<'_>) -> Answer {
        let applied = self
            .group()?
            .apply(fields.now(), &fields.bytes("commit")?)?;
        self.install(fields.now())?;
        let mut answer = self.state()?;
        show_applied(&applied, &mut answer);
        Ok(answer)
    }

    fn install(&mut self, now: UnixMs) -> Result<(), Failure> {
        let group = self.group()?;
        let leaves = group
            .members()
            .map(|one| (one.leaf, one.identity.device))
            .collect();
        let (epoch, base_key) = (group.epoch(), group.sframe_base_key()?);
        self.receiver.install(
            now,
            EpochKey {
                epoch,
                base_key,
                leaves,
            },
        );
        Ok(())
    }

    fn execute(&mut self) -> Answer {
        let group = self.group()?;
        let (epoch, leaf, key) = (group.epoch(), group.own_leaf(), group.sframe_base_key()?);
        self.sender.switch(epoch, &key, leaf)?;
        Ok(json!({ "epoch": epoch }))
    }

    fn state(&mut self) -> Answer {
        let group = self.group()?;
        let members: Vec<Value> = group.members().map(show_member).collect();
        Ok(json!({
            "epoch": group.epoch(),
            "leaf": group.own_leaf(),
            "call_code": group.call_code()?,
            "authenticator": blob(group.epoch_authenticator()?),
            "base_key": blob(*group.sframe_base_key()?),
            "members": members,
        }))
    }
}

pub(crate) fn show_member(member: &Member) -> Value {
    let mut shown = identity(&member.identity);
    shown["leaf"] = json!(member.leaf);
    shown
}

pub(crate) fn show_committed(committed: Committed) -> Value {
    let welcome = committed
        .welcome
        .map(|(device, welcome)| json!({ "device": device.to_string(), "welcome": blob(welcome) }));
    let removed: Vec<String> = committed.removed.iter().map(ToString::to_string).collect();
    json!({
        "epoch": committed.epoch,
        "commit": blob(committed.commit),
        "welcome": welcome,
        "removed": removed,
    })
}

fn show_applied(applied: &Applied, answer: &mut Value) {
    let devices = |members: &[Member]| -> Vec<String> {
        members
            .iter()
            .map(|member| member.identity.device.to_string())
            .collect()
    };
    answer["joined"] = json!(devices(&applied.joined));
    answer["left"] = json!(devices(&applied.left));
    answer["removed_self"] = json!(applied.removed_self);
}
