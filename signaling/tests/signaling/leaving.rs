//! Members come as children, go, are taken out, and delete their accounts.

use std::time::Duration;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::roster::Change;
use homeline_protocol::Blob;
use homeline_protocol::Secret;
use homeline_protocol::id::{AccountId, CallId};
use homeline_protocol::session::{
    Callee, EndReason, ErrorCode, Event, MediaState, Member, Reply, Request, Role,
};

use crate::home::{invite, join, join_requested};
use crate::pairing::pair;
use crate::support::{Person, Server, Session, device_id};

/// Somebody joins Anna's household; both know the roster afterwards.
pub(crate) async fn joins(
    server: &Server,
    (anna, phone): (&mut Person, &mut Session),
    handle: &str,
    (adult, role): (bool, Option<Role>),
) -> (Person, Session) {
    let invitation = invite(phone).await;
    let mut joiner = join(server, anna, handle, &invitation).await;
    let mut session = joiner.session(server).await;
    phone.event(join_requested).await;
    let who = (joiner.account, adult);
    let (entry, chain) = anna.take_in(server.now(), &joiner.app, Kind::App, who, &joiner.label);
    let admit = Request::AdmitMember {
        invitation: invitation.id,
        account: joiner.account,
        device: joiner.device(),
        adult,
        entry: entry.encode().into(),
        chain: chain.encode().into(),
        role,
    };
    phone.done(admit).await;
    anna.roster.push(entry);
    joiner.roster = anna.roster.clone();
    joiner.chain = chain;
    session
        .event(|event| matches!(event, Event::Admitted { .. }).then_some(()))
        .await;
    (joiner, session)
}

/// The signed removals of devices, in order, on top of each other.
pub(crate) fn removals(server: &Server, by: &Person, keys: &[&PrivateKey]) -> Vec<Blob> {
    let mut signer = by.folded();
    let mut entries = Vec::new();
    for key in keys {
        let device = key.public();
        let entry = signer.next_entry(Change::RemoveDevice { device }, server.now(), &by.app);
        signer.append(&entry).unwrap();
        entries.push(entry.encode().into());
    }
    entries
}

fn members(event: &Event) -> Option<(Vec<Member>, usize)> {
    match event {
        Event::RosterGrew {
            members, entries, ..
        } => Some((members.clone(), entries.len())),
        _ => None,
    }
}

fn deregister(password: &Secret, hand_over_to: Option<AccountId>) -> Request {
    Request::Deregister {
        password: password.clone(),
        hand_over_to,
        entries: vec![],
    }
}

/// The answer, if it came before the end: then that says it.
async fn is_gone(server: &Server, person: &Person) {
    let refused = Session::open(server.address, &person.token).await;
    assert_eq!(refused.err().unwrap().code, ErrorCode::Unauthorized);
    let sign_in = person.sign_in(server.now().0);
    let answer = server.post("/v1/sign-in", &sign_in).await;
    assert_eq!(answer.code(), ErrorCode::WrongCredentials);
}

fn start(call: CallId, handle: &str) -> Request {
    Request::StartCall {
        call,
        to: Callee::Person {
            handle: handle.parse().unwrap(),
        },
        video: false,
        invitation: Blob(vec![1]),
    }
}

async fn ended(session: &mut Session, call: CallId) -> EndReason {
    session
        .event(|event| match event {
            Event::CallEnded { call: of, reason } if *of == call => Some(*reason),
            _ => None,
        })
        .await
}

/// Zoe calls Ben, who answers.
async fn talk(zoe: &mut Session, bens: &mut Session) -> CallId {
    let call = CallId([7; 16]);
    zoe.done(start(call, "ben")).await;
    bens.event(|event| matches!(event, Event::IncomingCall { .. }).then_some(()))
        .await;
    bens.done(Request::Ringing {
        call,
        key_package: Blob(vec![1]),
        statement: Blob(vec![1]),
    })
    .await;
    let media = MediaState {
        microphone: true,
        camera: false,
    };
    bens.done(Request::Answer { call, media }).await;
    call
}

// req: REG-6
#[tokio::test]
async fn who_deletes_their_account_reaches_nobody_and_is_reached_by_nobody_from_then_on() {
    let server = Server::start_with(|config| config.calls.ring_timeout_secs = 1).await;
    let (mut anna, zoe) = (
        Person::founder(&server, "anna").await,
        Person::founder(&server, "zoe").await,
    );
    let (mut phone, mut zoes) = (anna.session(&server).await, zoe.session(&server).await);
    let (ben, mut bens) = joins(&server, (&mut anna, &mut phone), "ben", (true, None)).await;
    let call = talk(&mut zoes, &mut bens).await;

    // Not without the password, and then nothing has happened.
    let wrong = bens.refused(deregister(&Secret::new("wrong"), None)).await;
    assert_eq!(wrong, ErrorCode::WrongCredentials);
    assert_eq!(phone.home().await.household.unwrap().members.len(), 2);

    bens.send_only(deregister(&ben.password, None)).await;
    assert_eq!(bens.goodbye().await, ErrorCode::NotRegistered);
    is_gone(&server, &ben).await;
    // The call ended, and Zoe has it in her history.
    assert_eq!(ended(&mut zoes, call).await, EndReason::HungUp);
    let history = Request::ListHistory {
        before_ms: None,
        limit: 1,
    };
    let Ok(Reply::History { calls }) = zoes.request(history).await else {
        panic!()
    };
    assert_eq!((calls[0].call, calls[0].reason), (call, EndReason::HungUp));
    // Nobody reaches them any more, and it looks as for everybody who does not answer.
    let again = CallId([8; 16]);
    zoes.done(start(again, "ben")).await;
    assert_eq!(ended(&mut zoes, again).await, EndReason::NoAnswer);

    // The household hears of it; what the roster still names is signed out by an adult's app.
    let left = phone
        .event(|event| members(event).filter(|(members, _)| members.len() == 1))
        .await;
    assert_eq!((left.0[0].id, left.1), (anna.account, 0));
    let [entry] = &removals(&server, &anna, &[&ben.app])[..] else {
        panic!()
    };
    let sign_out = Request::RemoveDevice {
        device: ben.device(),
        entry: entry.clone(),
    };
    phone.done(sign_out).await;

    // The handle is nobody's for thirty days.
    let (_, sign_up) = Person::founding(&server, "ben");
    let answer = server.post("/v1/sign-up", &sign_up).await;
    assert_eq!(answer.code(), ErrorCode::HandleTaken);
    server.clock.advance(Duration::from_hours(30 * 24 + 1));
    let (_, sign_up) = Person::founding(&server, "ben");
    assert!(
        server
            .post("/v1/sign-up", &sign_up)
            .await
            .status
            .is_success()
    );
}

#[tokio::test]
async fn home_devices_are_handed_over_to_an_adult_member() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let kitchen = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    anna.roster = roster_of(&mut phone).await;
    let anna_and = (&mut anna, &mut phone);
    let (ben, mut bens) = joins(&server, anna_and, "ben", (true, None)).await;
    let child = (false, Some(Role::Child));
    let (mia, _mias) = joins(&server, (&mut anna, &mut phone), "mia", child).await;
    let device = server.session(&kitchen.token).await;

    let heir = Some(mia.account);
    let refused = phone.refused(deregister(&anna.password, heir)).await;
    assert_eq!(refused, ErrorCode::BadRequest, "a child takes over nothing");
    let heir = Some(ben.account);
    phone.send_only(deregister(&anna.password, heir)).await;
    assert_eq!(phone.goodbye().await, ErrorCode::NotRegistered);
    is_gone(&server, &anna).await;
    // The device comes back by itself, with the token that it has, as Ben's.
    assert_eq!(device.goodbye().await, ErrorCode::ShuttingDown);
    let mut device = server.session(&kitchen.token).await;
    assert_eq!(device.home().await.account.id, ben.account);
    let household = bens.home().await.household.unwrap();
    let role = |who: AccountId| household.members.iter().find(|one| one.id == who);
    assert_eq!(role(ben.account).unwrap().role, Role::Owner);
    assert!(role(anna.account).is_none());
    let kept = household
        .devices
        .iter()
        .any(|one| one.id == device_id(&kitchen.key));
    assert!(kept, "the kitchen stays");

    // Now Ben is the last adult.
    let refused = bens.refused(deregister(&ben.password, None)).await;
    assert_eq!(refused, ErrorCode::Conflict);
    let leave = Request::LeaveHousehold { entries: vec![] };
    assert_eq!(bens.refused(leave).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn the_last_members_household_goes_whole() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let kitchen = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let device = server.session(&kitchen.token).await;
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    invite(&mut phone).await;
    let leave = Request::LeaveHousehold { entries: vec![] };
    assert_eq!(phone.refused(leave).await, ErrorCode::Conflict);
    phone.send_only(deregister(&anna.password, None)).await;
    assert_eq!(phone.goodbye().await, ErrorCode::NotRegistered);
    assert_eq!(device.goodbye().await, ErrorCode::NotRegistered);
    is_gone(&server, &anna).await;
    let refused = Session::open(server.address, &kitchen.token).await;
    assert_eq!(refused.err().unwrap().code, ErrorCode::Unauthorized);
    // Others are not touched, and the server goes on.
    server.signaling.sweep().await.unwrap();
    Person::founder(&server, "ben").await;
}

#[tokio::test]
async fn an_adult_leaves_with_their_own_signature_and_others_ask() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let (ben, mut bens) = joins(&server, (&mut anna, &mut phone), "ben", (true, None)).await;
    let child = (false, Some(Role::Child));
    let (mia, mut mias) = joins(&server, (&mut anna, &mut phone), "mia", child).await;
    assert_eq!(phone.home().await.children[0].account, mia.account);

    // A child asks; an adult's app signs. The entries are those of all her devices and no others.
    mias.done(Request::LeaveHousehold { entries: vec![] }).await;
    let asks = phone
        .event(|event| match event {
            Event::LeaveRequested { account } => Some(*account),
            _ => None,
        })
        .await;
    assert_eq!(asks, mia.account);
    assert_eq!(phone.home().await.leave_requests, [mia.account]);
    let remove = |entries| Request::RemoveMember {
        account: mia.account,
        entries,
    };
    let bens_instead = removals(&server, &anna, &[&ben.app]);
    assert_eq!(
        phone.refused(remove(bens_instead)).await,
        ErrorCode::BadRequest
    );
    assert_eq!(phone.refused(remove(vec![])).await, ErrorCode::BadRequest);
    let entries = removals(&server, &anna, &[&mia.app]);
    assert_eq!(
        mias.refused(remove(entries.clone())).await,
        ErrorCode::Forbidden
    );
    phone.done(remove(entries)).await;
    assert_eq!(mias.goodbye().await, ErrorCode::DeviceRevoked);
    let home = phone.home().await;
    assert!(home.leave_requests.is_empty() && home.children.is_empty());
    assert_eq!(home.household.unwrap().members.len(), 2);
    anna.roster = roster_of(&mut phone).await;

    // An adult needs nobody else. The owner is taken out by nobody.
    let mut ben = ben;
    ben.roster = anna.roster.clone();
    let entries = removals(&server, &ben, &[&anna.app]);
    let account = anna.account;
    let refused = bens
        .refused(Request::RemoveMember { account, entries })
        .await;
    assert_eq!(refused, ErrorCode::BadRequest);
    let entries = removals(&server, &ben, &[&ben.app]);
    bens.send_only(Request::LeaveHousehold { entries }).await;
    assert_eq!(bens.goodbye().await, ErrorCode::DeviceRevoked);
    let left = phone
        .event(|event| members(event).filter(|(members, _)| members.len() == 1))
        .await;
    assert_eq!((left.0[0].role, left.1), (Role::Owner, 1));
    let members = phone.home().await.household.unwrap().members;
    assert_eq!(members.len(), 1);
}

#[tokio::test]
async fn nobody_is_admitted_as_a_child_with_the_adult_right() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let invitation = invite(&mut phone).await;
    let mia = join(&server, &anna, "mia", &invitation).await;
    let who = (mia.account, true);
    let (entry, chain) = anna.take_in(server.now(), &mia.app, Kind::App, who, &mia.label);
    let admit = Request::AdmitMember {
        invitation: invitation.id,
        account: mia.account,
        device: mia.device(),
        adult: true,
        entry: entry.encode().into(),
        chain: chain.encode().into(),
        role: Some(Role::Child),
    };
    assert_eq!(phone.refused(admit).await, ErrorCode::BadRequest);
}

pub(crate) async fn roster_of(session: &mut Session) -> Vec<homeline_e2ee::signed::Signed> {
    let household = session.home().await.household.unwrap();
    let decode = |entry: &Blob| homeline_e2ee::signed::Signed::decode(&entry.0).unwrap();
    household.roster.iter().map(decode).collect()
}
