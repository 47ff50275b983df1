//! The machine itself: its states, its steps, and what it is asked from outside.
//!
//! How it passes from epoch to epoch is in `epochs`.

use std::collections::BTreeSet;

use homeline_protocol::id::{CallId, DeviceId};

use crate::group::{CallParty, Credential, Expect, GroupError, KeyPackageOffer, Member};
use crate::key::PublicKey;
use crate::member::frames::{Frames, SendKey};
use crate::member::message::{Input, Output, Phase, StopReason, Warning};
use crate::member::session::{Pending, RETRY_AFTER_MS, Session};
use crate::member::vouching::VOUCHED_MAX;
use crate::sframe::{FrameCounts, FrameError, FrameSource, NoKey};
use crate::time::UnixMs;

/// A tick that comes this much later than it was asked for means that the process slept.
const ASLEEP_MS: u64 = 5_000;

/// One device's part in one call's keys.
pub struct CallCrypto {
    pub(super) party: CallParty,
    pub(super) state: State,
    pub(super) frames: Frames,
    expect: Expect,
    /// Households that other members vouched for in this call.
    vouched: BTreeSet<PublicKey>,
    /// Guests that were met in the group. Whoever came as one is nothing else in this call.
    guests: BTreeSet<PublicKey>,
}

pub(super) enum State {
    Idle,
    Lone(Box<Session>),
    Active(Box<Session>, u64),
    Preparing(Box<Session>, Preparing),
}

/// Between receiving under a new epoch and sending under it.
pub(super) struct Preparing {
    /// What is sent under still.
    pub(super) epoch: u64,
    pub(super) next: SendKey,
    pub(super) execute_at: UnixMs,
}

impl CallCrypto {
    pub fn new(credential: Credential, call: CallId, expect: Expect, now: UnixMs) -> Self {
        let party = CallParty::new(credential, call, expect.clone(), now);
        Self {
            party,
            state: State::Idle,
            frames: Frames::default(),
            expect,
            vouched: BTreeSet::new(),
            guests: BTreeSet::new(),
        }
    }

    /// A fresh key package and its statement, to go with `ringing`.
    pub fn key_package(&self, now: UnixMs) -> Result<KeyPackageOffer, GroupError> {
        self.party.key_package(now)
    }

    /// One step. The outputs are to be carried out in order.
    pub fn step(&mut self, now: UnixMs, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Create => self.create(now, &mut out),
            Input::Welcome { welcome } => self.join(now, &welcome, &mut out),
            Input::Commit { epoch, commit } => self.commit(now, epoch, &commit, &mut out),
            Input::Execute { epoch } => self.execute(now, Some(epoch), &mut out),
            Input::Expect(expect) => self.expect(*expect),
            Input::Leave => self.forget_all(),
            Input::Tick => self.tick(now, &mut out),
            other => self.wish_or_hear(now, other, &mut out),
        }
        self.meet_guests(&out);
        self.commit_wishes(now, &mut out);
        out.extend(self.frames.report(now).map(Output::FramesLost));
        let due = self.next_timeout();
        if let Some(session) = self.session_mut() {
            session.due = due;
        }
        out
    }

    /// When `Input::Tick` is due at the latest.
    pub fn next_timeout(&self) -> Option<UnixMs> {
        let execute = match &self.state {
            State::Preparing(_, preparing) => Some(preparing.execute_at),
            State::Idle | State::Lone(_) | State::Active(..) => None,
        };
        let session = self
            .session()
            .and_then(|session| session.next_timeout(self.phase()));
        execute
            .into_iter()
            .chain(session)
            .chain(self.frames.next_timeout())
            .min()
    }

    /// Never plaintext: without a key there is nothing to send.
    pub fn encrypt_frame(&mut self, frame: &[u8]) -> Result<Vec<u8>, NoKey> {
        self.frames.sender.encrypt(frame)
    }

    /// `source.owner` is the device that the server says the track is of; the key proves it. A
    /// frame that is `Held` may come back as `Output::LateFrame`.
    pub fn decrypt_frame(
        &mut self,
        now: UnixMs,
        source: FrameSource,
        frame: &[u8],
    ) -> Result<Vec<u8>, FrameError> {
        self.frames.receiver.decrypt(now, source, frame)
    }

    pub fn frame_counts(&self) -> FrameCounts {
        self.frames.receiver.counts()
    }

    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Idle => Phase::Idle,
            State::Lone(_) => Phase::Lone,
            State::Active(_, epoch) => Phase::Active { epoch: *epoch },
            State::Preparing(_, Preparing { epoch, next, .. }) => Phase::Preparing {
                epoch: *epoch,
                next: next.epoch,
            },
        }
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.session()
            .into_iter()
            .flat_map(|session| session.group.members())
    }

    /// The code of the group's epoch; `None` while there is nobody to compare it with.
    pub fn call_code(&self) -> Option<String> {
        match &self.state {
            State::Idle | State::Lone(_) => None,
            State::Active(session, _) | State::Preparing(session, _) => {
                session.group.call_code().ok()
            }
        }
    }

    pub(super) fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Idle => None,
            State::Lone(session) | State::Active(session, _) | State::Preparing(session, _) => {
                Some(session)
            }
        }
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::Idle => None,
            State::Lone(session) | State::Active(session, _) | State::Preparing(session, _) => {
                Some(session)
            }
        }
    }
}

/// Wishes, messages and time.
impl CallCrypto {
    fn wish_or_hear(&mut self, now: UnixMs, input: Input, out: &mut Vec<Output>) {
        let (State::Lone(session) | State::Active(session, _) | State::Preparing(session, _)) =
            &mut self.state
        else {
            return;
        };
        match input {
            Input::Add {
                key_package,
                statement,
            } => {
                let accepted = self.party.accept_key_package(now, &key_package, &statement);
                session.wish_add(accepted, &key_package, None, out);
            }
            Input::AddAsked {
                key_package,
                device,
            } => {
                let accepted = self.party.accept_asked(now, &key_package, device);
                session.wish_add(accepted, &key_package, None, out);
            }
            Input::Replace {
                device,
                key_package,
                statement,
            } => {
                let accepted = self.party.accept_key_package(now, &key_package, &statement);
                session.wish_add(accepted, &key_package, Some(device), out);
            }
            Input::Forget { device } => session.forget(now, device),
            Input::Remove { device } => session.wish_remove(device),
            Input::Update => session.wishes.update(),
            // The winner is on its way; until it is applied nothing can be made in this epoch.
            Input::EpochTaken { .. } => {}
            Input::CommitFailed { epoch } => session.make_again(now, epoch),
            Input::Message { message } => {
                let vouched = session.hear(now, &message, out);
                self.vouched(vouched);
            }
            Input::Connection { device, connected } => {
                session.peers.connection(now, device, connected);
            }
            _ => {}
        }
    }

    fn vouched(&mut self, genesis: Option<PublicKey>) {
        let Some(genesis) = genesis.filter(|_| self.vouched.len() < VOUCHED_MAX) else {
            return;
        };
        self.vouched.insert(genesis);
        self.party.expect(self.expected());
    }

    /// A vouching names a key and not what it is: the first certificate of a guest settles that.
    fn meet_guests(&mut self, out: &[Output]) {
        let met = |output: &Output| match output {
            Output::MemberJoined(member) if member.identity.is_guest() => {
                Some(member.identity.genesis)
            }
            _ => None,
        };
        let before = self.guests.len();
        self.guests.extend(out.iter().filter_map(met));
        if self.guests.len() > before {
            self.party.expect(self.expected());
        }
    }

    /// What the call's owner expects, and what its members vouched for.
    fn expected(&self) -> Expect {
        let vouched = self.vouched.iter().copied();
        let expect = vouched.fold(self.expect.clone(), Expect::and_whoever);
        self.guests.iter().copied().fold(expect, Expect::and_guest)
    }

    fn expect(&mut self, expect: Expect) {
        self.expect = expect;
        let expect = self.expected();
        self.party.expect(expect.clone());
        let Some(session) = self.session_mut() else {
            return;
        };
        let refused = session
            .others()
            .filter(|member| expect.allows(&member.identity).is_err());
        let refused: Vec<DeviceId> = refused.map(|member| member.identity.device).collect();
        refused
            .into_iter()
            .for_each(|device| session.wish_remove(device));
    }

    fn tick(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        if matches!(&self.state, State::Preparing(_, preparing) if now >= preparing.execute_at) {
            self.execute(now, None, out);
        }
        self.frames.drop_old(now);
        let lone = matches!(self.state, State::Lone(_));
        let Some(session) = self.session_mut() else {
            return;
        };
        if session.due.is_some_and(|due| now.since(due) > ASLEEP_MS) {
            session.peers.forgive(now);
        }
        if !lone && now >= session.compare_at {
            session.say_epoch(now, out);
        }
        if session.peers.fell_silent(now) {
            out.push(Output::Warn(Warning::Fork));
        }
        if session.removal_withheld(now) {
            session.withheld = true;
            self.frames.sender.stop();
            out.push(Output::StopSending(StopReason::RemoveWithheld));
            out.push(Output::Warn(Warning::RemoveWithheld));
        }
    }

    /// One commit at a time, and none between prepare and execute.
    fn commit_wishes(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        let (State::Lone(session) | State::Active(session, _)) = &mut self.state else {
            return;
        };
        while session.pending.is_none() && now >= session.retry_at {
            let Some(plan) = session.wishes.plan(&session.group) else {
                return;
            };
            let adding = plan.add.as_ref().map(|add| add.identity.device);
            if let Some(add) = &plan.add {
                session.vouch(add.identity.genesis, out);
            }
            match (session.group.commit(now, &plan), adding) {
                (Ok(made), _) => {
                    if !made.removed.is_empty() {
                        session.wishes.removing_since.get_or_insert(now);
                    }
                    session.pending = Some(Pending {
                        epoch: made.epoch,
                        adding,
                    });
                    let (epoch, commit) = (made.epoch, made.commit);
                    let (welcome, removed) = (made.welcome, made.removed);
                    out.push(Output::SendCommit {
                        epoch,
                        commit,
                        welcome,
                        removed,
                    });
                }
                (Err(error), Some(device)) => {
                    session.wishes.no_longer_add(device);
                    out.push(Output::Refused(error.into()));
                }
                // Without a foreign key package only the own state can be at fault: try later.
                (Err(_), None) => session.retry_at = now.plus(RETRY_AFTER_MS),
            }
        }
    }
}

#[cfg(test)]
impl CallCrypto {
    /// An application message with any content, as a member of a forked group would send.
    pub(super) fn say(&mut self, data: &[u8]) -> Vec<u8> {
        self.session_mut()
            .unwrap()
            .group
            .encrypt_message(data)
            .unwrap()
    }
}
