//! Announcements that are heard while they are spoken: begun here, or verified and heard here.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::announcement::{LiveAnnouncement, LiveError};
use homeline_e2ee::encoding::DecodeError;
use homeline_e2ee::ids::device_id;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{AnnounceTo, EndReason, Request};
use tokio::sync::mpsc;

use super::making::goes_to;
use crate::call::{Call, LiveCallError, announce_live, hear_live};
use crate::client::{Client, ClientEvent, Shared};
use crate::media::{Heard, Pcm};

/// A live announcement for this device. It holds. Nothing is heard, and nothing opened, before [`Self::hear`].
pub struct IncomingLive {
    shared: Arc<Shared>,
    pub call: CallId,
    /// The announcing device.
    pub device: DeviceId,
    /// What the family calls that device.
    pub from: String,
    announcer: PublicKey,
    devices: BTreeSet<PublicKey>,
}

/// Why a live announcement was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LiveRefused {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Statement(#[from] LiveError),
    #[error("the server tells of another device than has signed the announcement")]
    OtherDevice,
}

impl Client {
    /// Announces live at the household's home devices, at one, or at those of a room, for a minute at most:
    /// they hear this microphone as long as the call goes on, and nothing comes back. What comes of it is
    /// told by the call, first [`crate::CallEvent::Announced`]; hanging up ends it for all.
    ///
    /// # Errors
    /// When there is no other home device, there are more than 31, or no media socket can be opened.
    pub async fn announce_live(
        &self,
        to: AnnounceTo,
        microphone: mpsc::Receiver<Pcm>,
    ) -> Result<Call, LiveCallError> {
        let devices = {
            let state = self.shared.state();
            let household = &state.household;
            let keys = household.roster().devices().keys().copied();
            keys.filter(|key| goes_to(household, &to, device_id(*key)))
                .collect()
        };
        announce_live(self.shared.clone(), (to, devices), microphone).await
    }
}

impl IncomingLive {
    /// Hears it: what is spoken goes to the speaker. There is no microphone. The call's end is the
    /// announcement's, or comes by hanging up, which ends it here alone.
    ///
    /// # Errors
    /// When this device's certificate does not hold, or no media socket can be opened.
    pub async fn hear(self, speaker: mpsc::Sender<Heard>) -> Result<Call, LiveCallError> {
        let Self {
            shared,
            call,
            announcer,
            devices,
            ..
        } = self;
        hear_live(shared, (call, announcer, devices), speaker).await
    }

    /// Says that it is not heard here.
    pub async fn decline(self) {
        not_heard(&self.shared, self.call).await;
    }
}

/// Takes one, and tells the program. One that does not hold is told as well, and not heard.
pub(crate) async fn told_live(
    shared: &Arc<Shared>,
    (call, device): (CallId, DeviceId),
    statement: &Blob,
) -> ClientEvent {
    match take(shared, (call, device), statement) {
        Ok(incoming) => ClientEvent::Live(Box::new(incoming)),
        Err(because) => {
            tracing::warn!(%because, "a live announcement was not taken");
            not_heard(shared, call).await;
            ClientEvent::LiveRefused { call, because }
        }
    }
}

fn take(
    shared: &Arc<Shared>,
    (call, device): (CallId, DeviceId),
    statement: &Blob,
) -> Result<IncomingLive, LiveRefused> {
    let own = shared.device_key();
    let signed = Signed::decode(&statement.0)?;
    let (said, from) = {
        let state = shared.state();
        let mut hearing = shared.hearing();
        let now = hearing.clock.time_of_day();
        let roster = state.household.roster();
        LiveAnnouncement::hear(&signed, (call, own), roster, &mut hearing.live, now)?
    };
    if from.device != device {
        return Err(LiveRefused::OtherDevice);
    }
    let label = {
        let state = shared.state();
        let mut devices = state.household.devices().iter();
        let known = devices.find(|one| one.id == from.device);
        known.map_or(from.label, |known| known.label.clone())
    };
    Ok(IncomingLive {
        shared: shared.clone(),
        call,
        device,
        from: label,
        announcer: from.device_key,
        devices: said.devices.into_iter().collect(),
    })
}

/// The server need not wait for this device.
async fn not_heard(shared: &Shared, call: CallId) {
    let reason = EndReason::HungUp;
    let request = Request::HangUp { call, reason };
    if let Err(error) = shared.session().done(request).await {
        tracing::info!(%error, "that a live announcement is not heard was not told");
    }
}
