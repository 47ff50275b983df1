//! `kill -9` in a call, before one, and while one is answered: both sides are told, and both histories say it.

use std::time::{Duration, Instant};

use homeline_client::drop_in::EndedBy;
use homeline_client::{CallEvent, ClientEvent, Identity, Visit, VisitEvent};
use homeline_e2ee::drop_in::ledger::{Head, LedgerReader, What};
use homeline_e2ee::ids;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::session::{EndReason, Reply, Request};

use crate::people::{PATIENCE, Person, code, ended, hears, soon, sound, talk, until};
use crate::server::Server;
use crate::web::{figure, get};

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

/// What a ledger says in the end, as an adult reads it; with at least so many entries.
async fn ledger(anna: &Person, kitchen: &Identity, length: usize) -> Vec<What> {
    let device = ids::device_id(kitchen.device_key.public());
    soon("the ledger", async {
        loop {
            let listed = Request::ListLedger {
                device,
                from: 0,
                limit: 200,
            };
            let entries = match anna.client.session().request(listed).await {
                Ok(Reply::Ledger { entries, .. }) => entries,
                other => panic!("no ledger: {other:?}"),
            };
            if entries.len() >= length {
                let mut reader = LedgerReader::new(kitchen.genesis, device, Head::default());
                let read = |entry: &Blob| {
                    let entry = Signed::decode(&entry.0).unwrap();
                    reader.read(&entry).unwrap().what
                };
                return entries.iter().map(read).collect();
            }
            // The SDK tells no event of a ledger that grew. A session may ask 20 times a second.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
}

async fn visit(kitchen: &mut Person) -> Box<Visit> {
    soon("somebody who drops in", async {
        loop {
            match kitchen.events.recv().await.expect("the client lives") {
                ClientEvent::DropIn(visit) => return visit,
                ClientEvent::DropInRefused { because, .. } => panic!("refused: {because:?}"),
                _ => {}
            }
        }
    })
    .await
}

/// Why the connection is gone, and who ended it then.
async fn over(visit: &mut Visit) -> (Option<EndReason>, EndedBy) {
    soon("the end of the visit", async {
        let mut reason = None;
        loop {
            match visit.next().await.expect("its end is told") {
                VisitEvent::Lost(lost) => reason = Some(lost),
                VisitEvent::Over(by) => return (reason, by),
                _ => {}
            }
        }
    })
    .await
}

// req: DROP-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_in_ends_as_server_restarted_on_both_sides_and_in_the_ledger_by_the_connection() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let identity = anna.pair(&server.here(), "anna", "Kitchen").await;
    let mut kitchen = Person::connect(&server.here(), identity).await;
    anna.client.refresh().await.unwrap();
    anna.client.let_household_drop_in(false).await.unwrap();
    let port = server.port_setting();
    let (with, mut at_anna) = sound(1_500.0);
    let mut call = anna.client.drop_in("kitchen", with).await.unwrap();
    let mut open = visit(&mut kitchen).await;
    let (with, mut at_kitchen) = sound(1_000.0);
    open.signalled(with).await;
    hears(&mut at_anna, 1_000.0).await;
    hears(&mut at_kitchen, 1_500.0).await;
    let figures = get(("127.0.0.1", server.port()), "localhost", "/metrics").text();
    assert_eq!(figure(&figures, "homeline_drop_ins"), 1);
    assert_eq!(figure(&figures, "homeline_drop_ins_opened_total"), 1);
    assert_eq!(figure(&figures, r#"homeline_calls{phase="answered"}"#), 0);
    server.kill();
    let server = Server::start_again(data.path(), &port);
    assert_eq!(ended(&mut call).await, EndReason::ServerRestarted);
    let restarted = (Some(EndReason::ServerRestarted), EndedBy::Connection);
    assert_eq!(over(&mut open).await, restarted);
    // The target's media is gone: nothing more comes, nor is anything taken.
    while soon("the last of the sound", at_anna.recv())
        .await
        .is_some()
    {}
    while soon("the last of the sound", at_kitchen.recv())
        .await
        .is_some()
    {}
    let written = ledger(&anna, &kitchen.identity, 3).await;
    assert!(matches!(written[1], What::Opened { .. }));
    let by_connection = |what: &What| {
        matches!(
            what,
            What::Ended {
                by: EndedBy::Connection,
                ..
            }
        )
    };
    assert!(by_connection(&written[2]));

    // And one that has not opened yet opens nothing afterwards.
    let (with, _heard) = sound(1_500.0);
    let mut call = anna.client.drop_in("kitchen", with).await.unwrap();
    let mut signals = visit(&mut kitchen).await;
    server.kill();
    let _server = Server::start_again(data.path(), &port);
    assert_eq!(ended(&mut call).await, EndReason::ServerRestarted);
    // On a slow machine the time for tone and light runs out first.
    let too_late = (None, EndedBy::Target);
    let end = over(&mut signals).await;
    assert!(end == restarted || end == too_late, "{end:?}");
    let written = ledger(&anna, &kitchen.identity, 3).await;
    let opened = |what: &&What| matches!(what, What::Opened { .. });
    assert_eq!(written.iter().filter(opened).count(), 1);
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
