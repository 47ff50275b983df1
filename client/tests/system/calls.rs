//! Calls between Rust clients over a real server.

use std::collections::VecDeque;

use homeline_client::home::Trust;
use homeline_client::media::{Heard, SAMPLE_RATE};
use homeline_client::sound::level_at;
use homeline_client::{Call, CallEvent};
use homeline_protocol::session::EndReason;
use tokio::sync::mpsc;

use crate::house::{Person, code, ended, soon, sound, until};
use crate::server::TestServer;

/// Two people of two households in a call with each other.
struct Talk {
    anna: Person,
    ben: Person,
    /// Anna's side: she sends 1 kHz and hears what Ben sends.
    call: Call,
    at_anna: mpsc::Receiver<Heard>,
    /// Ben's side: he sends 1.5 kHz.
    answered: Call,
    at_ben: mpsc::Receiver<Heard>,
}

/// Anna calls, Ben answers, both see the same code.
async fn talk(server: &TestServer) -> Talk {
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    anna.client.add_contact("Uncle Ben", "ben".parse().unwrap(), None).await.unwrap();
    let (with, at_anna) = sound(1_000.0);
    let mut call = anna.client.call("uncle ben", with).await.unwrap();
    let incoming = ben.incoming().await;
    assert_eq!(incoming.from().name, "Anna");
    assert_eq!(incoming.from().trust, Trust::FirstContact);
    until(&mut call, "ringing", |event| (*event == CallEvent::Ringing).then_some(())).await;
    let (with, at_ben) = sound(1_500.0);
    let mut answered = incoming.answer(with).await;
    let (there, here) = (code(&mut answered).await, code(&mut call).await);
    assert_eq!(there, here);
    assert_eq!(here.len(), 35);
    Talk { anna, ben, call, at_anna, answered, at_ben }
}

/// Waits until a second of sound is mostly this tone.
async fn hears(heard: &mut mpsc::Receiver<Heard>, hertz: f64) {
    let mut window: VecDeque<i16> = VecDeque::new();
    soon("the tone", async {
        loop {
            let heard = heard.recv().await.expect("the call goes on");
            window.extend(heard.pcm.0);
            let extra = window.len().saturating_sub(SAMPLE_RATE as usize);
            window.drain(..extra);
            let second = window.len() == SAMPLE_RATE as usize;
            if second && level_at(hertz, window.make_contiguous()) > 0.8 {
                return;
            }
        }
    })
    .await;
}

// req: CALL-6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_and_either_hangs_up_for_both() {
    let server = TestServer::start().await;
    let Talk { anna, ben, mut call, mut at_anna, mut answered, mut at_ben } = talk(&server).await;
    hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_ben, 1_000.0).await;
    call.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
    assert_eq!(ended(&mut answered).await, EndReason::HungUp);
    for person in [&anna, &ben] {
        let history = soon("the history", person.client.history(10)).await.unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].reason, EndReason::HungUp);
    }
}
