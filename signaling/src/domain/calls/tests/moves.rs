//! Moving a call to another device.

use super::groups::{KEYED, THREE};
use super::with;

#[test]
fn a_call_moves_with_one_commit_and_the_old_device_hears_why() {
    with(
        KEYED,
        "
        3  kitchen offers           -> negotiate:kitchen
        3  kitchen negotiated       -> forward:kitchen:true tracks1>anna
        3  anna offers              -> negotiate:anna
        3  anna negotiated          -> forward:anna:true tracks1>kitchen
        4  kitchen moves-to living  -> offered:kitchen>living
        4  kitchen moves-to living  ->
        4  living offers            -> !elsewhere
        5  living answers           -> !not-now
        5  living rings             ->
        5  living offers            -> negotiate:living
        5  living negotiated        ->
        6  living answers           -> replace:kitchen:living>anna
        6  kitchen says             -> message>anna
        7  anna adds living 1       -> !invalid
        7  anna replaces kitchen living 1
                                    -> Moved>kitchen remove:kitchen forward:living:true
                                       people>anna people>living tracks1>living tracks1>anna
                                       welcome>living commit1>anna commit1>kitchen
        7  kitchen says             -> !over
        8  anna ready 2             -> execute2>anna execute2>living key-frames
        9  living says              -> message>anna
        60 tick                     -> statistics
        61 living hangs-up          -> kept:HungUp HungUp>anna HungUp>living close
    ",
    );
}

#[test]
fn the_device_that_wants_the_call_asks_the_one_that_has_it() {
    with(
        KEYED,
        "
        3  living wants-it          -> wanted:living>kitchen
        3  stranger wants-it        -> !not-found
        3  kitchen wants-it         -> !not-now
        4  kitchen moves-to living  -> offered:kitchen>living
        4  living wants-it          ->
    ",
    );
}

#[test]
fn a_move_that_is_not_taken_leaves_the_call_where_it_is() {
    for (last, reason) in [
        ("9  living refuses-invitation", "Declined"),
        ("9  living declines", "Declined"),
        ("9  living revoked", "DeviceRevoked"),
        ("24 tick", "NoAnswer"),
    ] {
        with(
            KEYED,
            &format!(
                "
            4  kitchen moves-to living  -> offered:kitchen>living
            5  living rings             ->
            {last}                      -> {reason}>living not-moved:living:{reason}>kitchen
            30 kitchen says             -> message>anna
            30 living answers           -> !elsewhere
        "
            ),
        );
    }
    // Asked for another device instead.
    with(
        KEYED,
        "
        4  kitchen moves-to living  -> offered:kitchen>living
        5  kitchen moves-to app     -> Cancelled>living not-moved:living:Cancelled>kitchen
                                       offered:kitchen>app
    ",
    );
}

#[test]
fn a_move_that_does_not_fit_is_refused() {
    with(
        super::TALKING,
        "
        3  kitchen moves-to living -> !not-now
        3  anna adds kitchen 0     -> welcome>kitchen commit0>anna key-frames
        4  kitchen moves-to anna   -> !not-now
        4  stranger moves-to living -> !not-found
        4  app moves-to living     -> !elsewhere
    ",
    );
}

#[test]
fn a_call_that_ends_ends_its_move() {
    with(
        KEYED,
        "
        4  kitchen moves-to living  -> offered:kitchen>living
        5  living rings             ->
        6  living answers           -> replace:kitchen:living>anna
        7  anna hangs-up            -> kept:HungUp HungUp>anna HungUp>kitchen HungUp>living close
    ",
    );
}

#[test]
fn among_three_another_member_commits_the_move_when_the_first_goes() {
    with(
        THREE,
        "
        6  kitchen moves-to living  -> offered:kitchen>living
        7  living rings             ->
        7  living answers           -> replace:kitchen:living>anna
        8  anna hangs-up            -> kept:anna-HungUp HungUp>anna people>kitchen people>phone
                                       tracks0>kitchen tracks0>phone
                                       replace:kitchen:living>phone left:anna>kitchen
        9  phone replaces kitchen living 2
                                    -> Moved>kitchen people>living people>phone tracks0>phone
                                       welcome>living commit2>anna commit2>kitchen commit2>phone
                                       left:anna>living
    ",
    );
}
