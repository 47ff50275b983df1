//! A room whose peers are spread over several engines is one room to everybody in it.

use std::time::Duration;

use homeline_media_engine::{EngineConfig, EngineId, Population};
use homeline_protocol::id::PeerId;
use homeline_protocol::media_control::{MediaCommand, MediaEvent, MediaReply, View};
use str0m::media::MediaKind::{Audio, Video};
use str0m::media::Mid;

use crate::support::client::Beside;
use crate::support::network::Weather;
use crate::support::world::{ROOM, World, count_of, peer, track};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> EngineConfig {
    EngineConfig {
        estimation: false,
        train_max: 64,
        ..EngineConfig::default()
    }
}

/// Sound and picture of a publisher have the numbers 10 and 20 more than its own.
const fn tracks_of(number: u8) -> [(str0m::media::MediaKind, u8); 2] {
    [(Audio, number + 10), (Video, number + 20)]
}

/// A publisher in each engine, and receivers of both in each.
struct Hall {
    world: World,
    engines: usize,
    /// Of each publisher, from the first.
    sends: Vec<Vec<Mid>>,
    /// Of each receiver, who is in the engine of its number.
    takes: Vec<Vec<Mid>>,
}

impl Hall {
    /// Publishers are 1 and on, receivers 11 and on; everybody is let go and sends.
    fn new(seed: u64, engines: usize) -> Self {
        let mut world = World::with_config(seed, config());
        (1..engines).for_each(|_| world.add_part(seed, &config()));
        let numbers = || (0..engines).map(|at| (at, at as u8 + 1));
        let mut sends = Vec::new();
        for (at, number) in numbers() {
            world.homes.insert(number, at);
            world.add_describing_client(number);
            sends.push(world.join_added(number, &tracks_of(number), &[]).0);
        }
        let all: Vec<_> = numbers().flat_map(|(_, n)| tracks_of(n)).collect();
        let mut takes = Vec::new();
        for (at, number) in numbers() {
            world.homes.insert(number + 10, at);
            takes.push(world.join(number + 10, &[], &all).1);
        }
        world.wait_connected();
        for (_, number) in numbers() {
            world.forward(number, true);
            world.forward(number + 10, true);
        }
        // Who begins to send is heard from the first packet on.
        world.run(SECOND / 10);
        let mut hall = Self {
            world,
            engines,
            sends,
            takes,
        };
        for at in 0..engines {
            let number = at as u8 + 1;
            hall.world.start_sending(number, hall.sends[at][0], Audio);
            hall.world.start_describing(number, hall.sends[at][1]);
        }
        hall
    }

    /// The numbers of the frames that a receiver has of a publisher's sound or picture.
    fn seen(&self, receiver: usize, publisher: usize, picture: bool) -> Vec<u64> {
        let mid = self.takes[receiver][2 * publisher + usize::from(picture)];
        let frames = self.world.clients[&(receiver as u8 + 11)].received(mid);
        frames.iter().map(|frame| count_of(&frame.data)).collect()
    }

    fn asked(&self, publisher: usize) -> usize {
        self.world.clients[&(publisher as u8 + 1)].key_frame_requests
    }

    fn population(&mut self) -> Vec<Population> {
        let engines = 0..self.engines;
        engines
            .map(|at| self.world.engine_at(at).population())
            .collect()
    }

    /// Everybody has all that everybody sent, of the last seconds and without a hole.
    fn assert_whole(&self, seconds: u64) {
        for receiver in 0..self.engines {
            for publisher in 0..self.engines {
                for (picture, rate) in [(false, 50), (true, 30)] {
                    let seen = self.seen(receiver, publisher, picture);
                    let count = seen.len() as u64;
                    assert!(
                        seen.iter().copied().eq(1..=count),
                        "{receiver} of {publisher}: {seen:?}"
                    );
                    assert!(
                        count + 10 >= rate * seconds,
                        "{receiver} of {publisher}: {count} frames"
                    );
                }
            }
        }
    }
}

fn all_hear_all(seed: u64, engines: usize) {
    let mut hall = Hall::new(seed, engines);
    hall.world.run(5 * SECOND);
    hall.assert_whole(5);
    for at in 0..engines {
        let counters = *hall.world.engine_at(at).counters();
        assert!(counters.relayed_out > 0 && counters.relayed_in > 0);
        assert_eq!(counters.nacks_sent, 0, "nothing was missing");
        assert!(
            hall.asked(at) <= 1,
            "{} key frames asked for",
            hall.asked(at)
        );
    }
}

#[test]
fn nothing_is_lost_between_engines_on_a_perfect_network() {
    for seed in 0..20 {
        all_hear_all(seed, 2);
    }
    all_hear_all(20, 3);
}

#[test]
fn what_is_lost_or_reordered_on_the_way_to_one_engine_is_repaired_for_all() {
    for seed in 0..20 {
        let mut hall = Hall::new(seed, 2);
        hall.world.run(SECOND / 2);
        hall.world.network.weather = Weather {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(6),
            loss_per_mille: 20,
        };
        hall.world.run(6 * SECOND);
        hall.world.network.weather = Weather::FAIR;
        hall.world.run(SECOND);
        for receiver in 0..2 {
            for publisher in 0..2 {
                let seen = hall.seen(receiver, publisher, true);
                let missing = seen.windows(2).map(|pair| pair[1] - pair[0] - 1);
                assert_eq!(
                    missing.sum::<u64>(),
                    0,
                    "seed {seed}: pictures of {publisher} at {receiver}"
                );
                assert!(seen.len() > 200, "{}", seen.len());
            }
        }
    }
}

#[test]
fn what_a_full_ring_loses_is_asked_for_and_sent_again() {
    for seed in 0..20 {
        let mut hall = Hall::new(seed, 2);
        hall.world.run(2 * SECOND);
        let asked = [hall.asked(0), hall.asked(1)];
        // Nothing is taken for a while, and only a few packets have room.
        hall.world.ways.messages_max = 3;
        hall.world.ways.stalled = true;
        hall.world.run(SECOND / 5);
        hall.world.ways.stalled = false;
        hall.world.ways.messages_max = usize::MAX;
        assert!(hall.world.ways.lost > 10, "{}", hall.world.ways.lost);
        hall.world.run(3 * SECOND);
        for (receiver, publisher) in [(0, 1), (1, 0)] {
            let seen = hall.seen(receiver, publisher, true);
            let count = seen.len() as u64;
            assert!(seen.iter().copied().eq(1..=count), "seed {seed}: {seen:?}");
            assert!(count > 150, "{count}");
            let more = hall.asked(publisher) - asked[publisher];
            assert_eq!(more, 0, "no key frame was needed");
        }
    }
}

#[test]
fn a_late_receiver_elsewhere_begins_with_the_key_frame_at_hand_and_asks_for_none() {
    let mut world = World::with_config(60, config());
    world.add_part(60, &config());
    world.add_describing_client(1);
    let (sends, _) = world.join_added(1, &[(Video, 21)], &[]);
    world.homes.insert(11, 1);
    let (_, takes) = world.join(11, &[], &[(Video, 21)]);
    world.wait_connected();
    world.forward(1, true);
    world.start_describing(1, sends[0]);
    world.run(SECOND / 2);
    // Nobody takes it yet, so it is not handed over.
    assert_eq!(world.engine.counters().relayed_out, 0);
    let asked = world.clients[&1].key_frame_requests;
    world.forward(11, true);
    world.run(SECOND);
    let frames = world.clients[&11].received(takes[0]);
    let seen: Vec<u64> = frames.iter().map(|frame| count_of(&frame.data)).collect();
    assert!(seen.iter().copied().eq(1..=seen.len() as u64), "{seen:?}");
    assert!(seen.len() > 40);
    assert_eq!(world.clients[&1].key_frame_requests, asked);
}

#[test]
fn a_key_frame_for_many_is_asked_for_once_and_one_from_before_new_keys_is_not_replayed() {
    let mut hall = Hall::new(61, 2);
    hall.world.run(3 * SECOND);
    let asked = [hall.asked(0), hall.asked(1)];
    let more = |hall: &Hall| [0, 1].map(|at| hall.asked(at) - asked[at]);
    // Its receivers in both engines lose the picture at the same time.
    for receiver in [11, 12] {
        let mid = hall.takes[receiver - 11][1];
        hall.world.client(receiver as u8).ask_for_key_frame(mid);
    }
    hall.world.run(SECOND / 10);
    assert_eq!(more(&hall), [1, 0], "one wish for both");
    hall.world.send_key_frame(1, hall.sends[0][1]);
    hall.world.run(SECOND);
    assert_eq!(more(&hall), [1, 0]);

    let request = MediaCommand::RequestKeyFrames { room: ROOM };
    for client in [1, 2] {
        let done = hall.world.command_for(client, request.clone());
        assert_eq!(done, Ok(MediaReply::Done));
    }
    hall.world.run(SECOND / 10);
    assert_eq!(more(&hall), [2, 1], "one for each sender");
    // A receiver that begins now waits for the new one.
    hall.world.forward(12, false);
    hall.world.run(SECOND / 10);
    let before = hall.seen(1, 0, true).len();
    hall.world.forward(12, true);
    hall.world.run(SECOND / 10);
    assert_eq!(hall.seen(1, 0, true).len(), before);
    hall.world.send_key_frame(1, hall.sends[0][1]);
    hall.world.run(SECOND / 2);
    assert!(hall.seen(1, 0, true).len() > before + 10);
}

#[test]
fn layers_are_wanted_of_a_sender_by_receivers_elsewhere() {
    let mut hall = Hall::new(62, 2);
    hall.world.run(SECOND);
    let show = |hall: &mut Hall, receiver: u8, width, height| {
        let set = MediaCommand::SetView {
            room: ROOM,
            peer: peer(receiver),
            track: track(21),
            view: View { width, height },
        };
        let done = hall.world.command_for(receiver, set);
        assert_eq!(done, Ok(MediaReply::Done));
    };
    let wanted = |hall: &mut Hall| -> Vec<Vec<u8>> {
        let events = std::mem::take(&mut hall.world.events);
        let wanted = events.into_iter().filter_map(|event| match event {
            MediaEvent::LayersWanted {
                track: of, wanted, ..
            } if of == track(21) => Some(wanted),
            _ => None,
        });
        wanted.collect()
    };
    show(&mut hall, 11, 0, 0);
    hall.world.run(3 * SECOND);
    assert!(wanted(&mut hall).is_empty(), "the other still takes it");
    show(&mut hall, 12, 0, 0);
    hall.world.run(3 * SECOND);
    assert_eq!(wanted(&mut hall), [Vec::<u8>::new()], "nobody takes it");
    let handed = hall.world.engine.counters().relayed_out;
    let before = hall.seen(1, 0, true).len();
    show(&mut hall, 12, 640, 360);
    hall.world.run(SECOND / 10);
    assert_eq!(wanted(&mut hall), [vec![0]], "at once");
    assert!(hall.asked(0) > 0, "and a beginning is asked for");
    hall.world.send_key_frame(1, hall.sends[0][1]);
    hall.world.run(SECOND);
    assert!(hall.seen(1, 0, true).len() > before + 25);
    assert!(hall.world.engine.counters().relayed_out > handed);
}

#[test]
fn what_is_held_is_not_handed_over_and_goes_on_afterwards() {
    let mut hall = Hall::new(63, 2);
    hall.world.run(SECOND);
    let switch = |hall: &mut Hall, on| {
        let set = MediaCommand::SetTrackForwarding {
            room: ROOM,
            track: track(21),
            on,
        };
        // Everybody who has a part is told; it is the sender's that counts.
        for client in [2, 1] {
            let done = hall.world.command_for(client, set.clone());
            assert_eq!(done, Ok(MediaReply::Done));
        }
        hall.world.run(SECOND / 5);
    };
    switch(&mut hall, false);
    let (before, sound) = (hall.seen(1, 0, true).len(), hall.seen(1, 0, false).len());
    hall.world.run(SECOND);
    assert_eq!(hall.seen(1, 0, true).len(), before, "the camera is off");
    assert!(
        hall.seen(1, 0, false).len() > sound + 45,
        "the sound goes on"
    );
    switch(&mut hall, true);
    hall.world.send_key_frame(1, hall.sends[0][1]);
    hall.world.run(SECOND);
    let seen = hall.seen(1, 0, true);
    let first = seen[before];
    assert!(first > seen[before - 1] + 30, "nothing from meanwhile");
    assert!(seen.len() > before + 25);

    // The same of all that a peer sends.
    hall.world.forward(1, false);
    hall.world.run(SECOND / 5);
    let sound = hall.seen(1, 0, false).len();
    hall.world.run(SECOND);
    assert_eq!(hall.seen(1, 0, false).len(), sound);
    hall.world.forward(1, true);
    hall.world.run(SECOND);
    assert!(hall.seen(1, 0, false).len() > sound + 45);
    let counters = *hall.world.engine_at(1).counters();
    assert_eq!(counters.nacks_sent, 0, "nothing was missing in between");
}

#[test]
fn a_publisher_that_leaves_is_gone_everywhere_and_an_empty_part_with_its_engine() {
    let mut hall = Hall::new(64, 2);
    hall.world.run(SECOND);
    let population = hall.population();
    assert_eq!((population[1].remote_peers, population[1].sources), (2, 4));
    assert_eq!((population[0].rooms, population[0].parts), (1, 0));
    assert_eq!((population[1].rooms, population[1].parts), (0, 1));
    let remove = |hall: &mut Hall, number: u8| {
        hall.world.forget_client(number);
        let remove = MediaCommand::RemovePeer {
            room: ROOM,
            peer: peer(number),
        };
        let done = hall.world.command_for(number, remove);
        assert_eq!(done, Ok(MediaReply::Done));
        hall.world.run(SECOND / 10);
    };
    remove(&mut hall, 1);
    let before = hall.seen(1, 0, false).len();
    hall.world.run(SECOND);
    assert_eq!(hall.seen(1, 0, false).len(), before);
    let there = hall.population()[1];
    assert_eq!((there.remote_peers, there.sources), (1, 2));

    // It comes again, into the other engine, with the same tracks.
    hall.world.homes.insert(1, 1);
    hall.world.add_describing_client(1);
    let (sends, _) = hall.world.join_added(1, &tracks_of(1), &[]);
    hall.world.wait_connected();
    hall.world.forward(1, true);
    hall.world.start_sending(1, sends[0], Audio);
    hall.world.run(SECOND);
    for receiver in 0..2 {
        assert!(hall.seen(receiver, 0, false).len() > before + 40);
    }

    // Another moves over at once, before its old engine's word of that has come.
    hall.world.forget_client(2);
    let moves = MediaCommand::RemovePeer {
        room: ROOM,
        peer: peer(2),
    };
    let done = hall.world.command_for(2, moves);
    assert_eq!(done, Ok(MediaReply::Done));
    let before = [hall.seen(0, 1, false).len(), hall.seen(1, 1, false).len()];
    hall.world.homes.insert(2, 0);
    hall.world.add_describing_client(2);
    let (sends, _) = hall.world.join_added(2, &tracks_of(2), &[]);
    hall.world.wait_connected();
    hall.world.forward(2, true);
    hall.world.start_sending(2, sends[0], Audio);
    hall.world.run(SECOND);
    for (receiver, before) in before.into_iter().enumerate() {
        assert!(hall.seen(receiver, 1, false).len() > before + 40);
    }

    // The second engine's part ends with its last peer, as the router has it.
    for number in [1, 2, 12] {
        remove(&mut hall, number);
    }
    let now = hall.world.now;
    let close = MediaCommand::CloseRoom { room: ROOM };
    let closed = hall.world.engine_at(1).handle_command(now, close);
    assert_eq!(closed, Ok(MediaReply::Done));
    hall.world.run(SECOND);
    let population = hall.population();
    let nothing = Population::default();
    assert_eq!(population[1], nothing);
    assert_eq!(
        (population[0].neighbours, population[0].remote_peers),
        (0, 0)
    );
    assert_eq!(population[0].peers, 1, "the other part goes on");
}

#[test]
fn parts_find_each_other_in_whichever_order_they_begin() {
    let mut world = World::with_config(65, config());
    let command = |world: &mut World, command| {
        let done = world.command(command);
        assert_eq!(done, Ok(MediaReply::Done));
        world.run(SECOND / 2);
        let parts = [0, 1].map(|at| world.engine_at(at).population().neighbours);
        (parts, world.engine_at(1).is_whole(ROOM))
    };
    assert_eq!(
        world.command(MediaCommand::CloseRoom { room: ROOM }),
        Ok(MediaReply::Done)
    );
    world.add_part(65, &config());
    world.run(SECOND / 2);
    assert!(
        !world.engine_at(1).is_whole(ROOM),
        "the other is not there yet"
    );
    let made = command(&mut world, MediaCommand::CreateRoom { room: ROOM });
    assert_eq!(made, ([1, 1], true));
    // It ends and begins anew, and is greeted as if it had never been.
    let closed = command(&mut world, MediaCommand::CloseRoom { room: ROOM });
    assert_eq!(closed, ([0, 0], true));
    let made = command(&mut world, MediaCommand::CreateRoom { room: ROOM });
    assert_eq!(made, ([0, 0], true), "nobody told either of the other");
    let now = world.now;
    world.engine.extend_room(now, ROOM, &[EngineId(1)]);
    world.run(SECOND / 2);
    let parts = [0, 1].map(|at| world.engine_at(at).population().neighbours);
    assert_eq!(parts, [1, 1]);
}

/// Publishers of sound, half of them in each engine, and a listener to all in each.
struct Party {
    world: World,
    sends: Vec<Mid>,
    hears: [Vec<Mid>; 2],
}

impl Party {
    fn new(seed: u64, publishers: u8) -> Self {
        let mut world = World::with_config(seed, config());
        world.add_part(seed, &config());
        let all: Vec<_> = (1..=publishers).map(|number| (Audio, number)).collect();
        let mut sends = Vec::new();
        for number in 1..=publishers {
            world.homes.insert(number, usize::from(number % 2));
            sends.push(world.join(number, &[(Audio, number)], &[]).0[0]);
        }
        let hears = [0, 1].map(|at| {
            let listener = 101 + at as u8;
            world.homes.insert(listener, at);
            world.join(listener, &[], &all).1
        });
        world.wait_connected();
        (1..=publishers).for_each(|number| world.forward(number, true));
        (101..=102).for_each(|number| world.forward(number, true));
        for number in 1..=publishers {
            world.start_sending(number, sends[usize::from(number) - 1], Audio);
        }
        Self {
            world,
            sends,
            hears,
        }
    }

    fn loud(&mut self, number: u8, level: u8) {
        let beside = Beside {
            level: Some(level),
            key: None,
        };
        let mid = self.sends[usize::from(number) - 1];
        self.world.say_beside(number, mid, beside);
    }

    /// Whom the listener in an engine hears of late.
    fn heard(&self, at: usize) -> Vec<u8> {
        let client = &self.world.clients[&(101 + at as u8)];
        let since = self.world.now - SECOND / 2;
        let hears = (1..).zip(&self.hears[at]);
        let heard = hears.filter(|(_, mid)| {
            let frames = client.received(**mid);
            frames.iter().filter(|frame| frame.at > since).count() > 15
        });
        heard.map(|(number, _)| number).collect()
    }
}

#[test]
fn both_engines_agree_on_who_is_heard_and_one_says_who_speaks() {
    for seed in 0..20 {
        let mut party = Party::new(70 + seed, 12);
        (1..=12).for_each(|number| party.loud(number, 60));
        for loud in [[1, 2, 3, 4, 5], [8, 9, 10, 11, 12], [2, 4, 6, 8, 10]] {
            (1..=12).for_each(|number| party.loud(number, 70));
            for (number, level) in loud.into_iter().zip([20, 22, 24, 26, 28]) {
                party.loud(number, level);
            }
            party.world.run(5 * SECOND);
            assert_eq!(party.heard(0), loud, "seed {seed}");
            assert_eq!(party.heard(1), loud, "seed {seed}");
            let events = std::mem::take(&mut party.world.events);
            let said = events.into_iter().rev().find_map(|event| match event {
                MediaEvent::Speakers { room: ROOM, peers } => Some(peers),
                _ => None,
            });
            let mut said = said.expect("somebody speaks");
            said.sort_unstable();
            let expected: Vec<PeerId> = loud.into_iter().map(peer).collect();
            assert_eq!(said, expected, "seed {seed}");
        }
    }
}
