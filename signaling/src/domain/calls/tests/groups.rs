//! Calls with more than two: adding somebody, leaving, and what the others hear.

use super::with;

/// Anna and the kitchen talk, with keys.
pub(super) const KEYED: &str = "
    0  start                -> room incoming>app incoming>kitchen
    1  kitchen rings        -> rings:kitchen>anna
    2  kitchen answers      -> answered:kitchen>anna people>anna people>kitchen
                               AnsweredElsewhere>app kept:kitchen
    2  anna adds kitchen 0  -> welcome>kitchen commit0>anna key-frames
";

/// Cleo's phone was added and is in the group.
pub(super) const THREE: &str = "
    0  start                -> room incoming>app incoming>kitchen
    1  kitchen rings        -> rings:kitchen>anna
    2  kitchen answers      -> answered:kitchen>anna people>anna people>kitchen
                               AnsweredElsewhere>app kept:kitchen
    2  anna adds kitchen 0  -> welcome>kitchen commit0>anna key-frames
    3  anna invites cleo    -> kept:adding-cleo incoming>phone incoming>tablet
    4  phone rings          -> added-rings:phone>anna
    5  phone answers        -> added:phone>anna people3>anna people3>kitchen people3>phone
                               AnsweredElsewhere>tablet kept:cleo
    5  anna adds phone 1    -> welcome>phone commit1>anna commit1>kitchen
    5  anna ready 2         ->
    5  kitchen ready 2      -> execute2>anna execute2>kitchen execute2>phone key-frames
";

#[test]
fn somebody_is_added_and_the_first_of_their_devices_wins() {
    with(
        THREE,
        "
        6  tablet answers    -> !elsewhere
        6  tablet rings      -> !elsewhere
        6  phone answers     ->
        6  phone says        -> message>anna message>kitchen
        6  phone mutes       -> people:phone-mute>anna people:phone-mute>kitchen
                                people:phone-mute>phone
        99 tick              ->
    ",
    );
}

#[test]
fn adding_ends_for_that_leg_alone() {
    for (last, reason, others) in [
        (
            "9  phone declines",
            "Declined",
            "Declined>phone Declined>tablet",
        ),
        (
            "9  phone hangs-up",
            "Declined",
            "Declined>phone Declined>tablet",
        ),
        (
            "9  anna stops-adding",
            "Cancelled",
            "Cancelled>phone Cancelled>tablet",
        ),
        ("48 tick", "NoAnswer", "NoAnswer>phone NoAnswer>tablet"),
    ] {
        with(
            KEYED,
            &format!(
                "
            3  anna invites cleo -> kept:adding-cleo incoming>phone incoming>tablet
            4  phone rings       -> added-rings:phone>anna
            {last}               -> kept:cleo-{reason} not-added:{reason}>anna {others}
            49 phone answers     -> !not-found
            50 anna invites dora -> kept:adding-dora incoming>doras
        "
            ),
        );
    }
}

#[test]
fn nobody_and_somebody_out_are_not_added_at_the_same_moment() {
    with(
        KEYED,
        "
        3   anna invites nobody ->
        12  tick                ->
        13  tick                -> not-added:Unreachable>anna
        14  anna invites cleo   -> kept:adding-cleo incoming>phone incoming>tablet
        24  tick                -> kept:cleo-Unreachable not-added:Unreachable>anna
                                   Unreachable>phone Unreachable>tablet
        30  anna invites cleo engaged -> kept:adding-cleo waiting>phone incoming>tablet
        40  tick                -> kept:cleo-Busy not-added:Busy>anna Busy>phone Busy>tablet
    ",
    );
}

#[test]
fn adding_that_does_not_fit_is_refused() {
    with(
        super::TALKING,
        "
        3  anna invites cleo     -> !not-now
        3  anna adds kitchen 0   -> welcome>kitchen commit0>anna key-frames
        4  anna invites ben      -> !not-now
        4  stranger invites cleo -> !not-found
        4  app invites cleo      -> !elsewhere
        5  kitchen invites cleo  -> kept:adding-cleo incoming>phone incoming>tablet
        5  kitchen invites cleo  ->
        5  anna invites dora     -> !not-now
        5  anna stops-adding     -> !not-now
        5  phone answers         -> !not-now
    ",
    );
}

#[test]
fn a_device_of_the_added_person_that_comes_online_rings_too() {
    with(
        KEYED,
        "
        3  anna invites cleo    -> kept:adding-cleo incoming>phone incoming>tablet
        4  stranger online      -> incoming>stranger
        5  tablet refuses-keys  ->
        5  tablet answers       -> !not-found
        6  phone revoked        ->
        7  phone answers        -> !not-found
        13 tick                 -> kept:cleo-Unreachable not-added:Unreachable>anna
                                   Unreachable>stranger
    ",
    );
}

#[test]
fn a_leaver_leaves_and_the_others_go_on_until_one_is_left() {
    with(
        THREE,
        "
        6  kitchen hangs-up       -> kept:ben-HungUp HungUp>kitchen people>anna people>phone
                                     tracks0>anna tracks0>phone left:kitchen>anna
        6  kitchen says           -> !over
        6  kitchen mutes          -> !over
        7  anna removes kitchen 2 -> commit2>anna commit2>kitchen commit2>phone
        8  anna ready 3           ->
        8  phone ready 3          -> execute3>anna execute3>phone key-frames
        9  phone hangs-up         -> kept:HungUp HungUp>anna HungUp>phone close
    ",
    );
}

#[test]
fn a_leavers_media_stops_at_once() {
    with(
        THREE,
        "
        6  kitchen offers      -> negotiate:kitchen
        6  kitchen negotiated  -> forward:kitchen:true tracks1>anna tracks1>phone
        6  phone offers        -> negotiate:phone
        6  phone negotiated    -> forward:phone:true tracks2>anna tracks1>kitchen
        7  kitchen hangs-up    -> kept:ben-HungUp HungUp>kitchen remove:kitchen
                                  people>anna people>phone tracks1>anna tracks0>phone
                                  left:kitchen>anna
        7  kitchen offers      -> !elsewhere
    ",
    );
}

#[test]
fn a_removal_that_is_not_committed_is_asked_of_everybody() {
    with(
        THREE,
        "
        6   kitchen hangs-up       -> kept:ben-HungUp HungUp>kitchen people>anna people>phone
                                      tracks0>anna tracks0>phone left:kitchen>anna
        8   tick                   ->
        9   tick                   -> left:kitchen>anna left:kitchen>phone
        10  phone removes kitchen 2 -> commit2>anna commit2>kitchen commit2>phone
        13  tick                   -> execute3>anna execute3>phone key-frames
    ",
    );
    // The one that was asked is lost in the same moment: between two that are left, the call ends.
    with(
        THREE,
        "
        6   kitchen hangs-up  -> kept:ben-HungUp HungUp>kitchen people>anna people>phone
                                 tracks0>anna tracks0>phone left:kitchen>anna
        6   anna revoked      -> kept:DeviceRevoked DeviceRevoked>anna DeviceRevoked>phone close
    ",
    );
}

#[test]
fn in_a_group_only_the_one_goes_whose_device_is_lost_or_taken_away() {
    with(
        THREE,
        "
        6   kitchen revoked         -> kept:ben-DeviceRevoked DeviceRevoked>kitchen people>anna
                                       people>phone tracks0>anna tracks0>phone left:kitchen>anna
        7   anna removes kitchen 2  -> commit2>anna commit2>kitchen commit2>phone
    ",
    );
    with(
        THREE,
        "
        6   phone lost  -> phone:gone>anna phone:gone>kitchen
        35  tick        ->
        36  tick        -> kept:cleo-DeviceLost DeviceLost>phone people>anna people>kitchen
                           tracks0>anna tracks0>kitchen left:phone>anna
    ",
    );
    // A member removed it first, since its household did.
    with(
        THREE,
        "
        6   anna removes phone 2    -> commit2>anna commit2>kitchen commit2>phone
                                       kept:cleo-DeviceRevoked DeviceRevoked>phone people>anna
                                       people>kitchen tracks0>anna tracks0>kitchen
    ",
    );
}

#[test]
fn only_whoever_began_the_call_ends_it_for_everyone() {
    with(
        THREE,
        "
        6  kitchen ends-for-all  -> !not-yours
        6  app ends-for-all      -> !elsewhere
        7  anna ends-for-all     -> kept:HungUp HungUp>anna HungUp>kitchen HungUp>phone close
    ",
    );
}

#[test]
fn whoever_adds_may_turn_away_a_device_whose_key_does_not_fit() {
    with(
        KEYED,
        "
        3  anna invites cleo  -> kept:adding-cleo incoming>phone incoming>tablet
        4  phone rings        -> added-rings:phone>anna
        5  phone answers      -> added:phone>anna people3>anna people3>kitchen people3>phone
                                 AnsweredElsewhere>tablet kept:cleo
        5  kitchen stops-adding -> !not-now
        6  anna stops-adding  -> kept:cleo-EncryptionRefused EncryptionRefused>phone people>anna
                                 people>kitchen tracks0>anna tracks0>kitchen
        6  anna stops-adding  -> !not-now
    ",
    );
}

#[test]
fn when_the_one_who_adds_goes_the_adding_ends() {
    with(
        THREE,
        "
        6  anna invites dora -> kept:adding-dora incoming>doras
        7  anna hangs-up     -> kept:anna-HungUp HungUp>anna people>kitchen people>phone
                                tracks0>kitchen tracks0>phone kept:dora-Cancelled Cancelled>doras
                                left:anna>kitchen
    ",
    );
    with(
        KEYED,
        "
        3  kitchen invites cleo -> kept:adding-cleo incoming>phone incoming>tablet
        4  anna hangs-up        -> kept:cleo-Cancelled Cancelled>phone Cancelled>tablet
                                   kept:HungUp HungUp>anna HungUp>kitchen close
    ",
    );
}

#[test]
fn a_reloaded_page_in_a_group_stays_while_its_old_leaf_is_removed() {
    with(
        THREE,
        "
        6  phone rings            -> answered:phone>anna tracks0>anna tracks0>kitchen
                                     people3>anna people3>kitchen people3>phone
        7  anna removes phone 2   -> commit2>anna commit2>kitchen commit2>phone
        7  anna ready 3           ->
        7  kitchen ready 3        -> execute3>anna execute3>kitchen key-frames
        8  anna adds phone 3      -> welcome>phone commit3>anna commit3>kitchen
    ",
    );
}

#[test]
fn a_call_takes_no_more_than_its_bound() {
    // Thirty more join after the kitchen; the next one is refused.
    super::crowd(30);
}
