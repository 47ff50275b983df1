//! Networks as homes have them: routers that change their minds, two networks at once, IPv6 beside IPv4, narrow
//! links, and none that lets UDP through.

use std::net::SocketAddr;
use std::time::Duration;

use homeline_media_engine::{EngineConfig, Output};
use homeline_protocol::media_control::MediaEvent;
use str0m::media::MediaKind::{self, Audio, Video};
use str0m::media::{Direction, Mid};

use crate::support::client::Client;
use crate::support::world::{ROOM, SERVER, SERVER_TCP, SERVER_V6, World, count_of, peer};

const SECOND: Duration = Duration::from_secs(1);

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn config() -> EngineConfig {
    EngineConfig {
        candidates: vec![address(SERVER), address(SERVER_V6)],
        tcp_candidates: vec![address(SERVER_TCP)],
        ..EngineConfig::default()
    }
}

/// Two clients, made by the test, that publish one track each and get the other's.
struct Call {
    world: World,
    sends: [Mid; 2],
    hears: [Mid; 2],
}

impl Call {
    fn new(seed: u64, kind: MediaKind, make: impl Fn(&World, u8) -> Client) -> Self {
        Self::in_world(World::with_config(seed, config()), kind, make)
    }

    fn in_world(mut world: World, kind: MediaKind, make: impl Fn(&World, u8) -> Client) -> Self {
        let (mut sends, mut hears) = (Vec::new(), Vec::new());
        for number in [1, 2] {
            let client = make(&world, number);
            world.clients.insert(number, client);
            let wanted = [Direction::SendOnly, Direction::RecvOnly];
            let (offer, mids) = world.client(number).offer(&wanted.map(|way| (kind, way)));
            let (publish, subscribe) = ((mids[0], number), (mids[1], 3 - number));
            world.negotiate(number, offer, &[publish], &[subscribe]);
            sends.push(mids[0]);
            hears.push(mids[1]);
        }
        let (sends, hears) = ([sends[0], sends[1]], [hears[0], hears[1]]);
        Self {
            world,
            sends,
            hears,
        }
    }

    /// Waits until both are connected, and lets both talk.
    fn talk(&mut self) {
        self.world.wait_connected();
        for number in [1, 2] {
            self.world.forward(number, true);
            let mid = self.sends[usize::from(number) - 1];
            self.world.start_sending(number, mid, Audio);
        }
        self.world.run(SECOND);
    }

    fn heard(&self, number: u8) -> Vec<u64> {
        let mid = self.hears[usize::from(number) - 1];
        let frames = self.world.clients[&number].received(mid).iter();
        frames.map(|frame| count_of(&frame.data)).collect()
    }

    fn heard_during(&mut self, time: Duration) -> [usize; 2] {
        let before = [1, 2].map(|number| self.heard(number).len());
        self.world.run(time);
        [1, 2].map(|number| self.heard(number).len() - before[usize::from(number) - 1])
    }

    fn both_hear(&mut self) {
        let heard = self.heard_during(SECOND);
        assert!(heard.iter().all(|count| *count > 45), "{heard:?}");
    }

    /// Restarts ICE of a client, as it does when its networks have changed.
    fn restart_ice(&mut self, number: u8) {
        let at = usize::from(number) - 1;
        let offer = self.world.client(number).offer_ice_restart();
        let (publish, subscribe) = ((self.sends[at], number), (self.hears[at], 3 - number));
        self.world
            .negotiate(number, offer, &[publish], &[subscribe]);
    }
}

fn over_udp(world: &World, number: u8) -> Client {
    Client::new(world.now, address(&format!("10.0.1.{number}:4000")))
}

fn over_tcp(world: &World, number: u8) -> Client {
    Client::over_tcp(world.now, address(&format!("10.0.1.{number}:4000")))
}

#[test]
fn a_new_mapping_of_the_router_interrupts_for_half_a_second_at_most() {
    for seed in 30..40 {
        let mut call = Call::new(seed, Audio, over_udp);
        call.talk();
        // At any moment between two checks.
        let moment = call.world.network.random() % 3_000;
        call.world.run(Duration::from_millis(moment));
        call.world.client(1).nat = Some(address("203.0.113.5:61000"));
        call.world.events.clear();
        let (first, second) = (call.heard(1).len(), call.heard(2).len());
        // These clients check every three seconds; the sixth word comes a little later.
        let until = call.world.now + Duration::from_millis(500);
        let (hears_first, hears_second) = (call.hears[0], call.hears[1]);
        let back = call.world.run_until(until, |world| {
            world.clients[&1].received(hears_first).len() > first + 5
                && world.clients[&2].received(hears_second).len() > second + 5
        });
        assert!(back, "seed {seed}: not within half a second");
        assert_eq!(call.world.events, [], "nobody was gone");
        call.both_hear();
    }
}

#[test]
fn whoever_only_knows_the_addresses_moves_nothing() {
    let mut call = Call::new(41, Audio, over_udp);
    call.talk();
    // Genuine packets of the peer, repeated from elsewhere by somebody who saw them, but no checks.
    let (now, mid) = (call.world.now, call.sends[0]);
    let client = call.world.client(1);
    client.send(now, mid, &[1; 80]);
    client.timeout(now);
    let (datagrams, _) = client.poll(now);
    let media = datagrams.iter().filter(|datagram| datagram.bytes[0] >= 128);
    let media: Vec<Vec<u8>> = media.map(|datagram| datagram.bytes.clone()).collect();
    assert!(!media.is_empty());
    for mut bytes in media {
        let elsewhere = address("198.51.100.7:9");
        let engine = &mut call.world.engine;
        engine.handle_datagram(now, address(SERVER), elsewhere, &mut bytes);
        call.world.drain_engine();
    }
    call.both_hear();
}

#[test]
fn who_repeats_the_packets_of_somebody_missing_gets_one_question_and_no_media() {
    let mut call = Call::new(46, Audio, over_udp);
    call.talk();
    let (now, mid) = (call.world.now, call.sends[0]);
    let client = call.world.client(1);
    client.send(now, mid, &[1; 80]);
    client.timeout(now);
    let (datagrams, _) = client.poll(now);
    let media = datagrams.iter().find(|datagram| datagram.bytes[0] >= 128);
    let media = media.expect("a packet of sound").bytes.clone();
    // The first falls silent, and its last packet comes from elsewhere again and again.
    call.world.cut_off.push(1);
    call.world.run(Duration::from_millis(200));
    let elsewhere = address("198.51.100.7:9");
    let mut sent = Vec::new();
    for _ in 0..100 {
        call.world.run(Duration::from_millis(10));
        let (now, mut copy) = (call.world.now, media.clone());
        let engine = &mut call.world.engine;
        engine.handle_datagram(now, address(SERVER), elsewhere, &mut copy);
        loop {
            match engine.poll_output() {
                Output::Transmit(out) if out.remote == elsewhere => sent.push(out.payload.len()),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
    }
    // At most one leaves in 50 ms.
    assert!((1..=20).contains(&sent.len()), "{sent:?}");
    assert!(sent.iter().all(|bytes| *bytes < 160), "{sent:?}");
}

#[test]
fn an_ice_restart_in_two_networks_loses_no_word() {
    let mut call = Call::new(42, Audio, over_udp);
    call.talk();
    let second = address("10.0.7.7:4100");
    call.world.client(1).join_network(second);
    call.restart_ice(1);
    call.world.run(5 * SECOND);
    for number in [1, 2] {
        let heard = call.heard(number);
        let gaps = heard.windows(2).filter(|pair| pair[1] != pair[0] + 1);
        assert_eq!(gaps.count(), 0, "{number} heard {heard:?}");
        assert!(heard.len() > 280, "{} frames", heard.len());
    }
    call.both_hear();
}

#[test]
fn each_hears_the_other_with_one_on_ipv6_and_one_on_ipv4() {
    let mut call = Call::new(43, Audio, |world, number| match number {
        1 => Client::new(world.now, address("[fd00::11]:4000")),
        _ => over_udp(world, number),
    });
    call.talk();
    call.both_hear();
    // And when the first moves to IPv4, as from a home network to a hotel's.
    call.world.client(1).move_to(address("10.0.7.7:4100"));
    call.restart_ice(1);
    call.world.run(3 * SECOND);
    call.both_hear();
}

#[test]
fn without_udp_a_call_goes_over_connections() {
    let mut call = Call::new(44, Audio, over_tcp);
    call.talk();
    call.both_hear();
}

#[test]
fn a_lost_connection_costs_only_the_time_to_the_next_check() {
    let mut call = Call::new(45, Audio, |world, number| match number {
        1 => over_tcp(world, number),
        _ => over_udp(world, number),
    });
    call.talk();
    let (server, client) = (address(SERVER_TCP), call.world.client(1).address);
    assert!(call.world.engine.knows_connection(server, client));
    let now = call.world.now;
    call.world.engine.handle_disconnect(now, server, client);
    call.world.drain_engine();
    assert!(!call.world.engine.knows_connection(server, client));
    call.world.run(4 * SECOND);
    assert!(call.world.engine.knows_connection(server, client));
    call.both_hear();
    // Who has another path does not even notice.
    let mut call = Call::new(46, Audio, |world, number| {
        let mut client = over_udp(world, number);
        client.add_tcp();
        client
    });
    call.talk();
    for number in [1, 2] {
        let (now, client) = (call.world.now, call.world.client(number).address);
        assert!(call.world.engine.knows_connection(server, client));
        call.world.engine.handle_disconnect(now, server, client);
        call.world.drain_engine();
    }
    call.both_hear();
}

#[test]
fn who_sends_media_and_checks_nothing_has_taken_back_its_consent() {
    let mut call = Call::new(47, Audio, over_udp);
    call.talk();
    call.world.events.clear();
    call.world.network.checks_pass = false;
    call.world.run(25 * SECOND);
    let silent = |number| MediaEvent::PeerSilent {
        room: ROOM,
        peer: peer(number),
    };
    assert!(
        !call.world.events.contains(&silent(1)),
        "consent lasts thirty seconds"
    );
    call.world.run(8 * SECOND);
    assert!(call.world.events.contains(&silent(1)));
}

#[test]
fn what_is_added_to_a_packet_is_little() {
    let config = EngineConfig {
        train_max: 64,
        ..config()
    };
    let mut call = Call::in_world(World::with_config(50, config), Video, over_udp);
    call.world.wait_connected();
    for number in [1, 2] {
        call.world.forward(number, true);
    }
    call.world.network.weather.loss_per_mille = 100;
    // Frames that no packetiser cuts into equal parts: they are padded, renumbered and sent again.
    for count in 0..300 {
        let (now, mid) = (call.world.now, call.sends[0]);
        call.world
            .client(1)
            .send(now, mid, &vec![7; 3_000 + count * 37 % 2_000]);
        call.world.run(Duration::from_millis(33));
    }
    assert!(call.world.engine.counters().rtp_retransmitted > 100);
    let longest = &call.world.network.longest;
    let came = longest[&call.world.clients[&1].address];
    let left = longest[&address(SERVER)];
    assert!(came > 1_000 && left <= came + 12, "{came} became {left}");
}

#[test]
fn over_a_narrow_link_the_handshake_goes_through_and_a_call_too() {
    for (seed, most) in [(48, 1_000), (49, 700)] {
        let mut world = World::with_config(seed, config());
        world.network.datagram_max = most;
        let mut call = Call::in_world(world, Video, over_udp);
        call.world.wait_connected();
        for number in [1, 2] {
            call.world.forward(number, true);
        }
        // As long as these clients can make them: what is added must not be too much.
        for _ in 0..60 {
            for number in [1_u8, 2] {
                let (now, mid) = (call.world.now, call.sends[usize::from(number) - 1]);
                call.world.client(number).send(now, mid, &[number; 400]);
            }
            call.world.run(Duration::from_millis(33));
        }
        let seen = [1, 2].map(|number| call.heard(number).len());
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert_eq!(call.world.network.too_long, 0, "at {most}");
    }
}
