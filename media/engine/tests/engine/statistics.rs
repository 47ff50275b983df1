//! What the engine tells of a call's streams, with `str0m` clients on a virtual clock.

use std::time::Duration;

use homeline_protocol::media_control::{MediaCommand, MediaReply, PeerStatistics};
use homeline_protocol::media_statistics::{PathKind, TrackKind};
use str0m::media::MediaKind::{Audio, Video};

use crate::support::network::Weather;
use crate::support::world::{ROOM, World, peer, track};

const SECOND: Duration = Duration::from_secs(1);

/// The first sends sound and picture, the others receive both.
fn world(seed: u64, weather: Weather) -> World {
    let mut world = World::new(seed);
    let (sends, _) = world.join(1, &[(Audio, 11), (Video, 12)], &[]);
    for number in [2, 3] {
        world.join(number, &[], &[(Audio, 11), (Video, 12)]);
    }
    world.wait_connected();
    for number in [1, 2, 3] {
        world.forward(number, true);
    }
    world.network.weather = weather;
    world.start_sending(1, sends[0], Audio);
    world.start_sending(1, sends[1], Video);
    world.run(6 * SECOND);
    world
}

fn of(world: &mut World, number: u8) -> PeerStatistics {
    let mut all = world.statistics().into_iter();
    all.find(|statistics| statistics.peer == peer(number))
        .expect("it joined")
}

#[test]
fn every_stream_is_counted_and_a_good_network_scores_well() {
    let mut world = world(40, Weather::FAIR);
    let publisher = of(&mut world, 1);
    assert!(publisher.received.is_empty() && publisher.published.len() == 2);
    for published in &publisher.published {
        let [layer] = &published.layers[..] else {
            panic!("one layer: {published:?}");
        };
        // 80 bytes 50 times a second, 3,000 bytes 30 times a second, and headers.
        let (expected, frames) = match published.kind {
            TrackKind::Audio => (32_000..50_000, None),
            TrackKind::Video => (720_000..800_000, Some(30)),
        };
        assert!(expected.contains(&layer.bits_per_second), "{layer:?}");
        let near = |frames: u32| (29..=31).contains(&frames);
        assert_eq!(layer.frames_per_second.map(near), frames.map(|_| true));
        assert!(layer.packets > 250 && layer.bytes > layer.packets * 80);
        assert_eq!((layer.lost, layer.loss_256ths), (0, 0));
        assert!(published.forwarding && published.quality.unwrap() > 90);
    }
    let transport = publisher.transport.unwrap();
    assert_eq!((transport.path, transport.ip_version), (PathKind::Udp, 4));
    assert!(transport.srtp_profile.starts_with("SRTP_AEAD_AES_128"));
    for number in [2, 3] {
        let receiver = of(&mut world, number);
        assert!(receiver.published.is_empty() && receiver.received.len() == 2);
        for received in &receiver.received {
            assert!(!received.paused && received.bits_per_second > 32_000 - 1_000);
            assert!(received.packets > 250 && received.bytes >= received.packets * 80);
            assert_eq!((received.nacks, received.resends), (0, 0));
            assert!(received.quality.unwrap() > 90, "{received:?}");
        }
        assert!(receiver.quality.unwrap() > 90 && receiver.quality_up.is_none());
    }
}

#[test]
fn a_bad_network_shows_in_the_figures_and_in_the_score() {
    let mut world = world(
        41,
        Weather {
            delay: Duration::from_millis(100),
            jitter: Duration::from_millis(20),
            loss_per_mille: 100,
        },
    );
    let publisher = of(&mut world, 1);
    let layers = publisher.published.iter().flat_map(|track| &track.layers);
    assert!(layers.clone().any(|layer| layer.loss_256ths > 0));
    assert!(layers.clone().all(|layer| layer.jitter_ms > 0));
    assert!(publisher.quality_up.unwrap() < 90, "{publisher:?}");
    let receiver = of(&mut world, 2);
    assert!(receiver.received.iter().any(|track| track.nacks > 0));
    assert!(receiver.received.iter().any(|track| track.resends > 0));
    assert!(receiver.quality.unwrap() < 90, "{receiver:?}");
}

#[test]
fn a_held_track_is_paused_and_has_no_score() {
    let mut world = world(42, Weather::FAIR);
    let hold = MediaCommand::SetTrackForwarding {
        room: ROOM,
        track: track(12),
        on: false,
    };
    assert_eq!(world.command(hold), Ok(MediaReply::Done));
    world.run(2 * SECOND);
    let publisher = of(&mut world, 1);
    let receiver = of(&mut world, 2);
    for (published, received) in publisher.published.iter().zip(&receiver.received) {
        let held = published.track == track(12);
        assert_eq!((published.forwarding, received.paused), (!held, held));
        assert_eq!(published.quality.is_none(), held);
        assert_eq!(received.quality.is_none(), held);
        assert!(published.layers[0].bits_per_second > 0, "still arrives");
        assert_eq!(received.bits_per_second == 0, held);
    }
    assert!(receiver.quality.unwrap() > 90, "sound goes on");
}

#[test]
fn who_is_gone_has_neither_rates_nor_a_score() {
    let mut world = world(43, Weather::FAIR);
    world.cut_off.push(2);
    world.run(15 * SECOND);
    let gone = of(&mut world, 2);
    assert!(!gone.connected && gone.quality.is_none());
    let rates = gone.received.iter().map(|track| track.bits_per_second);
    assert!(rates.eq([0, 0]));
    assert!(of(&mut world, 3).quality.unwrap() > 90, "nobody else minds");
}
