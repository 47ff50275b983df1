//! Announcements that are heard while they are spoken, through a whole server.

use std::sync::{Arc, Mutex};

use homeline_client::announcements::{IncomingLive, LiveRefused};
use homeline_client::call::RefusedBecause;
use homeline_client::media::Heard;
use homeline_client::sound::{HEARD_MAX, tone};
use homeline_client::{Call, CallEvent, ClientEvent, Identity};
use homeline_e2ee::announcement::{AnnouncementError, HeardError, LiveAnnouncement, LiveError};
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::signed::BadSignature;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, AnnouncementReceiver, ClientFrame, EndReason, ErrorCode, Event,
    MediaState, PublishSection, Request, ServerFrame, Source,
};
use tokio::sync::mpsc;

use crate::calls::hears;
use crate::drop_in::now;
use crate::house::{Person, ended, soon, sound, until};
use crate::proxy::{Lie, Proxy};
use crate::server::TestServer;

const NOTHING: MediaState = MediaState {
    microphone: false,
    camera: false,
};

/// Waits for a live announcement that holds.
async fn told(device: &mut Person) -> IncomingLive {
    soon("a live announcement", async {
        loop {
            match device.events.recv().await.expect("the client lives") {
                ClientEvent::Live(incoming) => return *incoming,
                ClientEvent::LiveRefused { because, .. } => panic!("refused: {because}"),
                _ => {}
            }
        }
    })
    .await
}

/// Waits for one that does not.
async fn refused(device: &mut Person) -> LiveRefused {
    soon("a refusal", async {
        loop {
            match device.events.recv().await.expect("the client lives") {
                ClientEvent::Live(_) => panic!("it was taken"),
                ClientEvent::LiveRefused { because, .. } => return because,
                _ => {}
            }
        }
    })
    .await
}

async fn hear(incoming: IncomingLive) -> (Call, mpsc::Receiver<Heard>) {
    let (speaker, heard) = mpsc::channel(HEARD_MAX);
    (incoming.hear(speaker).await.unwrap(), heard)
}

async fn receivers(call: &mut Call) -> Vec<AnnouncementReceiver> {
    until(call, "what becomes of it", |event| match event {
        CallEvent::Announced { receivers } => Some(receivers.clone()),
        _ => None,
    })
    .await
}

/// Waits until a device is said not to take it.
async fn declined(call: &mut Call) -> DeviceId {
    until(call, "who does not take it", |event| match event {
        CallEvent::LiveDeclined { device } => Some(*device),
        _ => None,
    })
    .await
}

fn fate(of: &Person, receivers: &[AnnouncementReceiver]) -> Option<AnnouncementFate> {
    let device = of.client.device();
    let found = receivers.iter().find(|one| one.device == device);
    found.map(|one| one.fate)
}

/// Anna with so many home devices, all of which know each other.
async fn house(server: &TestServer, labels: &[&str]) -> (Person, Vec<Person>) {
    let anna = Person::found(&server.server(), "anna").await;
    let mut devices = Vec::new();
    for label in labels {
        devices.push(anna.pair(&server.server(), "anna", label).await);
    }
    for person in devices.iter().chain([&anna]) {
        person.client.refresh().await.unwrap();
    }
    (anna, devices)
}

// req: ANN-1, ANN-2, ANN-3, A-40
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spoken_is_heard_at_two_devices_until_the_announcing_one_hangs_up() {
    let server = TestServer::start().await;
    let (_anna, mut devices) = house(&server, &["Kitchen", "Bath", "Garage"]).await;
    let mut kitchen = devices.remove(0);
    let mut speaking = kitchen
        .client
        .announce_live(AnnounceTo::Home, tone(1_000.0))
        .await
        .unwrap();
    let all = receivers(&mut speaking).await;
    let mut heard = Vec::new();
    for device in &mut devices {
        assert_eq!(fate(device, &all), Some(AnnouncementFate::Told));
        let incoming = told(device).await;
        assert_eq!(incoming.from, "Kitchen");
        assert_eq!(incoming.device, kitchen.client.device());
        heard.push(hear(incoming).await);
    }
    // Who announces sees each of them come, and that it sends nothing.
    let mut there: Vec<DeviceId> = Vec::new();
    while there.len() < 2 {
        let (device, media) = until(&mut speaking, "somebody who hears", |event| match event {
            CallEvent::PartyMedia { device, media } => Some((*device, *media)),
            _ => None,
        })
        .await;
        assert_eq!(media, NOTHING);
        if !there.contains(&device) {
            there.push(device);
        }
    }
    for (_, speaker) in &mut heard {
        hears(speaker, 1_000.0).await;
    }
    // Nothing is told to the announcing device of itself: it plays nothing.
    while let Ok(event) = kitchen.events.try_recv() {
        assert!(!matches!(event, ClientEvent::Live(_)));
    }
    // One leaves alone, and the other hears on.
    let (mut bath, mut at_bath) = heard.remove(0);
    bath.hang_up().await;
    assert_eq!(ended(&mut bath).await, EndReason::HungUp);
    let left = devices[0].client.device();
    until(&mut speaking, "that one left", |event| {
        (*event == CallEvent::Left { device: left }).then_some(())
    })
    .await;
    while at_bath.recv().await.is_some() {}
    let (mut garage, mut at_garage) = heard.remove(0);
    while at_garage.try_recv().is_ok() {}
    hears(&mut at_garage, 1_000.0).await;
    speaking.hang_up().await;
    assert_eq!(ended(&mut speaking).await, EndReason::HungUp);
    assert_eq!(ended(&mut garage).await, EndReason::HungUp);
}

/// Notes what a device offers of media, and tells tales of live announcements.
#[derive(Default)]
struct Told {
    published: Vec<usize>,
    tale: Option<Tale>,
    before: Option<(CallId, Blob)>,
}

#[derive(Clone)]
enum Tale {
    /// Another statement in the place of the true one.
    Statement(Blob),
    /// A bit of it is another one.
    Forged,
    /// The one before, again.
    Again,
    /// Somebody else would hear it.
    Hearer(Box<Identity>, Box<Expect>),
}

struct Liar(Arc<Mutex<Told>>);

impl Lie for Liar {
    fn hears(&mut self, frame: &ClientFrame) {
        if let ClientFrame::Request { body, .. } = frame
            && let Request::OfferMedia { publish, sdp, .. } = &**body
        {
            assert!(!sdp.contains("a=sendrecv"));
            let sections = publish.len() + sdp.matches("a=sendonly").count();
            self.0.lock().unwrap().published.push(sections);
        }
    }

    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        let mut told = self.0.lock().unwrap();
        match (&mut **body, told.tale.clone()) {
            (
                Event::LiveAnnouncement {
                    call, statement, ..
                },
                tale,
            ) => {
                let truth = (*call, statement.clone());
                match tale {
                    Some(Tale::Statement(other)) => *statement = other,
                    Some(Tale::Forged) => statement.0[4 + 1 + 32] ^= 1,
                    Some(Tale::Again) => (*call, *statement) = told.before.clone().unwrap(),
                    Some(Tale::Hearer(..)) | None => {}
                }
                told.before = Some(truth);
            }
            (
                Event::CallAnswered {
                    call,
                    key_package,
                    statement,
                    ..
                },
                Some(Tale::Hearer(identity, expect)),
            ) => {
                let (key, chain) = (identity.device_key.clone(), identity.chain.clone());
                let credential = Credential::new(key, chain, now()).unwrap();
                let crypto = CallCrypto::new(credential, *call, *expect, now());
                let offer = crypto.key_package(now()).unwrap();
                (*key_package, *statement) = (Blob(offer.key_package), Blob(offer.statement));
            }
            _ => {}
        }
    }
}

/// A person's device behind a server that lies.
async fn behind(server: &TestServer, person: &mut Person) -> (Arc<Mutex<Told>>, Proxy) {
    let told = Arc::<Mutex<Told>>::default();
    let proxy = Proxy::start(&server.address, Liar(told.clone())).await;
    *person = Person::connect(&proxy.server(), person.identity.clone()).await;
    (told, proxy)
}

// req: ANN-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hearing_device_has_no_microphone_in_it_and_may_not_publish() {
    let server = TestServer::start().await;
    let (anna, mut devices) = house(&server, &["Kitchen"]).await;
    let mut kitchen = devices.remove(0);
    let (said, _proxy) = behind(&server, &mut kitchen).await;
    let mut speaking = anna
        .client
        .announce_live(AnnounceTo::Home, tone(1_000.0))
        .await
        .unwrap();
    let incoming = told(&mut kitchen).await;
    let call = incoming.call;
    let (_hearing, mut at_kitchen) = hear(incoming).await;
    hears(&mut at_kitchen, 1_000.0).await;
    // It has offered media, and no section in which it would send.
    let published = said.lock().unwrap().published.clone();
    assert!(!published.is_empty() && published.iter().all(|sections| *sections == 0));
    let publish = Request::OfferMedia {
        call,
        sdp: "v=0".to_owned(),
        publish: vec![PublishSection {
            mid: "0".to_owned(),
            source: Source::Microphone,
        }],
        subscribe: vec![],
    };
    let refused = kitchen.client.session().request(publish).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Forbidden));
    speaking.hang_up().await;
    assert_eq!(ended(&mut speaking).await, EndReason::HungUp);
}

// req: ANN-4, DND-6, A-41
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_on_do_not_disturb_or_in_a_call_is_not_told() {
    let server = TestServer::start().await;
    let (anna, mut devices) = house(&server, &["Kitchen", "Bath", "Garage"]).await;
    let mut ben = Person::found(&server.server(), "ben").await;
    devices[0].client.set_do_not_disturb(true).await.unwrap();
    let (with, _heard) = sound(500.0);
    let mut talking = devices[1].client.call("ben", with).await.unwrap();
    let (with, _heard) = sound(600.0);
    let _answered = ben.incoming().await.answer(with).await;
    until(&mut talking, "the answer", |event| {
        (*event == CallEvent::Answered).then_some(())
    })
    .await;
    let mut speaking = anna
        .client
        .announce_live(AnnounceTo::Home, tone(1_000.0))
        .await
        .unwrap();
    let all = receivers(&mut speaking).await;
    assert_eq!(fate(&devices[0], &all), Some(AnnouncementFate::Quiet));
    assert_eq!(fate(&devices[1], &all), Some(AnnouncementFate::Busy));
    assert_eq!(fate(&devices[2], &all), Some(AnnouncementFate::Told));
    let (mut hearing, mut at_garage) = hear(told(&mut devices[2]).await).await;
    hears(&mut at_garage, 1_000.0).await;
    // Whoever only hears it is there for calls: dialling ends it here, and for nobody else.
    let (with, _heard) = sound(500.0);
    let _dialling = devices[2].client.call("ben", with).await.unwrap();
    assert_eq!(ended(&mut hearing).await, EndReason::HungUp);
    for device in &mut devices[..2] {
        while let Ok(event) = device.events.try_recv() {
            assert!(!matches!(event, ClientEvent::Live(_)));
        }
    }
    // Nobody is left who hears it.
    assert_eq!(ended(&mut speaking).await, EndReason::HungUp);
}

/// What somebody signs: for this call, to this device.
fn signed(by: &Identity, genesis: PublicKey, call: CallId, to: PublicKey) -> Blob {
    let key = &by.device_key;
    let who = (key.public(), &by.chain, genesis);
    let said = LiveAnnouncement::new(who, call, now(), [to]).unwrap();
    Blob(said.sign(key).encode())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_about_who_speaks_is_refused_by_its_name_and_nothing_is_heard() {
    let server = TestServer::start().await;
    let (anna, mut devices) = house(&server, &["Kitchen", "Bath"]).await;
    let ben = Person::found(&server.server(), "ben").await;
    let (mut kitchen, bath) = (devices.remove(0), devices.remove(0));
    let (said, _proxy) = behind(&server, &mut kitchen).await;
    let device = kitchen.client.device();
    let at_the_kitchen = AnnounceTo::Device { device };
    // One that holds, which is heard once.
    let speaking = anna
        .client
        .announce_live(at_the_kitchen.clone(), tone(1_000.0));
    let mut speaking = speaking.await.unwrap();
    told(&mut kitchen).await.decline().await;
    assert_eq!(declined(&mut speaking).await, device);
    assert_eq!(ended(&mut speaking).await, EndReason::HungUp);

    let (genesis, own) = (anna.identity.genesis, kitchen.identity.device_key.public());
    let said_by =
        |by: &Identity, genesis| Tale::Statement(signed(by, genesis, CallId([9; 16]), own));
    let because = |error: LiveError| move |found: &LiveRefused| matches!(found, LiveRefused::Statement(found) if *found == error);
    let tales = [
        (Tale::Again, because(HeardError::Before.into())),
        (
            Tale::Forged,
            because(AnnouncementError::from(BadSignature).into()),
        ),
        (
            said_by(&ben.identity, ben.identity.genesis),
            because(AnnouncementError::OtherHousehold.into()),
        ),
        (
            said_by(&ben.identity, genesis),
            because(AnnouncementError::NotInRoster.into()),
        ),
        (
            said_by(&anna.identity, genesis),
            because(LiveError::OtherCall),
        ),
    ];
    for (number, (tale, fits)) in tales.into_iter().enumerate() {
        said.lock().unwrap().tale = Some(tale);
        // One device may announce six times at once.
        let by = if number % 2 == 0 { &anna } else { &bath };
        let speaking = by
            .client
            .announce_live(at_the_kitchen.clone(), tone(1_000.0));
        let mut speaking = speaking.await.unwrap();
        let found = refused(&mut kitchen).await;
        assert!(fits(&found), "{number}: {found}");
        // Of one that is shown again the device can't decline the call that it is in now.
        if number == 0 {
            speaking.hang_up().await;
        } else {
            assert_eq!(declined(&mut speaking).await, device);
        }
        assert_eq!(ended(&mut speaking).await, EndReason::HungUp);
    }
    assert!(said.lock().unwrap().published.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_to_hear_it_whom_the_announcing_device_did_not_name() {
    let server = TestServer::start().await;
    let (mut anna, mut devices) = house(&server, &["Kitchen", "Bath"]).await;
    let (said, _proxy) = behind(&server, &mut anna).await;
    let (mut kitchen, bath) = (devices.remove(0), devices.remove(0));
    // The server puts the bath, which is of the household and was not named, in the kitchen's place.
    let roster = bath.client.household().roster().clone();
    let expect = Box::new(Expect::own_household(roster));
    said.lock().unwrap().tale = Some(Tale::Hearer(Box::new(bath.identity.clone()), expect));
    let device = kitchen.client.device();
    let speaking = anna
        .client
        .announce_live(AnnounceTo::Device { device }, tone(1_000.0));
    let mut speaking = speaking.await.unwrap();
    let (mut hearing, mut at_kitchen) = hear(told(&mut kitchen).await).await;
    let because = until(&mut speaking, "a refusal", |event| match event {
        CallEvent::Refused(because) => Some(*because),
        _ => None,
    })
    .await;
    assert_eq!(because, RefusedBecause::NotInvited);
    assert_eq!(ended(&mut speaking).await, EndReason::EncryptionRefused);
    assert_eq!(ended(&mut hearing).await, EndReason::EncryptionRefused);
    assert!(at_kitchen.recv().await.is_none());
}
