//! The cores, one by one, and what a liar can do.

use std::time::{Duration, Instant};

use super::loss::LossBound;
use super::meter::Meter;
use super::{Estimator, Pacer, Share, allocate};
use crate::wire::rtcp::PacketStatus;

/// What a receiver's clock can show: 24 bits of 64 ms.
const CLOCK: i64 = (1 << 23) * 64_000;

fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an arbitrary start of the test's clock"
    )]
    Instant::now()
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn share(steps: usize, rates: &[f64]) -> Share<u8> {
    let mut share = Share::new(0, steps);
    share.set_rates(rates.iter().copied());
    share
}

#[test]
fn the_last_picture_stays_as_long_as_it_comes_through() {
    let now = start();
    let mut shares = [share(1, &[500.0])];
    for second in 0..10 {
        allocate(now + ms(1_000 * second), 100.0, true, &mut shares);
        assert_eq!(shares[0].steps, 1);
    }
    allocate(now + ms(9_900), 100.0, false, &mut shares);
    assert_eq!(shares[0].steps, 1);
    allocate(now + ms(10_100), 100.0, false, &mut shares);
    assert_eq!(shares[0].steps, 0);
}

#[test]
fn a_meter_counts_what_came_in_its_window_and_begins_anew_after_a_jump() {
    let mut meter = Meter::default();
    assert_eq!(meter.rate(), None);
    for at in 0..100 {
        meter.note(at * 10_000, 125);
    }
    let rate = meter.rate().unwrap();
    assert!((rate - 100_000.0).abs() < 1_000.0, "{rate}");
    meter.note(i64::MAX / 2, 125);
    assert_eq!(meter.rate(), None);
    meter.note(i64::MIN / 2, 125);
    assert_eq!(meter.rate(), None);
}

/// Shares a budget and says how many wait for lack of it.
fn paused(now: Instant, budget: f64, shares: &mut [Share<u8>]) -> usize {
    allocate(now, budget, false, shares);
    shares.iter().filter(|share| share.steps == 0).count()
}

#[test]
fn what_does_not_fit_goes_at_once_and_comes_back_with_a_margin_and_after_a_hold() {
    let now = start();
    let mut shares = [share(1, &[500.0]), share(1, &[400.0])];
    assert_eq!(paused(now, 1_000.0, &mut shares), 0);
    assert_eq!(paused(now, 600.0, &mut shares), 1);
    assert_eq!((shares[0].steps, shares[1].steps), (1, 0));
    let later = now + ms(900);
    assert_eq!(paused(later, 1_000.0, &mut shares), 1, "too soon");
    let later = now + ms(1_000);
    assert_eq!(paused(later, 930.0, &mut shares), 1, "without a margin");
    assert_eq!(paused(later, 950.0, &mut shares), 0);
}

#[test]
fn every_track_has_its_smallest_layer_before_one_rises_and_priority_comes_first() {
    let now = start();
    let layers = [100.0, 300.0, 900.0];
    let mut shares = [share(0, &layers), share(0, &layers), share(0, &layers)];
    assert_eq!(paused(now, 200.0, &mut shares), 2);
    let mut shares = [share(0, &layers), share(0, &layers), share(0, &layers)];
    allocate(now, 780.0, false, &mut shares);
    assert_eq!(shares.each_ref().map(|share| share.steps), [2, 2, 1]);
    let mut shares = [share(0, &layers), share(0, &layers), share(0, &layers)];
    shares[2].priority = 1;
    allocate(now, 1_300.0, false, &mut shares);
    assert_eq!(shares.each_ref().map(|share| share.steps), [3, 1, 1]);
    assert_eq!(shares[0].priority, 1);
}

#[test]
fn the_pacer_lets_bursts_through_and_bounds_what_waits() {
    let now = start();
    let mut pacer = Pacer::new(now);
    pacer.set_pace(now, 1_000_000.0);
    let room = pacer.room(now + ms(50)).unwrap();
    assert!((room - 2_400.0).abs() < 1.0, "{room}");
    pacer.charge(3_650);
    assert_eq!(pacer.room(now + ms(50)), None);
    let mut taken = 0_u32;
    while pacer.push(now + ms(50), taken) {
        taken += 1;
    }
    assert_eq!(taken, 256);
    assert_eq!(pacer.wake_at(), Some(now + ms(60)));
    assert!(pacer.room(now + ms(61)).is_some());
    assert_eq!(pacer.pop(), Some(0));
    assert!(!pacer.push(now + ms(1_000), 0), "the first waits too long");
}

#[test]
fn loss_that_does_not_fall_with_the_rate_is_the_paths_own() {
    let (mut bound, mut estimate) = (LossBound::default(), 1_000_000.0_f64);
    for step in 1..60 {
        bound.note(70, 30, 0, false);
        if let Some(bound) = bound.judge(step * 450_000, estimate, (estimate, estimate)) {
            estimate = estimate.min(bound);
        }
    }
    assert!(estimate > 400_000.0, "{estimate}");
    let (mut bound, mut estimate) = (LossBound::default(), 1_000_000.0_f64);
    for step in 1..60 {
        let lost = ((1.0 - 500_000.0 / estimate).max(0.0) * 100.0) as u32;
        bound.note(100 - lost, lost, 0, false);
        if let Some(bound) = bound.judge(step * 450_000, estimate, (estimate, estimate)) {
            estimate = estimate.min(bound);
        }
    }
    assert!((400_000.0..600_000.0).contains(&estimate), "{estimate}");
}

/// An estimator whose receiver answers `lie` for each packet of a 500 kbit/s stream, for twenty seconds.
fn lied_to(lie: impl Fn(u16, i64) -> Vec<PacketStatus>) -> f64 {
    let now = start();
    let mut estimator = Estimator::new(now);
    estimator.set_wanted(1e12);
    for number in 0..2_000_u16 {
        let at = now + ms(10) * u32::from(number);
        estimator.note_sent(at, number, 625);
        estimator.handle_timeout(at);
        estimator.handle_feedback(
            at,
            number as u8,
            lie(number, i64::from(number) * 10_000).into_iter(),
        );
    }
    estimator.estimate()
}

#[test]
fn a_liar_gets_an_estimate_within_bounds() {
    let told = |sequence, arrival_micros| PacketStatus {
        sequence,
        arrival_micros,
    };
    let lies: [&dyn Fn(u16, i64) -> Vec<PacketStatus>; 6] = [
        &|_, _| Vec::new(),
        &|number, at| vec![told(number.wrapping_add(9_000), Some(at))],
        &|number, _| vec![told(number, None)],
        &|number, _| vec![told(number, Some(0))],
        &|number, at| {
            vec![told(
                number,
                Some(at.wrapping_mul(0x1234_5678_9abc_def1) % CLOCK),
            )]
        },
        &|number, at| vec![told(number, Some(CLOCK - at)); 100],
    ];
    for lie in lies {
        let estimate = lied_to(lie);
        assert!((50_000.0..=50_000_000.0).contains(&estimate), "{estimate}");
    }
}

/// The path carries 300 kbit/s of 600, so that what was sent last came late. Then nothing is sent any more.
#[test]
fn a_receiver_that_is_sent_nothing_after_a_queue_is_probed_again() {
    let now = start();
    let mut estimator = Estimator::new(now);
    estimator.set_wanted(2e6);
    for number in 0..300_u16 {
        let sent = i64::from(number) * 10_000;
        let arrived = sent + 20_000 + (sent / 2).min(400_000);
        let at = now + ms(10) * u32::from(number);
        estimator.note_sent(at, number, 750);
        let told = PacketStatus {
            sequence: number,
            arrival_micros: Some(arrived),
        };
        estimator.handle_feedback(at, number as u8, std::iter::once(told));
        estimator.handle_timeout(at);
    }
    assert!(estimator.is_queued());
    let probed = (0..200).any(|step| {
        estimator.handle_timeout(now + ms(3_000 + 50 * step));
        step > 40 && estimator.probe_rate().is_some()
    });
    assert!(probed);
}

#[test]
fn a_packet_counts_once_however_often_it_is_told_of() {
    let honest = |number, at| {
        vec![PacketStatus {
            sequence: number,
            arrival_micros: Some(at),
        }]
    };
    let repeated = |number: u16, at: i64| {
        let again = (0..50).map(|back| PacketStatus {
            sequence: number.wrapping_sub(back),
            arrival_micros: Some(at),
        });
        again.collect()
    };
    assert_eq!(lied_to(honest), lied_to(repeated));
}
