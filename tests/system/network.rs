//! The network of one side is cut for five seconds in mid-call and comes back.

use std::time::Duration;

use homeline_client::{CallEvent, Server as At};
use tokio::sync::mpsc;

use crate::namespace::{Cable, Host};
use crate::people::{Person, Side, answer, hears, soon, sound, until};
use crate::server::{Server, Start};
use crate::web::{figure, get};

const CUT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_outlives_five_seconds_without_a_network() {
    let Some(cable) = Cable::lay() else { return };
    let data = tempfile::tempdir().unwrap();
    // A beat a second, so that both sides notice a loss of five.
    let settings = [("HOMELINE_SIGNALING__SESSION__HEARTBEAT_SECS", "1")];
    let home = &cable.left;
    let start = Start {
        data: data.path(),
        settings: &settings,
        namespace: Some(&home.namespace),
    };
    let server = Server::start_with(&start);
    let beside = server.here();
    let away = over_tls(&server, home, data.path());
    let mut anna = on(&cable.right, Person::found_owned(away, "anna")).await;
    let mut ben = on(home, Person::found_owned(beside, "ben")).await;

    let (with, heard) = sound(1_000.0);
    let calling = anna.client.clone();
    let call = on(&cable.right, async move {
        calling.call("ben", with).await.unwrap()
    })
    .await;
    let (mut at_anna, mut at_ben) = answer(Side { call, heard }, &mut ben).await;
    hears(&mut at_anna.heard, 1_500.0).await;
    hears(&mut at_ben.heard, 1_000.0).await;
    let before = metrics(home, server.port()).await;

    cable.cut();
    let during = anna.client.clone();
    let asked = cable.right.spawn(async move {
        during
            .add_contact("Grandma", "grandma".parse().unwrap(), None)
            .await
    });
    // The length of the cut is the story's, not a wait for something.
    tokio::time::sleep(CUT).await;
    assert!(!asked.is_finished(), "the network is really cut");
    drain(&mut at_anna.heard);
    drain(&mut at_ben.heard);
    assert!(
        at_ben.heard.try_recv().is_err(),
        "nothing is heard over a cut network"
    );
    cable.mend();

    anna.connection(true).await;
    soon("the reply", asked).await.unwrap().unwrap();
    hears(&mut at_anna.heard, 1_500.0).await;
    hears(&mut at_ben.heard, 1_000.0).await;

    let after = metrics(home, server.port()).await;
    let grown = |row: &str| figure(&after, row) - figure(&before, row);
    assert_eq!(
        grown("homeline_sessions_opened_total"),
        0,
        "no new session was needed"
    );
    assert!(
        grown("homeline_sessions_resumed_total") >= 1,
        "the session was resumed"
    );
    let put = r#"homeline_requests_total{kind="put_contact",result="ok"}"#;
    assert_eq!(grown(put), 1, "asked during the cut, done once");
    assert_eq!(figure(&after, r#"homeline_calls{phase="answered"}"#), 1);
    let named = anna
        .client
        .household()
        .contacts()
        .filter(|card| card.name == "Grandma")
        .count();
    assert_eq!(named, 1);

    // Both are told of the loss, not of an end; then either hangs up as ever.
    at_anna.call.hang_up().await;
    until(&mut at_ben.call, "the end", |event| {
        matches!(event, CallEvent::Ended(_)).then_some(())
    })
    .await;
}

/// The server as a device elsewhere knows it: by its address and its own certificate authority.
pub(crate) fn over_tls(server: &Server, host: &Host, data: &std::path::Path) -> At {
    let authority = std::fs::read(data.join("certificate/authority.pem")).unwrap();
    let mine = format!("https://{}:", host.address);
    let url = server.https_urls.iter().find(|url| url.starts_with(&mine));
    At::with_authority(url.expect("the cable's address is printed"), &authority).unwrap()
}

/// Runs something on a host, and waits for it.
pub(crate) async fn on<T: Send + 'static>(
    host: &Host,
    story: impl Future<Output = T> + Send + 'static,
) -> T {
    soon("a host's part", host.spawn(story)).await.unwrap()
}

pub(crate) async fn metrics(host: &Host, port: u16) -> String {
    on(host, async move {
        get(("127.0.0.1", port), "localhost", "/metrics").text()
    })
    .await
}

pub(crate) fn drain<T>(queue: &mut mpsc::Receiver<T>) {
    while queue.try_recv().is_ok() {}
}
