//! Calls between Rust clients over a real server.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use homeline_client::home::Trust;
use homeline_client::media::{Camera, Heard, SAMPLE_RATE, VideoFrame};
use homeline_client::sound::level_at;
use homeline_client::{Call, CallEvent, ClientEvent, Outgoing};
use homeline_protocol::id::SessionId;
use homeline_protocol::session::{EndReason, Outcome, Reply, ServerFrame};
use tokio::sync::mpsc;

use crate::house::{Person, code, ended, soon, sound, until};
use crate::proxy::{Honest, Lie, Proxy};
use crate::server::TestServer;

/// Two people of two households in a call with each other.
pub(crate) struct Talk {
    pub(crate) anna: Person,
    pub(crate) ben: Person,
    /// Anna's side: she sends 1 kHz and hears what Ben sends.
    pub(crate) call: Call,
    pub(crate) at_anna: mpsc::Receiver<Heard>,
    /// Ben's side: he sends 1.5 kHz.
    pub(crate) answered: Call,
    pub(crate) at_ben: mpsc::Receiver<Heard>,
}

/// Anna calls, Ben answers, both see the same code.
pub(crate) async fn talk(server: &TestServer) -> Talk {
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    anna.client
        .add_contact("Uncle Ben", "ben".parse().unwrap(), None)
        .await
        .unwrap();
    let (with, at_anna) = sound(1_000.0);
    let mut call = anna.client.call("uncle ben", with).await.unwrap();
    let incoming = ben.incoming().await;
    assert_eq!(incoming.from().name, "Anna");
    assert_eq!(incoming.from().trust, Trust::FirstContact);
    until(&mut call, "ringing", |event| {
        (*event == CallEvent::Ringing).then_some(())
    })
    .await;
    let (with, at_ben) = sound(1_500.0);
    let mut answered = incoming.answer(with).await;
    let (there, here) = (code(&mut answered).await, code(&mut call).await);
    assert_eq!(there, here);
    assert_eq!(here.len(), 35);
    Talk {
        anna,
        ben,
        call,
        at_anna,
        answered,
        at_ben,
    }
}

/// Waits until a second of sound is mostly this tone.
pub(crate) async fn hears(heard: &mut mpsc::Receiver<Heard>, hertz: f64) {
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
    let Talk {
        anna,
        ben,
        mut call,
        mut at_anna,
        mut answered,
        mut at_ben,
    } = talk(&server).await;
    hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_ben, 1_000.0).await;
    call.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
    assert_eq!(ended(&mut answered).await, EndReason::HungUp);
    for person in [&anna, &ben] {
        let history = soon("the history", person.client.history(10))
            .await
            .unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].reason, EndReason::HungUp);
    }
}

// req: CALL-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_on_one_device_ends_the_ringing_on_the_others() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let mut kitchen = ben.pair(&server.server(), "ben", "Kitchen").await;
    let (with, mut at_anna) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let (mut app, device) = (ben.incoming().await, kitchen.incoming().await);
    let (with, mut at_kitchen) = sound(1_500.0);
    let mut answered = device.answer(with).await;
    assert_eq!(code(&mut call).await, code(&mut answered).await);
    let reason = soon("the end of ringing", async {
        loop {
            if let Some(CallEvent::Ended(reason)) = app.next().await {
                return reason;
            }
        }
    })
    .await;
    assert_eq!(reason, EndReason::AnsweredElsewhere);
    hears(&mut at_anna, 1_500.0).await;
    hears(&mut at_kitchen, 1_000.0).await;
    answered.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_call_is_told_to_the_caller() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    soon("declining", ben.incoming().await.decline()).await;
    assert_eq!(ended(&mut call).await, EndReason::Declined);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_contact_is_unverified_and_pinned_from_then_on() {
    let server = TestServer::start().await;
    let Talk {
        anna,
        ben,
        mut call,
        ..
    } = talk(&server).await;
    call.hang_up().await;
    ended(&mut call).await;
    let pinned = anna.client.household().pinned("ben", &anna.identity);
    let pinned = soon("the pin", async {
        let mut pinned = pinned;
        let mut anna = anna;
        while pinned.is_none() {
            anna.events.recv().await.expect("the client lives");
            pinned = anna.client.household().pinned("ben", &anna.identity);
        }
        pinned
    })
    .await;
    assert_eq!(pinned, Some(ben.identity.genesis));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_microphone_sends_nothing_until_it_is_opened_again() {
    let server = TestServer::start().await;
    // The clients are dropped here: a call keeps what it needs.
    let Talk {
        call,
        mut at_ben,
        mut answered,
        ..
    } = talk(&server).await;
    hears(&mut at_ben, 1_000.0).await;
    call.mute(true).await;
    until(&mut answered, "the switch", |event| match event {
        CallEvent::PartyMedia { media, .. } => (!media.microphone).then_some(()),
        _ => None,
    })
    .await;
    // What was under way may still arrive; then nothing does.
    let quiet = Duration::from_millis(400);
    while tokio::time::timeout(quiet, at_ben.recv()).await.is_ok() {}
    call.mute(false).await;
    hears(&mut at_ben, 1_000.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_while_a_session_is_cut_and_resumed() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let proxy = Proxy::start(&server.address, Honest).await;
    let identity = anna.identity.clone();
    drop(anna);
    let mut anna = Person::connect(&proxy.server(), identity).await;
    let (with, mut at_anna) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let (with, mut at_ben) = sound(1_500.0);
    let mut answered = ben.incoming().await.answer(with).await;
    assert_eq!(code(&mut call).await, code(&mut answered).await);
    hears(&mut at_anna, 1_500.0).await;
    proxy.set_up(false);
    connection(&mut anna, false).await;
    // Sound needs no session.
    hears(&mut at_ben, 1_000.0).await;
    proxy.set_up(true);
    connection(&mut anna, true).await;
    hears(&mut at_anna, 1_500.0).await;
    answered.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
}

/// Makes every session a new one, and keeps the list of running calls back until it is told.
struct ListKeptBack {
    asked: mpsc::UnboundedSender<()>,
    go: std::sync::mpsc::Receiver<()>,
}

impl Lie for ListKeptBack {
    fn says(&mut self, frame: &mut ServerFrame) {
        match frame {
            // Nobody can resume a session of this name.
            ServerFrame::Welcome { session, .. } => *session = SessionId([0; 16]),
            ServerFrame::Reply { result, .. } => {
                let list =
                    matches!(result, Outcome::Ok(reply) if matches!(**reply, Reply::Calls { .. }));
                if list {
                    self.asked.send(()).unwrap();
                    self.go.recv().unwrap();
                }
            }
            _ => {}
        }
    }
}

// req: CALL-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_begins_while_a_new_session_asks_for_the_calls_is_not_taken_for_a_lost_one() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let (go, told) = std::sync::mpsc::channel();
    let proxy = Proxy::start(&server.address, ListKeptBack { asked, go: told }).await;
    let identity = anna.identity.clone();
    drop(anna);
    let mut anna = Person::connect(&proxy.server(), identity).await;
    proxy.set_up(false);
    connection(&mut anna, false).await;
    proxy.set_up(true);
    soon("the question for the calls", was_asked.recv()).await;
    // The list was made before this call, and arrives after it began.
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    go.send(()).unwrap();
    let (with, mut at_ben) = sound(1_500.0);
    let mut answered = ben.incoming().await.answer(with).await;
    assert_eq!(code(&mut call).await, code(&mut answered).await);
    hears(&mut at_ben, 1_000.0).await;
    answered.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
}

async fn connection(person: &mut Person, wanted: bool) {
    soon("the connection's change", async {
        loop {
            match person.events.recv().await.expect("the client lives") {
                ClientEvent::Connection(now) if now == wanted => return,
                _ => {}
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_arrive_as_they_were_sent() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (with, _at_anna) = sound(1_000.0);
    let with = Outgoing {
        camera: Some(camera()),
        ..with
    };
    let mut call = anna.client.call("ben", with).await.unwrap();
    let (screen, mut seen) = mpsc::channel(64);
    let (with, _at_ben) = sound(1_500.0);
    let incoming = ben.incoming().await;
    assert!(incoming.video());
    let mut answered = incoming
        .answer(Outgoing {
            screen: Some(screen),
            ..with
        })
        .await;
    assert_eq!(code(&mut call).await, code(&mut answered).await);
    let mut last = None;
    for _ in 0..20 {
        let picture = soon("a picture", seen.recv()).await.unwrap();
        let number = check_picture(&picture.frame.data);
        // Receivers begin with a key frame, and frames come in order.
        assert!(last.is_some() || picture.frame.key);
        assert!(last.is_none_or(|last| number > last));
        last = Some(number);
    }
    call.video(false).await;
    let quiet = Duration::from_millis(400);
    while tokio::time::timeout(quiet, seen.recv()).await.is_ok() {}
    call.video(true).await;
    assert!(soon("a picture", seen.recv()).await.is_some());
}

/// Made-up pictures of several packets each, numbered; the network never looks inside.
fn camera() -> Camera {
    let (sender, frames) = mpsc::channel(4);
    let (key_frame_wanted, mut wanted) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(40));
        for number in 0_u32.. {
            ticks.tick().await;
            let key = number == 0 || wanted.try_recv().is_ok();
            let length = if key { 9_000 } else { 1_500 };
            let mut data = number.to_be_bytes().to_vec();
            data.resize(length, number as u8);
            if sender.send(VideoFrame { data, key }).await.is_err() {
                return;
            }
        }
    });
    Camera {
        frames,
        key_frame_wanted,
    }
}

fn check_picture(data: &[u8]) -> u32 {
    let number = u32::from_be_bytes(data[..4].try_into().unwrap());
    assert!(data[4..].iter().all(|byte| *byte == number as u8));
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_heard_soon() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (with, mut at_anna) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let mut incoming = ben.incoming().await;
    soon("the held connection", async {
        while incoming.next().await != Some(CallEvent::Media { connected: true }) {}
    })
    .await;
    let (with, _at_ben) = sound(1_500.0);
    let answered_at = Instant::now();
    let _answered = incoming.answer(with).await;
    soon("the first sound", at_anna.recv()).await.unwrap();
    let took = answered_at.elapsed();
    eprintln!("from answer to sound: {took:?}");
    // The aim is 150 ms, measured by the benchmark; here other tests share the machine.
    assert!(took < Duration::from_secs(3), "{took:?}");
    call.hang_up().await;
    ended(&mut call).await;
}
