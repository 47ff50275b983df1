//! Limits and blocks that change while people talk: they hold at once, and nobody outside is told why.

use homeline_protocol::id::{CallId, ContactId};
use homeline_protocol::session::{EndReason, ErrorCode, Event, Request, Role};

use super::children::{consent, family, limits};
use super::{a_call, hears_of, quick, refused};
use crate::group_calls::{add, commit, people};
use crate::harness::{Client, Person, Server, start_call};

/// Anna and Mia, and Gail, who is chosen for Mia.
async fn chosen(
    server: &Server,
) -> (
    (Person, Client),
    (Person, Client),
    (Person, Client, ContactId),
) {
    let ((anna, mut phone), (mia, tablet)) = family(server).await;
    let gail = server.person("gail").await;
    let gails = server.app(&gail).await;
    let card = server.contact(&anna, &gail.handle).await;
    phone.ok(limits(&mia, true, &[card])).await;
    ((anna, phone), (mia, tablet), (gail, gails, card))
}

/// The caller rings, the other answers, and both have keys.
async fn talk(caller: &mut Client, whom: &Person, devices: &mut Client) -> CallId {
    let call = caller.call(whom).await;
    assert_eq!(devices.ring().await, call);
    devices.answer(call).await;
    caller
        .ok(commit(call, 0, Some(devices.seat.device), vec![]))
        .await;
    call
}

/// Somebody comes into a call of two.
async fn join(inviter: &mut Client, call: CallId, (whom, device): (&Person, &mut Client)) {
    inviter.ok(add(call, whom)).await;
    assert_eq!(device.ring().await, call);
    device.answer(call).await;
    let joined = |event: &Event| matches!(event, Event::AddingAnswered { .. }).then_some(());
    inviter.event_of(joined).await;
    inviter
        .ok(commit(call, 1, Some(device.seat.device), vec![]))
        .await;
}

/// Whether a call runs for a device that takes part in it.
async fn runs(client: &mut Client, call: CallId) -> bool {
    let events = client.events_so_far().await;
    !events
        .iter()
        .any(|event| matches!(event, Event::CallEnded { call: of, .. } if *of == call))
}

fn block(handle: &str, on: bool) -> Request {
    let handle = handle.parse().unwrap();
    if on {
        Request::Block { handle }
    } else {
        Request::Unblock { handle }
    }
}

// req: KID-6
#[tokio::test]
async fn withdrawing_consent_ends_the_childs_running_call_at_once() {
    let server = Server::with(quick()).await;
    let ((_, mut phone), (mia, mut tablet), (_, mut gails, card)) = chosen(&server).await;
    let call = talk(&mut gails, &mia, &mut tablet).await;

    // Gail has no say in it, and another setting ends nothing.
    let outside = gails.err(consent(&mia, false)).await;
    assert_eq!(outside, ErrorCode::NotFound);
    phone.ok(limits(&mia, true, &[card])).await;
    assert!(runs(&mut gails, call).await);

    phone.ok(consent(&mia, false)).await;
    assert_eq!(tablet.ended(call).await, EndReason::HungUp);
    // To somebody outside it looks like every other end.
    assert_eq!(gails.ended(call).await, EndReason::HungUp);
    let error = refused(&mut tablet, start_call(a_call(), "gail")).await;
    assert_eq!(error.code, ErrorCode::Forbidden);
}

// req: KID-3
#[tokio::test]
async fn switching_calling_off_takes_the_child_out_of_a_call_of_three_and_nobody_else() {
    let server = Server::with(quick()).await;
    let ((_, mut phone), (mia, mut tablet), (gail, mut gails, card)) = chosen(&server).await;
    let call = talk(&mut phone, &gail, &mut gails).await;
    join(&mut phone, call, (&mia, &mut tablet)).await;
    while people(&mut gails).await != ["ANNA", "GAIL", "MIA"] {}

    phone.ok(limits(&mia, false, &[card])).await;
    assert_eq!(tablet.ended(call).await, EndReason::HungUp);
    while people(&mut gails).await != ["ANNA", "GAIL"] {}
    let removed = vec![tablet.seat.device];
    phone.ok(commit(call, 2, None, removed)).await;
    assert!(runs(&mut gails, call).await && runs(&mut phone, call).await);
    let error = refused(&mut phone, add(call, &mia)).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
}

// req: KID-1
#[tokio::test]
async fn a_contact_who_is_taken_off_the_childs_list_is_cut_off_and_the_family_is_not() {
    let server = Server::with(quick()).await;
    let ((anna, mut phone), (mia, mut tablet), (gail, mut gails, card)) = chosen(&server).await;
    let call = talk(&mut tablet, &gail, &mut gails).await;
    phone.ok(limits(&mia, true, &[])).await;
    assert_eq!(tablet.ended(call).await, EndReason::HungUp);
    assert_eq!(gails.ended(call).await, EndReason::HungUp);

    let at_home = talk(&mut tablet, &anna, &mut phone).await;
    phone.ok(limits(&mia, true, &[card])).await;
    phone.ok(limits(&mia, true, &[])).await;
    assert!(runs(&mut tablet, at_home).await);
    assert!(runs(&mut phone, at_home).await);
}

// req: KID-1
#[tokio::test]
async fn what_rings_a_child_falls_silent_and_the_caller_waits_as_for_nobody() {
    let server = Server::with(quick()).await;
    let ((_, mut phone), (mia, mut tablet), (gail, mut gails, card)) = chosen(&server).await;

    let call = gails.call(&mia).await;
    assert_eq!(tablet.ring().await, call);
    phone.ok(limits(&mia, true, &[])).await;
    assert_eq!(tablet.ended(call).await, EndReason::Cancelled);
    let late = tablet.err(crate::harness::answer(call)).await;
    assert_eq!(late, ErrorCode::NotFound);
    assert!(runs(&mut gails, call).await);
    assert_eq!(gails.ended(call).await, EndReason::NoAnswer);

    // What the child was calling is over for all.
    phone.ok(limits(&mia, true, &[card])).await;
    let own = tablet.call(&gail).await;
    assert_eq!(gails.ring().await, own);
    phone.ok(limits(&mia, false, &[card])).await;
    assert_eq!(gails.ended(own).await, EndReason::Cancelled);
    assert_eq!(tablet.ended(own).await, EndReason::Cancelled);
}

// req: KID-1, A-38
#[tokio::test]
async fn nobody_is_added_to_a_call_with_a_child_whom_the_child_may_not_reach() {
    let server = Server::with(quick()).await;
    let ((_, mut phone), (mia, mut tablet), (gail, mut gails, _)) = chosen(&server).await;
    let zoe = server.person("zoe").await;
    let mut zoes = server.app(&zoe).await;

    // The parent is told, alike for a handle that nobody has; a chosen contact comes in.
    let call = talk(&mut phone, &mia, &mut tablet).await;
    let nobody = Person {
        handle: "nobody".parse().unwrap(),
        ..zoe.clone()
    };
    for whom in [&zoe, &nobody] {
        let error = refused(&mut phone, add(call, whom)).await;
        assert_eq!(error.code, ErrorCode::Forbidden);
        let words = "A child of your household is in this call";
        assert!(error.message.starts_with(words), "{}", error.message);
    }
    join(&mut phone, call, (&gail, &mut gails)).await;
    // Somebody outside adds a stranger, who is not reached, and is not told why.
    gails.ok(add(call, &zoe)).await;
    let over = |event: &Event| match event {
        Event::AddingEnded { reason, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(gails.event_of(over).await, EndReason::NoAnswer);
    assert!(!hears_of(&mut zoes, call).await);
    assert!(runs(&mut tablet, call).await);
}

#[tokio::test]
async fn blocking_somebody_in_mid_call_ends_it_and_of_three_only_the_one_who_blocks_leaves() {
    let server = Server::with(quick()).await;
    let (anna, ben, cleo) = (
        server.person("anna").await,
        server.person("ben").await,
        server.person("cleo").await,
    );
    let (mut annas, mut bens, mut cleos) = (
        server.app(&anna).await,
        server.app(&ben).await,
        server.app(&cleo).await,
    );
    let call = talk(&mut annas, &ben, &mut bens).await;
    // Somebody who is not in the call changes nothing there.
    bens.ok(block("cleo", true)).await;
    assert!(runs(&mut annas, call).await);
    bens.ok(block("cleo", false)).await;
    bens.ok(block("anna", true)).await;
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
    assert_eq!(annas.ended(call).await, EndReason::HungUp);

    bens.ok(block("anna", false)).await;
    let call = talk(&mut annas, &ben, &mut bens).await;
    join(&mut annas, call, (&cleo, &mut cleos)).await;
    bens.ok(block("cleo", true)).await;
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
    while people(&mut cleos).await != ["ANNA", "CLEO"] {}
    assert!(runs(&mut annas, call).await && runs(&mut cleos, call).await);
}

#[tokio::test]
async fn who_is_blocked_while_they_ring_hears_what_an_empty_house_would_say() {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut annas, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let call = annas.call(&ben).await;
    assert_eq!(bens.ring().await, call);
    bens.ok(block("anna", true)).await;
    assert_eq!(bens.ended(call).await, EndReason::Cancelled);
    assert!(runs(&mut annas, call).await);
    assert_eq!(annas.ended(call).await, EndReason::NoAnswer);
}

// req: KID-6
#[tokio::test]
async fn an_adult_who_becomes_a_child_talks_on_only_once_somebody_consents() {
    let server = Server::with(quick()).await;
    let anna = server.person("anna").await;
    let mia = server.member("mia", anna.household).await;
    let (mut phone, mut tablet) = (server.app(&anna).await, server.childs_app(&mia).await);
    let zoe = server.person("zoe").await;
    let mut zoes = server.app(&zoe).await;
    let call = talk(&mut tablet, &zoe, &mut zoes).await;
    let account = mia.account;
    let role = Role::Child;
    phone.ok(Request::SetRole { account, role }).await;
    assert_eq!(tablet.ended(call).await, EndReason::HungUp);
    assert_eq!(zoes.ended(call).await, EndReason::HungUp);
    let error = refused(&mut tablet, start_call(a_call(), "anna")).await;
    assert_eq!(error.code, ErrorCode::Forbidden);
}
