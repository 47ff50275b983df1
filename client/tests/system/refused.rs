//! Devices that were not invited, put into a call by a lying server: refused, loudly.

use homeline_client::call::{InvitationRefused, RefusedBecause};
use homeline_client::{CallEvent, ClientEvent, Identity};
use homeline_e2ee::certificate::Certificate;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::introduction::{CallInvitation, Ringing};
use homeline_e2ee::member::{CallCrypto, Input, Output};
use homeline_e2ee::roster::Roster;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{ClientFrame, EndReason, Event, Request, ServerFrame};

use crate::house::{Person, ended, soon, sound, until};
use crate::proxy::{Lie, Proxy};
use crate::server::TestServer;

/// Keys of a genuine device of a third household, or of one that the server made up: to the others
/// there is no difference, since anybody can make a household.
struct Mallory {
    identity: Identity,
    roster: Roster,
    /// Ben's genesis key, which Mallory would expect in a call with Ben.
    ben: Identity,
}

fn now() -> UnixMs {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}

impl Mallory {
    fn of(mallory: &Person, ben: &Person) -> Self {
        let roster = mallory.client.household().roster().clone();
        Self {
            identity: mallory.identity.clone(),
            roster,
            ben: ben.identity.clone(),
        }
    }

    fn crypto(&self, call: CallId) -> CallCrypto {
        let key = self.identity.device_key.clone();
        let credential = Credential::new(key, self.identity.chain.clone(), now()).unwrap();
        let expect = Expect::own_household(self.roster.clone()).and(self.ben.genesis);
        CallCrypto::new(credential, call, expect, now())
    }
}

/// Puts Mallory's device in the place of the one that rings and answers.
struct InPlaceOfTheCallee(Mallory);

impl Lie for InPlaceOfTheCallee {
    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::DeviceRinging {
            call,
            key_package,
            statement,
            ..
        }
        | Event::CallAnswered {
            call,
            key_package,
            statement,
            ..
        } = &mut **body
        {
            let offer = self.0.crypto(*call).key_package(now()).unwrap();
            *key_package = Blob(offer.key_package);
            *statement = Blob(offer.statement);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_of_another_household_in_the_callees_place_is_refused_by_the_caller() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let mallory = Person::found(&server.server(), "mallory").await;
    let lie = InPlaceOfTheCallee(Mallory::of(&mallory, &ben));
    let proxy = Proxy::start(&server.address, lie).await;
    let identity = anna.identity.clone();
    drop(anna);
    let anna = Person::connect(&proxy.server(), identity).await;
    let pin = Some(ben.identity.genesis);
    anna.client
        .add_contact("Ben", "ben".parse().unwrap(), pin)
        .await
        .unwrap();
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("Ben", with).await.unwrap();
    let refused = |event: &CallEvent| match event {
        CallEvent::Refused(because) => Some(*because),
        _ => None,
    };
    let because = until(&mut call, "the refusal", refused).await;
    assert_eq!(because, RefusedBecause::KeyChanged);
    assert_eq!(ended(&mut call).await, EndReason::EncryptionRefused);
    // Ben's ringing ends, too.
    let mut incoming = ben.incoming().await;
    soon("the end of ringing", async {
        while !matches!(incoming.next().await, Some(CallEvent::Ended(_)) | None) {}
    })
    .await;
}

/// Answers with a certificate of the server's own making, which claims to be of Ben's household.
struct Forged(Mallory);

impl Lie for Forged {
    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::DeviceRinging {
            call,
            key_package,
            statement,
            ..
        }
        | Event::CallAnswered {
            call,
            key_package,
            statement,
            ..
        } = &mut **body
        {
            let Mallory { identity, ben, .. } = &self.0;
            let leaf = Certificate::open(&identity.chain.0[0]).unwrap();
            let leaf = Certificate {
                genesis: ben.genesis,
                ..leaf
            };
            let forged = Chain(vec![leaf.sign(&identity.device_key)]);
            let ringing = Ringing::new(*call, &key_package.0, &forged);
            *statement = Blob(ringing.sign(&identity.device_key).encode());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_of_the_servers_own_making_is_refused_by_the_caller() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let ben = Person::found(&server.server(), "ben").await;
    let mallory = Person::found(&server.server(), "mallory").await;
    let proxy = Proxy::start(&server.address, Forged(Mallory::of(&mallory, &ben))).await;
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
    assert_eq!(because, RefusedBecause::WrongKey);
    assert_eq!(ended(&mut call).await, EndReason::EncryptionRefused);
}

/// Signs an invitation of its own and shows it as the caller's.
struct InPlaceOfTheCaller(Mallory);

impl Lie for InPlaceOfTheCaller {
    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::IncomingCall {
            call,
            to,
            invitation,
            ..
        } = &mut **body
        {
            let (identity, handle) = (&self.0.identity, to.handle.as_str());
            let own = CallInvitation::new(*call, now(), handle, "Anna", false, &identity.chain);
            *invitation = Blob(own.sign(&identity.device_key).encode());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_of_another_household_than_the_pinned_one_does_not_ring() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let ben = Person::found(&server.server(), "ben").await;
    let mallory = Person::found(&server.server(), "mallory").await;
    let lie = InPlaceOfTheCaller(Mallory::of(&mallory, &ben));
    let proxy = Proxy::start(&server.address, lie).await;
    let identity = ben.identity.clone();
    drop(ben);
    let mut ben = Person::connect(&proxy.server(), identity).await;
    let pin = Some(anna.identity.genesis);
    ben.client
        .add_contact("Anna", "anna".parse().unwrap(), pin)
        .await
        .unwrap();
    let (with, _heard) = sound(1_000.0);
    let _call = anna.client.call("ben", with).await.unwrap();
    let because = soon("the refusal", async {
        loop {
            match ben.events.recv().await.unwrap() {
                ClientEvent::CallRefused { because, .. } => return because,
                ClientEvent::Incoming(_) => panic!("it must not ring"),
                _ => {}
            }
        }
    })
    .await;
    assert!(matches!(because, InvitationRefused::KeyChanged(_)));
}

/// Leads the callee into a group of Mallory's instead of the caller's.
struct AnotherGroup {
    mallory: Mallory,
    key_package: Option<(CallId, Blob, Blob)>,
}

impl Lie for AnotherGroup {
    fn hears(&mut self, frame: &ClientFrame) {
        if let ClientFrame::Request { body, .. } = frame
            && let Request::Ringing {
                call,
                key_package,
                statement,
            } = &**body
        {
            self.key_package = Some((*call, key_package.clone(), statement.clone()));
        }
    }

    fn says(&mut self, frame: &mut ServerFrame) {
        let ServerFrame::Event { body, .. } = frame else {
            return;
        };
        if let Event::GroupWelcome { welcome, .. } = &mut **body
            && let Some((call, key_package, statement)) = self.key_package.take()
        {
            let mut crypto = self.mallory.crypto(call);
            crypto.step(now(), Input::Create);
            let add = Input::Add {
                key_package: key_package.0,
                statement: statement.0,
            };
            let made = crypto
                .step(now(), add)
                .into_iter()
                .find_map(|output| match output {
                    Output::SendCommit { welcome, .. } => welcome,
                    _ => None,
                });
            *welcome = Blob(made.unwrap().1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_another_household_than_the_callers_is_refused_by_the_callee() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let ben = Person::found(&server.server(), "ben").await;
    let mallory = Person::found(&server.server(), "mallory").await;
    let lie = AnotherGroup {
        mallory: Mallory::of(&mallory, &ben),
        key_package: None,
    };
    let proxy = Proxy::start(&server.address, lie).await;
    let identity = ben.identity.clone();
    drop(ben);
    let mut ben = Person::connect(&proxy.server(), identity).await;
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let incoming = ben.incoming().await;
    let (with, _heard) = sound(1_500.0);
    let mut answered = incoming.answer(with).await;
    let refused = |event: &CallEvent| match event {
        CallEvent::Refused(because) => Some(*because),
        CallEvent::Secured { .. } => panic!("Ben must not be in Mallory's group"),
        _ => None,
    };
    let because = until(&mut answered, "the refusal", refused).await;
    assert_eq!(because, RefusedBecause::NotInvited);
    assert_eq!(ended(&mut answered).await, EndReason::EncryptionRefused);
    assert_eq!(ended(&mut call).await, EndReason::EncryptionRefused);
}
