//! What the target's machine says, carried out: written down first, then done.

use std::collections::VecDeque;

use homeline_e2ee::drop_in::ledger::{EndedBy, Who};
use homeline_e2ee::drop_in::{Live, Target, TargetInput, TargetOutput};
use homeline_protocol::id::CallId;
use homeline_protocol::session::{DropInRefusal, DropInStage, MediaState, Request};
use tokio::sync::mpsc;

use super::desk::Desk;
use super::running::Running;
use super::visit::{EVENTS_MAX, Visit, VisitEvent};
use crate::call::{TargetPlan, is_heard, open_target};
use crate::client::ClientEvent;
use crate::time::now;

impl Desk {
    /// One step of the target's machine, and all that follows from it.
    pub(super) async fn input(&mut self, input: TargetInput) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let live = match input {
                TargetInput::Permitted(live) => Some(live),
                _ => self.target.live().copied(),
            };
            let Some(live) = live else { return };
            let knocked = matches!(self.target, Target::Knocking { .. });
            let outputs = self.target.step(now(), input);
            for output in outputs {
                if let Err(failed) = self.carry_out(&live, knocked, output).await {
                    inputs.extend(failed);
                    break;
                }
            }
        }
    }

    /// What the ledger does not hold has not begun: it is written before anything of it is done. An error
    /// is what to step on with instead of what else was to be done.
    async fn carry_out(
        &mut self,
        live: &Live,
        knocked: bool,
        output: TargetOutput,
    ) -> Result<(), Option<TargetInput>> {
        match output {
            TargetOutput::Signal => return self.signal(live).map_err(Some),
            TargetOutput::Open { stage, frosted } => {
                let knocks = stage == DropInStage::Knocking;
                let written = knocks || self.write_opened(live);
                if !written || !self.open(live, stage, frosted).await {
                    self.not_opened(live, written).await;
                    return Err(None);
                }
                self.stands(stage);
            }
            TargetOutput::Stage { stage, frosted } => {
                if knocked && !self.write_opened(live) {
                    self.not_opened(live, false).await;
                    return Err(None);
                }
                self.show(stage, frosted).await;
                let call = live.call;
                self.tell(Request::SetDropInStage { call, stage }).await;
                self.stands(stage);
            }
            TargetOutput::Refuse(refusal) => self.refuse(live.call, refusal).await,
            TargetOutput::Close(by) => self.close(live.call, by).await,
            TargetOutput::Remind => {
                if let Some(running) = &self.running {
                    running.tell(VisitEvent::Remind);
                }
            }
        }
        Ok(())
    }

    fn stands(&self, stage: DropInStage) {
        if let Some(running) = &self.running {
            running.tell(VisitEvent::Stage(stage));
        }
    }

    /// Hands it to the program, which gives tone and light.
    fn signal(&mut self, live: &Live) -> Result<(), TargetInput> {
        let Some(running) = &mut self.running else {
            return Err(TargetInput::NotSignalled);
        };
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let visit = Visit {
            call: live.call,
            from: running.party.clone(),
            picture: live.picture,
            knocks: Running::knocks(live.permit),
            desk: self.own.clone(),
            events,
            frosted: running.frosted.subscribe(),
        };
        running.events = Some(sender);
        self.events
            .try_send(ClientEvent::DropIn(Box::new(visit)))
            .map_err(|_| TargetInput::NotSignalled)
    }

    fn write_opened(&mut self, live: &Live) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        if !self.book.kept().ledger.has_room() {
            return false;
        }
        running.opened_at = Some(now());
        self.book.opened(live, Who::of(&running.initiator));
        self.book.save()
    }

    /// Now, and only now: the group, and microphone and camera as the stage says.
    async fn open(&mut self, live: &Live, stage: DropInStage, frosted: bool) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        let Some(with) = running.with.take() else {
            return false;
        };
        running.frosted.send_replace(frosted);
        let plan = TargetPlan {
            id: live.call,
            party: running.party.clone(),
            initiator: running.initiator.clone(),
            key_package: running.key_package.clone(),
            media: MediaState {
                microphone: running.microphone,
                camera: live.picture && with.camera.is_some(),
            },
            video: live.picture,
            stage,
        };
        match open_target(self.shared.clone(), plan, *with).await {
            Ok(call) => {
                running.call = Some(call);
                true
            }
            Err(error) => {
                tracing::error!(%error, "a drop-in can't open");
                false
            }
        }
    }

    /// The machine went on and the device could not: nothing was sent.
    async fn not_opened(&mut self, live: &Live, signal: bool) {
        self.target = Target::Idle;
        let refusal = match signal {
            true => DropInRefusal::NoSignal,
            false => DropInRefusal::Unavailable,
        };
        self.refuse(live.call, refusal).await;
        self.close(live.call, EndedBy::Connection).await;
    }

    async fn show(&mut self, stage: DropInStage, frosted: bool) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.frosted.send_replace(frosted);
        if let Some(call) = &running.call {
            call.set_heard(is_heard(stage)).await;
        }
    }

    async fn refuse(&mut self, call: CallId, refusal: DropInRefusal) {
        if let Some(running) = &mut self.running {
            self.book
                .refused(call, Who::of(&running.initiator), refusal);
            running.tell(VisitEvent::Refused(refusal));
            // The refusal ends the call too, if it knocked: it needs no hanging up.
            if let Some(knocking) = running.call.take() {
                running.closing = Some(knocking.close(false).await);
            }
        }
        self.tell(Request::RefuseDropIn { call, refusal }).await;
    }

    async fn close(&mut self, call: CallId, by: EndedBy) {
        let Some(running) = self.running.take() else {
            return;
        };
        // First it is silent, whatever else takes time.
        let closing = match running.call {
            Some(open) => Some(open.close(by != EndedBy::Initiator).await),
            None => running.closing,
        };
        if let Some(at) = running.opened_at {
            self.book.ended(call, now().since(at), by);
        }
        // It is over, whether or not that can be written down.
        self.book.save();
        if let Some(events) = running.events {
            // The last word is waited for, elsewhere; it says that everything is shut.
            tokio::spawn(async move {
                if let Some(closing) = closing {
                    closing.await.ok();
                }
                events.send(VisitEvent::Over(by)).await.ok();
            });
        }
    }
}
