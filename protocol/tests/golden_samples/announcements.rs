//! Announcements.

use homeline_protocol::id::AnnouncementId;
use homeline_protocol::session::{
    AnnounceTo, Announced, AnnouncementFate, AnnouncementHeard, AnnouncementReceiver,
    DeviceSealingKey, Event, Reply, Request,
};

use super::{AT_MS, CALL, DEVICE, blob};

const ANNOUNCEMENT: AnnouncementId = AnnouncementId([0xa7; 16]);

fn announced(play: bool) -> Announced {
    Announced {
        announcement: ANNOUNCEMENT,
        statement: blob(),
        begin_at_ms: AT_MS,
        expires_at_ms: AT_MS + 300_000,
        play,
    }
}

pub(crate) fn requests() -> Vec<Request> {
    let announce = |to| Request::Announce {
        announcement: ANNOUNCEMENT,
        to,
        statement: blob(),
        content: blob(),
    };
    let heard = |heard| Request::HeardAnnouncement {
        announcement: ANNOUNCEMENT,
        heard,
    };
    let room = "Upstairs".to_owned();
    vec![
        Request::GetTime,
        Request::PutSealingKey { statement: blob() },
        Request::GetSealingKeys,
        announce(AnnounceTo::Home),
        announce(AnnounceTo::Device { device: DEVICE }),
        announce(AnnounceTo::Zone { room }),
        Request::ListAnnouncements,
        Request::GetAnnouncement {
            announcement: ANNOUNCEMENT,
        },
        heard(AnnouncementHeard::Played),
        heard(AnnouncementHeard::Shown),
        heard(AnnouncementHeard::PutAside),
        Request::AnnounceLive {
            call: CALL,
            to: AnnounceTo::Home,
            statement: blob(),
        },
        Request::HearLive {
            call: CALL,
            key_package: blob(),
            statement: blob(),
        },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    let receiver = |fate| AnnouncementReceiver {
        device: DEVICE,
        fate,
    };
    vec![
        Reply::Time {
            server_time_ms: AT_MS,
        },
        Reply::SealingKeys {
            keys: vec![DeviceSealingKey {
                device: DEVICE,
                statement: blob(),
            }],
        },
        Reply::Announced {
            receivers: vec![
                receiver(AnnouncementFate::Told),
                receiver(AnnouncementFate::Away),
                receiver(AnnouncementFate::Quiet),
                receiver(AnnouncementFate::Busy),
            ],
        },
        Reply::Announcements {
            announcements: vec![announced(false)],
        },
        Reply::AnnouncementContent { content: blob() },
    ]
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::Announced(announced(true)),
        Event::AnnouncementHeard {
            announcement: ANNOUNCEMENT,
            device: DEVICE,
            heard: AnnouncementHeard::Played,
        },
        Event::LiveAnnouncement {
            call: CALL,
            device: DEVICE,
            statement: blob(),
        },
        Event::LiveDeclined {
            call: CALL,
            device: DEVICE,
        },
    ]
}
