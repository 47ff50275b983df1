//! A drop-in at its target: what opens when, and how it goes on.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{DropInRefusal, DropInStage};

use super::super::ledger::EndedBy;
use super::*;

const FROSTED: TargetOutput = TargetOutput::Stage {
    stage: DropInStage::Frosted,
    frosted: true,
};
const KNOCKING: TargetOutput = TargetOutput::Open {
    stage: DropInStage::Knocking,
    frosted: true,
};

pub(super) fn live(opening: Opening) -> Live {
    let permit = Permit {
        grant: id(1),
        revision: 1,
        picture: true,
        opening,
        until: NOW.plus(DAY_MS),
    };
    Live {
        call: CallId([9; 16]),
        permit,
        own: false,
        picture: true,
        frosted_ms: FROSTED_MS,
    }
}

/// What a drop-in says to these inputs, each so many milliseconds after it was permitted.
fn play(live: Live, inputs: &[(u64, TargetInput)]) -> Vec<TargetOutput> {
    let mut target = Target::default();
    let begun = target.step(NOW, Permitted(live));
    assert_eq!(begun, [TargetOutput::Signal]);
    let steps = inputs.iter();
    steps
        .flat_map(|(at, input)| target.step(NOW.plus(*at), *input))
        .collect()
}

fn away() -> [TargetOutput; 2] {
    let refusal = TargetOutput::Refuse(DropInRefusal::TurnedAway);
    [refusal, TargetOutput::Close(EndedBy::Target)]
}

fn opens(stage: DropInStage) -> TargetOutput {
    let frosted = stage == DropInStage::Frosted;
    TargetOutput::Open { stage, frosted }
}

fn stage(stage: DropInStage, frosted: bool) -> TargetOutput {
    TargetOutput::Stage { stage, frosted }
}

use TargetInput::{End, Ends, Hush, No, NotSignalled, Over, Permitted, Signalled, Tick, Yes};

#[test]
fn tone_and_light_then_it_opens_frosted_and_clears_by_itself() {
    let clears = 1_000 + FROSTED_MS;
    let said = play(
        live(Opening::AtOnce),
        &[
            (900, Tick),
            (1_000, Signalled),
            (clears - 1, Tick),
            (clears, Tick),
        ],
    );
    let clear = stage(DropInStage::Clear, false);
    assert_eq!(said, [opens(DropInStage::Frosted), clear]);
    let mut sound = live(Opening::AtOnce);
    sound.picture = false;
    assert_eq!(
        play(sound, &[(1_000, Signalled)]),
        [opens(DropInStage::Clear)]
    );
}

#[test]
fn without_tone_or_light_nothing_opens() {
    let refused = [
        TargetOutput::Refuse(DropInRefusal::NoSignal),
        TargetOutput::Close(EndedBy::Target),
    ];
    let at_once = live(Opening::AtOnce);
    assert_eq!(
        play(at_once, &[(500, NotSignalled), (600, Signalled)]),
        refused
    );
    let late = [(SIGNAL_MS_MAX, Tick), (SIGNAL_MS_MAX + 1, Signalled)];
    assert_eq!(play(at_once, &late), refused);
    assert_eq!(play(at_once, &[(SIGNAL_MS_MAX, Signalled)]), refused);
}

#[test]
fn it_is_frosted_as_the_device_is_set_and_never_too_shortly_for_another_household() {
    let set = [0, 1, 7_000, 90_000].map(|wished| frosted_for(wished, false));
    assert_eq!(set, [FROSTED_MS_MIN, FROSTED_MS_MIN, 7_000, FROSTED_MS_MAX]);
    assert_eq!(frosted_for(0, true), 0);
    let family = Live {
        own: true,
        frosted_ms: 0,
        ..live(Opening::AtOnce)
    };
    assert_eq!(play(family, &[(1, Signalled)]), [opens(DropInStage::Clear)]);
}

#[test]
fn a_knock_opens_with_a_yes_and_otherwise_as_the_grant_says() {
    let (until, unless) = (live(Opening::KnockUntilYes), live(Opening::KnockUnlessNo));
    for knock in [until, unless] {
        assert_eq!(
            play(knock, &[(1, Signalled), (2, Yes)]),
            [KNOCKING, FROSTED]
        );
        let said = play(knock, &[(1, Signalled), (2, No), (3, Yes)]);
        assert_eq!(said, [&[KNOCKING][..], &away()].concat());
        let said = play(knock, &[(1, Yes), (2, Signalled)]);
        assert_eq!(said, [KNOCKING], "a yes before the chime is none");
    }
    let late = [(1, Signalled), (KNOCK_MS, Tick), (1 + KNOCK_MS, Tick)];
    assert_eq!(play(until, &late), [&[KNOCKING][..], &away()].concat());
    assert_eq!(play(unless, &late), [KNOCKING, FROSTED]);
    let too_late = [(1, Signalled), (1 + KNOCK_MS, Yes)];
    assert_eq!(play(until, &too_late), [&[KNOCKING][..], &away()].concat());
}

#[test]
fn one_press_hushes_and_one_ends_and_a_long_one_is_heard_again() {
    let said = play(
        live(Opening::AtOnce),
        &[
            (0, Signalled),
            (10, Hush(true)),
            (11, Hush(true)),
            (FROSTED_MS, Tick),
            (FROSTED_MS + 1, Hush(false)),
            (REMIND_EVERY_MS, Tick),
            (2 * REMIND_EVERY_MS, Tick),
            (2 * REMIND_EVERY_MS + 1, End),
            (2 * REMIND_EVERY_MS + 2, Tick),
        ],
    );
    assert_eq!(
        said[1..],
        [
            stage(DropInStage::Hushed, true),
            stage(DropInStage::Hushed, false),
            stage(DropInStage::Clear, false),
            TargetOutput::Remind,
            TargetOutput::Remind,
            TargetOutput::Close(EndedBy::Target),
        ]
    );
}

#[test]
fn what_ends_it_is_told_until_somebody_was_let_in() {
    let revoked = Ends {
        refusal: DropInRefusal::Revoked,
        by: EndedBy::Grant,
    };
    let close = TargetOutput::Close(EndedBy::Grant);
    let at_once = live(Opening::AtOnce);
    let refusal = TargetOutput::Refuse(DropInRefusal::Revoked);
    assert_eq!(play(at_once, &[(1, revoked)]), [refusal, close]);
    let said = play(at_once, &[(1, Signalled), (2, revoked)]);
    assert_eq!(said[1..], [close]);
    let gone = Over(EndedBy::Initiator);
    let over = TargetOutput::Close(EndedBy::Initiator);
    assert_eq!(play(at_once, &[(1, gone), (2, Signalled)]), [over]);
    let twice = play(at_once, &[(1, Permitted(at_once)), (2, Signalled)]);
    assert_eq!(twice.len(), 1, "a second one does not begin the first anew");
}

#[test]
fn it_asks_to_be_looked_at_when_something_is_due() {
    let mut target = Target::default();
    assert_eq!(target.deadline(), None);
    target.step(NOW, Permitted(live(Opening::AtOnce)));
    assert_eq!(target.deadline(), Some(NOW.plus(SIGNAL_MS_MAX)));
    target.step(NOW, Signalled);
    assert_eq!(target.deadline(), Some(NOW.plus(FROSTED_MS)));
    target.step(NOW.plus(FROSTED_MS), Tick);
    assert_eq!(target.deadline(), Some(NOW.plus(REMIND_EVERY_MS)));
    target.step(NOW.plus(FROSTED_MS), End);
    assert_eq!((target.deadline(), target.live()), (None, None));
}
