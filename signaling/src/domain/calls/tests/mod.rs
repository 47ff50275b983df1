//! The call machine, told as tables: when, what happens, and what it leads to.
//!
//! A line is `seconds  who what -> effects`; `x>y` means that y is told x. Anna calls Ben, who has an
//! app and a kitchen.

mod groups;
mod live;
mod moves;
mod outside;
mod pictures;
mod simulation;
mod tables;
mod waiting;

use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{
    Account, Callee, EndReason, Event, MediaState, Party, Switches, WelcomeFor,
};

use super::config::CallsConfig;
use super::input::{
    Act, Adding, CallError, Effect, Input, Invite, Moment, Moving, Offer, PeerChange, Record, Rings,
};
use super::machine::Call;
use crate::domain::keys::SentCommit;
use crate::domain::reach::ALL_ON;
use crate::model::UnixMillis;

const ANNA: AccountId = AccountId([1; 16]);
const BEN: AccountId = AccountId([2; 16]);
const CALLER: DeviceId = DeviceId([11; 16]);
const APP: DeviceId = DeviceId([21; 16]);
const KITCHEN: DeviceId = DeviceId([22; 16]);
const CLEO: AccountId = AccountId([3; 16]);
const DORA: AccountId = AccountId([4; 16]);
const PHONE: DeviceId = DeviceId([31; 16]);
const TABLET: DeviceId = DeviceId([32; 16]);
const DORAS: DeviceId = DeviceId([41; 16]);
const LIVING: DeviceId = DeviceId([24; 16]);
const STRANGER: DeviceId = DeviceId([99; 16]);
const SWITCHES: MediaState = MediaState {
    microphone: true,
    camera: true,
};

/// Begins every table in which the kitchen has answered.
const TALKING: &str = "
    0  start            -> room incoming>app incoming>kitchen
    1  kitchen rings    -> rings:kitchen>anna
    2  kitchen answers  -> answered:kitchen>anna people>anna people>kitchen
                           AnsweredElsewhere>app kept:kitchen
";

/// One line of a table may go on in the next, indented; here they are joined.
fn with(beginning: &str, rest: &str) {
    let text = format!("{beginning}{rest}");
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        let begins = line.starts_with(|first: char| first.is_ascii_digit());
        table.push_str(if begins { "\n" } else { " " });
        table.push_str(line);
    }
    play(&table);
}

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
            (None, ["announces"]) => {
                let (begun, effects) = live::announced(now);
                call = Some(begun);
                written(&effects)
            }
            (None, start) => {
                let (begun, effects) = Call::start(
                    &CallsConfig::default(),
                    invite(start),
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

/// `nobody` has the handle, or it is `family`; `anna-mute` has her microphone's switch off.
fn invite(words: &[&str]) -> Invite {
    let has = |word| words.contains(&word);
    let account = |id, handle: &str, name: &str| Account {
        id,
        handle: handle.parse().unwrap(),
        display_name: name.to_owned(),
    };
    let nobody = has("nobody");
    Invite {
        call: CallId([7; 16]),
        caller: account(ANNA, "anna", "Anna"),
        caller_device: CALLER,
        callee: Party {
            handle: "ben".parse().unwrap(),
            display_name: "Ben".to_owned(),
            guest: false,
        },
        people: if nobody { vec![] } else { vec![BEN] },
        to: (!nobody).then(|| account(BEN, "ben", "Ben")),
        ring: if nobody {
            vec![]
        } else {
            all_on(&[APP, KITCHEN])
        },
        engaged: has("engaged").then_some(KITCHEN).into_iter().collect(),
        caller_switches: Switches {
            microphone: !has("anna-mute"),
            ..ALL_ON
        },
        family: has("family"),
        video: true,
        invitation: Blob(vec![1]),
    }
}

/// Anna adds Cleo, who has a phone and a tablet, or Dora; or nobody.
fn adding(words: &[&str]) -> Act {
    let (account, handle, ring) = match words.first().copied() {
        Some("cleo") => (Some(CLEO), "cleo", vec![PHONE, TABLET]),
        Some("dora") => (Some(DORA), "dora", vec![DORAS]),
        Some("ben") => (Some(BEN), "ben", vec![APP]),
        _ => (None, "nobody", vec![]),
    };
    let engaged = words.contains(&"engaged").then(|| ring[0]);
    Act::Add(Box::new(Adding {
        from: Account {
            id: ANNA,
            handle: "anna".parse().unwrap(),
            display_name: "Anna".to_owned(),
        },
        callee: Party {
            handle: handle.parse().unwrap(),
            display_name: handle.to_owned(),
            guest: false,
        },
        account,
        ring: all_on(&ring),
        engaged: engaged.into_iter().collect(),
        full: false,
        family: !words.contains(&"stranger"),
        to: Callee::Person {
            handle: handle.parse().unwrap(),
        },
        there: (1..200).map(|number| AccountId([number; 16])).collect(),
        invitation: Blob(vec![1]),
    }))
}

/// Devices to ring, with every switch on.
fn all_on(devices: &[DeviceId]) -> Vec<Rings> {
    let rings = |device: &DeviceId| Rings {
        device: *device,
        switches: ALL_ON,
    };
    devices.iter().map(rings).collect()
}

fn moving(to: DeviceId) -> Act {
    Act::Move(Box::new(Moving {
        to,
        switches: ALL_ON,
        person: Account {
            id: BEN,
            handle: "ben".parse().unwrap(),
            display_name: "Ben".to_owned(),
        },
        invitation: Blob(vec![1]),
    }))
}

/// So many join Anna and the kitchen, one after the other; then one more is refused.
fn crowd(more: u8) {
    let now = Moment {
        at: Instant::now(),
        unix: UnixMillis(1_000_000),
    };
    let (mut call, _) = Call::start(&CallsConfig::default(), invite(&[]), false, now);
    let mut step = |input: Input| call.step(now, input);
    let act = |device, account, act| Input::Act(device, account, act);
    for words in [vec!["kitchen", "rings"], vec!["kitchen", "answers"]] {
        step(input(&words)).unwrap();
    }
    step(input(&["anna", "adds", "kitchen", "0"])).unwrap();
    let guest = |number: u8| {
        let (device, account) = (DeviceId([100 + number; 16]), AccountId([100 + number; 16]));
        let Act::Add(adding) = adding(&["cleo"]) else {
            unreachable!()
        };
        let (account_id, ring) = (Some(account), all_on(&[device]));
        let adding = Adding {
            account: account_id,
            ring,
            ..*adding
        };
        (device, account, Act::Add(Box::new(adding)))
    };
    for number in 0..more {
        let (device, account, add) = guest(number);
        step(act(CALLER, ANNA, add)).unwrap();
        let ringing = Act::Ringing {
            key_package: Blob(vec![2]),
            statement: Blob(vec![3]),
        };
        step(act(device, account, ringing)).unwrap();
        step(act(device, account, Act::Answer { media: SWITCHES })).unwrap();
        let epoch = (1 + number).to_string();
        step(act(CALLER, ANNA, commit(&epoch, Some(device)))).unwrap();
    }
    let (_, _, add) = guest(more);
    let refused = step(act(CALLER, ANNA, add));
    assert_eq!(refused, Err(CallError::Full));
}

fn device(word: &str) -> (DeviceId, AccountId) {
    match word {
        "anna" => (CALLER, ANNA),
        "app" => (APP, BEN),
        "kitchen" => (KITCHEN, BEN),
        "late" => (DeviceId([23; 16]), BEN),
        "living" => (LIVING, BEN),
        "phone" => (PHONE, CLEO),
        "tablet" => (TABLET, CLEO),
        "doras" => (DORAS, DORA),
        _ => (STRANGER, AccountId([9; 16])),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one line for each phrase of the tables"
)]
fn input(words: &[&str]) -> Input {
    let (who, account) = device(words.first().copied().unwrap_or_default());
    let hang_up = |reason| Act::HangUp { reason };
    let act = match words {
        ["tick"] => return Input::Tick,
        ["room-fails"] => return Input::RoomFailed,
        ["media-gone"] => return Input::MediaGone,
        ["superseded"] => return Input::Superseded,
        ["pushed"] => return Input::Pushed,
        [_, "online"] => {
            return Input::Reachable(Rings {
                device: who,
                switches: ALL_ON,
            });
        }
        [_, "microphone", on] => {
            let microphone = *on == "on";
            return Input::Switched(
                who,
                Switches {
                    microphone,
                    ..ALL_ON
                },
            );
        }
        [_, "lost"] => return Input::SessionLost(who),
        [_, "reloaded"] => return Input::SessionNew(who),
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
        [_, "hears"] => Act::Hear {
            key_package: Blob(vec![2]),
            statement: Blob(vec![3]),
        },
        [_, "listens"] => Act::Offer(Offer {
            sdp: "v=0".to_owned(),
            publish: vec![],
            subscribe: vec![],
        }),
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
        [_, "offers", ..] => Act::Offer(Offer {
            sdp: "v=0".to_owned(),
            publish: pictures::offered(words),
            subscribe: vec![],
        }),
        [_, "asks-quality"] => Act::Quality,
        [_, "shows" | "takes" | "speaks" | "measured", ..] => return pictures::input(words),
        [_, "adds", whom, epoch] => commit(epoch, Some(device(whom).0)),
        [_, "commits", epoch] => commit(epoch, None),
        [_, "ready", epoch] => Act::EpochReady {
            epoch: epoch.parse().unwrap(),
        },
        [_, "removes", whom, epoch] => removing(epoch, &[device(whom).0], None),
        [_, "replaces", old, new, epoch] => removing(epoch, &[device(old).0], Some(device(new).0)),
        [_, "invites", words @ ..] => adding(words),
        [_, "stops-adding"] => Act::CancelAdding,
        [_, "moves-to", whom] => moving(device(whom).0),
        [_, "wants-it"] => Act::WantHere,
        [_, "ends-for-all"] => Act::EndForEveryone,
        [_, "left-for-another"] => return Input::LeftFor(who),
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

fn removing(epoch: &str, removed: &[DeviceId], adds: Option<DeviceId>) -> Act {
    match commit(epoch, adds) {
        Act::Commit(sent) => Act::Commit(SentCommit {
            removed: removed.to_vec(),
            ..sent
        }),
        other => other,
    }
}

fn name(device: DeviceId) -> &'static str {
    match device {
        CALLER => "anna",
        APP => "app",
        KITCHEN => "kitchen",
        DeviceId([23, ..]) => "late",
        LIVING => "living",
        PHONE => "phone",
        TABLET => "tablet",
        DORAS => "doras",
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
        Effect::Media(command) | Effect::Ask(_, command) | Effect::Measure(command) => {
            media(command)
        }
        Effect::Record(Record::Answered { device, .. }) => format!("kept:{}", name(*device)),
        Effect::Record(Record::Ended { reason: why, .. }) => format!("kept:{}", reason(*why)),
        Effect::Record(Record::Adding { account, .. }) => {
            format!("kept:adding-{}", person(*account))
        }
        Effect::Record(Record::Joined { account, .. }) => format!("kept:{}", person(*account)),
        Effect::Record(Record::Left {
            account,
            reason: why,
            ..
        }) => format!("kept:{}-{}", person(*account), reason(*why)),
    }
}

fn person(account: AccountId) -> &'static str {
    match account {
        ANNA => "anna",
        BEN => "ben",
        CLEO => "cleo",
        _ => "dora",
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::CallWaiting { .. } => "waiting".to_owned(),
        Event::AddingRinging { device, .. } => format!("added-rings:{}", name(*device)),
        Event::AddingAnswered { device, .. } => format!("added:{}", name(*device)),
        Event::AddingEnded { reason: why, .. } => format!("not-added:{}", reason(*why)),
        Event::MemberLeft { device, .. } => format!("left:{}", name(*device)),
        Event::MoveOffered { from, .. } => format!("offered:{}", name(*from)),
        Event::MoveWanted { device, .. } => format!("wanted:{}", name(*device)),
        Event::MoveAccepted { from, device, .. } => {
            format!("replace:{}:{}", name(*from), name(*device))
        }
        Event::MoveEnded {
            device,
            reason: why,
            ..
        } => format!("not-moved:{}:{}", name(*device), reason(*why)),
        Event::IncomingCall { .. } => "incoming".to_owned(),
        Event::LiveAnnouncement { device, .. } => format!("live:{}", name(*device)),
        Event::LiveDeclined { device, .. } => format!("declined:{}", name(*device)),
        Event::DeviceRinging { device, .. } => format!("rings:{}", name(*device)),
        Event::CallAnswered { device, .. } => format!("answered:{}", name(*device)),
        Event::CallEnded { reason: why, .. } => reason(*why),
        Event::Participants { participants, .. } => {
            let mute = |one: &&homeline_protocol::session::Participant| !one.media.microphone;
            match participants.iter().find(mute) {
                Some(muted) => format!("people:{}-mute", name(muted.device)),
                None if participants.len() == 2 => "people".to_owned(),
                None => format!("people{}", participants.len()),
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
        Event::CallSwitches { device, media, .. } => {
            let on = if media.microphone { "on" } else { "off" };
            format!("{}-microphone-{on}", name(*device))
        }
        other => pictures::told(other),
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
        MediaCommand::SetTrackForwarding { on, .. } => format!("track:{on}"),
        MediaCommand::RemovePeer { peer: whose, .. } => format!("remove:{}", peer(whose)),
        MediaCommand::RequestKeyFrames { .. } => "key-frames".to_owned(),
        MediaCommand::SetView { peer: whose, .. } => format!("view:{}", peer(whose)),
        MediaCommand::Statistics { .. } => "statistics".to_owned(),
    }
}

fn refused(error: &CallError) -> &'static str {
    match error {
        CallError::NotFound => "!not-found",
        CallError::AnsweredElsewhere => "!elsewhere",
        CallError::Ended => "!over",
        CallError::AlreadyInCall => "!in-call",
        CallError::Full => "!full",
        CallError::NotYours(_) => "!not-yours",
        CallError::NotNow(_) => "!not-now",
        CallError::Invalid(_) => "!invalid",
        CallError::Keys(_) => "!keys",
        CallError::BadOffer(_) | CallError::MediaLimit(_) | CallError::Internal => "!failed",
    }
}
