//! Announcements that are heard while they are spoken: who is told, and what is refused.

mod refused;
mod stories;

use homeline_e2ee::announcement::LiveAnnouncement;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::roster::Roster;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, EndReason, ErrorCode, Event, PublishSection, Request, Source,
    SubscribeSection,
};

use super::{HomeDevice, Scene, fates};
use crate::support::{Server, Session, device_id};

pub(super) const CALL: CallId = CallId([0x71; 16]);
pub(super) const SECOND: CallId = CallId([0x72; 16]);

pub(super) async fn with_calls() -> Scene {
    Scene::at(Server::start_with_calls(|_| {}).await).await
}

/// What somebody signs for these devices, from what their session shows them.
pub(super) async fn said(
    session: &mut Session,
    key: &PrivateKey,
    call: CallId,
    (scene_now, to): (homeline_e2ee::time::UnixMs, &[PublicKey]),
) -> LiveAnnouncement {
    let home = session.home().await.household.unwrap();
    let own = home.devices.iter().find(|one| one.id == device_id(key));
    let chain = Chain::decode(&own.unwrap().chain.0).unwrap();
    let genesis = Roster::from_entries(&home.roster).unwrap().genesis_key();
    let who = (key.public(), &chain, genesis);
    LiveAnnouncement::new(who, call, scene_now, to.iter().copied()).unwrap()
}

pub(super) fn announce(
    call: CallId,
    to: AnnounceTo,
    said: &LiveAnnouncement,
    key: &PrivateKey,
) -> Request {
    Request::AnnounceLive {
        call,
        to,
        statement: said.sign(key).encode().into(),
    }
}

pub(super) fn hear(call: CallId) -> Request {
    Request::HearLive {
        call,
        key_package: Blob(b"key package".to_vec()),
        statement: Blob(b"ringing".to_vec()),
    }
}

pub(super) fn hang_up(call: CallId) -> Request {
    let reason = EndReason::HungUp;
    Request::HangUp { call, reason }
}

pub(super) fn offer(publish: &[Source], subscribe: Vec<SubscribeSection>) -> Request {
    let section = |source: &Source| PublishSection {
        mid: format!("{source:?}"),
        source: *source,
    };
    Request::OfferMedia {
        call: CALL,
        sdp: "offer".to_owned(),
        publish: publish.iter().map(section).collect(),
        subscribe,
    }
}

pub(super) fn live(event: &Event) -> Option<(CallId, DeviceId, Blob)> {
    match event {
        Event::LiveAnnouncement {
            call,
            device,
            statement,
        } => Some((*call, *device, statement.clone())),
        _ => None,
    }
}

pub(super) async fn is_told(device: &mut HomeDevice) -> (CallId, DeviceId, Blob) {
    device.session.event(live).await
}

pub(super) async fn was_told(device: &mut HomeDevice) -> bool {
    device.session.has_seen(|event| live(event).is_some()).await
}

pub(super) async fn ended(session: &mut Session, which: CallId) -> EndReason {
    session
        .event(|event| match event {
            Event::CallEnded { call, reason } if *call == which => Some(*reason),
            _ => None,
        })
        .await
}

pub(super) async fn participants(session: &mut Session) -> Vec<DeviceId> {
    session
        .event(|event| match event {
            Event::Participants { participants, .. } => {
                Some(participants.iter().map(|one| one.device).collect())
            }
            _ => None,
        })
        .await
}

impl Scene {
    pub(super) async fn by_phone(&mut self, call: CallId) -> LiveAnnouncement {
        let to = [self.kitchen.key.public(), self.bath.key.public()];
        let (key, now) = (self.family.anna.app.clone(), self.server.now());
        said(&mut self.family.annas, &key, call, (now, &to)).await
    }

    /// Anna's phone announces at home.
    pub(super) async fn announces(&mut self, call: CallId) -> Vec<(DeviceId, AnnouncementFate)> {
        let said = self.by_phone(call).await;
        let request = announce(call, AnnounceTo::Home, &said, &self.family.anna.app);
        fates(&mut self.family.annas, request).await
    }

    pub(super) async fn refused(&mut self, call: CallId) -> ErrorCode {
        let said = self.by_phone(call).await;
        let request = announce(call, AnnounceTo::Home, &said, &self.family.anna.app);
        self.family.annas.refused(request).await
    }
}
