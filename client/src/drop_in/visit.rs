//! A drop-in on this device, as its program sees it: tone and light first, then what somebody there wants.

use homeline_e2ee::drop_in::ledger::EndedBy;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{DropInRefusal, DropInStage, EndReason};
use tokio::sync::{mpsc, watch};

use super::desk::{DeskInput, Said};
use crate::call::{CallEvent, Outgoing};
use crate::home::Person;

/// Events that may wait for the program. What comes beyond is dropped, but never the end.
pub(super) const EVENTS_MAX: usize = 64;

/// Somebody who may drops in here. The program plays its tone to the end and lights its light, then says
/// [`Visit::signalled`]; nothing is heard or seen before. Dropping it ends the drop-in.
pub struct Visit {
    pub(super) call: CallId,
    pub(super) from: Person,
    pub(super) picture: bool,
    pub(super) knocks: bool,
    pub(super) desk: mpsc::Sender<DeskInput>,
    pub(super) events: mpsc::Receiver<VisitEvent>,
    pub(super) frosted: watch::Receiver<bool>,
}

/// Something that happened in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitEvent {
    /// It has opened so, or goes on otherwise.
    Stage(DropInStage),
    /// It has lasted long: to be heard again, softly.
    Remind,
    /// What its call tells. The end is told by `Over`.
    Call(CallEvent),
    /// It does not open, and why.
    Refused(DropInRefusal),
    /// Its connection is gone, and why; `Over` follows.
    Lost(EndReason),
    /// It is over: everything is shut. The last event.
    Over(EndedBy),
}

impl Visit {
    #[must_use]
    pub fn call(&self) -> CallId {
        self.call
    }

    /// Who: by their certificates, and the family's own name for them.
    #[must_use]
    pub fn from(&self) -> &Person {
        &self.from
    }

    /// Whether with the picture of this device.
    #[must_use]
    pub fn picture(&self) -> bool {
        self.picture
    }

    /// Whether somebody here is to say yes or no.
    #[must_use]
    pub fn knocks(&self) -> bool {
        self.knocks
    }

    /// Whether what is sent of the picture is frosted now. It begins so; whoever captures pictures draws
    /// them by it, before they are encoded.
    #[must_use]
    pub fn frosted(&self) -> watch::Receiver<bool> {
        self.frosted.clone()
    }

    /// The next thing that happens; `None` after the end.
    pub async fn next(&mut self) -> Option<VisitEvent> {
        self.events.recv().await
    }

    /// The tone has played to its end, and the light is on. What it is opened with is given now and not
    /// sooner; nothing of it is sent while it knocks or is hushed.
    pub async fn signalled(&self, with: Outgoing) {
        self.say(Said::Signalled(Box::new(with))).await;
    }

    /// Tone or light could not be given: nothing opens.
    pub async fn not_signalled(&self) {
        self.say(Said::NotSignalled).await;
    }

    /// Somebody here lets them in.
    pub async fn yes(&self) {
        self.say(Said::Yes).await;
    }

    /// Or not.
    pub async fn no(&self) {
        self.say(Said::No).await;
    }

    /// Shuts the microphone and plays nothing of theirs, until it is taken back.
    pub async fn hush(&self, on: bool) {
        self.say(Said::Hush(on)).await;
    }

    /// The device's switch for its microphone was moved: off, nothing of it is sent, whatever the stage; on, it
    /// opens as the stage lets it.
    pub async fn microphone(&self, on: bool) {
        self.say(Said::Microphone(on)).await;
    }

    /// Switches the own picture off or on; sound goes on.
    pub async fn video(&self, on: bool) {
        self.say(Said::Camera(on)).await;
    }

    /// Ends it.
    pub async fn end(&self) {
        self.say(Said::End).await;
    }

    async fn say(&self, said: Said) {
        let call = self.call;
        // With the client gone there is nothing to end.
        self.desk.send(DeskInput::Visit { call, said }).await.ok();
    }
}
