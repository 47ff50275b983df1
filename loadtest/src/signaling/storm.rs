//! All sessions are cut at once, as when a router restarts, and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use homeline_client::Server;
use homeline_client::session::{Session, SessionEvent};
use tokio::sync::{Notify, watch};

use super::proxy::Proxy;
use super::stage::Stage;
use super::tally::{Kind, Tally};
use super::watch::Words;
use crate::result::RunResult;

/// The storm is given up after this long.
const BACK_MAX: Duration = Duration::from_secs(60);

/// Quiet between two storms.
const PAUSE: Duration = Duration::from_secs(1);

const KINDS: &[Kind] = &[
    (
        "latency",
        "A session's way back",
        "From the cut until one session was welcomed again. Clients wait a moment at random before they try, 0.2 s at \
         first, so that they do not all come at once; that is in it.",
    ),
    (
        "all_back",
        "Until all were back",
        "From the cut until the last session was welcomed again.",
    ),
];

/// How many are back since the last cut.
#[derive(Default)]
struct Back {
    count: AtomicUsize,
    news: Notify,
}

/// Runs it.
pub(super) async fn run(stage: &Stage<'_>, devices: usize) -> Result<RunResult> {
    let address = stage.server.address().trim_end_matches('/').to_owned();
    let Some(authority) = address.strip_prefix("http://") else {
        bail!(
            "reconnect-storm cuts sessions in a relay on this machine, and can't relay TLS: let it start a server, \
             or name one as http://127.0.0.1:PORT"
        );
    };
    let people = stage.people(devices.max(1)).await?;
    let proxy = Proxy::start(authority.to_owned()).await?;
    let server = Server::new(&format!("http://{}", proxy.address))?;
    let back = Arc::new(Back::default());
    let (cuts, cut_at) = watch::channel(Instant::now());
    stage.progress.phase(format!("{devices} devices connect"));
    let mut sessions = Vec::new();
    for person in people {
        let opened = Session::open(server.clone(), person.identity.token).await;
        let (session, events) = opened.context("connecting a device")?;
        let told = (Arc::clone(&back), cut_at.clone());
        tokio::spawn(listen(events, told, stage.tally.clone()));
        sessions.push(session);
    }
    let storms = async {
        let end = Instant::now() + stage.length();
        stage
            .stop
            .sleep(Duration::from_secs_f64(
                stage.common.warm_up.max(0.0) + 0.05,
            ))
            .await;
        while Instant::now() < end && !stage.stop.asked() {
            storm(stage, &proxy, (&back, &cuts), devices.max(1)).await;
            stage.stop.sleep(PAUSE).await;
        }
    };
    let seen = stage.during("sessions", storms).await;
    drop(sessions);
    let words = Words {
        title: format!("reconnect-storm of {devices}"),
        story: format!(
            "{devices} devices are connected. All connections are cut at the same moment, again and again, and all \
             sessions are taken up where they were."
        ),
        participants: devices as u64,
        participant: "device",
        counted: ("resumed session", "resumed sessions"),
        kinds: KINDS,
    };
    Ok(stage.result(words, seen, None, Vec::new()))
}

/// One storm: until all are back, or it is given up.
async fn storm(
    stage: &Stage<'_>,
    proxy: &Proxy,
    (back, cuts): (&Back, &watch::Sender<Instant>),
    devices: usize,
) {
    back.count.store(0, Ordering::SeqCst);
    let cut_at = Instant::now();
    cuts.send_replace(cut_at);
    proxy.cut();
    let all = async {
        loop {
            let news = back.news.notified();
            if back.count.load(Ordering::SeqCst) >= devices {
                return;
            }
            news.await;
        }
    };
    let all = tokio::time::timeout(BACK_MAX, all);
    match stage.stop.unless(all).await {
        Some(Ok(())) => stage.tally.took("all_back", false, cut_at),
        Some(Err(_)) => stage.tally.error("not all were back within a minute"),
        None => {}
    }
}

async fn listen(
    mut events: homeline_client::session::Events,
    (back, cut_at): (Arc<Back>, watch::Receiver<Instant>),
    tally: Tally,
) {
    let mut lost = false;
    while let Some(event) = events.recv().await {
        match event {
            SessionEvent::Lost => lost = true,
            SessionEvent::Connected { resumed, .. } if lost => {
                lost = false;
                if !resumed {
                    tally.error("session not taken up but begun anew");
                }
                tally.took("latency", true, *cut_at.borrow());
                tally.done();
                back.count.fetch_add(1, Ordering::SeqCst);
                back.news.notify_one();
            }
            SessionEvent::Ended(error) => tally.error(format!("session: {:?}", error.code)),
            SessionEvent::Connected { .. } | SessionEvent::Event(_) => {}
        }
    }
}
