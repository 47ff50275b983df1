//! What a worker times and survives, without its thread.

use homeline_protocol::id::RoomId;
use tokio::sync::mpsc;

use super::*;
use crate::NodeConfig;
use crate::node::new_worker;

#[test]
fn every_copy_of_what_came_in_this_turn_is_timed_and_nothing_else() {
    let (taken, mut state) = (Instant::now(), State::default());
    state.arrivals.push((taken, SystemTime::now()));
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut transmit = Transmit {
        protocol: Protocol::Udp,
        expendable: false,
        local: address,
        remote: address,
        payload: &[0; 350],
        segment: 100,
        taken: Some(taken),
        copies: 3,
    };
    state.note_transit(&transmit);
    assert_eq!(state.metrics.transit.count(), 3);
    // Held back by the pacer, or sent by the engine of its own accord.
    for other in [taken.checked_sub(Duration::from_millis(5)), None] {
        transmit.taken = other;
        state.note_transit(&transmit);
    }
    assert_eq!(state.metrics.transit.count(), 3);
}

#[test]
fn a_panic_inside_the_engine_is_counted_and_the_worker_lives_on() {
    let (events_out, _events) = mpsc::channel(1);
    let config = NodeConfig {
        udp_port: 0,
        ..NodeConfig::default()
    };
    let mut prepared = new_worker(&config, 0, events_out).unwrap();
    prepared.worker.guarded(|_| panic!("a bug, for the test"));
    assert_eq!(prepared.worker.state.metrics.rooms_failed, 1);
    let running = std::thread::spawn(move || prepared.worker.run());
    let (reply, pending) = tokio::sync::oneshot::channel();
    let room = RoomId([1; 16]);
    let create = MediaCommand::CreateRoom { room };
    let create = Order::Command(create, ReplyTo::One(reply));
    prepared.door.give(create);
    assert!(pending.blocking_recv().unwrap().is_ok());
    prepared.door.stop();
    running.join().unwrap();
    assert_eq!(prepared.board.read().rooms_failed, 1);
}
