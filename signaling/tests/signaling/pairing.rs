//! A device without a household meets a person's app.

use std::time::Duration;

use axum::http::Method;
use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::key::{PrivateKey, PublicKey};
use homeline_e2ee::pairing::{AppPairing, AppReveal, DevicePairing, DeviceReveal};
use homeline_e2ee::roster::Change;
use homeline_protocol::Secret;
use homeline_protocol::http::{PairingOffer, PairingOpened, PairingReveal, PairingState};
use homeline_protocol::id::{DeviceId, PairingId};
use homeline_protocol::session::{DeviceKind, ErrorCode, Event, Request};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::Db;

use crate::support::{Person, Server, Session, device_id, fresh_key};

const NONCE: [u8; 32] = [7; 32];

/// A device that asks to be paired.
struct Asking {
    key: PrivateKey,
    machine: DevicePairing,
    opened: PairingOpened,
}

/// A device that was paired.
pub(crate) struct Paired {
    pub(crate) key: PrivateKey,
    pub(crate) token: Secret,
}

fn wire_kind(kind: Kind) -> DeviceKind {
    match kind {
        Kind::App => DeviceKind::App,
        _ => DeviceKind::HomeDevice,
    }
}

impl Asking {
    async fn open(server: &Server, handle: &str, kind: Kind) -> Self {
        let key = fresh_key();
        let machine = DevicePairing::new(key.public(), kind, "Kitchen".to_owned(), NONCE);
        let offer = PairingOffer {
            handle: handle.parse().unwrap(),
            commit: machine.offer().to_vec().into(),
        };
        let opened = server.post("/v1/pairings", &offer).await.ok();
        Self {
            key,
            machine,
            opened,
        }
    }

    async fn state(&self, server: &Server, after: Option<u8>) -> PairingState {
        state(server, self.opened.pairing, &self.opened.secret, after).await
    }

    async fn reveal(&self, server: &Server, reveal: &PairingReveal) -> crate::support::Answer {
        let path = format!("/v1/pairings/{}/reveal", self.opened.pairing);
        server.post_as(&self.opened.secret, &path, reveal).await
    }
}

async fn state(
    server: &Server,
    pairing: PairingId,
    secret: &Secret,
    after: Option<u8>,
) -> PairingState {
    let query = after
        .map(|step| format!("?after={step}"))
        .unwrap_or_default();
    let path = format!("/v1/pairings/{pairing}{query}");
    server.request(Method::GET, &path, Some(secret)).await.ok()
}

fn offered(event: &Event) -> Option<(PairingId, Vec<u8>)> {
    match event {
        Event::PairingOffered { pairing, commit } => Some((*pairing, commit.0.clone())),
        _ => None,
    }
}

fn wire_reveal(reveal: &DeviceReveal) -> PairingReveal {
    PairingReveal {
        device_key: reveal.device_key.0.to_vec().into(),
        nonce: reveal.nonce.to_vec().into(),
        kind: wire_kind(reveal.kind),
        label: reveal.label.clone(),
    }
}

/// Both sides up to the digits; returns the app's machine, which has accepted them.
async fn until_the_digits(
    server: &Server,
    person: &Person,
    phone: &mut Session,
    device: &mut Asking,
) {
    phone.done(Request::ListenForPairing { on: true }).await;
    let (pairing, commit_d) = phone.event(offered).await;
    assert_eq!(pairing, device.opened.pairing);
    let commit_d: [u8; 32] = commit_d.try_into().unwrap();
    let mut app = AppPairing::new(person.genesis, person.app.public(), [9; 32], commit_d);
    let commit = app.accept().to_vec().into();
    phone.done(Request::AcceptPairing { pairing, commit }).await;

    let PairingState::Accepted { commit } = device.state(server, Some(0)).await else {
        panic!("accepted")
    };
    let commit_a: [u8; 32] = commit.0.try_into().unwrap();
    let reveal = device.machine.accepted(commit_a).unwrap();
    assert_eq!(
        device.reveal(server, &wire_reveal(&reveal)).await.status,
        204
    );

    let seen = phone
        .event(|event| match event {
            Event::PairingRevealed {
                device_key,
                nonce,
                kind,
                label,
                ..
            } => Some((device_key.clone(), nonce.clone(), *kind, label.clone())),
            _ => None,
        })
        .await;
    assert_eq!(seen.2, wire_kind(reveal.kind));
    let seen = DeviceReveal {
        device_key: PublicKey(seen.0.0.try_into().unwrap()),
        nonce: seen.1.0.try_into().unwrap(),
        kind: reveal.kind,
        label: seen.3,
    };
    let own = app.revealed(&seen).unwrap();
    let reveal = Request::RevealPairing {
        pairing,
        genesis: own.genesis.0.to_vec().into(),
        app_key: own.app_key.0.to_vec().into(),
        nonce: own.nonce.to_vec().into(),
    };
    phone.done(reveal).await;

    let PairingState::Revealed {
        genesis,
        app_key,
        nonce,
    } = device.state(server, Some(1)).await
    else {
        panic!("revealed")
    };
    let app_reveal = AppReveal {
        genesis: PublicKey(genesis.0.try_into().unwrap()),
        app_key: PublicKey(app_key.0.try_into().unwrap()),
        nonce: nonce.0.try_into().unwrap(),
    };
    let digits = device.machine.revealed(&app_reveal).unwrap();
    let to_add = app.enter(&digits.text()).unwrap();
    assert_eq!(to_add.device_key, device.key.public());
}

fn certify(server: &Server, person: &Person, device: &Asking, kind: Kind) -> Request {
    let (entry, chain) = person.take_in(
        server.now(),
        &device.key,
        kind,
        (person.account, false),
        "Kitchen",
    );
    Request::CertifyPairing {
        pairing: device.opened.pairing,
        device: device_id(&device.key),
        account: person.account,
        kind: wire_kind(kind),
        label: "Kitchen".to_owned(),
        adult: false,
        entry: entry.encode().into(),
        chain: chain.encode().into(),
    }
}

/// Pairs a device of this person, from the question to the token.
pub(crate) async fn pair(
    server: &Server,
    person: &Person,
    phone: &mut Session,
    kind: Kind,
) -> Paired {
    let mut device = Asking::open(server, person.handle.as_str(), kind).await;
    until_the_digits(server, person, phone, &mut device).await;
    phone.done(certify(server, person, &device, kind)).await;
    let PairingState::Certified { token, .. } = device.state(server, Some(2)).await else {
        panic!("certified")
    };
    Paired {
        key: device.key,
        token,
    }
}

#[tokio::test]
async fn a_home_device_is_paired_by_six_digits() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let mut device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    assert_eq!(device.state(&server, None).await, PairingState::Waiting);
    until_the_digits(&server, &anna, &mut phone, &mut device).await;
    let request = certify(&server, &anna, &device, Kind::HomeDevice);
    phone.done(request.clone()).await;
    phone.done(request).await;

    let state = device.state(&server, Some(2)).await;
    let PairingState::Certified {
        chain,
        roster,
        token,
        account,
        household,
    } = state
    else {
        panic!("{state:?}")
    };
    assert_eq!((account, household), (anna.account, anna.household()));
    let chain = Chain::decode(chain.as_ref()).unwrap();
    let paired = device
        .machine
        .finish(&chain, &roster, server.now())
        .unwrap();
    assert_eq!(paired.identity.device, device_id(&device.key));
    let mut kitchen = server.session(&token).await;
    let home = kitchen.home().await;
    assert_eq!(home.household.unwrap().devices.len(), 2);
    assert!(home.invitations.is_empty() && home.join_requests.is_empty());
    let added = phone
        .event(|event| match event {
            Event::RosterGrew { devices, .. } => {
                devices.iter().find(|one| one.id != anna.device()).cloned()
            }
            _ => None,
        })
        .await;
    assert_eq!(
        (added.id, added.kind),
        (device_id(&device.key), DeviceKind::HomeDevice)
    );
    assert_eq!((added.label.as_str(), added.adult), ("Kitchen", false));
}

#[tokio::test]
async fn a_persons_second_app_is_paired_the_same_way() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let tablet = pair(&server, &anna, &mut phone, Kind::App).await;
    let home = server.session(&tablet.token).await.home().await;
    let devices = home.household.unwrap().devices;
    let tablet = devices
        .iter()
        .find(|device| device.id == device_id(&tablet.key))
        .unwrap();
    assert_eq!((tablet.kind, tablet.adult), (DeviceKind::App, false));
}

#[tokio::test]
async fn asking_for_a_handle_that_nobody_has_looks_like_waiting() {
    let server = Server::start().await;
    Person::founder(&server, "anna").await;
    let known = Asking::open(&server, "anna", Kind::HomeDevice).await;
    let unknown = Asking::open(&server, "nobody", Kind::HomeDevice).await;
    assert_eq!(known.opened.expires_at_ms, unknown.opened.expires_at_ms);
    for device in [&known, &unknown] {
        assert_eq!(device.state(&server, None).await, PairingState::Waiting);
    }
    server.clock.advance(Duration::from_mins(10));
    for device in [&known, &unknown] {
        let path = format!("/v1/pairings/{}", device.opened.pairing);
        let answer = server
            .request(Method::GET, &path, Some(&device.opened.secret))
            .await;
        assert_eq!(answer.code(), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn a_device_that_waits_is_told_at_once() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    let pairing = device.opened.pairing;
    let commit = |byte: u8| vec![byte; 32].into();
    let mut waiting = std::pin::pin!(device.state(&server, Some(0)));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    phone
        .done(Request::AcceptPairing {
            pairing,
            commit: commit(3),
        })
        .await;
    assert_eq!(waiting.await, PairingState::Accepted { commit: commit(3) });

    let mut waiting = std::pin::pin!(device.state(&server, Some(1)));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    phone.done(Request::RefusePairing { pairing }).await;
    assert_eq!(waiting.await, PairingState::Refused);
    let early = PairingReveal {
        device_key: commit(1),
        nonce: commit(2),
        kind: DeviceKind::App,
        label: "Tablet".to_owned(),
    };
    assert_eq!(
        device.reveal(&server, &early).await.code(),
        ErrorCode::Conflict
    );
}

#[tokio::test]
async fn a_server_that_goes_down_lets_waiting_devices_go() {
    let server = Server::start().await;
    let device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    let mut waiting = std::pin::pin!(device.state(&server, Some(0)));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    let (state, ()) = tokio::join!(waiting, server.signaling.shutdown());
    assert_eq!(state, PairingState::Waiting);
}

#[tokio::test]
async fn only_an_app_that_listens_is_offered_a_pairing() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let (mut phone, mut bens) = (anna.session(&server).await, ben.session(&server).await);
    bens.done(Request::ListenForPairing { on: true }).await;
    let early = Asking::open(&server, "anna", Kind::HomeDevice).await;
    assert!(!phone.has_seen(|event| offered(event).is_some()).await);
    phone.done(Request::ListenForPairing { on: true }).await;
    assert_eq!(phone.event(offered).await.0, early.opened.pairing);
    let second = Asking::open(&server, "anna", Kind::HomeDevice).await;
    assert_eq!(phone.event(offered).await.0, second.opened.pairing);
    phone.done(Request::ListenForPairing { on: false }).await;
    Asking::open(&server, "anna", Kind::HomeDevice).await;
    assert!(!phone.has_seen(|event| offered(event).is_some()).await);
    assert!(!bens.has_seen(|event| offered(event).is_some()).await);

    let stolen = Request::AcceptPairing {
        pairing: early.opened.pairing,
        commit: vec![1; 32].into(),
    };
    assert_eq!(bens.refused(stolen).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_pairing_ends_after_ten_minutes_and_the_app_is_told() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let mut device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    until_the_digits(&server, &anna, &mut phone, &mut device).await;
    server.clock.advance(Duration::from_mins(10));
    let late = certify(&server, &anna, &device, Kind::HomeDevice);
    assert_eq!(phone.refused(late).await, ErrorCode::NotFound);
    let ended = phone
        .event(|event| match event {
            Event::PairingEnded { pairing } => Some(*pairing),
            _ => None,
        })
        .await;
    assert_eq!(ended, device.opened.pairing);
}

#[tokio::test]
async fn another_secret_opens_no_pairing() {
    let server = Server::start().await;
    let device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    let path = format!("/v1/pairings/{}", device.opened.pairing);
    let answer = server
        .request(Method::GET, &path, Some(&Secret::new("guessed")))
        .await;
    assert_eq!(answer.code(), ErrorCode::NotFound);
    let answer = server.request(Method::GET, &path, None).await;
    assert_eq!(answer.code(), ErrorCode::Unauthorized);
}

#[tokio::test]
async fn the_roster_takes_only_the_device_that_revealed_itself() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let mut device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    until_the_digits(&server, &anna, &mut phone, &mut device).await;
    let other = Asking {
        key: fresh_key(),
        machine: device.machine,
        opened: device.opened.clone(),
    };
    let swapped = certify(&server, &anna, &other, Kind::HomeDevice);
    assert_eq!(phone.refused(swapped).await, ErrorCode::BadRequest);
    let device = Asking {
        key: device.key,
        machine: other.machine,
        opened: device.opened,
    };
    let as_app = certify(&server, &anna, &device, Kind::App);
    assert_eq!(phone.refused(as_app).await, ErrorCode::BadRequest);
    phone
        .done(certify(&server, &anna, &device, Kind::HomeDevice))
        .await;
}

#[tokio::test]
async fn a_roster_that_grew_meanwhile_is_signed_again() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let mut device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    until_the_digits(&server, &anna, &mut phone, &mut device).await;
    let outdated = certify(&server, &anna, &device, Kind::HomeDevice);
    let first = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    assert_eq!(phone.refused(outdated).await, ErrorCode::RosterMoved);
    let household = phone.home().await.household.unwrap();
    anna.roster = household
        .roster
        .iter()
        .map(|entry| homeline_e2ee::signed::Signed::decode(entry.as_ref()).unwrap())
        .collect();
    phone
        .done(certify(&server, &anna, &device, Kind::HomeDevice))
        .await;

    // And the first can be removed.
    let change = Change::RemoveDevice {
        device: first.key.public(),
    };
    let roster = phone.home().await.household.unwrap().roster;
    anna.roster = roster
        .iter()
        .map(|entry| homeline_e2ee::signed::Signed::decode(entry.as_ref()).unwrap())
        .collect();
    let entry = anna.entry(change, server.now()).encode().into();
    phone
        .done(Request::RemoveDevice {
            device: device_id(&first.key),
            entry,
        })
        .await;
}

#[tokio::test]
async fn a_paired_device_gets_its_token_even_after_a_restart() {
    let db = Db::open_in_memory().await.unwrap();
    let clock = Clock::fixed(UnixMillis(1_795_305_600_000));
    let server = Server::start_on(db.clone(), clock.clone(), |_| {}).await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let mut device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    until_the_digits(&server, &anna, &mut phone, &mut device).await;
    let request = certify(&server, &anna, &device, Kind::HomeDevice);
    phone.done(request.clone()).await;

    // Another server on the same database knows nothing of the one before but what is stored.
    let server = Server::start_on(db, clock, |_| {}).await;
    anna.session(&server).await.done(request).await;
    let mut tokens: Vec<(Secret, DeviceId)> = vec![];
    for _ in 0..2 {
        let PairingState::Certified { token, .. } = device.state(&server, Some(2)).await else {
            panic!("certified")
        };
        tokens.push((token, device_id(&device.key)));
    }
    let [(lost, _), (kept, _)] = tokens.as_slice() else {
        panic!("two tokens")
    };
    let refused = Session::open(server.address, lost).await.err().unwrap();
    assert_eq!(
        refused.code,
        ErrorCode::Unauthorized,
        "the token before has ended"
    );
    server.session(kept).await.home().await;
    server.clock.advance(Duration::from_mins(10));
    let path = format!("/v1/pairings/{}", device.opened.pairing);
    let answer = server
        .request(Method::GET, &path, Some(&device.opened.secret))
        .await;
    assert_eq!(answer.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn open_pairings_are_bounded_alike_for_known_and_unknown_handles() {
    let server = Server::start_with(|config| {
        config.limits.pairing_per_address.burst = 100;
        config.limits.pairing_per_handle.burst = 100;
    })
    .await;
    Person::founder(&server, "anna").await;
    for handle in ["anna", "nobody"] {
        let offer = PairingOffer {
            handle: handle.parse().unwrap(),
            commit: vec![1; 32].into(),
        };
        for _ in 0..8 {
            server
                .post("/v1/pairings", &offer)
                .await
                .ok::<PairingOpened>();
        }
        let refused = server.post("/v1/pairings", &offer).await;
        assert_eq!(refused.code(), ErrorCode::LimitReached, "{handle}");
    }
}

#[tokio::test]
async fn a_device_asks_a_few_times_at_once_and_no_more() {
    let server = Server::start().await;
    let device = Asking::open(&server, "anna", Kind::HomeDevice).await;
    let mut waiting: Vec<_> = (0..4)
        .map(|_| Box::pin(device.state(&server, Some(0))))
        .collect();
    for one in &mut waiting {
        assert!(futures_util::poll!(one.as_mut()).is_pending());
    }
    let path = format!("/v1/pairings/{}", device.opened.pairing);
    let secret = Some(&device.opened.secret);
    let refused = server.request(Method::GET, &path, secret).await;
    assert_eq!(refused.code(), ErrorCode::LimitReached);
    waiting.pop();
    assert_eq!(device.state(&server, None).await, PairingState::Waiting);
}
