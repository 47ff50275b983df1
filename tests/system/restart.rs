//! `kill -9` in a call, before one, and while one is answered: both sides are told, and both histories say it.

use std::time::{Duration, Instant};

use homeline_client::CallEvent;
use homeline_protocol::session::EndReason;

use crate::people::{PATIENCE, Person, code, ended, hears, soon, sound, talk, until};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_as_server_restarted_on_both_sides_and_in_both_histories() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let mut ben = Person::found(&server.here(), "ben").await;
    let (mut caller, mut callee) = talk(&anna, &mut ben, "ben").await;
    hears(&mut caller.heard, 1_500.0).await;
    hears(&mut callee.heard, 1_000.0).await;
    let port = server.port_setting();
    let killed = Instant::now();
    server.kill();
    let _server = Server::start_again(data.path(), &port);
    for side in [&mut caller, &mut callee] {
        assert_eq!(ended(&mut side.call).await, EndReason::ServerRestarted);
    }
    assert!(
        killed.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        killed.elapsed()
    );
    for person in [&anna, &ben] {
        let history = soon("the history", person.client.history(10))
            .await
            .unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].reason, EndReason::ServerRestarted);
        assert!(history[0].answered_at_ms.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_still_rings_ends_as_server_restarted_too() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let mut ben = Person::found(&server.here(), "ben").await;
    let (with, _heard) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let mut incoming = ben.incoming().await;
    let port = server.port_setting();
    server.kill();
    let _server = Server::start_again(data.path(), &port);
    assert_eq!(ended(&mut call).await, EndReason::ServerRestarted);
    let rang = tokio::time::timeout(PATIENCE, async {
        while let Some(event) = incoming.next().await {
            if let CallEvent::Ended(reason) = event {
                return Some(reason);
            }
        }
        None
    });
    assert_eq!(rang.await.unwrap(), Some(EndReason::ServerRestarted));
}

/// How far an answer has come when the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answering {
    Begun,
    ToldToTheCaller,
    Secured,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_just_being_answered_ends_in_words_as_well() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let mut ben = Person::found(&server.here(), "ben").await;
    for far in [
        Answering::Begun,
        Answering::ToldToTheCaller,
        Answering::Secured,
    ] {
        let (with, _heard) = sound(1_000.0);
        let mut call = anna.client.call("ben", with).await.unwrap();
        let (with, _heard) = sound(1_500.0);
        let mut there = ben.incoming().await.answer(with).await;
        let told = |event: &CallEvent| (*event == CallEvent::Answered).then_some(());
        match far {
            Answering::Begun => {}
            Answering::ToldToTheCaller => until(&mut call, "the answer", told).await,
            Answering::Secured => drop(code(&mut there).await),
        }
        let port = server.port_setting();
        server.kill();
        server = Server::start_again(data.path(), &port);
        let restarted = Instant::now();
        assert_eq!(
            ended(&mut call).await,
            EndReason::ServerRestarted,
            "{far:?}"
        );
        let reason = ended(&mut there).await;
        // An answer that had not left before the kill asks the new server, which knows no such call.
        let unsent = far == Answering::Begun && reason == EndReason::Cancelled;
        assert!(
            reason == EndReason::ServerRestarted || unsent,
            "{far:?}: {reason:?}"
        );
        assert!(restarted.elapsed() < Duration::from_secs(10));
        for person in [&anna, &ben] {
            let history = soon("the history", person.client.history(1)).await.unwrap();
            assert_eq!(history[0].reason, EndReason::ServerRestarted, "{far:?}");
        }
    }
}
