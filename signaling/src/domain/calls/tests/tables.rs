//! The tables.

use super::{TALKING, with};

/// Begins every table in which it rings at the app and in the kitchen.
const RINGING: &str = "
    0  start          -> room incoming>app incoming>kitchen
    1  app rings      -> rings:app>anna
    1  kitchen rings  -> rings:kitchen>anna
";

#[test]
fn the_first_answer_wins_and_everyone_hears_of_the_end() {
    with(
        RINGING,
        "
        2  kitchen answers  -> answered:kitchen>anna people>anna people>kitchen
                               AnsweredElsewhere>app kept:kitchen
        2  app answers      -> !elsewhere
        2  app rings        -> !elsewhere
        2  app declines     -> !elsewhere
        2  kitchen answers  ->
        9  anna hangs-up    -> kept:HungUp HungUp>anna HungUp>kitchen close
        9  kitchen hangs-up -> !over
    ",
    );
}

#[test]
fn it_ends_before_the_answer_with_a_reason_for_all() {
    for (last, reason) in [
        ("2  kitchen declines", "Declined"),
        ("2  app hangs-up", "Declined"),
        ("2  anna cancels", "Cancelled"),
        ("2  anna hangs-up", "Cancelled"),
        ("2  anna refuses-keys", "EncryptionRefused"),
        ("2  anna revoked", "DeviceRevoked"),
        ("2  superseded", "Cancelled"),
        ("2  media-gone", "MediaFailed"),
        ("45 tick", "NoAnswer"),
    ] {
        let end =
            format!("{last} -> kept:{reason} {reason}>anna {reason}>app {reason}>kitchen close");
        with(RINGING, &end);
    }
}

#[test]
fn a_device_that_is_being_woken_gets_as_long_as_a_call_rings() {
    with(
        "",
        "
        0   start       -> room incoming>app incoming>kitchen
        1   pushed      ->
        10  tick        ->
        30  late online -> incoming>late
        45  tick        -> kept:NoAnswer NoAnswer>anna NoAnswer>app NoAnswer>kitchen NoAnswer>late close
    ",
    );
}

#[test]
fn it_ends_after_the_answer_with_a_reason_for_both() {
    for (last, reason) in [
        ("9  kitchen hangs-up", "HungUp"),
        ("9  anna cancels", "HungUp"),
        ("9  kitchen refuses-keys", "EncryptionRefused"),
        ("9  anna has-no-media", "MediaFailed"),
        ("9  kitchen revoked", "DeviceRevoked"),
        ("9  anna revoked", "DeviceRevoked"),
        ("9  media-gone", "MediaFailed"),
    ] {
        with(
            TALKING,
            &format!("{last} -> kept:{reason} {reason}>anna {reason}>kitchen close"),
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    with(
        RINGING,
        "
        2  stranger answers     -> !not-found
        2  stranger offers      -> !not-found
        2  stranger hangs-up    -> !not-found
        2  late answers         -> !not-found
        2  kitchen cancels      -> !not-now
        2  kitchen lies         -> !invalid
        2  anna lies            -> !invalid
        2  anna answers         -> !not-now
        2  anna rings           -> !not-now
        2  anna commits 0       -> !not-now
        2  anna asks-quality    -> !not-now
        2  late online          -> incoming>late
        2  late answers         -> !not-now
        2  app answers          -> answered:app>anna people>anna people>app
                                   AnsweredElsewhere>kitchen AnsweredElsewhere>late kept:app
        3  stranger hangs-up    -> !not-found
        3  app lies             -> !invalid
        3  app declines         -> !not-now
        3  superseded           ->
        45 tick                 ->
    ",
    );
}

/// From outside it looks the same whether nobody has the handle, or somebody is away, and whatever
/// keeps the call from them: the whole ring time, then the reason that an unanswered call has.
#[test]
fn nobody_somebody_out_and_somebody_who_does_not_answer_end_alike() {
    for (who, rings, told) in [
        ("nobody", "", ""),
        (
            "out",
            "incoming>app incoming>kitchen",
            "NoAnswer>app NoAnswer>kitchen",
        ),
    ] {
        with(
            "",
            &format!(
                "
            0    start {who} -> room {rings}
            10   tick        ->
            44.9 tick        ->
            45   tick        -> kept:NoAnswer NoAnswer>anna {told} close
        "
            ),
        );
    }
    with("", "0 start busy -> kept:Busy Busy>anna close");
}

#[test]
fn the_family_is_told_soon_that_nobody_was_reached() {
    with(
        "",
        "
        0    start family -> room incoming>app incoming>kitchen
        9.9  tick         ->
        10   tick         -> kept:Unreachable Unreachable>anna
                             Unreachable>app Unreachable>kitchen close
    ",
    );
}

#[test]
fn a_switch_that_is_off_is_told_before_and_in_the_call_and_holds_the_sound() {
    with(
        "",
        "
        0  start anna-mute         -> room incoming>app anna-microphone-off>app
                                      incoming>kitchen anna-microphone-off>kitchen
        1  kitchen rings           -> rings:kitchen>anna
        1  anna offers             -> negotiate:anna
        1  anna negotiated         -> track:false
        2  kitchen microphone off  -> kitchen-microphone-off>anna
        2  anna microphone on      -> track:true
                                      anna-microphone-on>app anna-microphone-on>kitchen
        2  app microphone on       ->
        3  stranger microphone off ->
        4  kitchen answers         -> answered:kitchen>anna forward:anna:true
                                      people:kitchen-mute>anna people:kitchen-mute>kitchen
                                      tracks1>kitchen AnsweredElsewhere>app kept:kitchen
        5  kitchen microphone on   -> people>anna people>kitchen
        6  anna microphone off     -> track:false
                                      people:anna-mute>anna people:anna-mute>kitchen
    ",
    );
}

#[test]
fn a_device_that_refuses_leaves_the_others_ringing() {
    with(
        RINGING,
        "
        2  app refuses-invitation  ->
        2  app answers             -> !not-found
        3  kitchen refuses-keys    ->
        45 tick                    -> kept:NoAnswer NoAnswer>anna close
    ",
    );
}

#[test]
fn a_caller_who_goes_and_returns_in_time_goes_on() {
    with(
        RINGING,
        "
        2   anna lost    ->
        11  anna back    ->
        12  tick         ->
        13  anna lost    ->
        14  anna lost    ->
        23  tick         -> kept:Cancelled Cancelled>anna Cancelled>app Cancelled>kitchen close
    ",
    );
}

#[test]
fn media_is_held_until_the_answer() {
    with(
        RINGING,
        "
        1  anna offers         -> negotiate:anna
        1  anna negotiated     ->
        1  app offers          -> negotiate:app
        1  app negotiated      ->
        1  app connected       ->
        1  kitchen offers      -> negotiate:kitchen
        1  late offers         -> !not-now
        2  kitchen answers     -> answered:kitchen>anna forward:anna:true
                                  people>anna people>kitchen tracks1>kitchen
                                  AnsweredElsewhere>app remove:app kept:kitchen
        2  app negotiated      ->
        2  app offers          -> !elsewhere
        2  kitchen negotiated  -> forward:kitchen:true tracks1>anna
        3  kitchen offers      -> negotiate:kitchen
        3  kitchen refused-by-node  ->
        3  anna asks-quality   -> statistics
    ",
    );
}

#[test]
fn the_other_side_sees_a_connection_go_and_return() {
    with(
        TALKING,
        "
        3   anna offers      -> negotiate:anna
        3   anna negotiated  -> forward:anna:true tracks1>kitchen
        3   anna connected   ->
        4   anna silent      -> anna:gone>kitchen
        5   anna lost        ->
        6   anna connected   ->
        7   anna back        -> anna:here>kitchen
        8   anna lost        -> anna:gone>kitchen
        60  tick             -> statistics
        60  anna closed      ->
        89  tick             -> statistics
        90  tick             -> kept:DeviceLost DeviceLost>anna DeviceLost>kitchen close
    ",
    );
}

#[test]
fn a_device_without_session_and_media_is_lost() {
    with(
        TALKING,
        "
        3   kitchen lost  -> kitchen:gone>anna
        32  kitchen back  -> kitchen:here>anna
        33  tick          ->
        40  kitchen lost  -> kitchen:gone>anna
        70  tick          -> kept:DeviceLost DeviceLost>anna DeviceLost>kitchen close
    ",
    );
}

#[test]
fn a_caller_lost_while_it_rang_is_waited_for_after_the_answer() {
    with(
        RINGING,
        "
        2   anna lost     ->
        3   app answers   -> answered:app>anna people>anna people>app
                             AnsweredElsewhere>kitchen kept:app anna:gone>app
        33  tick          -> kept:DeviceLost DeviceLost>anna DeviceLost>app close
    ",
    );
}

#[test]
fn a_failed_room_is_made_again_a_few_times() {
    let again = "room tracks0>anna restart>anna";
    with(
        TALKING,
        &format!(
            "
        3  anna offers   -> negotiate:anna
        4  room-fails    -> {again}
        4  anna offers   -> negotiate:anna
        5  room-fails    -> {again}
        5  anna offers   -> negotiate:anna
        6  room-fails    -> {again}
        7  room-fails    -> kept:MediaFailed MediaFailed>anna MediaFailed>kitchen close
    "
        ),
    );
}

#[test]
fn keys_are_relayed_between_the_two_who_talk() {
    with(
        TALKING,
        "
        2    anna adds app 0      -> !invalid
        2    kitchen commits 0    -> !keys
        2    anna adds kitchen 0  -> welcome>kitchen commit0>anna key-frames
        3    kitchen says         -> message>anna
        3    app says             -> !elsewhere
        3    anna commits 1       -> commit1>anna commit1>kitchen
        3    kitchen commits 1    -> !keys
        4    anna ready 2         ->
        5    tick                 -> execute2>anna execute2>kitchen key-frames
        6    kitchen commits 2    -> commit2>anna commit2>kitchen
        6    anna ready 3         ->
        6    kitchen ready 3      -> execute3>anna execute3>kitchen key-frames
        8    tick                 ->
    ",
    );
}

#[test]
fn a_reloaded_page_is_let_in_by_the_other_side() {
    with(
        TALKING,
        "
        2  anna adds kitchen 0  -> welcome>kitchen commit0>anna key-frames
        3  anna offers          -> negotiate:anna
        3  anna negotiated      -> forward:anna:true tracks1>kitchen
        4  anna rings           -> remove:anna answered:anna>kitchen tracks0>kitchen
                                   people>anna people>kitchen
        5  anna offers          -> negotiate:anna
        5  anna negotiated      -> forward:anna:true tracks1>kitchen
    ",
    );
    // Reloaded before it had let the other in: it makes the group again.
    with(
        TALKING,
        "
        3  anna rings  -> answered:kitchen>anna tracks0>kitchen people>anna people>kitchen
    ",
    );
}

#[test]
fn switches_are_shown_to_both() {
    with(
        TALKING,
        "
        3  kitchen mutes  -> people:kitchen-mute>anna people:kitchen-mute>kitchen
    ",
    );
    with(
        RINGING,
        "
        2  anna mutes       ->
        3  kitchen answers  -> answered:kitchen>anna people:anna-mute>anna
                               people:anna-mute>kitchen AnsweredElsewhere>app kept:kitchen
    ",
    );
}
