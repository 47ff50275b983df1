//! The epoch machine itself.

use homeline_protocol::id::{CallId, DeviceId};

use crate::group::{CallParty, Credential, Expect, GroupError, KeyPackageOffer, Member};
use crate::member::frames::{Frames, SendKey};
use crate::member::message::{Input, LeftReason, Output, Phase, StopReason, Warning};
use crate::member::session::{Pending, RETRY_AFTER_MS, Session};
use crate::sframe::{FrameCounts, FrameError, FrameSource, NoKey};
use crate::time::UnixMs;

/// After a prepare, the sending key is switched even when nobody says `execute`.
pub const EXECUTE_AFTER_MS: u64 = 2_000;

/// How long frames of an epoch may still arrive after the switch.
pub const KEEP_OLD_KEY_MS: u64 = 10_000;

/// A tick that comes this much later than it was asked for means that the process slept.
const ASLEEP_MS: u64 = 5_000;

/// One device's part in one call's keys.
pub struct CallCrypto {
    party: CallParty,
    state: State,
    frames: Frames,
}

enum State {
    Idle,
    Lone(Box<Session>),
    Active(Box<Session>, u64),
    Preparing(Box<Session>, Preparing),
}

/// Between receiving under a new epoch and sending under it.
struct Preparing {
    /// What is sent under still.
    epoch: u64,
    next: SendKey,
    execute_at: UnixMs,
}

impl CallCrypto {
    pub fn new(credential: Credential, call: CallId, expect: Expect, now: UnixMs) -> Self {
        let party = CallParty::new(credential, call, expect, now);
        Self {
            party,
            state: State::Idle,
            frames: Frames::default(),
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

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Idle => None,
            State::Lone(session) | State::Active(session, _) | State::Preparing(session, _) => {
                Some(session)
            }
        }
    }

    fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::Idle => None,
            State::Lone(session) | State::Active(session, _) | State::Preparing(session, _) => {
                Some(session)
            }
        }
    }
}

/// Into a group, through its epochs, and out.
impl CallCrypto {
    fn create(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        match self.party.create(now) {
            Ok(group) => self.state = State::Lone(Box::new(Session::new(group, now))),
            Err(error) => out.push(Output::Refused(error.into())),
        }
    }

    fn join(&mut self, now: UnixMs, welcome: &[u8], out: &mut Vec<Output>) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        let joined = self.party.join(now, welcome);
        let entered = joined.and_then(|group| {
            let installed = self.frames.install(now, &group)?;
            Ok((group, installed))
        });
        let (group, (key, late)) = match entered {
            Ok(entered) => entered,
            Err(error) => {
                report_refusal(error, out);
                out.push(Output::Warn(Warning::InvalidWelcome));
                return;
            }
        };
        let mut session = Box::new(Session::new(group, now));
        let others: Vec<Member> = session.others().cloned().collect();
        session.meet(now, others, out);
        out.extend(late.into_iter().map(Output::LateFrame));
        session.show_code(out);
        out.push(Output::SendReady { epoch: key.epoch });
        self.state = State::Active(session, key.epoch);
        self.send_under(&key, out);
    }

    fn commit(&mut self, now: UnixMs, epoch: u64, commit: &[u8], out: &mut Vec<Output>) {
        let Some(session) = self.session_mut() else {
            return;
        };
        if epoch < session.group.epoch() {
            return;
        }
        match session.group.apply(now, commit) {
            Ok(applied) if applied.removed_self => {
                self.end(StopReason::Removed, out);
                out.push(Output::Left(LeftReason::Removed));
            }
            Ok(applied) => {
                session.fulfil(applied, now, out);
                self.enter(now, out);
            }
            Err(error) => self.invalid_commit(error, out),
        }
    }

    fn invalid_commit(&mut self, error: GroupError, out: &mut Vec<Output>) {
        report_refusal(error, out);
        self.end(StopReason::InvalidCommit, out);
        out.push(Output::Warn(Warning::InvalidCommit));
    }

    /// The group has a new epoch: receive under it, and send under it now or when all are ready.
    fn enter(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        self.execute(now, None, out);
        let (session, sending) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle | State::Preparing(..) => return,
            State::Lone(session) => (session, None),
            State::Active(session, epoch) => (session, Some(epoch)),
        };
        if session.others().next().is_none() {
            return self.alone(now, session, sending, out);
        }
        let (key, late) = match self.frames.install(now, &session.group) {
            Ok(installed) => installed,
            Err(error) => return self.invalid_commit(error, out),
        };
        out.extend(late.into_iter().map(Output::LateFrame));
        session.show_code(out);
        match sending {
            None => {
                self.state = State::Active(session, key.epoch);
                self.send_under(&key, out);
            }
            Some(epoch) => {
                out.push(Output::SendReady { epoch: key.epoch });
                let execute_at = now.plus(EXECUTE_AFTER_MS);
                self.state = State::Preparing(
                    session,
                    Preparing {
                        epoch,
                        next: key,
                        execute_at,
                    },
                );
            }
        }
    }

    /// Everybody else is gone. Who is about to come back (a reloaded page) still finds the group.
    fn alone(
        &mut self,
        now: UnixMs,
        session: Box<Session>,
        sending: Option<u64>,
        out: &mut Vec<Output>,
    ) {
        if let Some(epoch) = sending {
            self.frames.drop_at(epoch, now.plus(KEEP_OLD_KEY_MS));
        }
        // Those who were removed know the key that was sent under.
        self.frames.sender.stop();
        if session.wishes.someone_comes() {
            self.state = State::Lone(session);
            return;
        }
        self.forget_all();
        out.push(Output::Left(LeftReason::Alone));
    }

    /// Sends under the prepared epoch: `upto` says that it, or a later one, is executed.
    fn execute(&mut self, now: UnixMs, upto: Option<u64>, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Preparing(session, Preparing { epoch, next, .. })
                if upto.is_none_or(|upto| upto >= next.epoch) =>
            {
                self.frames.drop_at(epoch, now.plus(KEEP_OLD_KEY_MS));
                self.state = State::Active(session, next.epoch);
                self.send_under(&next, out);
            }
            other => self.state = other,
        }
    }

    fn send_under(&mut self, key: &SendKey, out: &mut Vec<Output>) {
        self.frames.switch(key);
        let withheld = self.session().is_some_and(|session| session.withheld);
        match withheld {
            // Whoever should be gone still is in this epoch.
            true => self.frames.sender.stop(),
            false => out.push(Output::Sending { epoch: key.epoch }),
        }
    }

    fn end(&mut self, reason: StopReason, out: &mut Vec<Output>) {
        self.forget_all();
        out.push(Output::StopSending(reason));
    }

    fn forget_all(&mut self) {
        self.state = State::Idle;
        self.frames.clear();
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
                session.wish_add(accepted, &key_package, out);
            }
            Input::Remove { device } => session.wish_remove(device),
            Input::Update => session.wishes.update(),
            // The winner is on its way; until it is applied nothing can be made in this epoch.
            Input::EpochTaken { .. } => {}
            Input::CommitFailed { epoch } => session.make_again(now, epoch),
            Input::Message { message } => session.compare(now, &message, out),
            Input::Connection { device, connected } => {
                session.peers.connection(now, device, connected);
            }
            _ => {}
        }
    }

    fn expect(&mut self, expect: Expect) {
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

/// Tells the person when a group failed over a member.
fn report_refusal(error: GroupError, out: &mut Vec<Output>) {
    if matches!(error, GroupError::Member(_)) {
        out.push(Output::Refused(error.into()));
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
