//! Calls between simulated clients through the engine, on a virtual clock.

mod support;

use std::time::Duration;

use homeline_protocol::media_control::MediaEvent;
use str0m::media::MediaKind::Audio;
use support::world::{ROOM, World, count_of, peer};

#[test]
fn two_peers_hear_each_other() {
    let mut world = World::new(1);
    let (sends_a, hears_a) = world.join(1, &[(Audio, 11)], &[(Audio, 22)]);
    let (sends_b, hears_b) = world.join(2, &[(Audio, 22)], &[(Audio, 11)]);
    world.wait_connected();
    world.forward(1, true);
    world.forward(2, true);
    world.start_sending(1, sends_a[0], Audio);
    world.start_sending(2, sends_b[0], Audio);
    world.run(Duration::from_secs(2));
    for (number, mid, other) in [(1, hears_a[0], 2), (2, hears_b[0], 1)] {
        let frames = world.client(number).received(mid);
        assert!(frames.len() > 90, "{} frames", frames.len());
        assert!(frames.iter().all(|frame| frame.data[8..] == [other; 72]));
        assert!(frames.windows(2).all(|pair| {
            count_of(&pair[1].data) == count_of(&pair[0].data) + 1 && pair[1].contiguous
        }));
    }
    let connected = |number| MediaEvent::PeerConnected { room: ROOM, peer: peer(number) };
    assert!(world.events.contains(&connected(1)) && world.events.contains(&connected(2)));
    assert_eq!(world.engine.counters().dropped_total(), 0);
}
