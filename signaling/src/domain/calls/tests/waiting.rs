//! A second call, and calls that nobody answered.

use super::with;

#[test]
fn a_device_in_another_call_is_told_that_one_waits() {
    with(
        "",
        "
        0   start engaged family    -> room incoming>app waiting>kitchen
        1   kitchen rings    -> rings:kitchen>anna
        2   kitchen answers  -> answered:kitchen>anna people>anna people>kitchen
                                AnsweredElsewhere>app kept:kitchen
    ",
    );
    // From outside it looks as if nobody were at home.
    with(
        "",
        "
        0   start engaged  -> room incoming>app waiting>kitchen
        10  tick           ->
        45  tick           -> kept:NoAnswer NoAnswer>anna NoAnswer>app NoAnswer>kitchen close
    ",
    );
    // Nobody took notice of it, and the family may know: busy, not out.
    with(
        "",
        "
        0   start engaged family  -> room incoming>app waiting>kitchen
        10  tick           -> kept:Busy Busy>anna Busy>app Busy>kitchen close
    ",
    );
}

#[test]
fn who_does_not_want_the_call_that_waits_is_busy() {
    with(
        "",
        "
        0   start engaged family        -> room incoming>app waiting>kitchen
        1   kitchen rings               -> rings:kitchen>anna
        2   app refuses-invitation      ->
        3   kitchen refuses-invitation  -> kept:Busy Busy>anna close
    ",
    );
    // Outside the household it looks like any call that nobody answers.
    with(
        "",
        "
        0   start engaged               -> room incoming>app waiting>kitchen
        1   kitchen rings               -> rings:kitchen>anna
        2   app refuses-invitation      ->
        3   kitchen refuses-invitation  ->
        45  tick                        -> kept:NoAnswer NoAnswer>anna close
    ",
    );
    with(
        super::groups::KEYED,
        "
        3   anna invites dora engaged   -> kept:adding-dora waiting>doras
        4   doras rings                 -> added-rings:doras>anna
        5   doras refuses-invitation    -> kept:dora-Busy not-added:Busy>anna
    ",
    );
    with(
        super::groups::KEYED,
        "
        3   anna invites dora engaged stranger  -> kept:adding-dora waiting>doras
        4   doras rings                         -> added-rings:doras>anna
        5   doras refuses-invitation            ->
        48  tick                                -> kept:dora-NoAnswer not-added:NoAnswer>anna
    ",
    );
}

#[test]
fn answering_another_call_ends_the_part_in_the_first() {
    with(
        super::TALKING,
        "
        9  app left-for-another      ->
        9  kitchen left-for-another  -> kept:HungUp HungUp>anna HungUp>kitchen close
    ",
    );
    with(
        super::groups::THREE,
        "
        9  phone left-for-another  -> kept:cleo-HungUp HungUp>phone people>anna people>kitchen
                                      tracks0>anna tracks0>kitchen left:phone>anna
    ",
    );
}

#[test]
fn what_counts_as_missed() {
    use super::super::machine::is_missed;
    use homeline_protocol::session::EndReason::*;
    for reason in [Cancelled, NoAnswer, Busy, Unreachable, ServerRestarted] {
        assert!(is_missed(reason), "{reason:?}");
    }
    for reason in [
        Declined,
        HungUp,
        AnsweredElsewhere,
        EncryptionRefused,
        Moved,
    ] {
        assert!(!is_missed(reason), "{reason:?}");
    }
}

#[test]
fn ringing_survives_a_lost_session() {
    with(
        "",
        "
        0   start            -> room incoming>app incoming>kitchen
        1   kitchen rings    -> rings:kitchen>anna
        2   kitchen lost     ->
        20  tick             ->
        21  kitchen back     ->
        22  kitchen answers  -> answered:kitchen>anna people>anna people>kitchen
                                AnsweredElsewhere>app kept:kitchen
    ",
    );
}

#[test]
fn a_caller_who_cancels_as_somebody_answers_ends_it_either_way() {
    let ringing = "
        0  start          -> room incoming>app incoming>kitchen
        1  kitchen rings  -> rings:kitchen>anna
    ";
    with(
        ringing,
        "
        2  anna cancels     -> kept:Cancelled Cancelled>anna Cancelled>app Cancelled>kitchen close
        2  kitchen answers  -> !over
    ",
    );
    with(
        ringing,
        "
        2  kitchen answers  -> answered:kitchen>anna people>anna people>kitchen
                               AnsweredElsewhere>app kept:kitchen
        2  anna cancels     -> kept:HungUp HungUp>anna HungUp>kitchen close
    ",
    );
}
