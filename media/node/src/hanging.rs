//! A node one of whose two workers really hangs: at a lock that it must take to publish its figures.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use homeline_protocol::Secret;
use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::control::{AdminToken, Control};
use crate::metrics::MetricsBoard;
use crate::{Link, Node, NodeConfig};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn start() -> (Node, Link) {
    let config = NodeConfig {
        bind: vec!["127.0.0.1".parse().unwrap()],
        udp_port: 0,
        workers: 2.try_into().unwrap(),
        // Every peer is one too many for its room's home, and goes to the other worker.
        room_peers_per_worker_max: 0,
        ..NodeConfig::default()
    };
    Node::start(config).unwrap()
}

/// Holds up the worker of a board until the sender is dropped.
fn hold(board: &Arc<MetricsBoard>) -> mpsc::Sender<()> {
    let (held, wait) = mpsc::channel();
    let board = Arc::clone(board);
    std::thread::spawn(move || {
        let _held = board.hold();
        // Nothing is ever sent.
        wait.recv().ok();
    });
    held
}

/// Until so many of its threads do not answer.
async fn until_silent(node: &Node, silent: usize) {
    let begun = Instant::now();
    while node.threads() != (2, silent) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", node.threads());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn give(link: &Link, command: MediaCommand) -> oneshot::Receiver<Answer> {
    let (reply, answer) = oneshot::channel();
    link.commands.send((command, reply)).await.unwrap();
    answer
}

type Answer = Result<MediaReply, MediaError>;

const fn room(number: u8) -> RoomId {
    RoomId([number; 16])
}

/// Not one that any node takes: what counts is who answers.
const fn offer(room: RoomId, peer: u8) -> MediaCommand {
    MediaCommand::Negotiate {
        room,
        peer: PeerId([peer; 16]),
        offer: String::new(),
        publish: Vec::new(),
        subscribe: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_for_others_go_on_while_a_worker_hangs_and_its_own_are_answered_later() {
    let (node, link) = start();
    let boards = node.boards();
    let held = hold(&boards[1]);
    until_silent(&node, 1).await;
    let begun = Instant::now();
    let mut pending = Vec::new();
    for number in 0..60 {
        let room = room(number);
        let made = link.send(MediaCommand::CreateRoom { room }).await;
        assert_eq!(made, Ok(MediaReply::Done), "on the worker that answers");
        // Its part on the other worker will know of it once that one answers.
        pending.push(give(&link, offer(room, 1)).await);
    }
    let elapsed = begun.elapsed();
    assert!(elapsed < PATIENCE / 2, "a second each would be {elapsed:?}");
    for answer in &mut pending {
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    }

    // So much waits for it in the end that it gets no more, and others still do.
    let mut more = Vec::new();
    for _ in 0..2_000 {
        more.push(give(&link, offer(room(1), 1)).await);
    }
    let refused = tokio::time::timeout(PATIENCE, more.pop().unwrap()).await;
    assert_eq!(refused.unwrap(), Ok(Err(MediaError::Gone)));
    let last = room(200);
    let made = link.send(MediaCommand::CreateRoom { room: last }).await;
    assert_eq!(made, Ok(MediaReply::Done));

    drop(held);
    until_silent(&node, 0).await;
    let mut answered = Vec::new();
    for answer in pending.into_iter().chain(more) {
        let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap();
        answered.push(matches!(answer, Ok(Err(MediaError::BadOffer(_)))));
    }
    let (taken, others) = answered.split_at(1_024 - 60);
    assert!(
        taken.iter().all(|answered| *answered),
        "as many as may wait"
    );
    assert!(others.iter().any(|answered| !answered));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn healthz_says_how_many_media_threads_do_not_answer_and_recovers() {
    let (node, link) = start();
    let token = Secret::new("the token of this test");
    let nowhere = std::path::Path::new("/nonexistent");
    let (token, _) = AdminToken::open(Some(&token), nowhere).unwrap();
    let (questions, _) = tokio::sync::mpsc::channel(1);
    let (control, _link) = Control::new(node.clone(), link, token, questions);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let router = control.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let ask = || async move {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let question = "GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";
        stream.write_all(question.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].to_owned(), body.to_owned())
    };
    let live = ("200".to_owned(), "live\n".to_owned());
    assert_eq!(ask().await, live);
    let boards = node.boards();
    for at in [1, 0] {
        let held = hold(&boards[at]);
        until_silent(&node, 1).await;
        let told = "1 of 2 media threads do not answer\n".to_owned();
        assert_eq!(ask().await, ("503".to_owned(), told));
        drop(held);
        until_silent(&node, 0).await;
        assert_eq!(ask().await, live);
    }
    node.shutdown().await;
    until_silent(&node, 2).await;
    assert_eq!(ask().await.0, "503");
}
