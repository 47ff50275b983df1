//! Calls with more than two, a call that moves, and a second call, between Rust clients over a real server.

use std::collections::{HashMap, VecDeque};

use homeline_client::media::{Heard, SAMPLE_RATE};
use homeline_client::sound::level_at;
use homeline_client::{Call, CallEvent, ClientEvent, IncomingCall};
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::EndReason;
use tokio::sync::mpsc;

use crate::house::{Person, code, ended, soon, sound, until};
use crate::server::TestServer;

/// Sound of one participant, a second of it.
#[derive(Default)]
pub(crate) struct Ear(HashMap<DeviceId, VecDeque<i16>>);

impl Ear {
    /// Waits until a second of what one of them sends is mostly this tone. Says whose it is.
    pub(crate) async fn hears(
        &mut self,
        heard: &mut mpsc::Receiver<Heard>,
        hertz: f64,
    ) -> DeviceId {
        soon(&format!("{hertz} Hz"), async {
            loop {
                let heard = heard.recv().await.expect("the call goes on");
                let window = self.0.entry(heard.device).or_default();
                window.extend(heard.pcm.0);
                let extra = window.len().saturating_sub(SAMPLE_RATE as usize / 2);
                window.drain(..extra);
                let full = window.len() == SAMPLE_RATE as usize / 2;
                if full && level_at(hertz, window.make_contiguous()) > 0.8 {
                    return heard.device;
                }
            }
        })
        .await
    }
}

pub(crate) async fn hears(heard: &mut mpsc::Receiver<Heard>, hertz: f64) -> DeviceId {
    Ear::default().hears(heard, hertz).await
}

/// The last code that a call shows, once it is that of another.
pub(crate) async fn same_code(one: &mut Call, other: &mut Call) {
    let (mut here, mut there) = (code(one).await, code(other).await);
    while here != there {
        // One of them is an epoch behind; which, only its next code tells.
        tokio::select! {
            next = code(one) => here = next,
            next = code(other) => there = next,
        }
    }
}

async fn offered(person: &mut Person, moves: bool) -> IncomingCall {
    soon("an offered call", async {
        loop {
            match person.events.recv().await.expect("the client lives") {
                ClientEvent::Moving(call) if moves => return *call,
                ClientEvent::Waiting(call) if !moves => return *call,
                ClientEvent::CallRefused { because, .. } => panic!("refused: {because}"),
                _ => {}
            }
        }
    })
    .await
}

/// Anna and Ben talk: she at 1 kHz, he at 1.5 kHz.
pub(crate) async fn talking(
    anna: &Person,
    ben: &mut Person,
) -> (Call, mpsc::Receiver<Heard>, Call, mpsc::Receiver<Heard>) {
    let (with, at_anna) = sound(1_000.0);
    let mut hers = anna.client.call("ben", with).await.unwrap();
    let (with, at_ben) = sound(1_500.0);
    let mut his = ben.incoming().await.answer(with).await;
    same_code(&mut hers, &mut his).await;
    (hers, at_anna, his, at_ben)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hear_each_other_and_whoever_leaves_hears_nothing_more() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let mut cleo = Person::found(&server.server(), "cleo").await;
    let (mut hers, mut at_anna, mut his, mut at_ben) = talking(&anna, &mut ben).await;
    hers.add("cleo").await;
    let incoming = cleo.incoming().await;
    assert_eq!(incoming.from().name, "Anna");
    until(&mut hers, "the ringing", |event| {
        (*event == CallEvent::AddingRings).then_some(())
    })
    .await;
    let (with, mut at_cleo) = sound(2_000.0);
    let mut cleos = incoming.answer(with).await;
    same_code(&mut hers, &mut cleos).await;
    let joined = |event: &CallEvent| match event {
        CallEvent::Joined { party, .. } if party.name == "Cleo" => Some(()),
        _ => None,
    };
    until(&mut his, "Cleo", joined).await;
    let mut ears = [Ear::default(), Ear::default(), Ear::default()];
    let anna_device = ears[1].hears(&mut at_ben, 1_000.0).await;
    let cleo_device = ears[1].hears(&mut at_ben, 2_000.0).await;
    let ben_device = ears[0].hears(&mut at_anna, 1_500.0).await;
    assert_eq!(ears[0].hears(&mut at_anna, 2_000.0).await, cleo_device);
    assert_eq!(ears[2].hears(&mut at_cleo, 1_000.0).await, anna_device);
    assert_eq!(ears[2].hears(&mut at_cleo, 1_500.0).await, ben_device);

    // Ben leaves: the others go on, under a key that he does not have.
    his.hang_up().await;
    assert_eq!(ended(&mut his).await, EndReason::HungUp);
    let left = |event: &CallEvent| match event {
        CallEvent::Left { device } => Some(*device),
        _ => None,
    };
    assert_eq!(until(&mut hers, "Ben's leaving", left).await, ben_device);
    same_code(&mut hers, &mut cleos).await;
    while at_ben.recv().await.is_some() {}
    hears(&mut at_anna, 2_000.0).await;
    hears(&mut at_cleo, 1_000.0).await;
    cleos.hang_up().await;
    assert_eq!(ended(&mut hers).await, EndReason::HungUp);
    assert_eq!(ended(&mut cleos).await, EndReason::HungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_declines_is_not_added_and_the_call_goes_on() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let mut cleo = Person::found(&server.server(), "cleo").await;
    let (mut hers, mut at_anna, his, _at_ben) = talking(&anna, &mut ben).await;
    hers.add("cleo").await;
    soon("declining", cleo.incoming().await.decline()).await;
    let not_added = |event: &CallEvent| match event {
        CallEvent::NotAdded(reason) => Some(*reason),
        _ => None,
    };
    let reason = until(&mut hers, "the answer", not_added).await;
    assert_eq!(reason, EndReason::Declined);
    hears(&mut at_anna, 1_500.0).await;
    his.hang_up().await;
    assert_eq!(ended(&mut hers).await, EndReason::HungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_moves_to_another_room_and_the_other_side_hears_on() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let ben = Person::found(&server.server(), "ben").await;
    let mut kitchen = ben.pair(&server.server(), "ben", "Kitchen").await;
    let mut living = ben.pair(&server.server(), "ben", "Living room").await;
    let (mut hers, mut at_anna, mut his, mut at_kitchen) = talking(&anna, &mut kitchen).await;
    let old = hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_kitchen, 1_000.0).await;

    // From the kitchen to the living room.
    soon("the household", kitchen.client.refresh())
        .await
        .unwrap();
    his.move_to(device(&living)).await;
    let moving = offered(&mut living, true).await;
    assert_eq!(moving.from().handle, "anna");
    let (with, mut at_living) = sound(2_000.0);
    let mut there = moving.answer(with).await;
    assert_eq!(ended(&mut his).await, EndReason::Moved);
    // One change of the epoch: the first code that either shows is the same.
    assert_eq!(code(&mut hers).await, code(&mut there).await);
    let new = hears(&mut at_anna, 2_000.0).await;
    assert_ne!(old, new);
    hears(&mut at_living, 1_000.0).await;

    // The kitchen wants it back.
    let running = soon("the calls", kitchen.client.running()).await.unwrap();
    assert_eq!((running.len(), running[0].here), (1, false));
    let back = kitchen.client.take_over(running[0].call);
    soon("asking for the call", back).await.unwrap();
    let moving = offered(&mut kitchen, true).await;
    let (with, mut at_kitchen) = sound(1_500.0);
    let mut again = moving.answer(with).await;
    assert_eq!(ended(&mut there).await, EndReason::Moved);
    hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_kitchen, 1_000.0).await;
    again.hang_up().await;
    assert_eq!(ended(&mut hers).await, EndReason::HungUp);
    assert_eq!(ended(&mut again).await, EndReason::HungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_call_waits_and_answering_it_ends_the_first() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let cleo = Person::found(&server.server(), "cleo").await;
    let (mut hers, _at_anna, mut his, _at_ben) = talking(&anna, &mut ben).await;
    let (with, mut at_cleo) = sound(2_000.0);
    let mut cleos = cleo.client.call("ben", with).await.unwrap();
    let waiting = offered(&mut ben, false).await;
    assert_eq!(waiting.from().handle, "cleo");
    let (with, mut at_ben) = sound(1_500.0);
    let mut second = waiting.answer(with).await;
    assert_eq!(ended(&mut his).await, EndReason::HungUp);
    assert_eq!(ended(&mut hers).await, EndReason::HungUp);
    same_code(&mut cleos, &mut second).await;
    hears(&mut at_cleo, 1_500.0).await;
    hears(&mut at_ben, 2_000.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_call_is_told_and_kept_until_it_is_seen() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (with, _at_anna) = sound(1_000.0);
    let mut hers = anna.client.call("ben", with).await.unwrap();
    let ringing = ben.incoming().await;
    hers.hang_up().await;
    assert_eq!(ended(&mut hers).await, EndReason::Cancelled);
    drop(ringing);
    let missed = soon("the notice", async {
        loop {
            if let Some(ClientEvent::Missed(missed)) = ben.events.recv().await {
                return missed;
            }
        }
    })
    .await;
    assert_eq!(missed.party.handle.as_str(), "anna");
    let kept = soon("the list", ben.client.missed()).await.unwrap();
    assert_eq!(kept, std::slice::from_ref(&*missed));
    let nothing = soon("the list", anna.client.missed()).await.unwrap();
    assert_eq!(nothing, []);
    let seen = ben.client.mark_missed_seen(missed.started_at_ms);
    soon("marking", seen).await.unwrap();
    assert_eq!(soon("the list", ben.client.missed()).await.unwrap(), []);
    assert_eq!(
        soon("the history", ben.client.history(10))
            .await
            .unwrap()
            .len(),
        1
    );
}

fn device(person: &Person) -> DeviceId {
    homeline_e2ee::ids::device_id(person.identity.device_key.public())
}
