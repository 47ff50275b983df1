//! The keys' side of a call: what the machine of `e2ee` says is carried out, in order.

use homeline_e2ee::group::Member;
use homeline_e2ee::member::{self, LeftReason, Output, Warning};
use homeline_protocol::Blob;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{EndReason, ErrorCode, Reply, Request, WelcomeFor};

use super::event::{CallEvent, CallWarning, RefusedBecause};
use super::run::{Replied, Run};
use crate::session::RequestError;
use crate::time::now;

impl Run {
    /// One step of the keys' machine, and everything that follows from it.
    pub(super) async fn keys(&mut self, input: member::Input) {
        let outputs = self.frames.crypto().step(now(), input);
        for output in outputs {
            self.carry_out(output).await;
        }
    }

    async fn carry_out(&mut self, output: Output) {
        match output {
            Output::SendCommit {
                epoch,
                commit,
                welcome,
                removed,
            } => {
                let adding = welcome.as_ref().map(|(device, _)| *device);
                let welcome = welcome.map(|(device, welcome)| WelcomeFor {
                    device,
                    welcome: Blob(welcome),
                });
                let request = Request::SendCommit {
                    call: self.id,
                    epoch,
                    commit: Blob(commit),
                    welcome,
                    removed,
                };
                self.ask(request, move |result| Replied::Committed {
                    epoch,
                    adding,
                    result,
                })
                .await;
            }
            Output::SendReady { epoch } => {
                self.tell(Request::EpochReady {
                    call: self.id,
                    epoch,
                })
                .await;
            }
            Output::SendMessage { message } => {
                let message = Blob(message);
                self.tell(Request::SendGroupMessage {
                    call: self.id,
                    message,
                })
                .await;
            }
            // Nobody compares a code with whoever only hears.
            Output::CallCode { .. } if self.is_live() => {}
            Output::CallCode { code, .. } => {
                let with = self.party.clone();
                self.say(CallEvent::Secured { code, with });
            }
            Output::MemberJoined(member) => self.met(&member).await,
            Output::MemberLeft(_) => {}
            Output::Sending { epoch } => self.frames.set_sending(Some(epoch)),
            Output::StopSending(reason) => {
                self.frames.set_sending(None);
                if let Some(warning) = CallWarning::of_stop(reason) {
                    self.say(CallEvent::Warning(warning));
                }
            }
            Output::Refused(refusal) => self.refuse(RefusedBecause::from(&refusal)).await,
            Output::Warn(warning) => self.warn(warning).await,
            Output::LateFrame(late) => self.transport.late(late.source.tag, late.frame),
            Output::FramesLost(counts) => self.say(CallEvent::FramesLost {
                total: counts.lost(),
            }),
            Output::Left(LeftReason::Removed) => self.over(EndReason::DeviceRevoked),
            // The server ends a call in which nobody else is left.
            Output::Left(LeftReason::Alone) => self.frames.set_sending(None),
        }
    }

    async fn warn(&mut self, warning: Warning) {
        match CallWarning::of(warning) {
            Some(warning) => self.say(CallEvent::Warning(warning)),
            None => self.refuse(RefusedBecause::BadKeys).await,
        }
    }

    /// Tells the person and the server, and ends the call.
    pub(super) async fn refuse(&mut self, because: RefusedBecause) {
        if self.is_over() {
            return;
        }
        self.say(CallEvent::Refused(because));
        self.hang_up(EndReason::EncryptionRefused).await;
    }

    pub(super) async fn committed(
        &mut self,
        epoch: u64,
        adding: Option<DeviceId>,
        result: Result<Reply, RequestError>,
    ) {
        let Err(error) = result else { return };
        let input = match (error.code(), adding) {
            // It went away meanwhile, or takes the call over no more.
            (Some(ErrorCode::BadRequest), Some(device)) => member::Input::Forget { device },
            (code, _) => match code {
                Some(ErrorCode::EpochTaken) => member::Input::EpochTaken { epoch },
                Some(ErrorCode::CallEnded | ErrorCode::NotFound) => return,
                _ => member::Input::CommitFailed { epoch },
            },
        };
        self.keys(input).await;
    }

    /// The other household is in the call now: remembered, if it is met for the first time.
    async fn met(&mut self, member: &Member) {
        let genesis = member.identity.genesis;
        // A guest is never pinned, and pins nobody. Who drops in was pinned before, or is not by this.
        let pins = self.side.is_none() && !member.identity.is_guest();
        let Some(shared) = self.owner.member().filter(|_| pins) else {
            return;
        };
        // Whom another member brought in is known by that member's word only: not to be pinned.
        let Some(handle) = self.handle_of(member) else {
            return;
        };
        let (card, saved) = {
            let mut state = shared.state();
            if genesis == state.household.roster().genesis_key() {
                return;
            }
            let card = state.first_contact_card(&handle, genesis);
            (card, state.identity.meet(&handle, genesis))
        };
        if saved {
            shared.save();
        }
        if let Some(request) = card {
            self.tell(request).await;
        }
    }
}
