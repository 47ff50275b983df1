//! The table of guests: who waits, for how long, and what a call's end means for each.

use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallLinkId, DeviceId};
use homeline_protocol::session::GuestRefusal;

use super::table::{CallOver, GUESTS_PER_LINK_MAX, Gone, Guest, NoPlace, Stand, Table};
use crate::model::UnixMillis;

const ANNA: AccountId = AccountId([1; 16]);
const LINK: CallLinkId = CallLinkId([7; 16]);

fn after(secs: u64) -> UnixMillis {
    UnixMillis(1_000_000).plus(Duration::from_secs(secs))
}

fn device(number: u8) -> DeviceId {
    DeviceId([number; 16])
}

/// Somebody who knocks at the beginning, at a link that lasts for an hour.
fn guest(number: u8) -> Guest {
    Guest {
        link: LINK,
        maker: ANNA,
        account: AccountId([number; 16]),
        device: device(number),
        label: "Bob".to_owned(),
        chain: Blob(vec![number]),
        proof: Blob(vec![number]),
        token: [number; 32],
        knocked_at: after(0),
        stand: Stand::Knocking,
        session: false,
        link_until: after(3600),
        link_over: false,
    }
}

/// One guest who waits.
fn waiting() -> Table {
    let mut table = Table::default();
    table.knock(guest(9)).unwrap();
    assert!(table.opened(device(9)).is_some());
    table
}

/// One guest for whom a call rings.
fn let_in() -> Table {
    let mut table = waiting();
    assert!(table.let_in(device(9)).is_some_and(|gone| gone.known));
    table
}

fn reasons(gone: &[Gone]) -> Vec<Option<GuestRefusal>> {
    gone.iter().map(|one| one.refusal).collect()
}

#[test]
fn a_link_has_eight_places_and_a_key_one() {
    let mut table = waiting();
    assert_eq!(table.knock(guest(9)), Err(NoPlace::Known));
    let more = u8::try_from(GUESTS_PER_LINK_MAX).unwrap();
    for number in 10..9 + more {
        table.knock(guest(number)).unwrap();
    }
    assert_eq!(table.knock(guest(100)), Err(NoPlace::LinkFull));
    // Who is let in waits no more.
    table.let_in(device(9));
    assert_eq!(table.knock(guest(100)), Ok(()));
}

#[test]
fn a_guest_is_told_of_once_there_is_a_session_and_gone_without() {
    let mut table = Table::default();
    table.knock(guest(9)).unwrap();
    assert!(table.waiting_for(ANNA).is_empty());
    assert!(!table.visitor(device(9), after(1)).unwrap().waits);
    assert_eq!(table.let_in(device(9)), None);
    table.opened(device(9));
    assert_eq!(table.waiting_for(ANNA).len(), 1);
    assert!(table.visitor(device(9), after(1)).unwrap().waits);
    let gone = table.closed(device(9)).unwrap();
    assert_eq!((gone.refusal, gone.known), (None, true));
    assert!(table.of_token(&[9; 32]).is_none());
}

#[test]
fn waiting_ends_by_the_clock_and_with_the_link() {
    let mut table = Table::default();
    table.knock(guest(9)).unwrap();
    assert!(table.due(after(29)).is_empty());
    assert_eq!(table.due(after(30)).len(), 1, "nobody connected");
    let mut table = waiting();
    assert!(table.due(after(599)).is_empty());
    assert!(!table.visitor(device(9), after(600)).unwrap().waits);
    let gone = table.due(after(600));
    assert_eq!(reasons(&gone), [Some(GuestRefusal::NoAnswer)]);
    let mut table = Table::default();
    let link_until = after(60);
    table
        .knock(Guest {
            link_until,
            ..guest(9)
        })
        .unwrap();
    table.opened(device(9));
    let gone = table.due(after(60));
    assert_eq!(reasons(&gone), [Some(GuestRefusal::LinkEnded)]);
}

#[test]
fn only_the_links_maker_sends_away_and_only_who_waits() {
    let mut table = waiting();
    assert_eq!(table.refuse(device(9), AccountId([2; 16])), None);
    let gone = table.refuse(device(9), ANNA).unwrap();
    assert_eq!(gone.refusal, Some(GuestRefusal::Refused));
    let mut table = let_in();
    assert_eq!(table.refuse(device(9), ANNA), None);
    assert!(table.end(|guest| guest.link == LINK).is_empty());
    let visitor = table.visitor(device(9), after(1)).unwrap();
    assert!(visitor.let_in && !visitor.waits);
}

#[test]
fn who_was_called_and_did_not_come_in_waits_on_while_there_is_time_and_a_link() {
    let mut table = let_in();
    let over = table.call_over(device(9), after(60));
    assert!(matches!(over, Some(CallOver::Waits(ANNA, _))));
    assert!(table.visitor(device(9), after(61)).unwrap().waits);
    assert_eq!(table.call_over(device(9), after(62)), None, "said twice");
    let refused = |mut table: Table, at| match table.call_over(device(9), at) {
        Some(CallOver::Refused(gone)) => gone.refusal,
        other => panic!("{other:?}"),
    };
    let too_late = refused(let_in(), after(600));
    assert_eq!(too_late, Some(GuestRefusal::NoAnswer));
    let mut revoked = let_in();
    revoked.end(|guest| guest.maker == ANNA);
    assert_eq!(refused(revoked, after(60)), Some(GuestRefusal::LinkEnded));
    let mut went = let_in();
    assert_eq!(went.closed(device(9)), None, "the call says when");
    assert_eq!(refused(went, after(60)), None);
}

#[test]
fn who_was_inside_is_gone_with_the_call_and_by_nothing_else() {
    let mut table = let_in();
    table.joined(device(9));
    assert_eq!(table.closed(device(9)), None);
    assert!(table.end(|_| true).is_empty() && table.due(after(9_999)).is_empty());
    let over = table.call_over(device(9), after(60));
    assert_eq!(over, Some(CallOver::Left));
    assert!(table.of_token(&[9; 32]).is_none() && !table.has_account(AccountId([9; 16])));
}
