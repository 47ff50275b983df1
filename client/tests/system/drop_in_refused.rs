//! A server that lies about drop-ins: each lie has its name at the target, stands in its ledger, and nothing
//! of the target is sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use homeline_client::Identity;
use homeline_e2ee::drop_in::ledger::What;
use homeline_e2ee::drop_in::{Asking, Grant, Grantee};
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::member::CallCrypto;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{ClientFrame, DropInRefusal, Event, Request, ServerFrame};

use crate::calls::hears;
use crate::drop_in::{Scene, now, turned_down};
use crate::house::{Person, sound};
use crate::proxy::{Lie, Proxy};

/// What the server shows in the place of the truth.
#[derive(Clone)]
enum Tale {
    Grant(Vec<u8>),
    /// Somebody else asks, with everything that is theirs.
    Initiator(Box<Identity>, Expected),
    /// The asking for the call before.
    OldAsking,
    /// Another key package beside it.
    KeyPackage,
}

/// What a stranger needs to make a key package.
type Expected = Box<Expect>;

/// Tells the kitchen tales, and counts what would carry its media.
struct Liar {
    tale: Arc<Mutex<Option<Tale>>>,
    media: Arc<AtomicUsize>,
    before: Option<Blob>,
}

impl Lie for Liar {
    fn hears(&mut self, frame: &ClientFrame) {
        if let ClientFrame::Request { body, .. } = frame
            && matches!(
                &**body,
                Request::OfferMedia { .. } | Request::OpenDropIn { .. }
            )
        {
            self.media.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        let Event::DropInAsked {
            call,
            asking,
            key_package,
            grant,
            ..
        } = &mut **body
        else {
            return;
        };
        let truth = asking.clone();
        match self.tale.lock().unwrap().clone() {
            None => {}
            Some(Tale::Grant(statement)) => grant.statement = Blob(statement),
            Some(Tale::Initiator(identity, expect)) => {
                let key = &identity.device_key;
                let package = package(&identity, *call, *expect);
                let genesis = Asking::read(&signed(asking).body).unwrap().target_genesis;
                let chain = &identity.chain;
                let theirs = Asking::new(*call, now(), genesis, false, &package, chain);
                *asking = Blob(theirs.sign(key).encode());
                *key_package = Blob(package);
            }
            Some(Tale::OldAsking) => *asking = self.before.clone().unwrap(),
            Some(Tale::KeyPackage) => key_package.0.push(0),
        }
        self.before = Some(truth);
    }
}

fn signed(blob: &Blob) -> homeline_e2ee::signed::Signed {
    homeline_e2ee::signed::Signed::decode(&blob.0).unwrap()
}

fn package(identity: &Identity, call: CallId, expect: Expect) -> Vec<u8> {
    let (key, chain) = (identity.device_key.clone(), identity.chain.clone());
    let credential = Credential::new(key, chain, now()).unwrap();
    let crypto = CallCrypto::new(credential, call, expect, now());
    crypto.key_package(now()).unwrap().key_package
}

struct Lied {
    scene: Scene,
    tale: Arc<Mutex<Option<Tale>>>,
    media: Arc<AtomicUsize>,
    _proxy: Proxy,
}

impl Lied {
    /// The scene, with the kitchen behind a server that lies.
    async fn new() -> Self {
        let mut scene = Scene::new().await;
        let (tale, media) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let liar = Liar {
            tale: Arc::clone(&tale),
            media: media.clone(),
            before: None,
        };
        let proxy = Proxy::start(&scene.server.address, liar).await;
        let identity = scene.kitchen.identity.clone();
        scene.kitchen = Person::connect(&proxy.server(), identity).await;
        Self {
            scene,
            tale,
            media,
            _proxy: proxy,
        }
    }

    fn tell(&self, tale: Tale) {
        *self.tale.lock().unwrap() = Some(tale);
    }

    /// Ben asks; the kitchen refuses by this name, sends nothing, and has written it down.
    async fn is_refused(&mut self, because: DropInRefusal) {
        let (mut call, mut at_ben) = self.scene.ben_asks().await;
        assert_eq!(self.scene.kitchen.refused().await, because);
        assert_eq!(turned_down(&mut call).await, DropInRefusal::Unavailable);
        assert_eq!(self.media.load(Ordering::SeqCst), 0, "{because:?}");
        assert_eq!(self.scene.server.media().await, (0, 0, 0), "{because:?}");
        assert!(at_ben.try_recv().is_err());
    }

    /// The refusals of drop-ins in the kitchen's ledger, when it has so many entries.
    async fn written(&self, entries: u64) -> Vec<DropInRefusal> {
        let ledger = self.scene.ledger(entries).await;
        let refusals = ledger.iter().filter_map(|what| match what {
            What::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        });
        refusals.collect()
    }
}

// req: DROP-17, DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_is_forged_replayed_or_anothers_opens_nothing() {
    let mut lied = Lied::new().await;
    let grant = lied.scene.to_ben(1);
    let key = lied.scene.anna.identity.device_key.clone();
    let old = grant.sign(&key).encode();
    lied.scene.give(&grant).await;
    lied.scene.give(&grant.renewed(now())).await;

    let mut forged = old.clone();
    *forged.last_mut().unwrap() ^= 1;
    lied.tell(Tale::Grant(forged));
    lied.is_refused(DropInRefusal::Forged).await;

    lied.tell(Tale::Grant(old));
    lied.is_refused(DropInRefusal::Replayed).await;

    // Ben is an adult, of another household.
    let bens = Grant {
        genesis: lied.scene.ben.identity.genesis,
        to: Grantee::OwnHousehold,
        ..grant.clone()
    };
    let bens = bens.sign(&lied.scene.ben.identity.device_key);
    lied.tell(Tale::Grant(bens.encode()));
    lied.is_refused(DropInRefusal::OtherHousehold).await;

    let by_the_kitchen = grant.sign(&lied.scene.kitchen.identity.device_key);
    lied.tell(Tale::Grant(by_the_kitchen.encode()));
    lied.is_refused(DropInRefusal::SignerMayNot).await;

    // Two grants taken; each lie as a grant and as a drop-in.
    let expected = [
        DropInRefusal::Forged,
        DropInRefusal::Replayed,
        DropInRefusal::OtherHousehold,
        DropInRefusal::SignerMayNot,
    ];
    assert_eq!(lied.written(10).await, expected);
}

// req: DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_drops_in_with_the_grant_or_the_asking_of_somebody_else() {
    let mut lied = Lied::new().await;
    let address = lied.scene.server.server();
    let mallory = Person::found(&address, "mallory").await;
    lied.scene.give(&lied.scene.to_ben(1)).await;

    let expect = Expect::own_household(mallory.client.household().roster().clone());
    let identity = Box::new(mallory.identity.clone());
    lied.tell(Tale::Initiator(identity, Box::new(expect)));
    lied.is_refused(DropInRefusal::NoGrant).await;

    lied.tell(Tale::OldAsking);
    lied.is_refused(DropInRefusal::Initiator).await;

    lied.tell(Tale::KeyPackage);
    let (mut call, _at_ben) = lied.scene.ben_asks().await;
    assert_eq!(lied.scene.kitchen.refused().await, DropInRefusal::Initiator);
    turned_down(&mut call).await;
    assert_eq!(lied.media.load(Ordering::SeqCst), 0);
    assert_eq!(lied.scene.server.media().await, (0, 0, 0));
    // The same reason of the same unknown one is written once in a minute.
    let expected = [DropInRefusal::NoGrant, DropInRefusal::Initiator];
    assert_eq!(lied.written(3).await, expected);
}

// req: DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_everyone_out_no_grant_counts_not_even_after_a_restart() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_ben(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let identity = scene.kitchen.identity.clone();
    let path = folder.path().join("identity.json");
    let server = scene.server.server();
    let begin = async || Person::connect_at(&server, identity.clone(), &path).await;
    scene.kitchen = begin().await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    let mut visit = scene.kitchen.visit().await;
    visit.signalled(sound(1_000.0).0).await;
    hears(&mut at_ben, 1_000.0).await;
    // What is permitted passes through the media node.
    let (_, packets, peers) = scene.server.media().await;
    assert!(packets > 50 && peers == 2, "{packets} packets of {peers}");
    scene.kitchen.client.everyone_out().await;
    let by = crate::drop_in::over(&mut visit).await;
    assert_eq!(by, homeline_client::drop_in::EndedBy::EveryonePutOut);
    crate::house::ended(&mut call).await;
    drop(visit);
    let before = scene.server.media().await;
    assert_eq!(before.2, 0);
    scene.kitchen = begin().await;
    let (mut call, mut at_ben) = scene.ben_asks().await;
    assert_eq!(scene.kitchen.refused().await, DropInRefusal::EndedHere);
    turned_down(&mut call).await;
    assert!(at_ben.try_recv().is_err());
    assert_eq!(scene.server.media().await, before);
}

// req: DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_and_whoever_finds_do_not_disturb_are_turned_down_without_the_device() {
    let mut scene = Scene::new().await;
    let (with, mut heard) = sound(1_500.0);
    let mut call = scene.ben.client.drop_in("aunt anna", with).await.unwrap();
    crate::house::ended(&mut call).await;
    assert!(heard.try_recv().is_err());
    scene.give(&scene.to_ben(1)).await;
    scene.kitchen.client.set_do_not_disturb(true).await.unwrap();
    let (mut call, mut at_ben) = scene.ben_asks().await;
    // As late, and in the same word, as a device that does not answer.
    assert_eq!(turned_down(&mut call).await, DropInRefusal::Unavailable);
    assert!(at_ben.try_recv().is_err());
    assert_eq!(scene.server.media().await, (0, 0, 0));
    while let Ok(event) = scene.kitchen.events.try_recv() {
        assert!(!matches!(event, homeline_client::ClientEvent::DropIn(_)));
    }
}
