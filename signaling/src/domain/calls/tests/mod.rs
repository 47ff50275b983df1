//! The call machine, told as tables: when, what happens, and what it leads to.
//!
//! A line is `seconds  who what -> effects`; `x>y` means that y is told x. Anna calls Ben, who has an
//! app and a kitchen.

mod tables;

use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{
    Account, EndReason, Event, MediaState, Party, PublishSection, Source, WelcomeFor,
};

use super::config::CallsConfig;
use super::input::{Act, CallError, Effect, Input, Invite, Moment, Offer, PeerChange, Record};
use super::machine::Call;
use crate::domain::keys::SentCommit;
use crate::model::UnixMillis;

const ANNA: AccountId = AccountId([1; 16]);
const BEN: AccountId = AccountId([2; 16]);
const CALLER: DeviceId = DeviceId([11; 16]);
const APP: DeviceId = DeviceId([21; 16]);
const KITCHEN: DeviceId = DeviceId([22; 16]);
const STRANGER: DeviceId = DeviceId([99; 16]);
const SWITCHES: MediaState = MediaState {
    microphone: true,
    camera: true,
};

/// Plays a table and compares each line's effects.
fn play(table: &str) {
    let start = Instant::now();
    let mut call: Option<Call> = None;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (said, expected) = line.split_once("->").unwrap();
        let mut words = said.split_whitespace();
        let secs: f64 = words.next().unwrap().parse().unwrap();
        let elapsed = Duration::from_secs_f64(secs);
        let unix = UnixMillis(1_000_000).plus(elapsed);
        let now = Moment {
            at: start + elapsed,
            unix,
        };
        let words: Vec<_> = words.collect();
        let found = match (&mut call, words.as_slice()) {
            (None, start) => {
                let (begun, effects) = Call::start(
                    &CallsConfig::default(),
                    invite(start.contains(&"nobody")),
                    start.contains(&"busy"),
                    now,
                );
                call = Some(begun);
                written(&effects)
            }
            (Some(call), words) => match call.step(now, input(words)) {
                Ok(effects) => written(&effects),
                Err(error) => refused(&error).to_owned(),
            },
        };
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(found, expected, "at: {line}");
    }
}

fn invite(nobody: bool) -> Invite {
    let (callee, ring) = if nobody {
        (None, vec![])
    } else {
        (Some(BEN), vec![APP, KITCHEN])
    };
    Invite {
        call: CallId([7; 16]),
        caller: Account {
            id: ANNA,
            handle: "anna".parse().unwrap(),
            display_name: "Anna".to_owned(),
        },
        caller_device: CALLER,
        callee: Party {
            handle: "ben".parse().unwrap(),
            display_name: "Ben".to_owned(),
        },
        callee_account: callee,
        ring,
        video: true,
        invitation: Blob(vec![1]),
    }
}

fn device(word: &str) -> (DeviceId, AccountId) {
    match word {
        "anna" => (CALLER, ANNA),
        "app" => (APP, BEN),
        "kitchen" => (KITCHEN, BEN),
        "late" => (DeviceId([23; 16]), BEN),
        _ => (STRANGER, AccountId([9; 16])),
    }
}

fn input(words: &[&str]) -> Input {
    let (who, account) = device(words.first().copied().unwrap_or_default());
    let hang_up = |reason| Act::HangUp { reason };
    let act = match words {
        ["tick"] => return Input::Tick,
        ["room-fails"] => return Input::RoomFailed,
        ["media-gone"] => return Input::MediaGone,
        ["superseded"] => return Input::Superseded,
        ["pushed"] => return Input::Pushed,
        [_, "online"] => return Input::Reachable(who),
        [_, "lost"] => return Input::SessionLost(who),
        [_, "back"] => return Input::SessionBack(who),
        [_, "revoked"] => return Input::Revoked(who),
        [_, "negotiated"] => return Input::Negotiated(who, true),
        [_, "refused-by-node"] => return Input::Negotiated(who, false),
        [_, "connected"] => return Input::Peer(who, PeerChange::Connected),
        [_, "silent"] => return Input::Peer(who, PeerChange::Silent),
        [_, "closed"] => return Input::Peer(who, PeerChange::Closed),
        [_, "rings"] => Act::Ringing {
            key_package: Blob(vec![2]),
            statement: Blob(vec![3]),
        },
        [_, "refuses-invitation"] => Act::RefuseInvitation,
        [_, "answers"] => Act::Answer { media: SWITCHES },
        [_, "declines"] => Act::Decline,
        [_, "cancels"] => Act::Cancel,
        [_, "hangs-up"] => hang_up(EndReason::HungUp),
        [_, "refuses-keys"] => hang_up(EndReason::EncryptionRefused),
        [_, "has-no-media"] => hang_up(EndReason::MediaFailed),
        [_, "lies"] => hang_up(EndReason::DeviceLost),
        [_, "mutes"] => Act::SetMedia {
            media: MediaState {
                microphone: false,
                camera: true,
            },
        },
        [_, "offers"] => Act::Offer(Offer {
            sdp: "v=0".to_owned(),
            publish: vec![PublishSection {
                mid: "0".to_owned(),
                source: Source::Microphone,
            }],
            subscribe: vec![],
        }),
        [_, "asks-quality"] => Act::Quality,
        [_, "adds", whom, epoch] => commit(epoch, Some(device(whom).0)),
        [_, "commits", epoch] => commit(epoch, None),
        [_, "ready", epoch] => Act::EpochReady {
            epoch: epoch.parse().unwrap(),
        },
        [_, "says"] => Act::GroupMessage {
            message: Blob(vec![4]),
        },
        other => panic!("{other:?}"),
    };
    Input::Act(who, account, act)
}

fn commit(epoch: &str, adds: Option<DeviceId>) -> Act {
    Act::Commit(SentCommit {
        epoch: epoch.parse().unwrap(),
        commit: Blob(vec![5]),
        welcome: adds.map(|device| WelcomeFor {
            device,
            welcome: Blob(vec![6]),
        }),
        removed: vec![],
    })
}

fn name(device: DeviceId) -> &'static str {
    match device {
        CALLER => "anna",
        APP => "app",
        KITCHEN => "kitchen",
        DeviceId([23, ..]) => "late",
        _ => "stranger",
    }
}

fn reason(reason: EndReason) -> String {
    format!("{reason:?}")
}

fn written(effects: &[Effect]) -> String {
    effects.iter().map(effect).collect::<Vec<_>>().join(" ")
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Tell(device, event) => format!("{}>{}", told(event), name(*device)),
        Effect::Media(command) | Effect::Ask(_, command) => media(command),
        Effect::Record(Record::Answered { device, .. }) => format!("kept:{}", name(*device)),
        Effect::Record(Record::Ended { reason: why, .. }) => format!("kept:{}", reason(*why)),
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::IncomingCall { .. } => "incoming".to_owned(),
        Event::DeviceRinging { device, .. } => format!("rings:{}", name(*device)),
        Event::CallAnswered { device, .. } => format!("answered:{}", name(*device)),
        Event::CallEnded { reason: why, .. } => reason(*why),
        Event::Participants { participants, .. } => {
            let mute = |one: &&homeline_protocol::session::Participant| !one.media.microphone;
            match participants.iter().find(mute) {
                Some(muted) => format!("people:{}-mute", name(muted.device)),
                None => "people".to_owned(),
            }
        }
        Event::Tracks { tracks, .. } => format!("tracks{}", tracks.len()),
        Event::ParticipantConnection {
            device, connected, ..
        } => {
            format!(
                "{}:{}",
                name(*device),
                if *connected { "here" } else { "gone" }
            )
        }
        Event::MediaRestart { .. } => "restart".to_owned(),
        Event::GroupCommit { epoch, .. } => format!("commit{epoch}"),
        Event::GroupWelcome { .. } => "welcome".to_owned(),
        Event::EpochExecute { epoch, .. } => format!("execute{epoch}"),
        Event::GroupMessage { .. } => "message".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn media(command: &MediaCommand) -> String {
    let peer = |peer: &homeline_protocol::id::PeerId| name(DeviceId(peer.0));
    match command {
        MediaCommand::CreateRoom { .. } => "room".to_owned(),
        MediaCommand::CloseRoom { .. } => "close".to_owned(),
        MediaCommand::Negotiate { peer: whose, .. } => format!("negotiate:{}", peer(whose)),
        MediaCommand::SetForwarding {
            peer: whose, on, ..
        } => {
            format!("forward:{}:{on}", peer(whose))
        }
        MediaCommand::RemovePeer { peer: whose, .. } => format!("remove:{}", peer(whose)),
        MediaCommand::RequestKeyFrames { .. } => "key-frames".to_owned(),
        MediaCommand::Statistics { .. } => "statistics".to_owned(),
    }
}

fn refused(error: &CallError) -> &'static str {
    match error {
        CallError::NotFound => "!not-found",
        CallError::AnsweredElsewhere => "!elsewhere",
        CallError::Ended => "!over",
        CallError::AlreadyInCall => "!in-call",
        CallError::NotNow(_) => "!not-now",
        CallError::Invalid(_) => "!invalid",
        CallError::Keys(_) => "!keys",
        CallError::BadOffer(_) | CallError::MediaLimit(_) | CallError::Internal => "!failed",
    }
}
