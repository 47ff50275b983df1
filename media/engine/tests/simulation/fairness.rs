//! One receiver on a bad link costs the others nothing, and harms nobody but itself.

use super::{SECOND, Stage, weather};
use crate::support::network::Link;

/// What receiver 2, on a good link, gets in ten seconds beside receiver 3.
fn good_beside(bad: Option<Link>) -> (usize, usize) {
    let mut stage = Stage::new(9, &[2, 3]);
    stage.set_link(2, Link::new(8_000_000, weather(20, 0, 0)));
    let good = Link::new(8_000_000, weather(20, 0, 0));
    stage.set_link(3, bad.unwrap_or(good));
    stage.world.run(3 * SECOND);
    let before = (stage.sound(2), stage.pictures(2));
    stage.world.run(10 * SECOND);
    (stage.sound(2) - before.0, stage.pictures(2) - before.1)
}

#[test]
fn a_receiver_on_a_bad_link_costs_the_others_nothing() {
    let alone = good_beside(None);
    let beside = good_beside(Some(Link::new(300_000, weather(150, 30, 200))));
    println!(
        "beside a good link {alone:?}, beside a bad one {beside:?} frames of sound and pictures"
    );
    // 500 frames of sound are sent, and 2,100 of pictures.
    assert!(alone.0 > 480 && alone.1 > 1_500, "{alone:?}");
    assert!(beside.0 + 5 >= alone.0, "{alone:?} {beside:?}");
    assert!(beside.1 * 100 >= alone.1 * 98, "{alone:?} {beside:?}");
}

#[test]
fn nothing_collapses_at_three_tenths_of_loss() {
    let mut stage = Stage::new(10, &[2]);
    stage.set_link(2, Link::new(2_000_000, weather(50, 0, 300)));
    stage.world.run(15 * SECOND);
    let heard = stage.sound(2);
    let estimate = stage.mean_estimate(2, 5 * SECOND);
    let sound = stage.sound(2) - heard;
    println!("at 30 % loss: estimate {estimate:.0} of 2000000, {sound} of 250 frames of sound");
    assert!(estimate > 400_000.0);
    assert!(sound > 150, "{sound}");
}
