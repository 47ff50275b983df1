//! Where a picture begins: with the fresh key frame that is at hand, or with one that is asked for.

use std::time::Duration;

use homeline_media_engine::EngineConfig;
use homeline_protocol::media_control::{MediaCommand, MediaReply};
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

use crate::support::client::Client;
use crate::support::world::{ROOM, World, count_of, track};

const SECOND: Duration = Duration::from_secs(1);
/// Pieces of a stream that a receiver keeps behind a missing one: two seconds of frames, which a replay brings at
/// once and jitter shuffles. With the clients' own thirty they give up a frame that is still on its way.
const HELD_BACK: usize = 64;

/// One publisher of a picture, whose first frame is a key frame, and receivers of which only the first is let
/// go.
struct Show {
    world: World,
    camera: Mid,
    takes: Vec<Mid>,
}

impl Show {
    fn new(seed: u64, receivers: u8) -> Self {
        let config = EngineConfig {
            train_max: 64,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(seed, config);
        world.add_describing_client(1);
        let (sends, _) = world.join_added(1, &[(Video, 12)], &[]);
        let takes = (2..2 + receivers)
            .map(|number| {
                let address = format!("10.0.1.{number}:4000").parse().expect("an address");
                let client = Client::with(world.now, address, |config| {
                    config.set_reordering_size_video(HELD_BACK)
                });
                world.clients.insert(number, client);
                world.join_added(number, &[], &[(Video, 12)]).1[0]
            })
            .collect();
        world.wait_connected();
        world.forward(1, true);
        world.forward(2, true);
        world.start_describing(1, sends[0]);
        Self {
            world,
            camera: sends[0],
            takes,
        }
    }

    /// The numbers of the frames that a receiver saw.
    fn seen(&self, number: u8) -> Vec<u64> {
        let mid = self.takes[usize::from(number) - 2];
        let frames = self.world.clients[&number].received(mid);
        assert!(frames.iter().all(|frame| frame.contiguous));
        frames.iter().map(|frame| count_of(&frame.data)).collect()
    }

    fn asked(&mut self) -> usize {
        self.world.client(1).key_frame_requests
    }

    fn replayed(&self) -> u64 {
        self.world.engine.counters().key_frames_replayed
    }
}

#[test]
fn a_receiver_that_comes_just_after_a_key_frame_sees_it_at_once_and_asks_for_none() {
    let mut show = Show::new(50, 2);
    show.world.run(500 * Duration::from_millis(1));
    let asked = show.asked();
    show.world.forward(3, true);
    // One way, and the time in which frames are put together.
    show.world.run(Duration::from_millis(30));
    let seen = show.seen(3);
    assert_eq!(seen.first(), Some(&1), "from the key frame on");
    assert!(seen.len() >= 14, "{seen:?}");
    show.world.run(SECOND);
    let seen = show.seen(3);
    assert!(seen.iter().copied().eq(1..=seen.len() as u64), "{seen:?}");
    assert!(seen.len() > 40);
    assert_eq!(show.asked(), asked, "nobody was asked");
    assert_eq!(show.replayed(), 1);
}

#[test]
fn a_key_frame_that_is_old_or_from_before_the_keys_changed_is_not_replayed() {
    // Old.
    let mut show = Show::new(51, 2);
    show.world.run(3 * SECOND);
    let asked = show.asked();
    show.world.forward(3, true);
    show.world.run(SECOND);
    assert_eq!((show.asked() > asked, show.replayed()), (true, 0));
    assert!(show.seen(3).is_empty(), "a delta frame is no beginning");
    show.world.send_key_frame(1, show.camera);
    show.world.run(SECOND);
    assert!(show.seen(3).len() > 25);

    // From before the keys changed.
    let mut show = Show::new(52, 2);
    show.world.run(SECOND);
    let request = MediaCommand::RequestKeyFrames { room: ROOM };
    assert_eq!(show.world.command(request), Ok(MediaReply::Done));
    show.world.forward(3, true);
    show.world.run(SECOND / 2);
    assert_eq!((show.seen(3).len(), show.replayed()), (0, 0));
    show.world.send_key_frame(1, show.camera);
    show.world.run(SECOND / 2);
    let first = show.seen(3)[0];
    assert!((45..=50).contains(&first), "the new key frame: {first}");
}

#[test]
fn nothing_from_while_the_switch_was_off_is_replayed() {
    let mut show = Show::new(53, 1);
    show.world.run(SECOND / 2);
    let before = show.seen(2).len() as u64;
    let switch = |on| MediaCommand::SetTrackForwarding {
        room: ROOM,
        track: track(12),
        on,
    };
    assert_eq!(show.world.command(switch(false)), Ok(MediaReply::Done));
    show.world.run(Duration::from_millis(100));
    show.world.send_key_frame(1, show.camera);
    show.world.run(SECOND / 2);
    assert_eq!(show.world.command(switch(true)), Ok(MediaReply::Done));
    show.world.run(SECOND / 2);
    assert_eq!(show.replayed(), 0);
    assert!(
        show.seen(2).len() as u64 <= before + 1,
        "but for what was on its way"
    );
    show.world.send_key_frame(1, show.camera);
    show.world.run(SECOND / 2);
    assert!(show.seen(2).len() as u64 > before + 10);
}

/// Clients take a frame that they had before for a repetition, and drop it.
#[test]
fn a_receiver_is_not_sent_again_what_it_had_before_a_hold() {
    let mut show = Show::new(54, 2);
    show.world.run(SECOND / 2);
    show.world.forward(2, false);
    show.world.run(SECOND / 2);
    let asked = show.world.client(1).key_frame_requests;
    show.world.forward(2, true);
    show.world.run(SECOND / 2);
    assert_eq!(show.replayed(), 0);
    assert!(show.world.client(1).key_frame_requests > asked);
    let before = show.seen(2).len();
    show.world.send_key_frame(1, show.camera);
    show.world.run(SECOND / 2);
    let seen = show.seen(2);
    assert!(seen.len() > before + 10);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[test]
fn many_late_joiners_begin_seamlessly_for_many_seeds() {
    let mut replayed = 0;
    for seed in (60..100).step_by(2) {
        let mut show = Show::new(seed, 6);
        show.world.network.weather.jitter = Duration::from_millis(4);
        for number in 3..8 {
            let wait = show.world.network.random() % 700;
            show.world.run(Duration::from_millis(wait));
            show.world.forward(number, true);
            if show.world.network.random().is_multiple_of(3) {
                show.world.send_key_frame(1, show.camera);
            }
        }
        show.world.send_key_frame(1, show.camera);
        show.world.run(2 * SECOND);
        for number in 2..8 {
            let seen = show.seen(number);
            let whole = seen.windows(2).all(|pair| pair[1] == pair[0] + 1);
            assert!(whole && seen.len() > 50, "{seed}, {number}: {seen:?}");
        }
        let not_sent = homeline_media_engine::DropReason::NotSent;
        assert_eq!(show.world.engine.counters().dropped(not_sent), 0);
        replayed += show.replayed();
    }
    assert!(replayed > 0);
}

#[test]
fn a_client_without_descriptors_is_not_replayed() {
    let mut world = World::new(71);
    let (sends, _) = world.join(1, &[(Video, 12)], &[]);
    let (_, takes) = world.join(2, &[], &[(Video, 12)]);
    world.wait_connected();
    world.forward(1, true);
    world.start_sending(1, sends[0], Video);
    world.run(SECOND);
    world.forward(2, true);
    world.run(SECOND);
    assert_eq!(world.engine.counters().key_frames_replayed, 0);
    let client: &Client = world.client(2);
    assert!(client.received(takes[0]).len() > 25);
}
