//! The relay of keys, told as exchanges.

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Event, WelcomeFor};

use super::*;

const CALL: CallId = CallId([7; 16]);
const ANNA: DeviceId = DeviceId([1; 16]);
const BEN: DeviceId = DeviceId([2; 16]);
const CLEO: DeviceId = DeviceId([3; 16]);

fn blob(text: &str) -> Blob {
    Blob(text.as_bytes().to_vec())
}

fn commit(epoch: u64) -> SentCommit {
    SentCommit {
        epoch,
        commit: blob("commit"),
        welcome: None,
        removed: vec![],
    }
}

fn adding(epoch: u64, device: DeviceId) -> SentCommit {
    let welcome = WelcomeFor {
        device,
        welcome: blob("welcome"),
    };
    SentCommit {
        welcome: Some(welcome),
        ..commit(epoch)
    }
}

/// One word for each effect, to read a whole exchange at a glance.
fn words(effects: &[KeyEffect]) -> String {
    let name = |device: &DeviceId| match *device {
        ANNA => "anna",
        BEN => "ben",
        _ => "cleo",
    };
    let word = |effect: &KeyEffect| match effect {
        KeyEffect::Tell(to, Event::GroupCommit { epoch, .. }) => {
            format!("commit{epoch}>{}", name(to))
        }
        KeyEffect::Tell(to, Event::EpochExecute { epoch, .. }) => {
            format!("execute{epoch}>{}", name(to))
        }
        KeyEffect::Tell(to, _) => format!("message>{}", name(to)),
        KeyEffect::Welcome(welcome) => format!("welcome>{}", name(&welcome.device)),
        KeyEffect::Removed(device) => format!("removed:{}", name(device)),
        KeyEffect::AwaitReady => "await".to_owned(),
        KeyEffect::Switched => "switched".to_owned(),
    };
    effects.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn pair() -> Group {
    let mut group = Group::new(CALL, ANNA);
    group.commit(ANNA, adding(0, BEN)).unwrap();
    group
}

#[test]
fn the_lone_creators_first_commit_executes_at_once() {
    let mut group = Group::new(CALL, ANNA);
    let effects = group.commit(ANNA, adding(0, BEN)).unwrap();
    assert_eq!(words(&effects), "welcome>ben commit0>anna switched");
    assert!(group.has(BEN));
}

#[test]
fn a_later_commit_executes_when_all_are_ready() {
    let mut group = pair();
    assert_eq!(
        words(&group.commit(BEN, commit(1)).unwrap()),
        "commit1>anna commit1>ben await"
    );
    assert_eq!(words(&group.ready(ANNA, 2).unwrap()), "");
    assert_eq!(
        words(&group.ready(ANNA, 2).unwrap()),
        "",
        "saying it twice counts once"
    );
    assert_eq!(words(&group.ready(BEN, 1).unwrap()), "", "an epoch gone by");
    assert_eq!(
        words(&group.ready(BEN, 2).unwrap()),
        "execute2>anna execute2>ben switched"
    );
    assert_eq!(words(&group.switch_time_over()), "", "only once");
}

#[test]
fn a_later_commit_executes_when_the_time_is_over() {
    let mut group = pair();
    group.commit(ANNA, commit(1)).unwrap();
    assert_eq!(
        words(&group.switch_time_over()),
        "execute2>anna execute2>ben switched"
    );
    assert_eq!(words(&group.ready(BEN, 2).unwrap()), "", "late");
}

#[test]
fn the_first_commit_of_an_epoch_wins() {
    let mut group = pair();
    group.commit(ANNA, commit(1)).unwrap();
    assert_eq!(group.commit(BEN, commit(1)), Err(CommitError::EpochTaken));
    assert_eq!(group.commit(BEN, commit(3)), Err(CommitError::EpochAhead));
    assert_eq!(
        words(&group.commit(BEN, commit(2)).unwrap()),
        "execute2>anna execute2>ben switched commit2>anna commit2>ben await",
        "the loser's next try ends the switch in progress"
    );
}

#[test]
fn a_reloaded_page_joins_as_a_new_leaf_and_takes_in_no_commit() {
    let mut group = pair();
    let rejoin = SentCommit {
        removed: vec![BEN],
        ..adding(1, BEN)
    };
    assert_eq!(
        words(&group.commit(ANNA, rejoin).unwrap()),
        "welcome>ben commit1>anna await"
    );
    assert_eq!(
        words(&group.ready(ANNA, 2).unwrap()),
        "execute2>anna execute2>ben switched"
    );
}

#[test]
fn a_removed_member_hears_of_it_and_then_nothing_more() {
    let mut group = pair();
    group.commit(ANNA, adding(1, CLEO)).unwrap();
    let remove = SentCommit {
        removed: vec![BEN],
        ..commit(2)
    };
    assert_eq!(
        words(&group.commit(ANNA, remove).unwrap()),
        "execute2>anna execute2>ben execute2>cleo switched \
         commit2>anna commit2>ben commit2>cleo removed:ben await"
    );
    assert_eq!(group.commit(BEN, commit(3)), Err(CommitError::NotAMember));
    assert_eq!(group.ready(BEN, 3), Err(CommitError::NotAMember));
    assert_eq!(
        words(&group.message(ANNA, &blob("hello")).unwrap()),
        "message>cleo"
    );
}

#[test]
fn only_members_speak_and_not_too_long() {
    let mut group = pair();
    assert_eq!(
        group.message(CLEO, &blob("hello")),
        Err(CommitError::NotAMember)
    );
    assert_eq!(
        group.commit(CLEO, adding(1, CLEO)),
        Err(CommitError::NotAMember)
    );
    let long = Blob(vec![0; MESSAGE_BYTES_MAX + 1]);
    assert_eq!(group.message(ANNA, &long), Err(CommitError::TooLong));
    assert_eq!(
        words(&group.message(BEN, &blob("hello")).unwrap()),
        "message>anna"
    );
}
