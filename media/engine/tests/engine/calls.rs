//! Calls between simulated clients through the engine, on a virtual clock.

use std::time::Duration;

use homeline_media_engine::{DropReason, EngineConfig, Population};
use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent, MediaReply, Publish};
use str0m::media::Direction;
use str0m::media::MediaKind::{Audio, Video};
use str0m::media::Mid;

use crate::support::network::Weather;
use crate::support::world::{ROOM, SERVER, World, count_of, peer, track};

const SECOND: Duration = Duration::from_secs(1);

/// Two peers that publish sound and hear each other.
struct Call {
    world: World,
    sends: [Mid; 2],
    hears: [Mid; 2],
}

fn call(seed: u64) -> Call {
    let mut world = World::new(seed);
    let (sends_a, hears_a) = world.join(1, &[(Audio, 11)], &[(Audio, 22)]);
    let (sends_b, hears_b) = world.join(2, &[(Audio, 22)], &[(Audio, 11)]);
    world.wait_connected();
    world.forward(1, true);
    world.forward(2, true);
    world.start_sending(1, sends_a[0], Audio);
    world.start_sending(2, sends_b[0], Audio);
    Call {
        world,
        sends: [sends_a[0], sends_b[0]],
        hears: [hears_a[0], hears_b[0]],
    }
}

impl Call {
    fn heard(&self, number: u8) -> usize {
        let mid = self.hears[usize::from(number) - 1];
        self.world.clients[&number].received(mid).len()
    }

    /// How many frames each hears in the given time.
    fn heard_during(&mut self, time: Duration) -> [usize; 2] {
        let before = [self.heard(1), self.heard(2)];
        self.world.run(time);
        [self.heard(1) - before[0], self.heard(2) - before[1]]
    }
}

#[test]
fn two_peers_hear_each_other_without_a_gap() {
    let mut call = call(1);
    call.world.run(2 * SECOND);
    for (number, mid, other) in [(1, call.hears[0], 2), (2, call.hears[1], 1)] {
        let frames = call.world.client(number).received(mid);
        assert!(frames.len() > 90, "{} frames", frames.len());
        assert!(frames.iter().all(|frame| frame.data[8..] == [other; 72]));
        assert!(frames.windows(2).all(|pair| {
            count_of(&pair[1].data) == count_of(&pair[0].data) + 1 && pair[1].contiguous
        }));
    }
    let connected = |number| MediaEvent::PeerConnected {
        room: ROOM,
        peer: peer(number),
    };
    assert!(call.world.events.contains(&connected(1)) && call.world.events.contains(&connected(2)));
    assert_eq!(call.world.engine.counters().dropped_total(), 0);
}

#[test]
fn a_held_peer_neither_hears_nor_is_heard_until_it_is_let_go() {
    let mut call = call(2);
    call.world.run(SECOND);
    call.world.forward(2, false);
    call.world.run(Duration::from_millis(50));
    assert_eq!(call.heard_during(SECOND), [0, 0]);
    call.world.forward(2, true);
    let heard = call.heard_during(SECOND);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
    let (mid, frames) = (call.hears[1], call.heard(2));
    let contiguous = call
        .world
        .client(2)
        .received(mid)
        .iter()
        .filter(|f| f.contiguous)
        .count();
    assert_eq!(contiguous, frames, "the receiver sees no hole");
}

#[test]
fn a_new_peer_is_held() {
    let mut world = World::new(3);
    let (sends, _) = world.join(1, &[(Audio, 11)], &[]);
    let (_, hears) = world.join(2, &[], &[(Audio, 11)]);
    world.wait_connected();
    world.start_sending(1, sends[0], Audio);
    world.run(SECOND);
    assert!(world.client(2).received(hears[0]).is_empty());
    world.forward(1, true);
    world.run(SECOND);
    assert!(
        world.client(2).received(hears[0]).is_empty(),
        "both must be let go"
    );
    world.forward(2, true);
    world.run(SECOND);
    assert!(!world.client(2).received(hears[0]).is_empty());
}

#[test]
fn a_removed_peer_gets_no_packet_more_and_is_told() {
    let mut call = call(4);
    call.world.run(SECOND);
    // Removing twice is no error.
    for _ in 0..2 {
        let remove = MediaCommand::RemovePeer {
            room: ROOM,
            peer: peer(2),
        };
        assert_eq!(call.world.command(remove), Ok(MediaReply::Done));
    }
    let (heard, forwarded) = (call.heard(2), call.world.engine.counters().rtp_forwarded);
    call.world.run(SECOND);
    assert!(call.heard(2) <= heard + 1, "but for what was on its way");
    assert_eq!(call.world.engine.counters().rtp_forwarded, forwarded);
    assert_eq!(call.world.statistics().len(), 1);
    assert!(!call.world.client(2).rtc.is_alive(), "it was told by DTLS");
    let on = MediaCommand::SetForwarding {
        room: ROOM,
        peer: peer(2),
        on: true,
    };
    assert_eq!(call.world.command(on), Err(MediaError::NoPeer));
}

#[test]
fn a_track_that_is_held_is_not_forwarded_until_it_flows_again() {
    let mut call = call(8);
    call.world.run(SECOND);
    let set = |on, number| MediaCommand::SetTrackForwarding {
        room: ROOM,
        track: track(number),
        on,
    };
    assert_eq!(call.world.command(set(false, 11)), Ok(MediaReply::Done));
    call.world.run(SECOND);
    let [first, second] = call.heard_during(SECOND);
    assert_eq!(second, 0, "a held track was heard");
    assert!(first > 40, "the other way goes on: {first}");
    // Offered again, it stays held.
    let offer = call.world.client(1).offer_ice_restart();
    let (sends, hears) = (call.sends[0], call.hears[0]);
    call.world
        .negotiate(1, offer, &[(sends, 11)], &[(hears, 22)]);
    call.world.run(3 * SECOND);
    assert_eq!(call.heard_during(SECOND)[1], 0);
    assert_eq!(call.world.command(set(true, 11)), Ok(MediaReply::Done));
    call.world.run(SECOND);
    let heard = call.heard_during(SECOND);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
    // A track that nobody has is no error; a room that nobody has is one.
    assert_eq!(call.world.command(set(false, 99)), Ok(MediaReply::Done));
    let nowhere = MediaCommand::SetTrackForwarding {
        room: RoomId([99; 16]),
        track: track(11),
        on: false,
    };
    assert_eq!(call.world.command(nowhere), Err(MediaError::NoRoom));
}

#[test]
fn a_call_survives_an_ice_restart_on_another_network() {
    let mut call = call(5);
    call.world.run(SECOND);
    call.world
        .client(1)
        .move_to("10.0.7.7:4100".parse().unwrap());
    let offer = call.world.client(1).offer_ice_restart();
    let (sends, hears) = (call.sends[0], call.hears[0]);
    call.world
        .negotiate(1, offer, &[(sends, 11)], &[(hears, 22)]);
    call.world.run(3 * SECOND);
    let heard = call.heard_during(SECOND);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
}

#[test]
fn a_router_that_changes_its_mapping_interrupts_only_until_the_next_check() {
    let mut call = call(6);
    call.world.run(SECOND);
    call.world.client(1).nat = Some("203.0.113.5:61000".parse().unwrap());
    call.world.run(6 * SECOND);
    let heard = call.heard_during(SECOND);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
    assert!(
        call.world
            .engine
            .counters()
            .dropped(DropReason::UnknownPath)
            > 0
    );
}

#[test]
fn silence_is_reported_after_five_seconds_and_so_is_the_return() {
    let mut call = call(7);
    call.world.run(SECOND);
    call.world.events.clear();
    call.world.cut_off.push(1);
    call.world.network.cut();
    call.world.run(4 * SECOND);
    assert!(call.world.events.is_empty(), "{:?}", call.world.events);
    call.world.run(2 * SECOND);
    let silent = MediaEvent::PeerSilent {
        room: ROOM,
        peer: peer(1),
    };
    assert_eq!(call.world.events, [silent]);
    let connected: Vec<bool> = call
        .world
        .statistics()
        .iter()
        .map(|s| s.connected)
        .collect();
    assert_eq!(connected, [false, true]);
    call.world.cut_off.clear();
    call.world.run(3 * SECOND);
    let back = MediaEvent::PeerConnected {
        room: ROOM,
        peer: peer(1),
    };
    assert_eq!(call.world.events.last(), Some(&back));
    let heard = call.heard_during(SECOND);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
}

#[test]
fn damaged_packets_of_every_kind_are_counted_and_change_nothing() {
    for seed in 10..14 {
        let mut world = World::new(seed);
        let (sends, _) = world.join(1, &[(Audio, 11), (Video, 12)], &[]);
        let (_, hears) = world.join(2, &[], &[(Audio, 11), (Video, 12)]);
        // During the handshake itself a forger on the path can do what DTLS lets it do.
        world.wait_connected();
        world.forgeries = 3;
        let (server, client) = (SERVER.parse().unwrap(), world.client(1).address);
        for first in (20..64).cycle().take(5_000) {
            let len = 1 + world.network.random() as usize % 100;
            let mut bytes: Vec<u8> = (0..len).map(|_| world.network.random() as u8).collect();
            bytes[0] = first;
            let now = world.now;
            world
                .engine
                .handle_datagram(now, server, client, &mut bytes);
            world.drain_engine();
        }
        world.forward(1, true);
        world.forward(2, true);
        world.start_sending(1, sends[0], Audio);
        world.start_sending(1, sends[1], Video);
        world.run(3 * SECOND);
        let counters = *world.engine.counters();
        assert!(
            counters.dropped(DropReason::Unauthentic) > 100,
            "{counters:?}"
        );
        let checks = [DropReason::StunMalformed, DropReason::StunUnauthentic];
        assert!(
            checks.iter().any(|reason| counters.dropped(*reason) > 0),
            "{counters:?}"
        );
        assert!(
            counters.dropped(DropReason::UnknownProtocol) > 0,
            "{counters:?}"
        );
        assert!(world.client(2).received(hears[0]).len() > 120);
        assert!(world.client(2).received(hears[1]).len() > 70);
    }
}

#[test]
fn noise_from_strangers_is_counted_and_costs_no_memory() {
    let mut call = call(15);
    for count in 0..20_000_u64 {
        let stranger = format!("198.51.100.{}:{}", count % 250, 1_024 + count % 60_000);
        let len = 1 + call.world.network.random() as usize % 200;
        let mut bytes: Vec<u8> = (0..len)
            .map(|_| call.world.network.random() as u8)
            .collect();
        let (now, server) = (call.world.now, SERVER.parse().unwrap());
        call.world
            .engine
            .handle_datagram(now, server, stranger.parse().unwrap(), &mut bytes);
        call.world.drain_engine();
    }
    assert_eq!(call.world.engine.counters().dropped_total(), 20_000);
    assert!(call.heard_during(SECOND).iter().all(|count| *count > 40));
}

#[test]
fn a_receivers_wish_for_a_key_frame_reaches_the_publisher_but_not_too_often() {
    let mut world = World::new(16);
    let (sends, _) = world.join(1, &[(Video, 12)], &[]);
    let (_, hears) = world.join(2, &[], &[(Video, 12)]);
    world.wait_connected();
    world.forward(1, true);
    world.forward(2, true);
    world.start_sending(1, sends[0], Video);
    world.run(SECOND);
    let before = world.client(1).key_frame_requests;
    for _ in 0..20 {
        world.client(2).ask_for_key_frame(hears[0]);
        world.run(Duration::from_millis(50));
    }
    let asked = world.client(1).key_frame_requests - before;
    assert!((1..=5).contains(&asked), "{asked} requests in a second");

    world.run(SECOND);
    let before = world.client(1).key_frame_requests;
    let request = MediaCommand::RequestKeyFrames { room: ROOM };
    assert_eq!(world.command(request), Ok(MediaReply::Done));
    world.run(SECOND);
    assert_eq!(world.client(1).key_frame_requests, before + 1);
}

#[test]
fn loss_and_reordering_are_repaired_for_many_seeds() {
    for seed in 100..120 {
        let mut world = World::new(seed);
        let (sends, _) = world.join(1, &[(Video, 12)], &[]);
        let (_, hears) = world.join(2, &[], &[(Video, 12)]);
        world.wait_connected();
        world.forward(1, true);
        world.forward(2, true);
        world.network.weather = Weather {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(3),
            loss_per_mille: 50,
        };
        world.start_sending(1, sends[0], Video);
        world.run(5 * SECOND);
        world.stop_sending();
        world.run(SECOND);
        let frames = world.client(2).received(hears[0]);
        let holes = frames.iter().filter(|frame| !frame.contiguous).count();
        assert!(
            frames.len() >= 145 && holes <= 2,
            "{seed}: {} frames, {holes} holes",
            frames.len()
        );
        let counters = world.engine.counters();
        assert!(counters.nacks_sent > 0 && counters.rtp_retransmitted > 0);
    }
}

#[test]
fn statistics_show_the_round_trip_and_the_loss() {
    let mut call = call(17);
    call.world.network.weather = Weather {
        delay: Duration::from_millis(20),
        jitter: Duration::ZERO,
        loss_per_mille: 100,
    };
    call.world.run(10 * SECOND);
    for statistics in call.world.statistics() {
        assert!(
            statistics.connected && statistics.packets_in > 300 && statistics.packets_out > 300
        );
        let round_trip = statistics.round_trip_ms.expect("it was measured");
        assert!((38..=50).contains(&round_trip), "{round_trip} ms");
        assert!(statistics.loss_in_256ths > 0 || statistics.loss_out_256ths > 0);
    }
}

#[test]
fn sections_are_added_and_stopped_in_mid_call() {
    let mut call = call(18);
    call.world.run(SECOND);
    let (offer, mids) = call.world.client(1).offer(&[(Video, Direction::SendOnly)]);
    let camera = mids[0];
    let (sends, hears) = (call.sends, call.hears);
    call.world
        .negotiate(1, offer, &[(sends[0], 11), (camera, 12)], &[(hears[0], 22)]);
    let (offer, mids) = call.world.client(2).offer(&[(Video, Direction::RecvOnly)]);
    let picture = mids[0];
    call.world.negotiate(
        2,
        offer,
        &[(sends[1], 22)],
        &[(hears[1], 11), (picture, 12)],
    );
    call.world.start_sending(1, camera, Video);
    let heard = call.heard_during(2 * SECOND);
    assert!(
        heard.iter().all(|count| *count > 90),
        "sound goes on: {heard:?}"
    );
    let seen = call.world.client(2).received(picture).len();
    assert!(seen > 40, "{seen} frames");

    let offer = call.world.client(1).offer_stop(camera);
    call.world
        .negotiate(1, offer, &[(sends[0], 11)], &[(hears[0], 22)]);
    call.world.run(Duration::from_millis(100));
    let seen = call.world.client(2).received(picture).len();
    let heard = call.heard_during(SECOND);
    assert_eq!(call.world.client(2).received(picture).len(), seen);
    assert!(heard.iter().all(|count| *count > 40), "{heard:?}");
}

#[test]
fn a_client_that_begins_anew_takes_its_old_place() {
    let mut call = call(19);
    call.world.run(SECOND);
    let before = call.heard(2);
    call.world.stop_sending();
    let (sends, hears) = call.world.join(1, &[(Audio, 11)], &[(Audio, 22)]);
    call.world.wait_connected();
    call.world.start_sending(1, sends[0], Audio);
    call.world.start_sending(2, call.sends[1], Audio);
    call.world.run(2 * SECOND);
    assert!(
        call.heard(2) > before + 80,
        "the other hears on over the same section"
    );
    assert!(call.world.client(1).received(hears[0]).len() > 80);
    assert_eq!(call.world.statistics().len(), 2);
}

#[test]
fn a_certificate_that_the_offer_did_not_name_is_refused() {
    let mut world = World::new(20);
    world.add_client(1);
    let (offer, _) = world.client(1).offer(&[(Audio, Direction::RecvOnly)]);
    let at = offer.find("fingerprint:sha-256 ").expect("there is one") + 20;
    let other = if &offer[at..=at] == "A" { "B" } else { "A" };
    let offer = format!("{}{other}{}", &offer[..at], &offer[at + 1..]);
    world.negotiate(1, offer, &[], &[]);
    world.run(3 * SECOND);
    assert_eq!(
        world.events,
        [MediaEvent::PeerClosed {
            room: ROOM,
            peer: peer(1)
        }]
    );
    assert!(!world.statistics()[0].connected);
}

#[test]
fn limits_and_strange_orders_are_refused_without_effect() {
    let limits = EngineConfig {
        rooms_max: 2,
        peers_per_room_max: 1,
        ..EngineConfig::default()
    };
    let mut world = World::with_config(21, limits);
    let room = |number| RoomId([number; 16]);
    let create = |number| MediaCommand::CreateRoom { room: room(number) };
    assert_eq!(
        world.command(create(1)),
        Ok(MediaReply::Done),
        "it is there already"
    );
    assert_eq!(world.command(create(2)), Ok(MediaReply::Done));
    assert_eq!(world.command(create(3)), Err(MediaError::Limit("rooms")));
    assert_eq!(
        world.command(MediaCommand::CloseRoom { room: room(2) }),
        Ok(MediaReply::Done)
    );
    assert_eq!(world.command(create(3)), Ok(MediaReply::Done));
    let nowhere = MediaCommand::Statistics { room: room(9) };
    assert_eq!(world.command(nowhere), Err(MediaError::NoRoom));
    assert_eq!(
        world.command(MediaCommand::CloseRoom { room: room(9) }),
        Ok(MediaReply::Done)
    );

    world.join(1, &[(Audio, 11)], &[]);
    world.add_client(2);
    let (offer, _) = world.client(2).offer(&[(Audio, Direction::RecvOnly)]);
    let second = MediaCommand::Negotiate {
        room: ROOM,
        peer: peer(2),
        offer: offer.clone(),
        publish: Vec::new(),
        subscribe: Vec::new(),
    };
    assert_eq!(
        world.command(second),
        Err(MediaError::Limit("peers in a room"))
    );
    let garbage = MediaCommand::Negotiate {
        room: ROOM,
        peer: peer(1),
        offer: "v=0".to_owned(),
        publish: Vec::new(),
        subscribe: Vec::new(),
    };
    assert!(matches!(
        world.command(garbage),
        Err(MediaError::BadOffer(_))
    ));
    assert_eq!(world.statistics().len(), 1);
}

#[test]
fn a_closed_room_ends_all_its_transports() {
    let mut call = call(22);
    call.world.run(SECOND);
    assert_eq!(
        call.world.command(MediaCommand::CloseRoom { room: ROOM }),
        Ok(MediaReply::Done)
    );
    call.world.run(SECOND);
    assert!(
        call.world
            .clients
            .values()
            .all(|client| !client.rtc.is_alive())
    );
    assert_eq!(call.world.engine.population(), Population::default());
}

#[test]
fn a_track_cannot_be_taken_from_its_publisher() {
    let mut call = call(23);
    call.world.add_client(3);
    let (offer, mids) = call.world.client(3).offer(&[(Audio, Direction::SendOnly)]);
    let steal = MediaCommand::Negotiate {
        room: ROOM,
        peer: peer(3),
        offer,
        publish: vec![Publish {
            mid: mids[0].to_string(),
            track: track(11),
        }],
        subscribe: Vec::new(),
    };
    assert!(matches!(
        call.world.command(steal),
        Err(MediaError::BadOffer(_))
    ));
    assert_eq!(call.world.statistics().len(), 2, "the stranger is not in");
    assert!(call.heard_during(SECOND).iter().all(|count| *count > 40));
}

#[test]
fn a_track_that_begins_later_is_heard_from_its_beginning() {
    let mut world = World::new(24);
    let (_, hears) = world.join(2, &[], &[(Audio, 11)]);
    world.wait_connected();
    world.forward(2, true);
    world.run(SECOND);
    let (sends, _) = world.join(1, &[(Audio, 11)], &[]);
    world.wait_connected();
    world.forward(1, true);
    world.start_sending(1, sends[0], Audio);
    world.run(SECOND);
    let frames = world.client(2).received(hears[0]);
    assert!(frames.len() > 40, "{} frames", frames.len());
    assert_eq!(count_of(&frames[0].data), 1, "the first one too");
}
