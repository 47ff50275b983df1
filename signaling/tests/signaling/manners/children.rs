//! Children: whom they reach and who reaches them, and what the adults set.

use homeline_protocol::id::{AccountId, ContactId};
use homeline_protocol::session::{ChildLimits, EndReason, ErrorCode, Event, Reply, Request, Role};

use super::{a_call, hears_of, quick, refused, rung};
use crate::harness::{Client, Person, Server, start_call};

/// Anna, an adult with an app, and Mia, a child with an app of her own; consent is given.
pub(crate) async fn family(server: &Server) -> ((Person, Client), (Person, Client)) {
    let anna = server.person("anna").await;
    let mia = server.member("mia", anna.household).await;
    let mut phone = server.app(&anna).await;
    let role = Role::Child;
    phone
        .ok(Request::SetRole {
            account: mia.account,
            role,
        })
        .await;
    phone.ok(consent(&mia, true)).await;
    let tablet = server.childs_app(&mia).await;
    ((anna, phone), (mia, tablet))
}

pub(super) fn consent(child: &Person, given: bool) -> Request {
    let account = child.account;
    if given {
        give(account)
    } else {
        Request::WithdrawConsent { account }
    }
}

fn give(account: AccountId) -> Request {
    Request::GiveConsent {
        account,
        name: "Anna".to_owned(),
        email: "anna@example.org".parse().unwrap(),
        version: 1,
    }
}

pub(super) fn limits(child: &Person, calling: bool, contacts: &[ContactId]) -> Request {
    Request::SetChildLimits {
        account: child.account,
        limits: ChildLimits {
            calling,
            messaging: true,
            drop_in: false,
            contacts: contacts.to_vec(),
        },
    }
}

// req: KID-1
#[tokio::test]
async fn a_child_calls_and_is_called_by_the_household_and_chosen_contacts_only() {
    let server = Server::with(quick()).await;
    let ((anna, mut phone), (mia, mut tablet)) = family(&server).await;
    let (ben, gail) = (server.person("ben").await, server.person("gail").await);
    let (mut bens, mut gails) = (server.app(&ben).await, server.app(&gail).await);
    let gail_card = server.contact(&anna, &gail.handle).await;
    server.contact(&anna, &ben.handle).await;

    // The household, both ways.
    assert!(rung(&mut tablet, &anna, [&mut phone]).await[0]);
    assert!(rung(&mut phone, &mia, [&mut tablet]).await[0]);
    // A contact of the household is not one of the child's until an adult says so.
    let error = refused(&mut tablet, start_call(a_call(), "gail")).await;
    assert_eq!(error.code, ErrorCode::Forbidden);
    assert!(!rung(&mut gails, &mia, [&mut tablet]).await[0]);
    phone.ok(limits(&mia, true, &[gail_card])).await;
    assert!(rung(&mut tablet, &gail, [&mut gails]).await[0]);
    assert!(rung(&mut gails, &mia, [&mut tablet]).await[0]);

    // Nobody else, and the child is told the same of a handle that nobody has.
    for handle in ["ben", "nobody"] {
        let error = refused(&mut tablet, start_call(a_call(), handle)).await;
        assert_eq!(error.code, ErrorCode::Forbidden, "{handle}");
    }
    let call = bens.call(&mia).await;
    assert!(!hears_of(&mut tablet, call).await);
    assert_eq!(bens.ended(call).await, EndReason::NoAnswer);
    // Nor does it stand in the child's history.
    let history = tablet
        .ok(Request::ListHistory {
            before_ms: None,
            limit: 200,
        })
        .await;
    let Reply::History { calls } = history else {
        panic!()
    };
    assert!(calls.iter().all(|past| past.party.handle != ben.handle));
}

// req: KID-3
#[tokio::test]
async fn an_adult_switches_a_childs_calling_off_and_on_and_the_child_can_not() {
    let server = Server::with(quick()).await;
    let ((anna, mut phone), (mia, mut tablet)) = family(&server).await;
    let mut nursery = server.home_device(&mia).await;
    assert!(rung(&mut tablet, &anna, [&mut phone]).await[0]);

    phone.ok(limits(&mia, false, &[])).await;
    let told = tablet
        .event_of(|event| match event {
            Event::ChildChanged(child) if !child.limits.calling => Some(child.account),
            _ => None,
        })
        .await;
    assert_eq!(told, mia.account);
    for device in [&mut tablet, &mut nursery] {
        let error = refused(device, start_call(a_call(), "anna")).await;
        assert_eq!(error.code, ErrorCode::Forbidden);
    }
    let error = refused(&mut phone, start_call(a_call(), "mia")).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
    assert_eq!(error.message, "Calling is switched off for MIA.");

    let on = limits(&mia, true, &[]);
    assert_eq!(tablet.err(on.clone()).await, ErrorCode::Forbidden);
    phone.ok(on).await;
    assert!(rung(&mut phone, &mia, [&mut tablet]).await[0]);
}

#[tokio::test]
async fn without_consent_a_child_reaches_nobody_and_who_gave_it_is_kept() {
    let server = Server::with(quick()).await;
    let ((anna, mut phone), (mia, mut tablet)) = family(&server).await;
    let Reply::Home(home) = tablet.ok(Request::GetHome).await else {
        panic!()
    };
    let given = home.children[0].consent.unwrap();
    assert!(given.by == anna.account && given.at_ms > 0);

    phone.ok(consent(&mia, false)).await;
    let error = refused(&mut tablet, start_call(a_call(), "anna")).await;
    assert_eq!(error.code, ErrorCode::Forbidden);
    let error = refused(&mut phone, start_call(a_call(), "mia")).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
    assert_eq!(tablet.err(consent(&mia, true)).await, ErrorCode::Forbidden);
    let not_a_child = give(anna.account);
    assert_eq!(phone.err(not_a_child).await, ErrorCode::NotFound);

    // Grown up: no limits any more.
    phone
        .ok(Request::SetRole {
            account: mia.account,
            role: Role::Adult,
        })
        .await;
    assert!(rung(&mut tablet, &anna, [&mut phone]).await[0]);
}

#[tokio::test]
async fn nobody_with_an_adult_app_becomes_a_child_and_nobody_changes_themself() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let ben = server.member("ben", anna.household).await;
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let role = |person: &Person, role| Request::SetRole {
        account: person.account,
        role,
    };
    assert_eq!(
        phone.err(role(&ben, Role::Child)).await,
        ErrorCode::Conflict
    );
    assert_eq!(
        phone.err(role(&ben, Role::Owner)).await,
        ErrorCode::BadRequest
    );
    assert_eq!(
        bens.err(role(&ben, Role::Child)).await,
        ErrorCode::BadRequest
    );
    let elsewhere = server.person("zoe").await;
    assert_eq!(
        phone.err(role(&elsewhere, Role::Child)).await,
        ErrorCode::NotFound
    );
}
