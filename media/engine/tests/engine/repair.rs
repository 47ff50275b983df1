//! What is lost is asked for in time, sent again once, and counted as lost.

use std::time::Duration;

use homeline_media_engine::DropReason;
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

use crate::support::network::Weather;
use crate::support::world::{World, count_of};

const SECOND: Duration = Duration::from_secs(1);

fn show(seed: u64) -> (World, Mid) {
    let mut world = World::new(seed);
    let (sends, _) = world.join(1, &[(Video, 12)], &[]);
    let (_, takes) = world.join(2, &[], &[(Video, 12)]);
    world.wait_connected();
    world.forward(1, true);
    world.forward(2, true);
    world.start_sending(1, sends[0], Video);
    world.run(SECOND);
    (world, takes[0])
}

#[test]
fn a_gap_is_asked_for_within_ten_milliseconds_and_reordering_never() {
    for seed in 0..10 {
        let (mut world, _) = show(seed);
        world.network.weather.jitter = Duration::from_millis(4);
        world.run(3 * SECOND);
        assert_eq!(
            world.engine.counters().nacks_sent,
            0,
            "{seed}: only reordered"
        );
        for _ in 0..20 {
            // Loses what is under way, and waits for the packet behind the gap.
            world.network.weather = Weather {
                loss_per_mille: 1_000,
                ..Weather::FAIR
            };
            world.run(Duration::from_millis(34));
            world.network.weather = Weather::FAIR;
            let asked = world.engine.counters().nacks_sent;
            let received = world.engine.counters().rtp_in;
            world.wait("a packet behind the gap", |world| {
                world.engine.counters().rtp_in > received
            });
            let until = world.now + Duration::from_millis(10);
            let in_time =
                world.run_until(until, |world| world.engine.counters().nacks_sent > asked);
            assert!(in_time, "{seed}: not asked within ten milliseconds");
            world.run(SECOND / 4);
        }
    }
}

#[test]
fn duplicates_and_reordering_reach_nobody_twice() {
    for seed in 20..30 {
        let (mut world, takes) = show(seed);
        world.network.duplicates_per_mille = 300;
        world.network.weather.jitter = Duration::from_millis(30);
        world.run(5 * SECOND);
        world.stop_sending();
        world.run(SECOND);
        let frames = world.client(2).received(takes);
        assert!(
            frames
                .windows(2)
                .all(|pair| count_of(&pair[0].data) < count_of(&pair[1].data))
        );
        assert!(frames.len() > 170, "{} frames", frames.len());
        let counters = *world.engine.counters();
        assert!(counters.dropped(DropReason::Replayed) > 100, "{counters:?}");
        let once = counters.rtp_in - counters.dropped(DropReason::Redundant);
        assert!(counters.rtp_forwarded <= once, "{counters:?}");
    }
}

#[test]
fn what_was_sent_again_counts_as_lost() {
    let (mut world, takes) = show(31);
    world.network.weather = Weather {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss_per_mille: 100,
    };
    let mut worst = 0;
    for _ in 0..10 {
        world.run(SECOND);
        worst = worst.max(world.statistics()[0].loss_in_256ths);
    }
    assert!(worst >= 20, "{worst} of 256, of a loss of a tenth");
    let holes = world
        .client(2)
        .received(takes)
        .iter()
        .filter(|frame| !frame.contiguous);
    assert!(holes.count() <= 8, "and it was mended");
}

#[test]
fn requests_that_repeat_themselves_are_answered_once_in_a_round_trip() {
    for seed in 40..50 {
        let (mut world, takes) = show(seed);
        world.network.weather = Weather {
            delay: Duration::from_millis(100),
            jitter: Duration::ZERO,
            loss_per_mille: 30,
        };
        world.run(10 * SECOND);
        let counters = *world.engine.counters();
        let lost = world.network.lost;
        assert!(counters.rtp_retransmitted > 0);
        assert!(
            counters.rtp_retransmitted <= 2 * lost,
            "{seed}: {} sent again for {lost} lost",
            counters.rtp_retransmitted
        );
        assert!(world.client(2).received(takes).len() > 280);
    }
}
