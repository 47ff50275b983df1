//! Sound in rooms: who is forwarded, who is said to speak, and what silence costs.

use std::time::Duration;

use homeline_media_engine::EngineConfig;
use homeline_protocol::id::PeerId;
use homeline_protocol::media_control::{MediaCommand, MediaEvent};
use str0m::media::MediaKind::Audio;
use str0m::media::Mid;

use crate::support::client::{Beside, Frame};
use crate::support::network::Weather;
use crate::support::world::{ROOM, World, count_of, peer, track};

const SECOND: Duration = Duration::from_secs(1);

/// Publishers of sound, and a listener to all of them, who is the last.
struct Party {
    world: World,
    sends: Vec<Mid>,
    hears: Vec<Mid>,
}

impl Party {
    fn new(seed: u64, publishers: u8, config: EngineConfig) -> Self {
        let mut world = World::with_config(seed, config);
        let sends: Vec<Mid> = (1..=publishers)
            .map(|number| world.join(number, &[(Audio, number)], &[]).0[0])
            .collect();
        let all: Vec<_> = (1..=publishers).map(|number| (Audio, number)).collect();
        let (_, hears) = world.join(publishers + 1, &[], &all);
        world.wait_connected();
        (1..=publishers + 1).for_each(|number| world.forward(number, true));
        for number in 1..=publishers {
            world.start_sending(number, sends[usize::from(number) - 1], Audio);
        }
        Self {
            world,
            sends,
            hears,
        }
    }

    /// From now on a publisher is so loud, in decibels below overload.
    fn loud(&mut self, number: u8, level: u8) {
        let beside = Beside {
            level: Some(level),
            key: None,
        };
        let mid = self.sends[usize::from(number) - 1];
        self.world.say_beside(number, mid, beside);
    }

    fn heard(&self, number: u8) -> &[Frame] {
        let listener = self.sends.len() as u8 + 1;
        self.world.clients[&listener].received(self.hears[usize::from(number) - 1])
    }

    /// How many frames of each publisher the listener gets in that time.
    fn heard_during(&mut self, time: Duration) -> Vec<usize> {
        let count = |party: &Self| -> Vec<usize> {
            let numbers = 1..=party.sends.len() as u8;
            numbers.map(|number| party.heard(number).len()).collect()
        };
        let before = count(self);
        self.world.run(time);
        let after = count(self).into_iter();
        after
            .zip(before)
            .map(|(after, before)| after - before)
            .collect()
    }

    /// What was said of speakers since the last time.
    fn said(&mut self) -> Vec<Vec<PeerId>> {
        let events = std::mem::take(&mut self.world.events);
        let speakers = events.into_iter().filter_map(|event| match event {
            MediaEvent::Speakers { room: ROOM, peers } => Some(peers),
            _ => None,
        });
        speakers.collect()
    }
}

#[test]
fn silence_is_not_forwarded_for_long_and_sound_comes_back_with_its_first_packet() {
    let mut party = Party::new(1, 1, EngineConfig::default());
    party.loud(1, 30);
    party.world.run(SECOND);
    let sound = party.heard(1).len();
    assert!(sound >= 48, "{sound} frames");
    party.loud(1, 127);
    let silence = party.heard_during(4 * SECOND)[0];
    assert!(
        (12..=20).contains(&silence),
        "{silence} silent frames in four seconds"
    );
    party.loud(1, 30);
    party.world.run(SECOND);
    let left_out = party.world.engine.counters().rtp_left_out;
    assert!(left_out > 170, "{left_out}");

    let frames = party.heard(1);
    let holes = frames.iter().filter(|frame| !frame.contiguous).count();
    assert_eq!(holes, 0, "numbers are seamless");
    let origin = frames[0].time - (count_of(&frames[0].data) - 1) * 960;
    for frame in frames {
        let count = count_of(&frame.data);
        assert_eq!(
            frame.time - origin,
            (count - 1) * 960,
            "time passes during a pause"
        );
    }
    let marked: Vec<usize> = (1..frames.len()).filter(|at| frames[*at].spurt).collect();
    let [at] = marked[..] else {
        panic!("one talk spurt begins: {marked:?}");
    };
    let back = count_of(&frames[at].data);
    let following = frames[at..].iter().map(|frame| count_of(&frame.data));
    assert!(following.eq(back..back + (frames.len() - at) as u64));
    assert!((248..=252).contains(&back), "the first loud one: {back}");
}

#[test]
fn a_quiet_room_is_sound_and_silence_can_be_kept() {
    let mut party = Party::new(2, 1, EngineConfig::default());
    party.loud(1, 126);
    assert!(
        party.heard_during(2 * SECOND)[0] > 95,
        "not digital silence"
    );
    let config = EngineConfig {
        silence_db: None,
        ..EngineConfig::default()
    };
    let mut party = Party::new(3, 1, config);
    party.loud(1, 127);
    assert!(party.heard_during(2 * SECOND)[0] > 95, "switched off");
}

#[test]
fn silence_over_a_bad_link_never_costs_a_word() {
    for seed in 10..20 {
        let mut party = Party::new(seed, 1, EngineConfig::default());
        party.world.network.weather = Weather {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(50),
            loss_per_mille: 0,
        };
        let mut spoken = 0;
        for _ in 0..10 {
            party.loud(1, 30);
            party.world.run(SECOND);
            spoken += 50;
            party.loud(1, 127);
            party.world.run(SECOND);
        }
        // Reordering may make a late packet look like one from before the pause; each has its number.
        let frames = party.heard(1);
        let loud = frames
            .iter()
            .filter(|frame| (count_of(&frame.data) - 1) % 100 < 49);
        let loud = loud.count();
        assert!(loud + 25 >= spoken, "{seed}: {loud} of {spoken}");
        let counters = party.world.engine.counters();
        assert!(counters.rtp_left_out > 200, "{seed}: {counters:?}");
        assert_eq!(
            counters.rtp_forwarded + counters.rtp_left_out + counters.dropped_total(),
            counters.rtp_in
        );
    }
}

#[test]
fn in_a_crowd_the_loudest_are_forwarded_and_a_new_voice_at_once() {
    let config = EngineConfig {
        audio_forwarded_max: 2,
        ..EngineConfig::default()
    };
    let mut party = Party::new(4, 4, config);
    for (number, level) in [(1, 25), (2, 30), (3, 70), (4, 75)] {
        party.loud(number, level);
    }
    party.world.run(SECOND);
    let heard = party.heard_during(SECOND);
    assert!(heard[0] >= 49 && heard[1] >= 49, "{heard:?}");
    assert_eq!(heard[2..], [0, 0]);

    // Somebody else speaks up, louder than the second.
    let begins = party.heard(4).len();
    party.loud(4, 20);
    let heard = party.heard_during(SECOND);
    assert!(
        heard[0] >= 49 && heard[3] >= 49,
        "not a syllable is missing: {heard:?}"
    );
    assert!(heard[1] <= 2 && heard[2] == 0, "{heard:?}");
    assert!(party.heard(4)[begins].spurt && party.heard(4)[begins].contiguous);

    // Whoever stops makes room, in the end also for quiet ones.
    party.loud(1, 127);
    party.loud(4, 127);
    party.world.run(4 * SECOND);
    let heard = party.heard_during(SECOND);
    assert!(heard[1] >= 49 && heard[2] >= 49, "{heard:?}");
    assert!(heard[0] == 0 && heard[3] == 0, "{heard:?}");
    for number in 1..=4 {
        let holes = party.heard(number).iter().filter(|frame| !frame.contiguous);
        assert_eq!(holes.count(), 0, "of {number}");
    }
}

#[test]
fn a_small_room_forwards_all_and_so_does_a_client_without_levels() {
    let config = || EngineConfig {
        audio_forwarded_max: 2,
        ..EngineConfig::default()
    };
    let mut party = Party::new(5, 2, config());
    party.loud(1, 20);
    party.loud(2, 100);
    party.world.run(SECOND);
    assert!(party.heard_during(SECOND).iter().all(|count| *count >= 49));
    // Two name no level: they are forwarded, and take no place.
    let mut party = Party::new(6, 4, config());
    party.loud(1, 20);
    party.loud(2, 100);
    party.world.run(SECOND);
    assert!(party.heard_during(SECOND).iter().all(|count| *count >= 49));
}

#[test]
fn speakers_are_named_loudest_first_and_not_too_often() {
    let mut party = Party::new(7, 3, EngineConfig::default());
    for number in 1..=3 {
        party.loud(number, 80);
    }
    party.world.run(SECOND);
    assert!(party.said().is_empty(), "nobody speaks");
    party.loud(2, 30);
    party.world.run(SECOND);
    assert_eq!(party.said(), [vec![peer(2)]]);
    party.loud(3, 20);
    party.world.run(SECOND);
    assert_eq!(party.said().last(), Some(&vec![peer(3), peer(2)]));
    party.loud(3, 80);
    party.loud(2, 80);
    party.world.run(2 * SECOND);
    assert_eq!(
        party.said().last(),
        Some(&Vec::new()),
        "silence empties the list"
    );
    for turn in 0..100 {
        party.loud(1 + turn % 3, 20);
        party.loud(1 + (turn + 1) % 3, 60);
        party.world.run(Duration::from_millis(100));
    }
    let said = party.said().len();
    assert!(said <= 34, "{said} words in ten seconds");
}

#[test]
fn whoever_is_held_or_gone_does_not_speak() {
    let mut party = Party::new(8, 2, EngineConfig::default());
    party.loud(1, 20);
    party.loud(2, 30);
    party.world.run(SECOND);
    assert_eq!(party.said().last(), Some(&vec![peer(1), peer(2)]));
    let hold = MediaCommand::SetTrackForwarding {
        room: ROOM,
        track: track(1),
        on: false,
    };
    party.world.command(hold).unwrap();
    party.world.run(SECOND);
    assert_eq!(party.said(), [vec![peer(2)]]);
    let remove = MediaCommand::RemovePeer {
        room: ROOM,
        peer: peer(2),
    };
    party.world.command(remove).unwrap();
    party.world.run(SECOND);
    assert_eq!(party.said(), [Vec::new()]);
}

#[test]
fn a_room_of_many_voices_over_bad_links_stays_seamless() {
    for seed in 30..36 {
        let mut party = Party::new(seed, 8, EngineConfig::default());
        party.world.network.weather = Weather {
            delay: Duration::from_millis(30),
            jitter: Duration::from_millis(15),
            loss_per_mille: 20,
        };
        for _ in 0..100 {
            let number = 1 + party.world.network.random() % 8;
            let level = [15, 25, 40, 70, 127][party.world.network.random() as usize % 5];
            party.loud(number as u8, level);
            party.world.run(Duration::from_millis(100));
        }
        let counters = *party.world.engine.counters();
        assert!(counters.rtp_left_out > 500, "{seed}: {counters:?}");
        for number in 1..=8 {
            // Holes are what the link lost, twice two in a hundred, and never what was left out.
            let frames = party.heard(number);
            let holes = frames.iter().filter(|frame| !frame.contiguous).count();
            assert!(
                holes * 10 <= frames.len() + 50,
                "{seed}: {holes} of {}",
                frames.len()
            );
            let backwards = frames
                .windows(2)
                .filter(|pair| pair[0].time >= pair[1].time);
            assert_eq!(backwards.count(), 0, "{seed}: time goes on");
        }
    }
}
