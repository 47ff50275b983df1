//! No initiator derives a key for what a target captured before its tone and light, or after its end.
//!
//! The target is the real machine with real groups and frames, and captures at every moment, as a broken or
//! bribed program around it might; an honest one has its microphone shut then. The server delivers what it
//! likes, as often and in whatever order it likes, forged commits and messages of other calls among it. The
//! initiators keep every key they ever had and are handed all that was ever sent.

use std::collections::BTreeMap;

use homeline_protocol::id::CallId;
use homeline_protocol::session::DropInRefusal;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::ledger::EndedBy;
use super::target::live;
use super::*;
use crate::group::{Credential, Expect};
use crate::ids::device_id;
use crate::member::{CallCrypto, Input, Output};
use crate::sframe::FrameSource;

/// What happens next, on whosever behalf.
#[derive(Debug, Clone)]
enum Step {
    /// An initiator asks with a fresh key package: which of the two, and how the grant opens.
    Asks(usize, u8),
    ToneEnds,
    LightLit,
    ToneFails,
    Yes,
    No,
    Hush(bool),
    End,
    Gone,
    Revoked,
    /// Milliseconds pass.
    Pass(u64),
    /// The server hands the target something of all that it ever saw.
    ToTarget(usize),
    /// The server has the target add an initiator's key package anew, or the other one's.
    AddAgain(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..2, 0_u8..3).prop_map(|(who, opening)| Step::Asks(who, opening)),
        5 => Just(Step::ToneEnds),
        5 => Just(Step::LightLit),
        1 => Just(Step::ToneFails),
        2 => Just(Step::Yes),
        1 => Just(Step::No),
        1 => any::<bool>().prop_map(Step::Hush),
        1 => Just(Step::End),
        1 => Just(Step::Gone),
        1 => Just(Step::Revoked),
        3 => (1_u64..12_000).prop_map(Step::Pass),
        6 => (0_usize..64).prop_map(Step::ToTarget),
        2 => (0_usize..2).prop_map(Step::AddAgain),
    ]
}

/// One asking: the keys that the initiator made for it and never throws away.
struct Asker {
    call: CallId,
    who: usize,
    crypto: CallCrypto,
    key_package: Vec<u8>,
}

/// What the target has open: nothing but while a drop-in is open.
struct Opened {
    call: CallId,
    crypto: CallCrypto,
}

struct World {
    now: UnixMs,
    scene: Scene,
    kitchen_chain: Chain,
    target: Target,
    tone_ended: bool,
    lit: bool,
    /// Tone and light of the drop-in that runs were given.
    signalled: bool,
    open: Option<Opened>,
    askers: Vec<Asker>,
    /// Everything that anybody ever sent, for the target.
    seen: Vec<Wire>,
    /// Frames that nobody may ever read, and those that the drop-in is for.
    forbidden: Vec<Vec<u8>>,
    allowed: Vec<Vec<u8>>,
    read: usize,
}

#[derive(Clone)]
enum Wire {
    Commit(u64, Vec<u8>),
    Execute(u64),
    Message(Vec<u8>),
    Taken(u64),
}

impl World {
    fn new() -> Self {
        let mut scene = Scene::new();
        let kitchen = scene.kitchen.clone();
        // The scene's own device again: its certificate is wanted here.
        let leaf = scene
            .house
            .certificate(kitchen.public(), Kind::HomeDevice, Rights::NONE);
        let kitchen_chain = scene
            .house
            .app_chain()
            .extended(leaf.sign(&scene.house.app));
        scene.held = HeldGrants::default();
        Self {
            now: NOW,
            scene,
            kitchen_chain,
            target: Target::default(),
            tone_ended: false,
            lit: false,
            signalled: false,
            open: None,
            askers: vec![],
            seen: vec![],
            forbidden: vec![],
            allowed: vec![],
            read: 0,
        }
    }

    /// The two initiators: an app of the own household, and one of a contact's.
    fn initiator(&self, who: usize) -> (PrivateKey, Chain, &House) {
        let house = [&self.scene.house, &self.scene.friends][who];
        (house.app.clone(), house.app_chain(), house)
    }

    fn asks(&mut self, who: usize, opening: Opening) {
        let call = CallId((self.askers.len() as u128 + 1).to_be_bytes());
        let (key, chain, house) = self.initiator(who);
        let own = key.public();
        let genesis = self.scene.house.genesis.public();
        let expect = Expect::own_household(house.roster.clone())
            .and(genesis)
            .only_target(own, genesis);
        let credential = Credential::new(key, chain, self.now).unwrap();
        let crypto = CallCrypto::new(credential, call, expect, self.now);
        let key_package = crypto.key_package(self.now).unwrap().key_package;
        self.askers.push(Asker {
            call,
            who,
            crypto,
            key_package,
        });
        let live = Live {
            call,
            ..live(opening)
        };
        self.input(TargetInput::Permitted(live));
    }

    fn input(&mut self, input: TargetInput) {
        for output in self.target.step(self.now, input) {
            match output {
                TargetOutput::Signal => {
                    (self.tone_ended, self.lit, self.signalled) = (false, false, false);
                }
                TargetOutput::Open { .. } => self.opens(),
                TargetOutput::Close(_) => {
                    self.open = None;
                    self.signalled = false;
                }
                TargetOutput::Stage { .. } | TargetOutput::Refuse(_) | TargetOutput::Remind => {}
            }
        }
    }

    fn signals(&mut self) {
        if self.tone_ended && self.lit && matches!(self.target, Target::Signalling { .. }) {
            self.signalled = true;
            self.input(TargetInput::Signalled);
        }
    }

    fn opens(&mut self) {
        let call = self.target.live().unwrap().call;
        let asker = self.askers.iter().find(|one| one.call == call).unwrap();
        let (initiator, _, house) = self.initiator(asker.who);
        let (initiator, key_package) = (initiator.public(), asker.key_package.clone());
        let kitchen = self.scene.kitchen.clone();
        let expect = Expect::own_household(self.scene.house.roster.clone())
            .and(house.genesis.public())
            .only(kitchen.public(), initiator);
        let credential = Credential::new(kitchen, self.kitchen_chain.clone(), self.now).unwrap();
        let crypto = CallCrypto::new(credential, call, expect, self.now);
        self.open = Some(Opened { call, crypto });
        self.hand(Input::Create);
        self.hand(Input::AddAsked {
            key_package,
            device: initiator,
        });
    }

    fn hand(&mut self, input: Input) {
        let now = self.now;
        let Some(open) = &mut self.open else { return };
        let outputs = open.crypto.step(now, input);
        for output in outputs {
            match output {
                Output::SendCommit {
                    epoch,
                    commit,
                    welcome,
                    ..
                } => {
                    self.seen.push(Wire::Commit(epoch, commit.clone()));
                    self.seen.push(Wire::Taken(epoch));
                    for asker in &mut self.askers {
                        if let Some((_, welcome)) = &welcome {
                            let welcome = welcome.clone();
                            asker.crypto.step(now, Input::Welcome { welcome });
                        }
                        let commit = commit.clone();
                        asker.crypto.step(now, Input::Commit { epoch, commit });
                        asker.crypto.step(now, Input::Execute { epoch: epoch + 1 });
                    }
                }
                Output::SendReady { epoch } => self.seen.push(Wire::Execute(epoch)),
                Output::SendMessage { message } => self.seen.push(Wire::Message(message)),
                _ => {}
            }
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Asks(who, opening) => {
                let all = [
                    Opening::AtOnce,
                    Opening::KnockUntilYes,
                    Opening::KnockUnlessNo,
                ];
                self.asks(who, all[usize::from(opening)]);
            }
            Step::ToneEnds => self.tone_ended = true,
            Step::LightLit => self.lit = true,
            Step::ToneFails => self.input(TargetInput::NotSignalled),
            Step::Yes => self.input(TargetInput::Yes),
            Step::No => self.input(TargetInput::No),
            Step::Hush(on) => self.input(TargetInput::Hush(on)),
            Step::End => self.input(TargetInput::End),
            Step::Gone => self.input(TargetInput::Over(EndedBy::Initiator)),
            Step::Revoked => self.input(TargetInput::Ends {
                refusal: DropInRefusal::Revoked,
                by: EndedBy::Grant,
            }),
            Step::Pass(milliseconds) => {
                self.now = self.now.plus(milliseconds);
                self.input(TargetInput::Tick);
                self.hand(Input::Tick);
            }
            Step::ToTarget(which) => self.serve(which),
            Step::AddAgain(who) => self.add_again(who),
        }
        self.signals();
        self.capture();
    }

    fn serve(&mut self, which: usize) {
        if self.seen.is_empty() {
            return;
        }
        // Lately seen ones often, so that drop-ins come about.
        let place = self.seen.len() - 1 - which % self.seen.len();
        match self.seen[place].clone() {
            Wire::Commit(epoch, commit) => self.hand(Input::Commit { epoch, commit }),
            Wire::Execute(epoch) => self.hand(Input::Execute { epoch }),
            Wire::Message(message) => self.hand(Input::Message { message }),
            Wire::Taken(epoch) => self.hand(Input::EpochTaken { epoch }),
        }
    }

    /// A server that shows the target a call that was answered by somebody else, or once more.
    fn add_again(&mut self, who: usize) {
        let Some(asker) = self.askers.iter().rev().find(|one| one.who == who) else {
            return;
        };
        let offer = asker.crypto.key_package(self.now).unwrap();
        let (key_package, statement) = (offer.key_package, offer.statement);
        self.hand(Input::Add {
            key_package,
            statement,
        });
    }

    /// The device captures all the time; what of it can be sent, and may be?
    fn capture(&mut self) {
        let now = self.now;
        let running = self.target.live().map(|live| live.call);
        let Some(open) = &mut self.open else { return };
        let Ok(frame) = open.crypto.encrypt_frame(b"what is said in the kitchen") else {
            return;
        };
        let call = open.call;
        if self.signalled && running == Some(call) {
            let source = FrameSource {
                owner: device_id(self.scene.kitchen.public()),
                tag: 0,
            };
            let mut askers = self.askers.iter_mut();
            let own = askers.find(|one| one.call == call).unwrap();
            self.read += usize::from(own.crypto.decrypt_frame(now, source, &frame).is_ok());
            self.allowed.push(frame);
        } else {
            self.forbidden.push(frame);
        }
    }

    /// How many of these frames anybody who ever asked can read now, but for whom they are meant.
    fn readable(&mut self, frames: &[Vec<u8>], but: Option<CallId>) -> usize {
        let owner = device_id(self.scene.kitchen.public());
        let now = self.now;
        let mut read = 0;
        for asker in self.askers.iter_mut().filter(|one| Some(one.call) != but) {
            for frame in frames {
                let source = FrameSource { owner, tag: 0 };
                read += usize::from(asker.crypto.decrypt_frame(now, source, frame).is_ok());
            }
        }
        read
    }
}

/// Everything that was given up is gone: a target that runs no drop-in has nothing to seal a frame with.
fn holds(world: &mut World) -> Result<(), TestCaseError> {
    let forbidden = std::mem::take(&mut world.forbidden);
    prop_assert_eq!(world.readable(&forbidden, None), 0);
    prop_assert!(forbidden.is_empty(), "nothing is sealed out of time at all");
    let runs = world.target.live().map(|live| live.call);
    prop_assert_eq!(world.open.is_some(), world.signalled);
    let meant = world.open.as_ref().map(|open| open.call);
    prop_assert!(meant.is_none() || meant == runs);
    // What the drop-in is for is nobody's else either: an earlier initiator reads nothing of a later drop-in.
    let allowed = std::mem::take(&mut world.allowed);
    prop_assert_eq!(world.readable(&allowed, meant.or(runs)), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    // req: DROP-9, DROP-17
    #[test]
    fn nobody_reads_what_was_said_before_tone_and_light_or_after_the_end(
        steps in vec(any_step(), 8..48),
    ) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            holds(&mut world)?;
        }
    }
}

/// Without this the law above could hold of a world in which nobody ever reads anything.
#[test]
fn a_drop_in_that_goes_as_it_should_is_heard() {
    let mut world = World::new();
    let mut heard = BTreeMap::new();
    for who in [1, 0] {
        world.apply(Step::Asks(who, 0));
        world.apply(Step::ToneEnds);
        assert!(world.open.is_none(), "the light is missing");
        world.apply(Step::LightLit);
        for _ in 0..4 {
            (0..4).for_each(|which| world.apply(Step::ToTarget(which)));
            world.apply(Step::Pass(2_500));
        }
        heard.insert(who, world.read);
        world.apply(Step::End);
        holds(&mut world).unwrap();
        assert!(world.open.is_none());
    }
    assert!(heard[&1] > 0 && heard[&0] > heard[&1], "{heard:?}");
}
