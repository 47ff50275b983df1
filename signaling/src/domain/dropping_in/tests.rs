//! What each word leads to, in whichever order words come.

use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId, HouseholdId};
use homeline_protocol::session::{Callee, DropInRefusal, DropInStage, Event};

use super::rules::{Candidate, choose};
use super::table::{Added, Asked, Pair, Refused, Table, Told};
use super::{AskError, TargetError};
use crate::model::UnixMillis;

const CALL: CallId = CallId([1; 16]);
const BEN: DeviceId = DeviceId([2; 16]);
const KITCHEN: DeviceId = DeviceId([3; 16]);
const OTHER: DeviceId = DeviceId([4; 16]);

fn asked(device: DeviceId, family: bool, until: Instant) -> Asked {
    Asked {
        pair: Pair {
            account: AccountId(device.0),
            device,
            household: Some(HouseholdId([9; 16])),
            to: Callee::Device { device: KITCHEN },
            target: Some(KITCHEN),
            family,
        },
        picture: false,
        asking: Blob(vec![]),
        key_package: Blob(vec![]),
        until,
        refused: false,
    }
}

/// One that Ben asks for.
fn table(family: bool) -> (Table, Instant) {
    let until = Instant::now() + Duration::from_secs(8);
    let mut table = Table::default();
    let added = table.ask(CALL, asked(BEN, family, until)).unwrap();
    assert_eq!(added, Added::New(Some(KITCHEN)));
    (table, until)
}

fn refused(refusal: DropInRefusal) -> Told {
    let call = CALL;
    (BEN, Event::DropInRefused { call, refusal })
}

fn ended() -> Told {
    (KITCHEN, Event::DropInEnded { call: CALL })
}

fn done(told: impl Into<Vec<Told>>) -> Refused {
    Refused::Done(told.into())
}

#[test]
fn a_family_hears_a_refusal_at_once_and_by_name() {
    let (mut table, _) = table(true);
    let told = table.refuse(CALL, KITCHEN, DropInRefusal::Quiet).unwrap();
    assert_eq!(told, done([refused(DropInRefusal::Quiet)]));
    // Said again it is nothing new, and it opens no more.
    let told = table.refuse(CALL, KITCHEN, DropInRefusal::Quiet).unwrap();
    assert_eq!(told, done([]));
    assert!(matches!(table.asked(CALL, KITCHEN), Err(TargetError::Over)));
}

#[test]
fn to_others_every_refusal_but_a_no_is_the_time_that_passes() {
    for refusal in [DropInRefusal::Quiet, DropInRefusal::Unavailable] {
        let (mut table, until) = table(false);
        let told = table.refuse(CALL, KITCHEN, refusal).unwrap();
        assert_eq!(told, done([]));
        assert!(matches!(table.asked(CALL, KITCHEN), Err(TargetError::Over)));
        // Not even a no that follows makes a difference.
        let told = table.refuse(CALL, KITCHEN, DropInRefusal::TurnedAway);
        assert_eq!(told.unwrap(), done([]));
        let early = table.time_up(CALL, until - Duration::from_millis(1));
        assert_eq!(early, []);
        let told = table.time_up(CALL, until);
        assert_eq!(told, [refused(DropInRefusal::Unavailable)]);
        assert_eq!(table.time_up(CALL, until), []);
    }
    let (mut table, _) = table(false);
    let told = table.refuse(CALL, KITCHEN, DropInRefusal::TurnedAway);
    assert_eq!(told.unwrap(), done([refused(DropInRefusal::TurnedAway)]));
}

#[test]
fn a_target_that_says_nothing_is_told_that_it_is_too_late() {
    let (mut table, until) = table(true);
    let told = table.time_up(CALL, until);
    assert_eq!(told, [ended(), refused(DropInRefusal::Unavailable)]);
}

#[test]
fn a_knock_ends_by_one_no_and_after_a_yes_by_none() {
    let (mut knocked, _) = table(false);
    knocked.opened(CALL, DropInStage::Knocking);
    assert!(knocked.still_knocks(CALL) && knocked.is_open(CALL, KITCHEN));
    let no = knocked.refuse(CALL, KITCHEN, DropInRefusal::TurnedAway);
    let told = vec![refused(DropInRefusal::TurnedAway)];
    assert_eq!(no.unwrap(), Refused::EndCall(told));
    let again = knocked.refuse(CALL, KITCHEN, DropInRefusal::TurnedAway);
    assert_eq!(again.unwrap(), done([]));
    assert!(!knocked.still_knocks(CALL));

    let (mut opened, _) = table(false);
    opened.opened(CALL, DropInStage::Knocking);
    let stage = DropInStage::Frosted;
    let told = opened.set_stage(CALL, KITCHEN, stage).unwrap();
    assert_eq!(told, Some((BEN, Event::DropInStage { call: CALL, stage })));
    assert_eq!(opened.set_stage(CALL, KITCHEN, stage).unwrap(), None);
    let refused = [
        opened
            .set_stage(CALL, KITCHEN, DropInStage::Knocking)
            .map(drop),
        opened
            .refuse(CALL, KITCHEN, DropInRefusal::TurnedAway)
            .map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(TargetError::NotNow(_))));
    }
}

#[test]
fn only_the_two_devices_have_a_word_in_it() {
    let (mut table, _) = table(true);
    let nobody = [
        table.refuse(CALL, OTHER, DropInRefusal::Busy).map(drop),
        table.refuse(CALL, BEN, DropInRefusal::Busy).map(drop),
        table.asked(CALL, BEN).map(drop),
        table.set_stage(CALL, OTHER, DropInStage::Clear).map(drop),
    ];
    for refused in nobody {
        assert!(matches!(refused, Err(TargetError::NotFound)));
    }
    assert_eq!(table.hang_up(CALL, OTHER), None);
    assert_eq!(table.gone(OTHER), []);
    // The one who asked gives up; the same once more is nobody's business.
    assert_eq!(table.hang_up(CALL, BEN), Some(vec![ended()]));
    assert_eq!(table.hang_up(CALL, BEN), Some(vec![]));
}

#[test]
fn one_that_goes_on_is_hung_up_as_a_call() {
    let (mut table, _) = table(true);
    table.opened(CALL, DropInStage::Clear);
    assert_eq!(table.hang_up(CALL, BEN), None);
    assert_eq!(table.stop(CALL, DropInRefusal::NoGrant), (vec![], true));
    table.over(CALL);
    assert_eq!(table.hang_up(CALL, BEN), Some(vec![]));
}

#[test]
fn what_may_not_be_any_more_ends_for_the_target_and_shows_to_nobody_outside() {
    let (mut own, _) = table(true);
    let told = vec![ended(), refused(DropInRefusal::Off)];
    assert_eq!(own.stop(CALL, DropInRefusal::Off), (told, false));
    let (mut other, until) = table(false);
    assert_eq!(other.stop(CALL, DropInRefusal::Off), (vec![ended()], false));
    assert!(matches!(
        other.asked(CALL, KITCHEN),
        Err(TargetError::NotFound)
    ));
    let told = other.time_up(CALL, until);
    assert_eq!(told, [refused(DropInRefusal::Unavailable)]);
}

#[test]
fn a_device_asks_for_one_at_a_time_and_an_id_is_used_once() {
    let (mut table, until) = table(false);
    let again = table.ask(CALL, asked(BEN, false, until)).unwrap();
    assert_eq!(again, Added::Repeated);
    let second = table.ask(CallId([8; 16]), asked(BEN, false, until));
    assert!(matches!(second, Err(AskError::AlreadyInCall)));
    let taken = table.ask(CALL, asked(OTHER, false, until));
    assert!(matches!(taken, Err(AskError::IdTaken)));
    table.hang_up(CALL, BEN);
    let over = table.ask(CALL, asked(BEN, false, until));
    assert!(matches!(over, Err(AskError::Over)));
    let taken = table.ask(CALL, asked(OTHER, false, until));
    assert!(matches!(taken, Err(AskError::IdTaken)));
}

#[test]
fn one_target_decides_about_four_at_once_and_the_fifth_finds_nobody() {
    let (mut table, until) = table(false);
    for number in 10..13 {
        let other = asked(DeviceId([number; 16]), false, until);
        let added = table.ask(CallId([number; 16]), other).unwrap();
        assert_eq!(added, Added::New(Some(KITCHEN)));
    }
    let fifth = asked(OTHER, false, until);
    let added = table.ask(CallId([20; 16]), fifth.clone()).unwrap();
    assert_eq!(added, Added::New(None));
    // It ends as for everybody, and the target is told nothing of it.
    let told = table.time_up(CallId([20; 16]), until);
    let [(device, Event::DropInRefused { refusal, .. })] = told.as_slice() else {
        panic!("{told:?}")
    };
    let expected = (OTHER, DropInRefusal::Unavailable);
    assert_eq!((*device, *refusal), expected);
}

// req: A-26
#[test]
fn the_most_recently_active_device_is_chosen_else_the_one_that_spoke_last() {
    let one = |device, near: Option<u64>, came| Candidate {
        device,
        near: near.map(UnixMillis),
        came,
    };
    let cases = [
        (vec![], None),
        (
            vec![one(KITCHEN, None, 2), one(OTHER, None, 3)],
            Some(OTHER),
        ),
        (
            vec![one(KITCHEN, Some(1), 2), one(OTHER, None, 3)],
            Some(KITCHEN),
        ),
        (
            vec![one(KITCHEN, Some(1), 2), one(OTHER, Some(5), 1)],
            Some(OTHER),
        ),
    ];
    for (candidates, expected) in cases {
        assert_eq!(choose(candidates.into_iter()), expected);
    }
}
