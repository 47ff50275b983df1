//! Members of a call around a server that orders commits, on a clock that the test moves.

mod guests;
mod moving;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use homeline_protocol::id::{CallId, DeviceId};

use super::comparison::Comparison;
use super::*;
use crate::certificate::{Kind, Rights};
use crate::chain::Chain;
use crate::group::{Credential, Expect};
use crate::key::PrivateKey;
use crate::roster::Change;
use crate::sframe::{FrameError, FrameSource, NoKey};
use crate::testkit::{House, NOW, key};
use crate::time::UnixMs;

const CALL: CallId = CallId([9; 16]);

/// A server that does as it should, but for what a test switches off.
struct Net {
    now: UnixMs,
    members: BTreeMap<DeviceId, CallCrypto>,
    /// Who was let into the group.
    inside: BTreeSet<DeviceId>,
    epoch: u64,
    ready: BTreeSet<DeviceId>,
    executes: bool,
    echoes: bool,
    relays: bool,
    seen: Vec<(DeviceId, Output)>,
    queue: VecDeque<(DeviceId, Input)>,
}

impl Net {
    fn new() -> Self {
        Self {
            now: NOW,
            members: BTreeMap::new(),
            inside: BTreeSet::new(),
            epoch: 0,
            ready: BTreeSet::new(),
            executes: true,
            echoes: true,
            relays: true,
            seen: vec![],
            queue: VecDeque::new(),
        }
    }

    fn member(&mut self, key: PrivateKey, chain: Chain, expect: Expect) -> DeviceId {
        let credential = Credential::new(key, chain, self.now).unwrap();
        let device = credential.identity().device;
        self.members
            .insert(device, CallCrypto::new(credential, CALL, expect, self.now));
        device
    }

    fn give(&mut self, device: DeviceId, input: Input) {
        self.queue.push_back((device, input));
        while let Some((device, input)) = self.queue.pop_front() {
            let outputs = self.members.get_mut(&device).unwrap().step(self.now, input);
            for output in outputs {
                self.serve(device, &output);
                self.seen.push((device, output));
            }
        }
    }

    fn add(&mut self, by: DeviceId, who: DeviceId) {
        let offer = self.members[&who].key_package(self.now).unwrap();
        let (key_package, statement) = (offer.key_package, offer.statement);
        self.give(
            by,
            Input::Add {
                key_package,
                statement,
            },
        );
    }

    fn serve(&mut self, from: DeviceId, output: &Output) {
        match output {
            Output::SendCommit {
                epoch,
                commit,
                welcome,
                removed,
            } => {
                if !self.echoes {
                    return;
                }
                if *epoch != self.epoch {
                    self.queue
                        .push_back((from, Input::EpochTaken { epoch: *epoch }));
                    return;
                }
                self.epoch += 1;
                self.ready.clear();
                for device in self
                    .inside
                    .iter()
                    .copied()
                    .chain([from])
                    .collect::<BTreeSet<_>>()
                {
                    let commit = Input::Commit {
                        epoch: *epoch,
                        commit: commit.clone(),
                    };
                    self.queue.push_back((device, commit));
                }
                self.inside.insert(from);
                self.inside.retain(|device| !removed.contains(device));
                if let Some((device, welcome)) = welcome {
                    self.inside.insert(*device);
                    let welcome = Input::Welcome {
                        welcome: welcome.clone(),
                    };
                    self.queue.push_back((*device, welcome));
                }
            }
            Output::SendReady { epoch } => {
                self.ready.insert(from);
                if self.executes && self.ready == self.inside {
                    for device in &self.inside {
                        self.queue
                            .push_back((*device, Input::Execute { epoch: *epoch }));
                    }
                }
            }
            Output::SendMessage { message } if self.relays => {
                for device in self.inside.iter().filter(|device| **device != from) {
                    let message = Input::Message {
                        message: message.clone(),
                    };
                    self.queue.push_back((*device, message));
                }
            }
            _ => {}
        }
    }

    /// Ticks every member whenever it asked to be, until `later`.
    fn pass(&mut self, milliseconds: u64) {
        let end = self.now.plus(milliseconds);
        loop {
            let due = |device: &DeviceId| Some((self.members[device].next_timeout()?, *device));
            let next = self.members.keys().filter_map(due).min();
            let Some((at, device)) = next.filter(|(at, _)| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.give(device, Input::Tick);
        }
        self.now = end;
    }

    fn outputs(&self, device: DeviceId) -> Vec<&Output> {
        self.seen
            .iter()
            .filter(|(who, _)| *who == device)
            .map(|(_, output)| output)
            .collect()
    }

    fn saw(&self, device: DeviceId, wanted: &Output) -> bool {
        self.outputs(device).contains(&wanted)
    }

    fn phase(&self, device: DeviceId) -> Phase {
        self.members[&device].phase()
    }

    fn code(&self, device: DeviceId) -> Option<String> {
        self.members[&device].call_code()
    }

    fn send(&mut self, from: DeviceId) -> Result<Vec<u8>, NoKey> {
        self.members.get_mut(&from).unwrap().encrypt_frame(b"sound")
    }

    fn hear(&mut self, at: DeviceId, from: DeviceId, frame: &[u8]) -> Result<Vec<u8>, FrameError> {
        let source = FrameSource {
            owner: from,
            tag: 1,
        };
        self.members
            .get_mut(&at)
            .unwrap()
            .decrypt_frame(self.now, source, frame)
    }

    fn assert_hears(&mut self, at: DeviceId, from: DeviceId) {
        let frame = self.send(from).unwrap();
        assert_eq!(self.hear(at, from, &frame).as_deref(), Ok(&b"sound"[..]));
    }
}

/// Anna's app, Ben's app, and Ben's speaker.
struct Scene {
    net: Net,
    anna: DeviceId,
    ben: DeviceId,
    speaker: DeviceId,
    ann_house: House,
    ben_house: House,
    speaker_chain: Chain,
}

fn scene() -> Scene {
    let (ann_house, mut ben_house) = (House::new(10), House::new(40));
    let speaker_chain = ben_house.add_home_device(&key(50));
    let mut net = Net::new();
    let expect = |own: &House, other: &House| {
        Expect::own_household(own.roster.clone()).and(other.genesis.public())
    };
    let (ann_app, ben_app) = (ann_house.app.clone(), ben_house.app.clone());
    let (for_ann, for_ben) = (
        expect(&ann_house, &ben_house),
        expect(&ben_house, &ann_house),
    );
    let anna = net.member(ann_app, ann_house.app_chain(), for_ann);
    let ben = net.member(ben_app, ben_house.app_chain(), for_ben.clone());
    let speaker = net.member(key(50), speaker_chain.clone(), for_ben);
    Scene {
        net,
        anna,
        ben,
        speaker,
        ann_house,
        ben_house,
        speaker_chain,
    }
}

fn two_in_a_call() -> Scene {
    let mut scene = scene();
    scene.net.give(scene.anna, Input::Create);
    scene.net.add(scene.anna, scene.ben);
    scene
}

#[test]
fn a_lone_creators_first_commit_executes_at_once() {
    let mut scene = scene();
    let (anna, ben) = (scene.anna, scene.ben);
    assert_eq!(scene.net.send(anna), Err(NoKey));
    scene.net.give(anna, Input::Create);
    assert_eq!(
        (scene.net.phase(anna), scene.net.code(anna)),
        (Phase::Lone, None)
    );
    assert_eq!(scene.net.send(anna), Err(NoKey));
    scene.net.add(anna, ben);
    let net = &mut scene.net;
    assert_eq!(net.phase(anna), Phase::Active { epoch: 1 });
    assert_eq!(net.phase(ben), Phase::Active { epoch: 1 });
    assert!(net.saw(anna, &Output::Sending { epoch: 1 }));
    assert!(net.code(anna).is_some());
    assert_eq!(net.code(anna), net.code(ben));
    net.assert_hears(ben, anna);
    net.assert_hears(anna, ben);
}

#[test]
fn a_later_epoch_is_received_first_and_sent_under_when_executed() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.executes = false;
    net.add(ben, speaker);
    let preparing = Phase::Preparing { epoch: 1, next: 2 };
    assert_eq!((net.phase(anna), net.phase(ben)), (preparing, preparing));
    assert_eq!(net.phase(speaker), Phase::Active { epoch: 2 });
    let old = net.send(anna).unwrap();
    assert_eq!(old[0] >> 4, 1, "the KID of leaf 0 in epoch 1");
    net.assert_hears(ben, anna);
    net.assert_hears(anna, speaker);
    net.give(anna, Input::Execute { epoch: 2 });
    net.give(anna, Input::Execute { epoch: 2 });
    assert_eq!(net.phase(anna), Phase::Active { epoch: 2 });
    net.assert_hears(speaker, anna);
    net.assert_hears(ben, anna);
    net.pass(KEEP_OLD_KEY_MS - 1);
    assert!(net.hear(ben, anna, &old).is_ok());
    net.pass(EXECUTE_AFTER_MS + 1);
    assert_eq!(net.hear(ben, anna, &old), Err(FrameError::Held));
}

#[test]
fn without_an_execute_the_switch_comes_after_two_seconds() {
    let mut scene = two_in_a_call();
    scene.net.executes = false;
    scene.net.add(scene.ben, scene.speaker);
    scene.net.pass(EXECUTE_AFTER_MS - 1);
    assert!(matches!(
        scene.net.phase(scene.anna),
        Phase::Preparing { .. }
    ));
    scene.net.pass(1);
    assert_eq!(scene.net.phase(scene.anna), Phase::Active { epoch: 2 });
    assert!(scene.net.saw(scene.anna, &Output::Sending { epoch: 2 }));
}

#[test]
fn the_loser_of_an_epoch_tries_again_if_its_wish_still_stands() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    // Both commit before either hears of the other's: the queue holds Ben's wish behind Anna's.
    net.queue.push_back((anna, Input::Update));
    let offer = net.members[&speaker].key_package(net.now).unwrap();
    let (key_package, statement) = (offer.key_package, offer.statement);
    net.give(
        ben,
        Input::Add {
            key_package,
            statement,
        },
    );
    assert_eq!(net.epoch, 3);
    assert_eq!(net.members[&anna].members().count(), 3);
    assert_eq!(net.phase(speaker), Phase::Active { epoch: 3 });
    assert_eq!(net.code(anna), net.code(speaker));
    net.assert_hears(speaker, ben);
}

#[test]
fn a_removed_member_hears_nothing_more_and_the_last_one_leaves() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.add(ben, speaker);
    let code = net.code(anna);
    net.give(anna, Input::Remove { device: ben });
    assert!(net.saw(ben, &Output::Left(LeftReason::Removed)));
    assert_eq!(net.send(ben), Err(NoKey));
    assert_ne!(net.code(anna), code);
    let frame = net.send(anna).unwrap();
    assert_eq!(net.hear(ben, anna, &frame), Err(FrameError::Held));
    assert!(net.hear(speaker, anna, &frame).is_ok());
    net.give(speaker, Input::Leave);
    assert_eq!(net.phase(speaker), Phase::Idle);
    net.give(anna, Input::Remove { device: speaker });
    assert!(net.saw(anna, &Output::Left(LeftReason::Alone)));
    assert_eq!((net.phase(anna), net.send(anna)), (Phase::Idle, Err(NoKey)));
}

#[test]
fn two_that_wish_the_same_removal_both_rest_when_it_is_done() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.add(ben, speaker);
    net.queue
        .push_back((anna, Input::Remove { device: speaker }));
    net.give(ben, Input::Remove { device: speaker });
    assert_eq!(net.epoch, 3);
    assert_eq!(net.code(anna), net.code(ben));
    net.pass(REMOVE_ECHO_MS_MAX * 2);
    assert!(!net.saw(anna, &Output::Warn(Warning::RemoveWithheld)));
    assert!(!net.saw(ben, &Output::Warn(Warning::RemoveWithheld)));
}

#[test]
fn a_removal_that_is_not_echoed_stops_the_sender_until_it_is() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.add(ben, speaker);
    net.echoes = false;
    net.give(anna, Input::Remove { device: speaker });
    net.pass(REMOVE_ECHO_MS_MAX - 1);
    assert!(net.send(anna).is_ok());
    net.pass(1);
    assert!(net.saw(anna, &Output::StopSending(StopReason::RemoveWithheld)));
    assert!(net.saw(anna, &Output::Warn(Warning::RemoveWithheld)));
    assert_eq!(net.send(anna), Err(NoKey));
    net.echoes = true;
    net.give(ben, Input::Update);
    // Ben's commit wins the epoch with the speaker still inside: Anna stays silent and tries again.
    assert!(!net.saw(anna, &Output::Sending { epoch: 3 }));
    assert!(net.saw(anna, &Output::Sending { epoch: 4 }));
    assert_eq!(net.members[&anna].members().count(), 2);
    net.assert_hears(ben, anna);
}

#[test]
fn a_commit_that_the_server_could_not_take_is_made_again() {
    let mut scene = two_in_a_call();
    let (anna, speaker) = (scene.anna, scene.speaker);
    let net = &mut scene.net;
    net.echoes = false;
    net.add(anna, speaker);
    net.echoes = true;
    net.give(anna, Input::CommitFailed { epoch: 1 });
    assert_eq!(net.epoch, 1);
    net.pass(1_000);
    assert_eq!(net.phase(speaker), Phase::Active { epoch: 2 });
}

#[test]
fn a_reloaded_page_comes_back_as_a_new_leaf() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let expect = Expect::own_household(scene.ben_house.roster.clone());
    let expect = expect.and(scene.ann_house.genesis.public());
    let (app, chain) = (scene.ben_house.app.clone(), scene.ben_house.app_chain());
    let net = &mut scene.net;
    net.member(app, chain, expect);
    net.inside.remove(&ben);
    net.add(anna, ben);
    assert_eq!(net.code(anna), net.code(ben));
    assert!(!net.saw(anna, &Output::Left(LeftReason::Alone)));
    net.assert_hears(ben, anna);
    net.assert_hears(anna, ben);
}

#[test]
fn a_group_made_anew_after_a_broken_one_starts_from_its_first_epoch() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let net = &mut scene.net;
    (0..3).for_each(|_| net.give(anna, Input::Update));
    assert_eq!(net.phase(ben), Phase::Active { epoch: 4 });
    net.give(
        ben,
        Input::Commit {
            epoch: 4,
            commit: b"broken".to_vec(),
        },
    );
    assert!(net.saw(ben, &Output::Warn(Warning::InvalidCommit)));
    net.give(anna, Input::Leave);
    net.inside.clear();
    net.epoch = 0;
    net.give(anna, Input::Create);
    net.add(anna, ben);
    assert_eq!(net.phase(anna), Phase::Active { epoch: 1 });
    net.assert_hears(ben, anna);
    net.assert_hears(anna, ben);
}

#[test]
fn a_key_package_serves_once() {
    let mut scene = two_in_a_call();
    let offer = scene.net.members[&scene.speaker].key_package(NOW).unwrap();
    for _ in 0..2 {
        let (key_package, statement) = (offer.key_package.clone(), offer.statement.clone());
        scene.net.give(
            scene.anna,
            Input::Add {
                key_package,
                statement,
            },
        );
    }
    assert!(
        scene
            .net
            .saw(scene.anna, &Output::Refused(Refusal::BadKeyPackage))
    );
    assert_eq!(scene.net.epoch, 2);
}

#[test]
fn a_commit_that_brings_an_uninvited_household_ends_the_call_loudly() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let carla_house = House::new(70);
    let for_carla = Expect::own_household(carla_house.roster.clone())
        .and(scene.ann_house.genesis.public())
        .and(scene.ben_house.genesis.public());
    let for_anna = Expect::own_household(scene.ann_house.roster.clone())
        .and(scene.ben_house.genesis.public())
        .and(carla_house.genesis.public());
    let net = &mut scene.net;
    let carla = net.member(carla_house.app.clone(), carla_house.app_chain(), for_carla);
    net.add(anna, carla);
    let not_invited = |output: &&Output| matches!(output, Output::Refused(Refusal::NotInvited(who)) if who.device == carla);
    assert_eq!(net.outputs(anna).into_iter().filter(not_invited).count(), 1);
    net.give(anna, Input::Expect(Box::new(for_anna)));
    // Without a member's word nobody comes in, whatever the server does.
    net.relays = false;
    net.add(anna, carla);
    assert_eq!(net.outputs(ben).into_iter().filter(not_invited).count(), 1);
    assert!(net.saw(ben, &Output::StopSending(StopReason::InvalidCommit)));
    assert!(net.saw(ben, &Output::Warn(Warning::InvalidCommit)));
    assert_eq!((net.phase(ben), net.send(ben)), (Phase::Idle, Err(NoKey)));
}

#[test]
fn a_welcome_into_a_group_with_a_stranger_is_refused() {
    let mut scene = scene();
    let (anna, ben) = (scene.anna, scene.ben);
    let lonely = Expect::own_household(scene.ben_house.roster.clone());
    scene.net.give(ben, Input::Expect(Box::new(lonely)));
    scene.net.give(anna, Input::Create);
    scene.net.add(anna, ben);
    assert!(scene.net.saw(ben, &Output::Warn(Warning::InvalidWelcome)));
    assert_eq!(scene.net.phase(ben), Phase::Idle);
}

#[test]
fn a_device_that_the_household_removes_is_removed_from_the_running_call() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    scene.net.add(ben, speaker);
    let app = scene.ben_house.app.clone();
    scene.ben_house.change(
        Change::RemoveDevice {
            device: key(50).public(),
        },
        &app,
    );
    let expect = Expect::own_household(scene.ben_house.roster.clone());
    let expect = expect.and(scene.ann_house.genesis.public());
    scene.net.give(ben, Input::Expect(Box::new(expect)));
    assert!(scene.net.saw(speaker, &Output::Left(LeftReason::Removed)));
    assert_eq!(scene.net.code(anna), scene.net.code(ben));
}

#[test]
fn members_that_compare_well_warn_of_nothing() {
    let mut scene = two_in_a_call();
    scene.net.pass(120_000);
    assert!(!scene.net.saw(scene.anna, &Output::Warn(Warning::Fork)));
    let said = |output: &&Output| matches!(output, Output::SendMessage { .. });
    assert_eq!(
        scene
            .net
            .outputs(scene.ben)
            .into_iter()
            .filter(said)
            .count(),
        12
    );
}

#[test]
fn another_authenticator_for_the_same_epoch_is_a_fork() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let forked = Comparison::new(1, &[7; 32]).encode();
    let message = scene.net.members.get_mut(&anna).unwrap().say(&forked);
    scene.net.give(ben, Input::Message { message });
    assert!(scene.net.saw(ben, &Output::Warn(Warning::Fork)));
}

#[test]
fn silence_of_a_connected_member_is_a_fork_and_is_said_once() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let net = &mut scene.net;
    net.relays = false;
    net.give(
        ben,
        Input::Connection {
            device: anna,
            connected: false,
        },
    );
    net.pass(SILENCE_MS_MAX * 3);
    let forks = |net: &Net, device| {
        let fork = |output: &&Output| **output == Output::Warn(Warning::Fork);
        net.outputs(device).into_iter().filter(fork).count()
    };
    assert_eq!((forks(net, anna), forks(net, ben)), (1, 0));
    net.give(
        ben,
        Input::Connection {
            device: anna,
            connected: true,
        },
    );
    net.pass(SILENCE_MS_MAX - 1);
    assert_eq!(forks(net, ben), 0);
    net.pass(1);
    assert_eq!(forks(net, ben), 1);
}

#[test]
fn a_process_that_slept_accuses_nobody() {
    let mut scene = two_in_a_call();
    scene.net.now = NOW.plus(600_000);
    scene.net.give(scene.anna, Input::Tick);
    assert!(!scene.net.saw(scene.anna, &Output::Warn(Warning::Fork)));
}

#[test]
fn lost_frames_are_reported_at_most_once_a_second() {
    let mut scene = two_in_a_call();
    let (anna, ben) = (scene.anna, scene.ben);
    let net = &mut scene.net;
    let frame = net.send(anna).unwrap();
    for _ in 0..100 {
        assert_eq!(net.hear(ben, ben, &frame), Err(FrameError::WrongSender));
    }
    net.pass(1_500);
    let reports = |output: &&Output| matches!(output, Output::FramesLost(_));
    assert_eq!(net.outputs(ben).into_iter().filter(reports).count(), 1);
    assert_eq!(net.members[&ben].frame_counts().wrong_sender, 100);
}

#[test]
fn a_frame_that_outruns_its_welcome_comes_late() {
    let mut scene = two_in_a_call();
    let (anna, ben, speaker) = (scene.anna, scene.ben, scene.speaker);
    let net = &mut scene.net;
    net.add(ben, speaker);
    net.echoes = false;
    net.give(anna, Input::Update);
    let Some((_, Output::SendCommit { epoch, commit, .. })) = net.seen.pop() else {
        panic!()
    };
    net.give(
        anna,
        Input::Commit {
            epoch,
            commit: commit.clone(),
        },
    );
    net.give(anna, Input::Execute { epoch: epoch + 1 });
    let frame = net.send(anna).unwrap();
    assert_eq!(net.hear(ben, anna, &frame), Err(FrameError::Held));
    net.give(ben, Input::Commit { epoch, commit });
    let source = FrameSource {
        owner: anna,
        tag: 1,
    };
    let late = crate::sframe::LateFrame {
        source,
        frame: b"sound".to_vec(),
    };
    assert!(net.saw(ben, &Output::LateFrame(late)));
}

#[test]
fn an_expired_credential_makes_no_member() {
    let scene = scene();
    let later = NOW.plus(31 * crate::time::DAY_MS);
    assert!(Credential::new(key(50), scene.speaker_chain.clone(), later).is_err());
    let other = scene
        .ben_house
        .certificate(key(51).public(), Kind::App, Rights::NONE);
    let chain = Chain(vec![other.sign(&scene.ben_house.genesis)]);
    assert!(Credential::new(key(50), chain, NOW).is_err());
}
