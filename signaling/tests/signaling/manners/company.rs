//! Adding somebody to a call that others are in: a child meets nobody who was not chosen for it, and
//! nobody meets somebody whom they have blocked, whoever brings them.

use homeline_protocol::session::{EndReason, ErrorCode, Event, Request};

use super::busy::{not_added, talk};
use super::children::{family, limits};
use super::{hears_of, quick, refused};
use crate::group_calls::add;
use crate::harness::Server;

// req: KID-1
#[tokio::test]
async fn a_child_in_a_call_meets_only_the_household_and_the_chosen_contacts() {
    let server = Server::with(quick()).await;
    let ((anna, mut phone), (mia, mut tablet)) = family(&server).await;
    let (ben, gail) = (server.person("ben").await, server.person("gail").await);
    let (mut bens, mut gails) = (server.app(&ben).await, server.app(&gail).await);
    let card = server.contact(&anna, &gail.handle).await;
    phone.ok(limits(&mia, true, &[card])).await;
    let call = talk(&mut phone, &mut tablet, &mia).await;

    // Her mother is told, of everybody alike, also of a handle that nobody has.
    let mut nobody = ben.clone();
    nobody.handle = "nobody".parse().unwrap();
    for whom in [&ben, &nobody] {
        let error = refused(&mut phone, add(call, whom)).await;
        assert_eq!(error.code, ErrorCode::Forbidden, "{}", whom.handle);
        assert!(error.message.contains("child"), "{}", error.message);
    }
    assert!(!rings(&mut bens).await);
    // Whoever was chosen for her comes.
    phone.ok(add(call, &gail)).await;
    assert_eq!(gails.ring().await, call);
    gails.answer(call).await;
    let there = |event: &Event| matches!(event, Event::AddingAnswered { .. }).then_some(());
    phone.event_of(there).await;
    phone
        .ok(crate::group_calls::commit(
            call,
            1,
            Some(gails.seat.device),
            vec![],
        ))
        .await;

    // Somebody outside who is in the call with her hears what they hear of nobody.
    for whom in [&ben, &nobody] {
        gails.ok(add(call, whom)).await;
        assert_eq!(not_added(&mut gails).await, EndReason::NoAnswer);
    }
    assert!(!hears_of(&mut bens, call).await);
}

#[tokio::test]
async fn a_child_is_not_added_to_a_call_with_somebody_who_was_not_chosen() {
    let server = Server::with(quick()).await;
    let ((_, mut phone), (mia, mut tablet)) = family(&server).await;
    let ben = server.person("ben").await;
    let mut bens = server.app(&ben).await;
    let call = talk(&mut phone, &mut bens, &ben).await;
    let error = refused(&mut phone, add(call, &mia)).await;
    assert!(error.message.contains("MIA"), "{}", error.message);
    assert!(!hears_of(&mut tablet, call).await);
}

#[tokio::test]
async fn who_has_blocked_somebody_in_the_call_is_not_rung_for_it() {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let cleo = server.person("cleo").await;
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let mut cleos = server.app(&cleo).await;
    let handle = ben.handle.clone();
    cleos.ok(Request::Block { handle }).await;
    let call = talk(&mut phone, &mut bens, &ben).await;
    phone.ok(add(call, &cleo)).await;
    // A device of hers that comes meanwhile does not ring either.
    let mut tablet = server.app(&cleo).await;
    assert_eq!(not_added(&mut phone).await, EndReason::NoAnswer);
    assert!(!rings(&mut cleos).await && !rings(&mut tablet).await);
    // Once it is taken back she is.
    let handle = ben.handle.clone();
    cleos.ok(Request::Unblock { handle }).await;
    phone.ok(add(call, &cleo)).await;
    assert_eq!(cleos.incoming().await, call);
}

async fn rings(client: &mut crate::harness::Client) -> bool {
    let asked = |event: &Event| matches!(event, Event::IncomingCall { .. });
    client.events_so_far().await.iter().any(asked)
}
