//! Whatever bytes come, in whatever order: nothing panics, and nothing is sent without a key.

use homeline_protocol::id::{CallId, DeviceId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::announcement::{self, Announcement, LiveAnnouncement, SealingStatement};
use crate::chain::{Chain, verify_chain_bytes};
use crate::contact::Contact;
use crate::drop_in::{self, Grant};
use crate::group::{Credential, Expect};
use crate::guest::{GuestLink, guest_chain};
use crate::introduction::{CallInvitation, Ringing};
use crate::invitation::{ContactLink, JoinLink};
use crate::member::{CallCrypto, Input, Output, Phase};
use crate::pairing::DeviceReveal;
use crate::policy::AnswerPolicy;
use crate::recovery::RecoveryCode;
use crate::recovery_proof::RecoveryProof;
use crate::roster::{Entry, Roster};
use crate::sframe::FrameSource;
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};

fn decode_all(bytes: &[u8]) {
    if let Ok(signed) = Signed::decode(bytes) {
        assert_eq!(signed.encode(), bytes);
    }
    if let Ok(chain) = Chain::decode(bytes) {
        assert_eq!(chain.encode(), bytes);
    }
    assert!(verify_chain_bytes(bytes, NOW).is_err() || Chain::decode(bytes).is_ok());
    if let Ok(proof) = RecoveryProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
    }
    drop(Entry::read(bytes));
    drop(Contact::read(bytes));
    drop(AnswerPolicy::read(bytes));
    if let Ok(grant) = Grant::read(bytes) {
        assert_eq!(grant.body(), bytes);
    }
    if let Ok(asking) = drop_in::Asking::read(bytes) {
        assert_eq!(asking.body(), bytes);
    }
    if let Ok(entry) = drop_in::ledger::Entry::read(bytes) {
        assert_eq!(entry.body(), bytes);
    }
    drop(drop_in::ledger::OwnLedger::decode(bytes));
    if let Ok(said) = Announcement::read(bytes) {
        assert_eq!(said.body(), bytes);
    }
    if let Ok(said) = LiveAnnouncement::read(bytes) {
        assert_eq!(said.body(), bytes);
    }
    if let Ok(statement) = SealingStatement::read(bytes) {
        assert_eq!(statement.body(), bytes);
    }
    drop(CallInvitation::read(bytes));
    drop(Ringing::read(bytes));
    drop(DeviceReveal::decode(bytes));
    drop(Roster::from_entries([bytes, bytes]));
}

/// Real bytes of every format, to be damaged.
fn samples() -> Vec<Vec<u8>> {
    let house = House::new(10);
    let chain = house.app_chain();
    let call = CallId([1; 16]);
    let invitation = CallInvitation::new(call, NOW, "ben", "Anna", true, &chain).sign(&house.app);
    let ringing = Ringing::new(call, b"package", &chain).sign(&house.app);
    let mut samples: Vec<Vec<u8>> = house
        .entries
        .iter()
        .map(|entry| entry.body.clone())
        .collect();
    samples.extend(house.entries.iter().map(Signed::encode));
    samples.extend([chain.encode(), chain.0[0].body.clone()]);
    let proof = RecoveryProof::new(chain.0[0].clone(), house.genesis.public(), &key(30));
    samples.push(proof.encode());
    let guest = guest_chain(&key(80), "Bob", NOW);
    samples.extend([guest.encode(), guest.0[0].body.clone()]);
    samples.extend(drop_in::sample_bodies());
    samples.extend(drop_in::ledger::sample_bodies());
    samples.extend(announcement::sample_bodies());
    samples.extend([invitation.body.clone(), invitation.encode(), ringing.body]);
    samples
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Append(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<prop::sample::Index>(), 1_u8..).prop_map(|(at, by)| Damage::Flip(at, by)),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        vec(any::<u8>(), 1..9).prop_map(Damage::Append),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    match damage {
        Damage::Flip(at, by) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= by;
        }
        Damage::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Damage::Append(more) => bytes.extend(more),
        _ => {}
    }
    bytes
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..600)) {
        decode_all(&bytes);
    }

    #[test]
    fn no_damaged_bytes_make_a_decoder_panic(
        which in any::<prop::sample::Index>(),
        damages in vec(damage(), 1..4),
    ) {
        let samples = samples();
        let sample = samples[which.index(samples.len())].clone();
        decode_all(&damages.iter().fold(sample, damaged));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,60}", tail in "[A-Za-z0-9/_#-]{0,120}") {
        drop(RecoveryCode::parse(&text));
        drop(RecoveryCode::parse(&tail));
        for link in [text.clone(), format!("#join/{tail}"), format!("{text}#contact/{tail}")] {
            drop(JoinLink::parse(&link));
            drop(ContactLink::parse(&link));
        }
        drop(GuestLink::parse(&format!("{text}#guest/{tail}")));
    }

    #[test]
    fn a_recovery_code_survives_its_text(bytes in any::<[u8; 20]>()) {
        let code = RecoveryCode::from_bytes(bytes);
        prop_assert!(RecoveryCode::parse(&code.text()).unwrap() == code);
    }
}

/// What a test's server and clock do to two members.
#[derive(Debug, Clone)]
enum Step {
    Add,
    Remove,
    Update,
    /// Delivers the oldest commit that waits, perhaps damaged, to one or both.
    Deliver {
        to: u8,
        damage: Option<Damage>,
    },
    Garbage {
        kind: u8,
        bytes: Vec<u8>,
    },
    Execute(u64),
    Taken(u64),
    Failed(u64),
    Frame {
        damage: Option<Damage>,
    },
    Leave,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || vec(any::<u8>(), 0..80);
    let maybe = || proptest::option::weighted(0.3, damage());
    prop_oneof![
        3 => Just(Step::Add),
        1 => Just(Step::Remove),
        2 => Just(Step::Update),
        8 => (1_u8..4, maybe()).prop_map(|(to, damage)| Step::Deliver { to, damage }),
        2 => (0_u8..4, bytes()).prop_map(|(kind, bytes)| Step::Garbage { kind, bytes }),
        2 => (0_u64..6).prop_map(Step::Execute),
        1 => (0_u64..6).prop_map(Step::Taken),
        1 => (0_u64..6).prop_map(Step::Failed),
        3 => maybe().prop_map(|damage| Step::Frame { damage }),
        1 => Just(Step::Leave),
        3 => (0_u64..20_000).prop_map(Step::Pass),
    ]
}

struct World {
    now: crate::time::UnixMs,
    members: [CallCrypto; 2],
    devices: [DeviceId; 2],
    waiting: std::collections::VecDeque<Output>,
}

fn world() -> World {
    let houses = [House::new(10), House::new(40)];
    let member = |own: &House, other: &House| {
        let credential = Credential::new(own.app.clone(), own.app_chain(), NOW).unwrap();
        let expect = Expect::own_household(own.roster.clone()).and(other.genesis.public());
        CallCrypto::new(credential, CallId([1; 16]), expect, NOW)
    };
    let members = [
        member(&houses[0], &houses[1]),
        member(&houses[1], &houses[0]),
    ];
    let device = |seed: u8| crate::ids::device_id(key(seed).public());
    World {
        now: NOW,
        members,
        devices: [device(11), device(41)],
        waiting: [].into(),
    }
}

impl World {
    fn give(&mut self, who: usize, input: Input) {
        for output in self.members[who].step(self.now, input) {
            if matches!(
                output,
                Output::SendCommit { .. } | Output::SendMessage { .. }
            ) {
                self.waiting.push_back(output);
            }
        }
        self.waiting.truncate(20);
        let member = &mut self.members[who];
        if member.phase() == Phase::Idle || member.phase() == Phase::Lone {
            assert!(member.encrypt_frame(b"x").is_err(), "nothing is sent alone");
        }
    }

    fn deliver(&mut self, to: u8, damage: Option<&Damage>) {
        let Some(output) = self.waiting.pop_front() else {
            return;
        };
        let hurt = |bytes: Vec<u8>| damage.map_or(bytes.clone(), |damage| damaged(bytes, damage));
        for who in (0..2).filter(|who| to & (1 << who) != 0) {
            match &output {
                Output::SendCommit {
                    epoch,
                    commit,
                    welcome,
                    ..
                } => {
                    let commit = hurt(commit.clone());
                    self.give(
                        who,
                        Input::Commit {
                            epoch: *epoch,
                            commit,
                        },
                    );
                    if let Some((_, welcome)) = welcome {
                        self.give(
                            1,
                            Input::Welcome {
                                welcome: hurt(welcome.clone()),
                            },
                        );
                    }
                }
                Output::SendMessage { message } => {
                    self.give(
                        who,
                        Input::Message {
                            message: hurt(message.clone()),
                        },
                    );
                }
                _ => {}
            }
        }
    }

    fn frame(&mut self, damage: Option<&Damage>) {
        let Ok(frame) = self.members[0].encrypt_frame(b"frame") else {
            return;
        };
        let hurt = damage.map_or(frame.clone(), |damage| damaged(frame.clone(), damage));
        let source = FrameSource {
            owner: self.devices[0],
            tag: 0,
        };
        if let Ok(plain) = self.members[1].decrypt_frame(self.now, source, &hurt) {
            assert!(hurt == frame && plain == b"frame" || hurt.is_empty() && plain.is_empty());
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Add => {
                let offer = self.members[1].key_package(self.now).unwrap();
                let (key_package, statement) = (offer.key_package, offer.statement);
                self.give(
                    0,
                    Input::Add {
                        key_package,
                        statement,
                    },
                );
            }
            Step::Remove => self.give(
                0,
                Input::Remove {
                    device: self.devices[1],
                },
            ),
            Step::Update => (0..2).for_each(|who| self.give(who, Input::Update)),
            Step::Deliver { to, damage } => self.deliver(to, damage.as_ref()),
            Step::Garbage { kind, bytes } => {
                let statement = bytes.clone();
                let input = match kind {
                    0 => Input::Welcome { welcome: bytes },
                    1 => Input::Message { message: bytes },
                    2 => Input::Add {
                        key_package: bytes,
                        statement,
                    },
                    _ => Input::Commit {
                        epoch: 1,
                        commit: bytes,
                    },
                };
                self.give(1, input);
            }
            Step::Execute(epoch) => (0..2).for_each(|who| self.give(who, Input::Execute { epoch })),
            Step::Taken(epoch) => self.give(0, Input::EpochTaken { epoch }),
            Step::Failed(epoch) => self.give(0, Input::CommitFailed { epoch }),
            Step::Frame { damage } => self.frame(damage.as_ref()),
            Step::Leave => self.give(1, Input::Leave),
            Step::Pass(milliseconds) => {
                self.now = self.now.plus(milliseconds);
                (0..2).for_each(|who| self.give(who, Input::Tick));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_order_of_events_makes_a_member_panic_or_send_plain(steps in vec(step(), 1..40)) {
        let mut world = world();
        world.give(0, Input::Create);
        for step in steps {
            world.run(step);
        }
    }
}
