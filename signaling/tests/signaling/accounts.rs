//! People come in: sign-up, sign-in, sign-out, recovery; and what strangers learn from trying.

use std::net::IpAddr;
use std::time::Duration;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::Chain;
use homeline_e2ee::recovery_proof::RecoveryProof;
use homeline_protocol::http::{
    NewApp, NewHome, RecoverBegin, RecoverFinish, RecoverTicket, SignIn, SignedIn,
};
use homeline_protocol::session::{ErrorCode, Event, Request};
use homeline_protocol::{Blob, Secret};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::{Db, StoreConfig};

use crate::support::{Person, Server, Session, device_id, fresh_key};

/// A signed binding: length, version and two keys, signer, signature.
const BINDING_BYTES: usize = 4 + 65 + 32 + 64;
const DAY: Duration = Duration::from_hours(24);

// req: REG-7
#[tokio::test]
async fn a_founder_signs_up_and_finds_a_household_with_their_app() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let home = anna.session(&server).await.home().await;
    assert_eq!(
        (home.account.id, home.account.display_name.as_str()),
        (anna.account, "ANNA")
    );
    let household = home.household.unwrap();
    assert_eq!(household.id, anna.household());
    assert_eq!(household.genesis.0, anna.genesis.0);
    assert_eq!(household.roster.len(), 2);
    let [device] = household.devices.as_slice() else {
        panic!("{:?}", household.devices)
    };
    assert_eq!((device.id, device.adult), (anna.device(), true));
    assert_eq!(device.chain.0, anna.chain.encode());
}

#[tokio::test]
async fn a_repeated_sign_up_signs_in_and_makes_nothing_twice() {
    let server = Server::start().await;
    let (anna, request) = Person::founding(&server, "anna");
    let first: SignedIn = server.post("/v1/sign-up", &request).await.ok();
    let again: SignedIn = server.post("/v1/sign-up", &request).await.ok();
    assert_eq!(
        (first.account, first.device, first.household),
        (again.account, again.device, again.household)
    );
    assert_ne!(
        first.token, again.token,
        "tokens are kept hashed, so the answer has a fresh one"
    );
    for token in [first.token, again.token] {
        let home = server.session(&token).await.home().await;
        assert_eq!(home.household.unwrap().id, anna.household());
    }
    let mut other = request.clone();
    other.password = Secret::new("another password");
    assert_eq!(
        server.post("/v1/sign-up", &other).await.code(),
        ErrorCode::Conflict
    );
}

#[tokio::test]
async fn a_handle_belongs_to_one_person_in_any_spelling() {
    let server = Server::start().await;
    Person::founder(&server, "anna").await;
    let (_, request) = Person::founding(&server, "ANNA");
    assert_eq!(
        server.post("/v1/sign-up", &request).await.code(),
        ErrorCode::HandleTaken
    );
}

#[tokio::test]
async fn a_founding_that_does_not_fit_together_is_refused() {
    let server = Server::start_with(|config| config.limits.sign_up_per_address.burst = 100).await;
    let (stranger, other) = Person::founding(&server, "stranger");
    let NewHome::Found {
        chain: other_chain,
        roster: other_roster,
        recovery_certificate,
        ..
    } = other.home
    else {
        panic!("a founder founds")
    };
    type Change = Box<dyn Fn(&mut NewHome)>;
    let changes: Vec<(&str, Change)> = vec![
        (
            "another's chain",
            found(move |home| *home.chain = other_chain.clone()),
        ),
        (
            "another's roster",
            found(move |home| *home.roster = other_roster.clone()),
        ),
        (
            "another's recovery",
            found(move |home| *home.recovery = recovery_certificate.clone()),
        ),
        (
            "no binding",
            found(|home| {
                let certificate = home.recovery.0.len() - BINDING_BYTES;
                home.recovery.0.truncate(certificate);
            }),
        ),
        (
            "a damaged binding",
            found(|home| *home.recovery.0.last_mut().unwrap() ^= 1),
        ),
        ("one entry", found(|home| home.roster.truncate(1))),
        (
            "three entries",
            found(|home| home.roster.push(home.roster[1].clone())),
        ),
        ("swapped entries", found(|home| home.roster.swap(0, 1))),
        ("a damaged entry", found(|home| home.roster[1].0[20] ^= 1)),
        ("a damaged chain", found(|home| home.chain.0[20] ^= 1)),
        ("an empty chain", found(|home| home.chain.0.clear())),
        (
            "another name",
            found(|home| *home.name = "Elsewhere".to_owned()),
        ),
        (
            "another genesis",
            found(move |home| home.genesis.0 = stranger.genesis.0.to_vec()),
        ),
        ("a short genesis", found(|home| home.genesis.0.truncate(31))),
    ];
    for (what, change) in changes {
        let (_, mut request) = Person::founding(&server, "anna");
        change(&mut request.home);
        let answer = server.post("/v1/sign-up", &request).await;
        assert_eq!(answer.code(), ErrorCode::BadRequest, "{what}");
    }
    Person::founder(&server, "anna").await;
}

struct Found<'a> {
    genesis: &'a mut Blob,
    name: &'a mut String,
    roster: &'a mut Vec<Blob>,
    chain: &'a mut Blob,
    recovery: &'a mut Blob,
}

fn found(change: impl Fn(Found<'_>) + 'static) -> Box<dyn Fn(&mut NewHome)> {
    Box::new(move |home| match home {
        NewHome::Found {
            genesis,
            name,
            roster,
            chain,
            recovery_certificate: recovery,
            ..
        } => {
            change(Found {
                genesis,
                name,
                roster,
                chain,
                recovery,
            });
        }
        NewHome::Join { .. } => panic!("a founder founds"),
    })
}

#[tokio::test]
async fn fields_out_of_bounds_are_refused_in_words() {
    let server = Server::start().await;
    let (_, request) = Person::founding(&server, "anna");
    let mut short = request.clone();
    short.password = Secret::new("1234567");
    let error = server.post("/v1/sign-up", &short).await.error();
    assert_eq!(error.code, ErrorCode::BadRequest);
    assert!(error.message.contains("8 characters"), "{}", error.message);
    let mut nameless = request.clone();
    nameless.display_name = " ".to_owned();
    assert_eq!(
        server.post("/v1/sign-up", &nameless).await.code(),
        ErrorCode::BadRequest
    );
    let mut long = request;
    long.app.label = "x".repeat(65);
    assert_eq!(
        server.post("/v1/sign-up", &long).await.code(),
        ErrorCode::BadRequest
    );
}

#[tokio::test]
async fn an_app_signs_in_with_password_and_key() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let now = server.clock.now().0;
    let signed_in: SignedIn = server.post("/v1/sign-in", &anna.sign_in(now)).await.ok();
    assert_eq!(signed_in.device, Some(anna.device()));
    let home = server.session(&signed_in.token).await.home().await;
    assert_eq!(home.household.unwrap().id, anna.household());

    let stale = anna.sign_in(now - 6 * 60 * 1000);
    assert_eq!(
        server.post("/v1/sign-in", &stale).await.code(),
        ErrorCode::BadRequest
    );
    let mut forged = anna.sign_in(now);
    forged.app.as_mut().unwrap().at_ms += 1;
    assert_eq!(
        server.post("/v1/sign-in", &forged).await.code(),
        ErrorCode::WrongCredentials
    );
    let ben = Person::founder(&server, "ben").await;
    let mut foreign = anna.sign_in(now);
    foreign.app = ben.sign_in(now).app;
    assert_eq!(
        server.post("/v1/sign-in", &foreign).await.code(),
        ErrorCode::WrongCredentials
    );
}

#[tokio::test]
async fn a_password_alone_opens_no_household() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let request = SignIn {
        app: None,
        ..anna.sign_in(0)
    };
    let signed_in: SignedIn = server.post("/v1/sign-in", &request).await.ok();
    assert_eq!((signed_in.account, signed_in.device), (anna.account, None));
    let mut session = server.session(&signed_in.token).await;
    assert_eq!(session.home().await.household, None);
    let refused = session.refused(anna.put_contact(1, 1, "Ben", "ben")).await;
    assert_eq!(refused, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_stranger_learns_nothing_about_who_has_a_handle() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let guess = |handle: &str| SignIn {
        handle: handle.parse().unwrap(),
        password: Secret::new("not the password"),
        app: None,
    };
    let known = server.post("/v1/sign-in", &guess("anna")).await;
    let unknown = server.post("/v1/sign-in", &guess("nobody")).await;
    assert_eq!(known.code(), ErrorCode::WrongCredentials);
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));

    let code = |handle: &str| RecoverBegin {
        handle: handle.parse().unwrap(),
        recovery_secret: Secret::new("not the secret"),
    };
    let known = server.post("/v1/recover/begin", &code("anna")).await;
    let unknown = server.post("/v1/recover/begin", &code("nobody")).await;
    assert_eq!(known.code(), ErrorCode::WrongCredentials);
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));

    // Limits, too, are alike for both.
    for handle in ["anna", "nobody"] {
        let mut tries = 1;
        while server.post("/v1/sign-in", &guess(handle)).await.code() != ErrorCode::RateLimited {
            tries += 1;
        }
        assert_eq!(tries, 10, "{handle}");
    }
    let wait = server
        .post("/v1/sign-in", &guess("anna"))
        .await
        .error()
        .retry_after_secs;
    // Who holds the app's key is no guesser.
    let at = server.clock.now().0;
    server
        .post("/v1/sign-in", &anna.sign_in(at))
        .await
        .ok::<SignedIn>();
    server
        .clock
        .advance(Duration::from_secs(wait.unwrap().into()));
    let password_alone = SignIn {
        app: None,
        ..anna.sign_in(0)
    };
    server
        .post("/v1/sign-in", &password_alone)
        .await
        .ok::<SignedIn>();
}

#[tokio::test]
async fn of_many_who_want_a_handle_at_once_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        path: folder.path().join("homeline.db"),
    };
    let clock = Clock::fixed(UnixMillis(1_795_305_600_000));
    let db = Db::open(&config).await.unwrap();
    let server = Server::start_on(db, clock.clone(), |_| {}).await;
    let requests: Vec<_> = (0..8).map(|_| Person::founding(&server, "anna")).collect();
    let answers = requests
        .iter()
        .map(|(_, request)| server.post("/v1/sign-up", request));
    let answers = futures_util::future::join_all(answers).await;
    let won: Vec<_> = (0..8).filter(|at| answers[*at].status == 200).collect();
    let [won] = won.as_slice() else {
        panic!("{won:?}")
    };
    let lost = answers.iter().filter(|answer| answer.status != 200);
    lost.for_each(|answer| assert_eq!(answer.code(), ErrorCode::HandleTaken));

    // What was answered is on the disk: another server on the same file knows it.
    let token = answers[*won].ok::<SignedIn>().token;
    let server = Server::start_on(Db::open(&config).await.unwrap(), clock, |_| {}).await;
    let home = server.session(&token).await.home().await;
    assert_eq!(home.account.id, requests[*won].0.account);
}

#[tokio::test]
async fn one_address_is_slowed_down_and_others_are_not() {
    let server = Server::start_with(|config| {
        config.limits.sign_in_per_address.burst = 3;
        config.limits.sign_in_per_address.refill_secs = 60;
    })
    .await;
    let near: IpAddr = "192.0.2.1".parse().unwrap();
    let far: IpAddr = "2001:db8::1".parse().unwrap();
    let guess = |number: u32| SignIn {
        handle: format!("somebody{number}").parse().unwrap(),
        password: Secret::new("not the password"),
        app: None,
    };
    for number in 0..3 {
        let answer = server
            .post_from(near, "/v1/sign-in", None, &guess(number))
            .await;
        assert_eq!(answer.code(), ErrorCode::WrongCredentials);
    }
    let limited = server.post_from(near, "/v1/sign-in", None, &guess(3)).await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.error().retry_after_secs, Some(60));
    assert_eq!(limited.headers["retry-after"], "60");
    let answer = server.post_from(far, "/v1/sign-in", None, &guess(4)).await;
    assert_eq!(answer.code(), ErrorCode::WrongCredentials);
}

#[tokio::test]
async fn signing_out_ends_the_token_and_its_session() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let session = anna.session(&server).await;
    let answer = server.post_as(&anna.token, "/v1/sign-out", &()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(session.goodbye().await, ErrorCode::Unauthorized);
    let refused = Session::open(server.address, &anna.token)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::Unauthorized);
    let again = server.post_as(&anna.token, "/v1/sign-out", &()).await;
    assert_eq!(again.status, 204, "repeating it is no error");
    assert_eq!(
        server.post("/v1/sign-out", &()).await.code(),
        ErrorCode::Unauthorized
    );
}

#[tokio::test]
async fn a_token_lives_while_it_is_used_and_ends_when_it_is_not() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    for _ in 0..4 {
        server.clock.advance(DAY * 100);
        anna.session(&server).await.home().await;
    }
    server.clock.advance(DAY * 181);
    let refused = Session::open(server.address, &anna.token)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::Unauthorized);
    server.signaling.sweep().await.unwrap();
    let refused = Session::open(server.address, &anna.token)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::Unauthorized);
}

/// The request that takes a new app in with the recovery key.
fn finish(
    server: &Server,
    anna: &mut Person,
    ticket: &RecoverTicket,
    password: &str,
) -> RecoverFinish {
    let now = server.now();
    let key = anna.recovery.signing_key();
    let app = fresh_key();
    anna.label = "new phone".to_owned();
    let change = anna.add(&app, Kind::App, ticket.account, true, &anna.label);
    let entry = anna.folded().next_entry(change, now, &key);
    let certificate = anna.certificate(now, app.public(), Kind::App, ticket.account, true);
    let proof = RecoveryProof::decode(ticket.recovery_certificate.as_ref()).unwrap();
    let recovery = proof.open(anna.genesis, key.public()).unwrap();
    let chain = Chain(vec![certificate.sign(&key), recovery]);
    anna.app = app;
    RecoverFinish {
        ticket: ticket.ticket.clone(),
        password: Secret::new(password),
        app: NewApp {
            key: anna.app.public().0.to_vec().into(),
            label: anna.label.clone(),
        },
        entry: entry.encode().into(),
        chain: chain.encode().into(),
    }
}

#[tokio::test]
async fn a_recovery_code_brings_somebody_back_with_a_new_app() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut old_phone = anna.session(&server).await;
    let begin = RecoverBegin {
        handle: anna.handle.clone(),
        recovery_secret: anna.recovery_secret(),
    };
    let ticket: RecoverTicket = server.post("/v1/recover/begin", &begin).await.ok();
    assert_eq!(ticket.account, anna.account);
    assert_eq!(ticket.roster.len(), 2);

    let request = finish(&server, &mut anna, &ticket, "a new password");
    let signed_in: SignedIn = server.post("/v1/recover/finish", &request).await.ok();
    assert_eq!(signed_in.device, Some(device_id(&anna.app)));
    let devices = old_phone
        .event(|event| match event {
            Event::RosterGrew {
                entries, devices, ..
            } if entries[0] == request.entry => Some(devices.len()),
            _ => None,
        })
        .await;
    assert_eq!(devices, 2);
    let mut session = server.session(&signed_in.token).await;
    let household = session.home().await.household.unwrap();
    assert_eq!(household.roster.len(), 3);
    assert!(
        household
            .devices
            .iter()
            .any(|device| device.id == anna.device() && device.adult)
    );

    // The answer was lost: the same request gets a fresh token and changes nothing.
    let again: SignedIn = server.post("/v1/recover/finish", &request).await.ok();
    assert_eq!(again.device, signed_in.device);
    assert_eq!(session.home().await.household.unwrap().roster.len(), 3);

    // Another app can't use the ticket any more, the old password is gone, the new one works.
    let other = finish(&server, &mut anna, &ticket, "another password");
    let answer = server.post("/v1/recover/finish", &other).await;
    assert_eq!(answer.code(), ErrorCode::Unauthorized);
    let sign_in = |password: &str| SignIn {
        handle: anna.handle.clone(),
        password: Secret::new(password),
        app: None,
    };
    let old = server
        .post("/v1/sign-in", &sign_in(anna.password.expose()))
        .await;
    assert_eq!(old.code(), ErrorCode::WrongCredentials);
    server
        .post("/v1/sign-in", &sign_in("a new password"))
        .await
        .ok::<SignedIn>();
}

#[tokio::test]
async fn a_recovery_ticket_ends_after_ten_minutes_and_needs_the_recovery_key() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let begin = RecoverBegin {
        handle: anna.handle.clone(),
        recovery_secret: anna.recovery_secret(),
    };
    let ticket: RecoverTicket = server.post("/v1/recover/begin", &begin).await.ok();
    let mut forged = finish(&server, &mut anna, &ticket, "a new password");
    let thief = fresh_key();
    let change = anna.add(&anna.app, Kind::App, anna.account, true, &anna.label);
    let entry = anna.folded().next_entry(change, server.now(), &thief);
    forged.entry = entry.encode().into();
    let answer = server.post("/v1/recover/finish", &forged).await;
    assert_eq!(answer.code(), ErrorCode::Forbidden);

    server.clock.advance(Duration::from_mins(10));
    let late = finish(&server, &mut anna, &ticket, "a new password");
    let answer = server.post("/v1/recover/finish", &late).await;
    assert_eq!(answer.code(), ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_changed_name_reaches_the_household() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut session = anna.session(&server).await;
    session
        .done(Request::SetDisplayName {
            name: "Anna B".to_owned(),
        })
        .await;
    let name = session
        .event(|event| match event {
            Event::MemberChanged(account) => Some(account.display_name.clone()),
            _ => None,
        })
        .await;
    assert_eq!(name, "Anna B");
    assert_eq!(session.home().await.account.display_name, "Anna B");
    let refused = session
        .refused(Request::SetDisplayName {
            name: String::new(),
        })
        .await;
    assert_eq!(refused, ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_full_server_takes_no_further_people() {
    let server = Server::start_with(|config| config.accounts.accounts_max = 1).await;
    let anna = Person::founder(&server, "anna").await;
    let (_, request) = Person::founding(&server, "ben");
    let refused = server.post("/v1/sign-up", &request).await;
    assert_eq!(refused.code(), ErrorCode::LimitReached);
    let sign_in = anna.sign_in(server.clock.now().0);
    server.post("/v1/sign-in", &sign_in).await.ok::<SignedIn>();
}
