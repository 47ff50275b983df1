//! Into a group, through its epochs, and out again.

use crate::group::{GroupError, Member};
use crate::member::frames::SendKey;
use crate::member::machine::{CallCrypto, Preparing, State};
use crate::member::message::{LeftReason, Output, StopReason, Warning};
use crate::member::session::Session;
use crate::time::UnixMs;

/// After a prepare, the sending key is switched even when nobody says `execute`.
pub const EXECUTE_AFTER_MS: u64 = 2_000;

/// How long frames of an epoch may still arrive after the switch.
pub const KEEP_OLD_KEY_MS: u64 = 10_000;

impl CallCrypto {
    pub(super) fn create(&mut self, now: UnixMs, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        match self.party.create(now) {
            Ok(group) => self.state = State::Lone(Box::new(Session::new(group, now))),
            Err(error) => out.push(Output::Refused(error.into())),
        }
    }

    pub(super) fn join(&mut self, now: UnixMs, welcome: &[u8], out: &mut Vec<Output>) {
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

    pub(super) fn commit(&mut self, now: UnixMs, epoch: u64, commit: &[u8], out: &mut Vec<Output>) {
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
    pub(super) fn execute(&mut self, now: UnixMs, upto: Option<u64>, out: &mut Vec<Output>) {
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

    pub(super) fn forget_all(&mut self) {
        self.state = State::Idle;
        self.frames.clear();
    }
}

/// Tells the person when a group failed over a member.
fn report_refusal(error: GroupError, out: &mut Vec<Output>) {
    if matches!(error, GroupError::Member(_)) {
        out.push(Output::Refused(error.into()));
    }
}
