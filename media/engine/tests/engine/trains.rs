//! Packets that arrived together leave receiver by receiver, as trains.

use std::net::SocketAddr;
use std::time::Duration;

use homeline_media_engine::{EngineConfig, Output};
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

use crate::support::world::{ROOM, SERVER, World, peer};

/// One publisher of a picture, and two who take it.
fn stage(train_max: usize) -> (World, Mid, [Mid; 2]) {
    let config = EngineConfig {
        train_max,
        ..EngineConfig::default()
    };
    let mut world = World::with_config(40, config);
    let (sends, _) = world.join(1, &[(Video, 12)], &[]);
    let takes = [2, 3].map(|number| world.join(number, &[], &[(Video, 12)]).1[0]);
    world.wait_connected();
    (1..=3).for_each(|number| world.forward(number, true));
    world.run(Duration::from_millis(500));
    (world, sends[0], takes)
}

/// Sends a frame whose packets arrive at once; returns for each transmit its receiver and the lengths of its
/// datagrams, which are delivered.
fn send_frame(world: &mut World, mid: Mid, frame: &[u8]) -> Vec<(SocketAddr, Vec<usize>)> {
    let server: SocketAddr = SERVER.parse().expect("an address");
    let now = world.now;
    let publisher = world.client(1);
    let source = publisher.address;
    publisher.send(now, mid, frame);
    publisher.timeout(now);
    let (datagrams, _) = publisher.poll(now);
    for mut datagram in datagrams {
        world
            .engine
            .handle_datagram(now, server, source, &mut datagram.bytes);
    }
    let mut sent = Vec::new();
    loop {
        match world.engine.poll_output() {
            Output::Timeout(_) => break,
            Output::Event(_) | Output::News(..) | Output::Message(..) => {}
            Output::Transmit(transmit) => {
                let lens = transmit.datagrams().map(<[u8]>::len).collect();
                sent.push((transmit.remote, lens));
                // Media says when it came, and what the engine sends of its own accord does not.
                assert!(transmit.taken.is_none_or(|taken| taken == now));
                assert!(transmit.taken.is_some() || transmit.datagrams().count() == 1);
                // Nothing else travels with it here.
                let copies = transmit.taken.map_or(0, |_| transmit.datagrams().count());
                assert_eq!(transmit.copies, copies);
                for client in world.clients.values_mut() {
                    if client.address == transmit.remote {
                        for datagram in transmit.datagrams() {
                            client.receive(now, server, client.address, datagram);
                        }
                    }
                }
            }
        }
    }
    for client in world.clients.values_mut() {
        client.timeout(now);
        drop(client.poll(now));
    }
    sent
}

#[test]
fn a_frame_leaves_as_one_train_for_each_receiver_and_arrives_whole() {
    let (mut world, mid, takes) = stage(64);
    // Lengths that no packetiser cuts into equal parts.
    for (count, len) in [4_001, 3_000, 5_503, 7_777].into_iter().enumerate() {
        let frame: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let sent = send_frame(&mut world, mid, &frame);
        let receivers = [2, 3].map(|number| world.client(number).address);
        let trains: Vec<_> = sent.iter().filter(|(_, lens)| lens.len() > 1).collect();
        assert_eq!(trains.len(), 2, "{sent:?}");
        for receiver in receivers {
            let to_it = trains.iter().filter(|(remote, _)| *remote == receiver);
            assert_eq!(to_it.count(), 1, "{sent:?}");
        }
        for (_, lens) in trains {
            assert!(lens.len() >= 3, "{sent:?}");
            let (last, rest) = lens.split_last().unwrap();
            assert!(
                rest.iter().all(|len| *len == rest[0] && last <= len),
                "{sent:?}"
            );
        }
        for (number, mid) in [2, 3].into_iter().zip(takes) {
            let frames = world.client(number).received(mid);
            assert_eq!(frames.len(), count + 1);
            assert_eq!(frames[count].data, frame, "padding is no part of the frame");
        }
        world.now += Duration::from_millis(33);
    }
}

#[test]
fn a_system_without_trains_gets_every_datagram_by_itself() {
    let (mut world, mid, takes) = stage(1);
    let sent = send_frame(&mut world, mid, &[5; 4_001]);
    assert!(sent.iter().all(|(_, lens)| lens.len() == 1));
    assert_eq!(world.client(2).received(takes[0])[0].data, [5; 4_001]);
}

#[test]
fn a_command_between_arrival_and_sending_loses_and_breaks_nothing() {
    let (mut world, mid, takes) = stage(64);
    let server: SocketAddr = SERVER.parse().expect("an address");
    let now = world.now;
    let publisher = world.client(1);
    let source = publisher.address;
    publisher.send(now, mid, &[6; 3_000]);
    publisher.timeout(now);
    let (datagrams, _) = publisher.poll(now);
    for mut datagram in datagrams {
        world
            .engine
            .handle_datagram(now, server, source, &mut datagram.bytes);
    }
    let removed = homeline_protocol::media_control::MediaCommand::RemovePeer {
        room: ROOM,
        peer: peer(3),
    };
    world.command(removed).unwrap();
    world.run(Duration::from_millis(100));
    assert_eq!(world.client(2).received(takes[0])[0].data, [6; 3_000]);
}
