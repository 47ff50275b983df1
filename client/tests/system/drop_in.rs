//! Dropping in from one SDK program on another: tone and light first, then sound; and every refusal.

use std::time::Duration;

use homeline_client::call::CallEvent;
use homeline_client::drop_in::EndedBy;
use homeline_client::media::Heard;
use homeline_client::picture::{self, Image, Shown, frost, pattern, similarity};
use homeline_client::{Call, Client, ClientEvent, Outgoing, Visit, VisitEvent};
use homeline_e2ee::contact::Pin;
use homeline_e2ee::drop_in::ledger::{Entry, Head, LedgerReader, What};
use homeline_e2ee::drop_in::{Grant, Grantee, LIFETIME_MS_MAX, Opening};
use homeline_e2ee::ids;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::GrantId;
use homeline_protocol::session::{
    Capabilities, DropInRefusal, DropInStage, EndReason, Reply, Request,
};
use tokio::sync::mpsc;

use crate::calls::hears;
use crate::house::{Person, ended, soon, sound, until};
use crate::server::TestServer;

pub(crate) fn now() -> UnixMs {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}

/// Anna with a kitchen, and Ben, whom she knows and who knows her.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) anna: Person,
    pub(crate) kitchen: Person,
    pub(crate) ben: Person,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let server = TestServer::start().await;
        let anna = Person::found(&server.server(), "anna").await;
        let ben = Person::found(&server.server(), "ben").await;
        let kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
        let pins = [
            (&anna, "Uncle Ben", "ben", ben.identity.genesis),
            (&ben, "Aunt Anna", "anna", anna.identity.genesis),
        ];
        for (by, name, handle, pin) in pins {
            let handle = handle.parse().unwrap();
            by.client
                .add_contact(name, handle, Some(pin))
                .await
                .unwrap();
        }
        Self {
            server,
            anna,
            kitchen,
            ben,
        }
    }

    /// What Anna would give Ben.
    pub(crate) fn to_ben(&self, number: u8) -> Grant {
        let household = self.anna.client.household();
        let card = household.find_contact("ben").unwrap();
        assert_eq!(card.pin, Pin::Verified(self.ben.identity.genesis));
        let to = Grantee::Person {
            contact: card.id,
            their_genesis: self.ben.identity.genesis,
            person: self.ben.identity.account.to_string(),
        };
        let at = now();
        Grant {
            genesis: self.anna.identity.genesis,
            id: GrantId([number; 16]),
            revision: at.0,
            to,
            devices: vec![],
            hours: None,
            picture: false,
            opening: Opening::AtOnce,
            signed_at: at,
            expires_at: at.plus(LIFETIME_MS_MAX),
            revoked: false,
        }
    }

    pub(crate) async fn give(&self, grant: &Grant) {
        let given = self.anna.client.put_drop_in_grant(grant);
        soon("the grant", given).await.unwrap();
    }

    /// Ben asks to drop in on Anna.
    pub(crate) async fn ben_asks(&self) -> (Call, mpsc::Receiver<Heard>) {
        let (with, heard) = sound(1_500.0);
        let call = self.ben.client.drop_in("aunt anna", with).await.unwrap();
        (call, heard)
    }

    /// The kitchen's ledger as Anna's app reads it: sound, and with at least so many entries.
    pub(crate) async fn ledger(&self, length: u64) -> Vec<What> {
        let key = self.kitchen.identity.device_key.public();
        let device = ids::device_id(key);
        let session = self.anna.client.session();
        soon("the ledger", async {
            loop {
                let request = Request::ListLedger {
                    device,
                    from: 0,
                    limit: 200,
                };
                let entries = match session.request(request).await {
                    Ok(Reply::Ledger { entries, .. }) => entries,
                    other => panic!("no ledger: {other:?}"),
                };
                if entries.len() as u64 >= length {
                    let genesis = self.anna.identity.genesis;
                    let mut reader = LedgerReader::new(genesis, device, Head::default());
                    let read = |entry: &Blob| {
                        let entry: Entry = reader.read(&Signed::decode(&entry.0).unwrap()).unwrap();
                        entry.what
                    };
                    return entries.iter().map(read).collect();
                }
                // The SDK tells no event of a ledger that grew: apps read it. A session may ask 20 times a second.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }
}

impl Person {
    pub(crate) async fn visit(&mut self) -> Visit {
        soon("somebody who drops in", async {
            loop {
                match self.events.recv().await.expect("the client lives") {
                    ClientEvent::DropIn(visit) => return *visit,
                    ClientEvent::DropInRefused { because, .. } => panic!("refused: {because:?}"),
                    _ => {}
                }
            }
        })
        .await
    }

    /// Why this device let nobody in.
    pub(crate) async fn refused(&mut self) -> DropInRefusal {
        soon("the refusal", async {
            loop {
                match self.events.recv().await.expect("the client lives") {
                    ClientEvent::DropInRefused { because, .. } => return because,
                    ClientEvent::DropIn(_) => panic!("somebody was let in"),
                    _ => {}
                }
            }
        })
        .await
    }
}

/// Waits for an event of a visit that `wanted` takes.
pub(crate) async fn visited<T>(
    visit: &mut Visit,
    what: &str,
    mut wanted: impl FnMut(&VisitEvent) -> Option<T>,
) -> T {
    soon(what, async {
        loop {
            match visit.next().await {
                Some(event) => {
                    if let Some(value) = wanted(&event) {
                        return value;
                    }
                    if let VisitEvent::Over(by) = event {
                        panic!("it was over ({by:?}) while waiting for {what}");
                    }
                }
                None => panic!("the visit was gone while waiting for {what}"),
            }
        }
    })
    .await
}

pub(crate) async fn over(visit: &mut Visit) -> EndedBy {
    visited(visit, "the end of the visit", |event| match event {
        VisitEvent::Over(by) => Some(*by),
        _ => None,
    })
    .await
}

pub(crate) async fn stage(visit: &mut Visit) -> DropInStage {
    visited(visit, "the stage", |event| match event {
        VisitEvent::Stage(stage) => Some(*stage),
        _ => None,
    })
    .await
}

pub(crate) async fn stage_there(call: &mut Call, wanted: DropInStage) {
    until(call, "the stage", |event| {
        (*event == CallEvent::DropInStage(wanted)).then_some(())
    })
    .await;
}

/// Ben is refused, as he is told.
pub(crate) async fn turned_down(call: &mut Call) -> DropInRefusal {
    let refusal = until(call, "the refusal", |event| match event {
        CallEvent::DropInRefused(refusal) => Some(*refusal),
        _ => None,
    })
    .await;
    ended(call).await;
    refusal
}

// req: DROP-8, DROP-9, DROP-10, DROP-11, DROP-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permitted_contact_is_heard_and_hears_once_tone_and_light_were_given() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    assert_eq!(visit.from().name, "Uncle Ben");
    assert!(!visit.knocks() && !visit.picture());
    // Tone and light take a moment, in which nothing is told and nothing heard.
    let quiet = Duration::from_millis(700);
    assert!(tokio::time::timeout(quiet, call.next()).await.is_err());
    assert!(at_ben.try_recv().is_err());
    let (with, mut at_kitchen) = sound(1_000.0);
    visit.signalled(with).await;
    assert_eq!(stage(&mut visit).await, DropInStage::Clear);
    let room = until(&mut call, "the opening", |event| match event {
        CallEvent::DropInOpened { label, .. } => Some(label.clone()),
        _ => None,
    })
    .await;
    assert_eq!(room, "Kitchen");
    let there = crate::house::code(&mut call).await;
    let here = visited(&mut visit, "the code", |event| match event {
        VisitEvent::Call(CallEvent::Secured { code, .. }) => Some(code.clone()),
        _ => None,
    })
    .await;
    assert_eq!(here, there);
    hears(&mut at_ben, 1_000.0).await;
    hears(&mut at_kitchen, 1_500.0).await;
    visit.end().await;
    assert_eq!(over(&mut visit).await, EndedBy::Target);
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
    let ledger = scene.ledger(3).await;
    assert!(matches!(ledger[0], What::GrantTaken { .. }));
    let What::Opened { who, picture, .. } = &ledger[1] else {
        panic!("it opened");
    };
    assert!(who.device == scene.ben.identity.device_key.public() && !picture);
    let by_target = What::Ended {
        call: visit.call(),
        lasted_ms: 0,
        by: EndedBy::Target,
    };
    assert!(std::mem::discriminant(&ledger[2]) == std::mem::discriminant(&by_target));
}

// req: DROP-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hushed_nothing_is_heard_either_way_and_the_one_who_dropped_in_may_leave() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    let (with, mut at_kitchen) = sound(1_000.0);
    visit.signalled(with).await;
    hears(&mut at_kitchen, 1_500.0).await;
    hears(&mut at_ben, 1_000.0).await;
    visit.hush(true).await;
    stage_there(&mut call, DropInStage::Hushed).await;
    // What was under way may still arrive; then nothing does.
    let quiet = Duration::from_millis(400);
    while tokio::time::timeout(quiet, at_kitchen.recv()).await.is_ok() {}
    while tokio::time::timeout(quiet, at_ben.recv()).await.is_ok() {}
    visit.hush(false).await;
    stage_there(&mut call, DropInStage::Clear).await;
    hears(&mut at_kitchen, 1_500.0).await;
    hears(&mut at_ben, 1_000.0).await;
    call.hang_up().await;
    assert_eq!(over(&mut visit).await, EndedBy::Initiator);
}

// req: DEV-5, DROP-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_microphone_that_was_off_at_the_beginning_opens_when_it_is_switched_on() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    visit.microphone(false).await;
    let (with, mut at_kitchen) = sound(1_000.0);
    visit.signalled(with).await;
    assert_eq!(stage(&mut visit).await, DropInStage::Clear);
    let microphone = |wanted: bool| {
        move |event: &CallEvent| match event {
            CallEvent::PartyMedia { media, .. } => (media.microphone == wanted).then_some(()),
            _ => None,
        }
    };
    until(&mut call, "the target's switch", microphone(false)).await;
    // Ben is heard all the while.
    hears(&mut at_kitchen, 1_500.0).await;
    assert!(at_ben.try_recv().is_err());
    visit.microphone(true).await;
    until(&mut call, "the target's switch", microphone(true)).await;
    hears(&mut at_ben, 1_000.0).await;
    visit.end().await;
    ended(&mut call).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_knocks_is_heard_by_nobody_until_somebody_says_yes_and_turned_away_with_a_no() {
    let mut scene = Scene::new().await;
    let knocks = Grant {
        opening: Opening::KnockUntilYes,
        ..scene.to_ben(1)
    };
    scene.give(&knocks).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    assert!(visit.knocks());
    let (with, mut at_kitchen) = sound(1_000.0);
    visit.signalled(with).await;
    assert_eq!(stage(&mut visit).await, DropInStage::Knocking);
    crate::house::code(&mut call).await;
    let quiet = Duration::from_millis(600);
    assert!(tokio::time::timeout(quiet, at_ben.recv()).await.is_err());
    assert!(at_kitchen.try_recv().is_err());
    visit.yes().await;
    assert_eq!(stage(&mut visit).await, DropInStage::Clear);
    hears(&mut at_ben, 1_000.0).await;
    hears(&mut at_kitchen, 1_500.0).await;
    visit.end().await;
    ended(&mut call).await;
    over(&mut visit).await;

    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    visit.signalled(sound(1_000.0).0).await;
    assert_eq!(stage(&mut visit).await, DropInStage::Knocking);
    visit.no().await;
    assert_eq!(turned_down(&mut call).await, DropInRefusal::TurnedAway);
    over(&mut visit).await;
    assert!(at_ben.try_recv().is_err());
}

// req: DROP-9, DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_tone_or_light_nothing_opens() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    visit.not_signalled().await;
    let refusal = visited(&mut visit, "the refusal", |event| match event {
        VisitEvent::Refused(refusal) => Some(*refusal),
        _ => None,
    })
    .await;
    assert_eq!(refusal, DropInRefusal::NoSignal);
    // Another household does not hear why.
    assert_eq!(turned_down(&mut call).await, DropInRefusal::Unavailable);
    assert!(at_ben.try_recv().is_err());
    let ledger = scene.ledger(2).await;
    assert!(matches!(
        ledger[1],
        What::Refused {
            refusal: DropInRefusal::NoSignal,
            ..
        }
    ));
}

// req: DROP-6, DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_taken_back_ends_what_runs_and_lets_nobody_in_again() {
    let mut scene = Scene::new().await;
    let grant = scene.to_ben(1);
    scene.give(&grant).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    visit.signalled(sound(1_000.0).0).await;
    hears(&mut at_ben, 1_000.0).await;
    scene.give(&grant.ended(now())).await;
    // By the device itself or by the server, whoever is first.
    assert_ne!(over(&mut visit).await, EndedBy::Target);
    ended(&mut call).await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let denied = until(&mut call, "the server's words", |event| match event {
        CallEvent::Denied { words } => Some(words.clone()),
        _ => None,
    })
    .await;
    assert!(!denied.is_empty());
    ended(&mut call).await;
    assert!(at_ben.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adults_program_renews_what_ends_soon_and_nothing_that_has_an_end_of_its_own() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let scene = Scene::new().await;
    let signed_at = UnixMs(now().0 - 10 * DAY_MS);
    let given = |number, days| Grant {
        revision: signed_at.0,
        signed_at,
        expires_at: signed_at.plus(days * DAY_MS),
        ..scene.to_ben(number)
    };
    let (month, ends) = (given(1, 30), given(2, 29));
    scene.give(&ends).await;
    scene.give(&month).await;
    let ledger = scene.ledger(3).await;
    let taken = |grant: &Grant| {
        let of = ledger.iter().filter_map(|what| match what {
            What::GrantTaken {
                grant: id,
                revision,
                ..
            } if *id == grant.id => Some(*revision),
            _ => None,
        });
        of.collect::<Vec<_>>()
    };
    assert_eq!(taken(&ends), [signed_at.0]);
    let [first, renewed] = taken(&month)[..] else {
        panic!("given, and renewed once");
    };
    assert_eq!(first, signed_at.0);
    assert!(renewed > signed_at.0 + 9 * DAY_MS);
}

// req: DROP-3, DROP-7, DROP-8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_household_drops_in_by_the_rooms_name_unless_it_is_switched_off_there() {
    let mut scene = Scene::new().await;
    let home = Grant {
        to: Grantee::OwnHousehold,
        ..scene.to_ben(2)
    };
    scene.give(&home).await;
    let (with, mut at_anna) = sound(1_500.0);
    let mut call = scene.anna.client.drop_in("kitchen", with).await.unwrap();
    let mut visit = scene.kitchen.visit().await;
    visit.signalled(sound(1_000.0).0).await;
    hears(&mut at_anna, 1_000.0).await;
    visit.end().await;
    over(&mut visit).await;
    ended(&mut call).await;
    scene.kitchen.client.allow_drop_in(false).await;
    assert!(!scene.kitchen.client.allows_drop_in().await);
    wait_until(&scene.anna.client, |client| {
        let household = client.household();
        household.devices().iter().any(|one| !one.settings.drop_in)
    })
    .await;
    let with: Outgoing = sound(1_500.0).0;
    let mut call = scene.anna.client.drop_in("kitchen", with).await.unwrap();
    until(&mut call, "the server's words", |event| {
        matches!(event, CallEvent::Denied { .. }).then_some(())
    })
    .await;
    ended(&mut call).await;
}

async fn wait_until(client: &Client, so: impl Fn(&Client) -> bool) {
    soon("the change", async {
        while !so(client) {
            client.refresh().await.unwrap();
        }
    })
    .await;
}

/// Whether a picture is as through frosted glass: frosting it again changes nothing of it.
fn is_frosted(image: &Image) -> bool {
    similarity(image, &frost(image)).is_some_and(|likeness| likeness > 33.0)
}

// req: DROP-13, DROP-14, DROP-15, DROP-16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_is_frosted_at_first_then_clear_and_off_when_the_target_says_so() {
    let mut scene = Scene::new().await;
    let able = Capabilities {
        microphone: true,
        speaker: true,
        screen: true,
        camera: true,
    };
    scene.kitchen.client.set_capabilities(able).await.unwrap();
    scene.kitchen.client.refresh().await.unwrap();
    scene
        .kitchen
        .client
        .set_frosted(Duration::from_secs(5))
        .await;
    let grant = Grant {
        picture: true,
        ..scene.to_ben(1)
    };
    scene.give(&grant).await;
    let (shown, mut at_ben) = mpsc::channel(8);
    let (shown_here, mut at_kitchen) = mpsc::channel(8);
    let (with, mut heard) = sound(1_500.0);
    let with = Outgoing {
        camera: Some(picture::camera(pattern()).unwrap()),
        screen: Some(picture::screen(shown).unwrap()),
        ..with
    };
    let mut call = scene.ben.client.drop_in("aunt anna", with).await.unwrap();
    let mut visit = scene.kitchen.visit().await;
    assert!(visit.picture() && *visit.frosted().borrow());
    let images = picture::frosted(pattern(), visit.frosted());
    let with = Outgoing {
        camera: Some(picture::camera(images).unwrap()),
        screen: Some(picture::screen(shown_here).unwrap()),
        ..sound(1_000.0).0
    };
    visit.signalled(with).await;
    assert_eq!(stage(&mut visit).await, DropInStage::Frosted);
    for _ in 0..10 {
        let Shown { image, .. } = soon("a picture", at_ben.recv()).await.unwrap();
        assert!(is_frosted(&image));
    }
    // The target sees the other side as it is.
    let Shown { image, .. } = soon("their picture", at_kitchen.recv()).await.unwrap();
    assert!(!is_frosted(&image));
    assert_eq!(stage(&mut visit).await, DropInStage::Clear);
    soon("a clear picture", async {
        while is_frosted(&at_ben.recv().await.unwrap().image) {}
    })
    .await;
    visit.video(false).await;
    let quiet = Duration::from_millis(600);
    while tokio::time::timeout(quiet, at_ben.recv()).await.is_ok() {}
    while heard.try_recv().is_ok() {}
    hears(&mut heard, 1_000.0).await;
    visit.end().await;
    ended(&mut call).await;
}

// req: DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_sound_alone_is_granted_there_is_no_picture() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let (nobody, _nothing) = mpsc::channel(1);
    let (with, mut heard) = sound(1_500.0);
    let with = Outgoing {
        screen: Some(nobody),
        ..with
    };
    let mut call = scene.ben.client.drop_in("aunt anna", with).await.unwrap();
    let mut visit = scene.kitchen.visit().await;
    assert!(!visit.picture());
    let camera = picture::camera(pattern()).unwrap();
    visit
        .signalled(Outgoing {
            camera: Some(camera),
            ..sound(1_000.0).0
        })
        .await;
    assert_eq!(stage(&mut visit).await, DropInStage::Clear);
    let seen = until(&mut call, "the target's switches", |event| match event {
        CallEvent::PartyMedia { media, .. } => Some(media.camera),
        _ => None,
    })
    .await;
    assert!(!seen);
    hears(&mut heard, 1_000.0).await;
    visit.end().await;
    ended(&mut call).await;
    // It was asked for, and is refused by name.
    let ledger = scene.ledger(4).await;
    let refused = matches!(
        ledger[1],
        What::Refused {
            refusal: DropInRefusal::SoundOnly,
            ..
        }
    );
    assert!(refused, "{:?}", ledger[1]);
    assert!(matches!(ledger[2], What::Opened { picture: false, .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_lost_what_it_wrote_goes_on_from_what_the_server_has_and_says_so() {
    let mut scene = Scene::new().await;
    let grant = scene.to_ben(1);
    scene.give(&grant).await;
    scene.ledger(1).await;
    let identity = scene.kitchen.identity.clone();
    // It was kept in no file.
    scene.kitchen = Person::connect(&scene.server.server(), identity).await;
    soon("the alarm", async {
        loop {
            let event = scene.kitchen.events.recv().await;
            if matches!(event.expect("the client lives"), ClientEvent::LedgerDiffers) {
                return;
            }
        }
    })
    .await;
    // The same grant is news to it, and follows.
    let ledger = scene.ledger(3).await;
    assert!(matches!(ledger[0], What::GrantTaken { .. }));
    assert!(matches!(ledger[1], What::Resumed { .. }));
    assert!(matches!(ledger[2], What::GrantTaken { .. }));
}
