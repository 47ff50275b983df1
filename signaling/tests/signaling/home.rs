//! A household changes: members come, devices go, certificates and policies are renewed.

use std::time::Duration;

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::invitation::JoinSecret;
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::policy::{AnswerPolicy, Mode, Rule};
use homeline_e2ee::roster::Change;
use homeline_protocol::Blob;
use homeline_protocol::http::SignedIn;
use homeline_protocol::id::AccountId;
use homeline_protocol::session::{ErrorCode, Event, Invitation, JoinRequest, Reply, Request};

use crate::pairing::pair;
use crate::support::{Person, Server, Session, device_id, fresh_key};

pub(crate) const SECRET: JoinSecret = JoinSecret([5; 32]);

pub(crate) async fn invite(session: &mut Session) -> Invitation {
    match session.request(Request::CreateInvitation).await {
        Ok(Reply::Invitation(invitation)) => invitation,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn join_requested(event: &Event) -> Option<JoinRequest> {
    match event {
        Event::JoinRequested(request) => Some(request.clone()),
        _ => None,
    }
}

pub(crate) async fn join(
    server: &Server,
    host: &Person,
    handle: &str,
    invitation: &Invitation,
) -> Person {
    let (mut joiner, request) = Person::joining(host, handle, invitation.id, &SECRET);
    let signed_in: SignedIn = server.post("/v1/sign-up", &request).await.ok();
    assert_eq!(
        (signed_in.device, signed_in.household),
        (Some(joiner.device()), None)
    );
    joiner.token = signed_in.token;
    joiner
}

pub(crate) fn admit(
    server: &Server,
    host: &Person,
    guest: &Person,
    invitation: &Invitation,
) -> Request {
    let (entry, chain) = host.take_in(
        server.now(),
        &guest.app,
        Kind::App,
        (guest.account, true),
        &guest.label,
    );
    Request::AdmitMember {
        invitation: invitation.id,
        account: guest.account,
        device: guest.device(),
        adult: true,
        entry: entry.encode().into(),
        chain: chain.encode().into(),
        role: None,
    }
}

#[tokio::test]
async fn an_invited_member_is_admitted_and_speaks_for_the_household() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let invitation = invite(&mut phone).await;
    let ben = join(&server, &anna, "ben", &invitation).await;
    let mut bens = ben.session(&server).await;
    assert_eq!(bens.home().await.household, None);
    let refused = bens.refused(ben.put_contact(1, 1, "Mom", "mom")).await;
    assert_eq!(refused, ErrorCode::Forbidden);

    let asked = phone.event(join_requested).await;
    assert_eq!(asked.account.id, ben.account);
    let key = homeline_e2ee::key::PublicKey(asked.app_key.0.clone().try_into().unwrap());
    assert!(SECRET.proves(key, asked.account.id, asked.proof.as_ref()));
    assert_eq!(phone.home().await.join_requests, [asked]);

    let request = admit(&server, &anna, &ben, &invitation);
    phone.done(request.clone()).await;
    let (household, roster) = bens
        .event(|event| match event {
            Event::Admitted {
                household, roster, ..
            } => Some((*household, roster.len())),
            _ => None,
        })
        .await;
    assert_eq!((household, roster), (anna.household(), 3));
    // The session that waited speaks for the household now.
    let mut home = bens.home().await;
    assert_eq!(home.household.take().unwrap().members.len(), 2);
    let mut ben = ben;
    ben.roster = anna.roster.clone();
    bens.done(ben.put_contact(1, 1, "Mom", "mom")).await;

    phone.done(request).await;
    let home = phone.home().await;
    assert!(home.invitations.is_empty() && home.join_requests.is_empty());
    assert_eq!(home.household.unwrap().roster.len(), 3);
}

#[tokio::test]
async fn a_refused_member_is_told_and_their_handle_is_free_again() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let invitation = invite(&mut phone).await;
    let ben = join(&server, &anna, "ben", &invitation).await;
    let mut bens = ben.session(&server).await;
    let refuse = Request::RefuseMember {
        invitation: invitation.id,
        account: ben.account,
    };
    phone.done(refuse.clone()).await;
    phone.done(refuse).await;
    bens.event(|event| matches!(event, Event::JoinRefused).then_some(()))
        .await;
    let refused = Session::open(server.address, &ben.token)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::Unauthorized);
    assert_eq!(
        phone.home().await.invitations,
        std::slice::from_ref(&invitation)
    );
    let again = join(&server, &anna, "ben", &invitation).await;
    phone.done(admit(&server, &anna, &again, &invitation)).await;
    let late = Request::RefuseMember {
        invitation: invitation.id,
        account: again.account,
    };
    assert_eq!(phone.refused(late).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn an_invitation_is_for_one_person_and_seven_days() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let (used, cancelled, expired) = (
        invite(&mut phone).await,
        invite(&mut phone).await,
        invite(&mut phone).await,
    );
    let ben = join(&server, &anna, "ben", &used).await;
    phone.done(admit(&server, &anna, &ben, &used)).await;
    phone
        .done(Request::CancelInvitation {
            invitation: cancelled.id,
        })
        .await;
    phone
        .done(Request::CancelInvitation {
            invitation: cancelled.id,
        })
        .await;
    assert_eq!(
        phone.home().await.invitations,
        std::slice::from_ref(&expired)
    );
    server.clock.advance(Duration::from_hours(7 * 24));
    for ended in [&used, &cancelled, &expired] {
        let (_, request) = Person::joining(&anna, "cleo", ended.id, &SECRET);
        let answer = server.post("/v1/sign-up", &request).await;
        assert_eq!(answer.code(), ErrorCode::NotFound);
    }
    assert!(phone.home().await.invitations.is_empty());
    server.signaling.sweep().await.unwrap();
    for ended in [used, cancelled, expired] {
        phone
            .event(|event| match event {
                Event::InvitationEnded { invitation } if *invitation == ended.id => Some(()),
                _ => None,
            })
            .await;
    }
}

#[tokio::test]
async fn invitations_and_those_who_wait_are_bounded() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let invitation = invite(&mut phone).await;
    for _ in 1..16 {
        invite(&mut phone).await;
    }
    assert_eq!(
        phone.refused(Request::CreateInvitation).await,
        ErrorCode::LimitReached
    );
    for number in 0..4 {
        join(&server, &anna, &format!("ben{number}"), &invitation).await;
    }
    let (_, request) = Person::joining(&anna, "cleo", invitation.id, &SECRET);
    assert_eq!(
        server.post("/v1/sign-up", &request).await.code(),
        ErrorCode::LimitReached
    );
}

fn remove(server: &Server, person: &Person, key: &PrivateKey) -> Request {
    let change = Change::RemoveDevice {
        device: key.public(),
    };
    let entry = person.entry(change, server.now()).encode().into();
    Request::RemoveDevice {
        device: device_id(key),
        entry,
    }
}

async fn catch_up(person: &mut Person, session: &mut Session) {
    let roster = session.home().await.household.unwrap().roster;
    let signed = |entry: &Blob| homeline_e2ee::signed::Signed::decode(entry.as_ref()).unwrap();
    person.roster = roster.iter().map(signed).collect();
}

#[tokio::test]
async fn a_removed_device_is_out_at_once() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let paired = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&paired.token).await;
    kitchen.home().await;
    catch_up(&mut anna, &mut phone).await;

    let request = remove(&server, &anna, &paired.key);
    assert_eq!(kitchen.refused(request.clone()).await, ErrorCode::Forbidden);
    phone.done(request.clone()).await;
    assert_eq!(kitchen.goodbye().await, ErrorCode::DeviceRevoked);
    let refused = Session::open(server.address, &paired.token)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::DeviceRevoked);
    phone.done(request).await;
    let household = phone.home().await.household.unwrap();
    assert_eq!((household.roster.len(), household.devices.len()), (4, 1));
    phone
        .event(|event| match event {
            Event::RosterGrew { devices, .. } if devices.len() == 1 => Some(()),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_removed_app_can_not_sign_in_again() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let invitation = invite(&mut phone).await;
    let ben = join(&server, &anna, "ben", &invitation).await;
    phone.done(admit(&server, &anna, &ben, &invitation)).await;
    let mut anna = anna;
    catch_up(&mut anna, &mut phone).await;
    phone.done(remove(&server, &anna, &ben.app)).await;
    let sign_in = ben.sign_in(server.clock.now().0);
    assert_eq!(
        server.post("/v1/sign-in", &sign_in).await.code(),
        ErrorCode::DeviceRevoked
    );
}

#[tokio::test]
async fn entries_that_do_not_belong_are_refused_and_change_nothing() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let mut phone = anna.session(&server).await;
    let paired = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let outdated = remove(&server, &anna, &anna.app);
    catch_up(&mut anna, &mut phone).await;
    let change = || Change::RemoveDevice {
        device: paired.key.public(),
    };
    let by = |key: &PrivateKey, change| {
        let entry = anna.folded().next_entry(change, server.now(), key).encode();
        Request::RemoveDevice {
            device: device_id(&paired.key),
            entry: entry.into(),
        }
    };
    let adding = anna.add(&fresh_key(), Kind::App, anna.account, true, "x");
    let cases = [
        (
            "signed by a stranger",
            by(&ben.app, change()),
            ErrorCode::Forbidden,
        ),
        (
            "signed by the device itself",
            by(&paired.key, change()),
            ErrorCode::Forbidden,
        ),
        ("adds instead", by(&anna.app, adding), ErrorCode::BadRequest),
        (
            "another device",
            by(
                &anna.app,
                Change::RemoveDevice {
                    device: anna.app.public(),
                },
            ),
            ErrorCode::BadRequest,
        ),
        ("signed on an old head", outdated, ErrorCode::RosterMoved),
        (
            "another household's device",
            remove(&server, &ben, &ben.app),
            ErrorCode::NotFound,
        ),
    ];
    for (what, request, code) in cases {
        assert_eq!(phone.refused(request).await, code, "{what}");
    }
    assert_eq!(phone.home().await.household.unwrap().roster.len(), 3);
}

#[tokio::test]
async fn a_certificate_is_renewed_for_a_device_as_it_is() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let paired = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    catch_up(&mut anna, &mut phone).await;
    server.clock.advance(Duration::from_hours(21 * 24));
    let renewal = |kind, account, adult| {
        let leaf = anna.certificate(server.now(), paired.key.public(), kind, account, adult);
        let chain = anna.chain.extended(leaf.sign(&anna.app)).encode().into();
        Request::RenewCertificate {
            device: device_id(&paired.key),
            chain,
        }
    };
    let as_app = renewal(Kind::App, anna.account, false);
    assert_eq!(phone.refused(as_app).await, ErrorCode::BadRequest);
    let anothers = renewal(Kind::HomeDevice, AccountId([9; 16]), false);
    assert_eq!(phone.refused(anothers).await, ErrorCode::BadRequest);
    let good = renewal(Kind::HomeDevice, anna.account, false);
    phone.done(good.clone()).await;
    let Request::RenewCertificate { chain: sent, .. } = good else {
        panic!("a renewal")
    };
    let seen = phone
        .event(|event| match event {
            Event::CertificateRenewed { chain, .. } => Some(chain.clone()),
            _ => None,
        })
        .await;
    assert_eq!(seen, sent);
    let devices = phone.home().await.household.unwrap().devices;
    assert!(devices.iter().any(|device| device.chain == sent));

    // Anna's own certificate runs out, and with it what she signs.
    server.clock.advance(Duration::from_hours(10 * 24));
    let late = renewal(Kind::HomeDevice, anna.account, false);
    assert_eq!(phone.refused(late).await, ErrorCode::BadRequest);
}

#[tokio::test]
async fn an_answer_policy_is_kept_for_a_home_device() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let paired = pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    catch_up(&mut anna, &mut phone).await;
    let signed_by = |key: &PrivateKey, revision| {
        let policy = AnswerPolicy {
            genesis: anna.genesis,
            device: paired.key.public(),
            revision,
            rules: vec![Rule {
                their_genesis: anna.genesis,
                person: String::new(),
                mode: Mode::Auto,
            }],
        };
        let policy = policy.sign(key).encode().into();
        Request::PutAnswerPolicy {
            device: device_id(&paired.key),
            policy,
        }
    };
    assert_eq!(
        phone.refused(signed_by(&paired.key, 1)).await,
        ErrorCode::Forbidden
    );
    phone.done(signed_by(&anna.app, 2)).await;
    phone.done(signed_by(&anna.app, 2)).await;
    assert_eq!(
        phone.refused(signed_by(&anna.app, 1)).await,
        ErrorCode::Conflict
    );
    let mut kitchen = server.session(&paired.token).await;
    let [kept] = kitchen.home().await.answer_policies.try_into().unwrap();
    assert_eq!(kept.device, device_id(&paired.key));
    phone.done(remove(&server, &anna, &paired.key)).await;
    assert!(phone.home().await.answer_policies.is_empty());
}
