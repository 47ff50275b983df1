//! Guests by a call link: let in by its maker, encrypted end to end, and nobody else in their place.

use std::time::Duration;

use homeline_client::call::RefusedBecause;
use homeline_client::guest::{Knock, NotLetIn, Waiting, knock};
use homeline_client::home::Trust;
use homeline_client::{Call, CallEvent, ClientEvent};
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::guest::{GuestLink, guest_chain};
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::{CallLinkId, DeviceId};
use homeline_protocol::session::{EndReason, Event, GuestRefusal, ServerFrame};
use homeline_signaling::SignalingConfig;

use crate::groups::{Ear, hears, same_code, talking};
use crate::house::{Person, code, ended, soon, sound, until};
use crate::proxy::{Lie, Proxy};
use crate::server::TestServer;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A link of this person's, as it is sent.
async fn link(person: &Person) -> (CallLinkId, String) {
    let made = person.client.make_call_link("Birthday", HOUR);
    let (link, url) = soon("a link", made).await.unwrap();
    (link, url.to_string())
}

async fn knocks(server: &TestServer, url: &str, name: &str) -> Waiting {
    soon("knocking", knock(server.server(), url, name))
        .await
        .unwrap()
}

async fn shown(person: &mut Person) -> Knock {
    soon("a knock", async {
        loop {
            let event = person.events.recv().await.expect("the client lives");
            if let ClientEvent::Knock(knock) = event {
                return knock;
            }
        }
    })
    .await
}

fn now() -> UnixMs {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}

// req: CALL-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_and_whoever_made_the_link_hear_each_other_encrypted() {
    let server = TestServer::start().await;
    let mut anna = Person::found(&server.server(), "anna").await;
    let (id, url) = link(&anna).await;
    let guest = knocks(&server, &url, "Uncle Bob").await;
    let knock = shown(&mut anna).await;
    assert_eq!((knock.link, knock.name.as_str()), (id, "Uncle Bob"));
    let (with, mut at_bob) = sound(2_000.0);
    let coming = tokio::spawn(guest.let_in(with));
    let (with, mut at_anna) = sound(1_000.0);
    let mut hers = soon("the call", anna.client.admit(&knock, with))
        .await
        .unwrap();
    let mut bobs = soon("coming in", coming).await.unwrap().unwrap();
    let secured = |event: &CallEvent| match event {
        CallEvent::Secured { code, with } => Some((code.clone(), with.clone())),
        _ => None,
    };
    let (hers_says, bob) = until(&mut hers, "keys", secured).await;
    let (bobs_says, host) = until(&mut bobs, "keys", secured).await;
    assert_eq!(hers_says, bobs_says);
    assert_eq!((bob.name.as_str(), bob.trust), ("Uncle Bob", Trust::Guest));
    assert_eq!((host.name.as_str(), host.trust), ("Anna", Trust::Verified));
    assert_eq!(hears(&mut at_anna, 2_000.0).await, knock.guest);
    hears(&mut at_bob, 1_000.0).await;
    bobs.hang_up().await;
    assert_eq!(ended(&mut hers).await, EndReason::HungUp);
    let history = soon("the history", anna.client.history(10)).await.unwrap();
    let party = &history[0].party;
    assert_eq!(
        (party.display_name.as_str(), party.guest),
        ("Uncle Bob", true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_in_the_call_take_the_guest_by_the_makers_word_and_a_removed_one_hears_nothing_more()
{
    let server = TestServer::start().await;
    let mut anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (mut hers, mut at_anna, mut his, mut at_ben) = talking(&anna, &mut ben).await;
    let (_, url) = link(&anna).await;
    let guest = knocks(&server, &url, "Bob").await;
    let knock = shown(&mut anna).await;
    hers.let_in(&knock).await;
    let (with, mut at_bob) = sound(2_000.0);
    let mut bobs = soon("coming in", guest.let_in(with)).await.unwrap();
    same_code(&mut hers, &mut bobs).await;
    let joined = |event: &CallEvent| match event {
        CallEvent::Joined { device, party } => Some((*device, party.trust)),
        _ => None,
    };
    let came = until(&mut his, "Bob", joined).await;
    assert_eq!(came, (knock.guest, Trust::Guest));
    let mut at_guest = Ear::default();
    at_guest.hears(&mut at_bob, 1_000.0).await;
    at_guest.hears(&mut at_bob, 1_500.0).await;
    assert_eq!(hears(&mut at_anna, 2_000.0).await, knock.guest);
    assert_eq!(hears(&mut at_ben, 2_000.0).await, knock.guest);

    // Out again: the others go on, under a key that the guest does not have.
    let removing = anna.client.remove_guest(hers.id(), knock.guest);
    soon("removing", removing).await.unwrap();
    assert_eq!(ended(&mut bobs).await, EndReason::HungUp);
    while soon("silence", at_bob.recv()).await.is_some() {}
    let before = code(&mut hers).await;
    let left = |event: &CallEvent| match event {
        CallEvent::Left { device } => Some(*device),
        _ => None,
    };
    assert_eq!(until(&mut his, "Bob's leaving", left).await, knock.guest);
    assert_eq!(code(&mut his).await, before);
    hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_ben, 1_000.0).await;
    hang_up(his, hers).await;
}

async fn hang_up(one: Call, mut other: Call) {
    one.hang_up().await;
    assert_eq!(ended(&mut other).await, EndReason::HungUp);
}

/// Makes knocks up: the first that comes has another proof.
struct WrongProof(bool);

impl Lie for WrongProof {
    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::GuestKnocked { proof, .. } = &mut **body
            && !std::mem::replace(&mut self.0, true)
        {
            proof.0[0] ^= 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_knock_that_the_server_made_up_is_never_shown() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let proxy = Proxy::start(&server.address, WrongProof(false)).await;
    let identity = anna.identity.clone();
    drop(anna);
    let mut anna = Person::connect(&proxy.server(), identity).await;
    let (_, url) = link(&anna).await;
    let _made_up = knocks(&server, &url, "Mallory").await;
    let _genuine = knocks(&server, &url, "Bob").await;
    assert_eq!(shown(&mut anna).await.name, "Bob");
    assert_eq!(anna.client.forged_knocks(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_takes_no_invitation_but_of_the_household_in_the_link() {
    let mut config = SignalingConfig::default();
    config.calls.unreachable_after_secs = 1;
    config.calls.ring_timeout_secs = 1;
    let server = TestServer::start_with(config).await;
    let mut anna = Person::found(&server.server(), "anna").await;
    let (id, url) = link(&anna).await;
    let mut other = GuestLink::parse(&url).unwrap();
    other.fingerprint[0] ^= 1;
    let guest = knocks(&server, &other.fragment(), "Bob").await;
    let knock = shown(&mut anna).await;
    let (with, _at_bob) = sound(2_000.0);
    let coming = tokio::spawn(guest.let_in(with));
    let (with, _at_anna) = sound(1_000.0);
    let mut hers = soon("the call", anna.client.admit(&knock, with))
        .await
        .unwrap();
    assert_eq!(ended(&mut hers).await, EndReason::Unreachable);
    // They wait on, until they are sent away.
    assert_eq!(shown(&mut anna).await, knock);
    soon("revoking", anna.client.revoke_call_link(id))
        .await
        .unwrap();
    let refused = soon("the end", coming).await.unwrap();
    let reason = match refused {
        Err(NotLetIn::Refused(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in"),
    };
    assert_eq!(reason, GuestRefusal::LinkEnded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_sent_away_and_an_unknown_link_leads_nowhere() {
    let server = TestServer::start().await;
    let mut anna = Person::found(&server.server(), "anna").await;
    let (_, url) = link(&anna).await;
    let guest = knocks(&server, &url, "Bob").await;
    let bobs = shown(&mut anna).await;
    soon("refusing", anna.client.refuse_guest(&bobs))
        .await
        .unwrap();
    let (with, _at_bob) = sound(2_000.0);
    let refused = soon("the end", guest.let_in(with)).await;
    assert!(matches!(
        refused,
        Err(NotLetIn::Refused(GuestRefusal::Refused))
    ));
    let mut unknown = GuestLink::parse(&url).unwrap();
    unknown.link = CallLinkId([7; 16]);
    let nowhere = knock(server.server(), &unknown.fragment(), "Bob").await;
    assert!(nowhere.is_err());
    for name in ["", &"b".repeat(41)] {
        assert!(knock(server.server(), &url, name).await.is_err());
    }
    assert!(knock(server.server(), "#join/a/b/c", "Bob").await.is_err());
}

/// Puts a guest of the server's own making in the place of the callee, whom nothing is pinned for.
struct GuestInPlaceOfTheCallee(PrivateKey, DeviceId);

impl Lie for GuestInPlaceOfTheCallee {
    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::DeviceRinging {
            call,
            device,
            key_package,
            statement,
        }
        | Event::CallAnswered {
            call,
            device,
            key_package,
            statement,
            ..
        } = &mut **body
        {
            let (key, at) = (self.0.clone(), now());
            let chain = guest_chain(&key, "Ben", at);
            let expect = Expect::own_guest(key.public());
            let credential = Credential::new(key, chain, at).unwrap();
            let crypto = CallCrypto::new(credential, *call, expect, at);
            let offer = crypto.key_package(at).unwrap();
            *key_package = Blob(offer.key_package);
            *statement = Blob(offer.statement);
            *device = self.1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_never_passes_for_somebody_who_is_called_for_the_first_time() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let _ben = Person::found(&server.server(), "ben").await;
    let key = PrivateKey::from_seed(&[9; 32]);
    let device = homeline_e2ee::ids::device_id(key.public());
    let proxy = Proxy::start(&server.address, GuestInPlaceOfTheCallee(key, device)).await;
    let identity = anna.identity.clone();
    drop(anna);
    let anna = Person::connect(&proxy.server(), identity).await;
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let refused = |event: &CallEvent| match event {
        CallEvent::Refused(because) => Some(*because),
        _ => None,
    };
    let because = until(&mut call, "the refusal", refused).await;
    assert_eq!(because, RefusedBecause::NotInvited);
    assert_eq!(ended(&mut call).await, EndReason::EncryptionRefused);
}
