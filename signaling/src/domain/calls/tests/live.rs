//! Live announcements as tables: Anna's phone announces at the kitchen, the living room and Cleo's phone.

use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Event, Party};

use super::super::machine::{Announcement, Call, Hearer};
use super::{BEN, CALLER, CLEO, CallsConfig, Effect, KITCHEN, LIVING, Moment, PHONE, invite, with};

pub(super) fn announced(now: Moment) -> (Call, Vec<Effect>) {
    let hearer = |device, account| Hearer {
        device,
        account,
        party: Party {
            handle: "ben".parse().unwrap(),
            display_name: "Ben".to_owned(),
            guest: false,
        },
    };
    let new = Announcement {
        invite: invite(&["family"]),
        hearers: vec![
            hearer(KITCHEN, BEN),
            hearer(LIVING, BEN),
            hearer(PHONE, CLEO),
        ],
        told: Event::LiveAnnouncement {
            call: CallId([7; 16]),
            device: CALLER,
            statement: Blob(vec![1]),
        },
    };
    Call::announced(&CallsConfig::default(), new, now)
}

/// Begins every table in which the kitchen hears it, and is in the group.
const HEARD: &str = "
    0  announces        -> room live:anna>kitchen live:anna>living live:anna>phone
    0  anna offers      -> negotiate:anna
    0  anna negotiated  -> forward:anna:true
    1  kitchen hears    -> answered:kitchen>anna people:kitchen-mute>anna people:kitchen-mute>kitchen
                           tracks1>kitchen
    1  anna adds kitchen 0 -> welcome>kitchen commit0>anna key-frames
";

// req: ANN-1, ANN-3
#[test]
fn only_the_announcing_device_is_heard() {
    with(
        HEARD,
        "
        2  kitchen offers              -> !not-yours
        2  kitchen listens             -> negotiate:kitchen
        2  kitchen negotiated          -> forward:kitchen:true
        2  anna offers with-camera     -> !not-yours
        2  kitchen mutes               -> !not-yours
        2  kitchen adds living 1       -> !not-yours
        2  stranger hears              -> !not-found
        2  stranger offers             -> !not-found
        2  living listens              -> !not-now
        2  anna hears                  -> !not-yours
        ",
    );
}

#[test]
fn nobody_is_added_and_nothing_moves_and_only_who_announces_ends_it_for_all() {
    with(
        HEARD,
        "
        2  anna invites dora           -> !not-yours
        2  kitchen invites dora        -> !not-yours
        2  anna moves-to living        -> !not-yours
        2  kitchen moves-to living     -> !not-yours
        2  living wants-it             -> !not-now
        2  kitchen ends-for-all        -> !not-yours
        2  kitchen rings               -> !not-now
        3  anna hangs-up               -> kept:HungUp HungUp>anna HungUp>kitchen HungUp>living HungUp>phone close
        4  living hears                -> !over
        ",
    );
}

// req: A-41
#[test]
fn it_lasts_a_minute_at_most() {
    with(
        HEARD,
        "
        59.9  tick  -> statistics
        60    tick  -> kept:HungUp HungUp>anna HungUp>kitchen HungUp>living HungUp>phone close
        ",
    );
}

#[test]
fn one_that_nobody_hears_ends_after_ten_seconds() {
    with(
        "",
        "
        0    announces  -> room live:anna>kitchen live:anna>living live:anna>phone
        9.9  tick       ->
        10   tick       -> kept:NoAnswer NoAnswer>anna NoAnswer>kitchen NoAnswer>living NoAnswer>phone close
        ",
    );
    // Those who were told say that they will not hear it.
    with(
        "",
        "
        0  announces         -> room live:anna>kitchen live:anna>living live:anna>phone
        1  kitchen hangs-up  -> declined:kitchen>anna
        1  kitchen hears     -> !over
        1  living hangs-up   -> declined:living>anna
        1  phone hangs-up    -> declined:phone>anna kept:HungUp HungUp>anna close
        ",
    );
}

#[test]
fn who_hears_it_leaves_alone_and_it_ends_when_nobody_is_left() {
    with(
        HEARD,
        "
        2   living hears      -> answered:living>anna people:kitchen-mute>anna people:kitchen-mute>kitchen
                                 people:kitchen-mute>living tracks1>living
        3   kitchen hangs-up  -> kept:ben-HungUp HungUp>kitchen people:living-mute>anna people:living-mute>living
                                 tracks0>anna tracks1>living left:kitchen>anna
        3   kitchen hears     -> !over
        3   kitchen hangs-up  -> !over
        11  tick              -> left:kitchen>anna statistics
        12  living hangs-up   -> kept:ben-HungUp HungUp>living kept:HungUp HungUp>anna HungUp>phone close
        ",
    );
}

#[test]
fn a_reloaded_page_has_forgotten_it() {
    with(
        HEARD,
        "
        2   kitchen reloaded  -> kept:ben-DeviceLost DeviceLost>kitchen kept:HungUp HungUp>anna
                                 HungUp>living HungUp>phone close
        ",
    );
}

#[test]
fn what_the_announcing_device_loses_is_over_for_all() {
    with(
        HEARD,
        "
        2   anna reloaded  -> kept:DeviceLost DeviceLost>anna DeviceLost>kitchen DeviceLost>living
                              DeviceLost>phone close
        ",
    );
    with(
        HEARD,
        "
        2   anna lost      -> anna:gone>kitchen
        31  tick           -> statistics
        32  tick           -> kept:DeviceLost DeviceLost>anna DeviceLost>kitchen DeviceLost>living
                              DeviceLost>phone close
        ",
    );
}
