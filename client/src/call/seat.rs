//! A call's task before it runs: what the caller's side and the called one put together alike.

use std::collections::BTreeSet;

use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::CallCrypto;
use homeline_protocol::id::CallId;
use homeline_protocol::session::MediaState;
use tokio::sync::{mpsc, watch};

use super::handle::Call;
use super::owner::Owner;
use super::run::{EVENTS_MAX, INPUTS_MAX, Input, Phase, Run};
use super::side::Side;
use super::transport::Transport;
use crate::home::Person;
use crate::media::{Frames, PeerError};

/// What is known of a call before its task begins.
pub(super) struct Seat {
    pub(super) owner: Owner,
    pub(super) id: CallId,
    pub(super) phase: Phase,
    pub(super) party: Person,
    pub(super) expected: Option<PublicKey>,
    /// Guests that this device lets in.
    pub(super) guests: BTreeSet<PublicKey>,
    pub(super) households: BTreeSet<PublicKey>,
    pub(super) video: bool,
    /// Whether the own camera is on from the beginning.
    pub(super) camera: bool,
    pub(super) crypto: CallCrypto,
    /// Which side of a drop-in or a live announcement it is, if any.
    pub(super) side: Option<Side>,
}

impl Seat {
    /// The task, not running yet, and the handle to it. `inputs`: where the session's events come from.
    pub(super) async fn take(
        self,
        inputs: impl FnOnce() -> mpsc::Receiver<Input>,
    ) -> Result<(Run, Call), PeerError> {
        let frames = Frames::new(self.crypto);
        #[cfg(feature = "plaintext-control")]
        let frames = match self.owner.member() {
            Some(shared) => frames.under(shared.control()),
            None => frames,
        };
        let sources = Side::sources(self.side.as_ref(), self.video);
        let transport =
            Transport::new(sources, frames.clone(), self.owner.session().clone()).await?;
        let (events, told) = mpsc::channel(EVENTS_MAX);
        let (commands, commanded) = mpsc::channel(INPUTS_MAX);
        let run = Run {
            id: self.id,
            phase: self.phase,
            party: self.party,
            expected: self.expected,
            guests: self.guests,
            households: self.households,
            brought: Vec::new(),
            adding: None,
            present: BTreeSet::new(),
            video: self.video,
            frames,
            transport,
            media: MediaState {
                microphone: true,
                camera: self.camera,
            },
            microphone: watch::Sender::new(true),
            camera: watch::Sender::new(self.camera),
            inputs: inputs(),
            commands: commanded,
            replies: mpsc::channel(INPUTS_MAX),
            events,
            side: self.side,
            heard: true,
            owner: self.owner,
        };
        let call = Call {
            id: self.id,
            commands,
            events: told,
        };
        Ok((run, call))
    }
}
