//! Looks at the start, every hour and when it is asked, tells who keeps it, and logs one line when something has
//! changed.

use std::net::IpAddr;
use std::time::Duration;

use homeline_media_node::control::ReachabilityQuestion;
use homeline_signaling::domain::outside::{Facts, Ports, state};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::config::AsksConfig;
use super::home::Home;
use super::look::look;

/// The file of the last results, in the data directory.
pub(crate) const KEPT: &str = "outside.json";

/// Routers get another address mostly once a day.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// What is looked at.
pub(crate) struct Watch {
    pub(crate) asks: AsksConfig,
    pub(crate) ports: Ports,
    pub(crate) advertised: Vec<IpAddr>,
}

impl Watch {
    /// Begins to look, and to answer the control interface. Nothing else waits for it.
    pub(crate) fn start(
        self,
        home: Home,
        questions: mpsc::Receiver<ReachabilityQuestion>,
    ) -> AbortHandle {
        tokio::spawn(self.run(home, questions)).abort_handle()
    }

    async fn run(self, mut home: Home, mut questions: mpsc::Receiver<ReachabilityQuestion>) {
        let mut said = String::new();
        // What the machine itself knows is there at once; whoever asks meanwhile need not wait for a router.
        let nobody = AsksConfig {
            ask_router: false,
            stun_server: None,
        };
        let own = look(&nobody, self.ports.clone(), self.advertised.clone()).await;
        home.note_look(own);
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            let first = tokio::select! {
                _ = interval.tick() => None,
                Some(question) = questions.recv() => Some(question),
            };
            let seen = look(&self.asks, self.ports.clone(), self.advertised.clone()).await;
            home.note_look(seen);
            // Whoever asked during a look is answered by it: the next would be told too late.
            let more = std::iter::from_fn(|| questions.try_recv().ok());
            let all: Vec<_> = first.into_iter().chain(more).collect();
            for (test, reply) in all {
                if reply.is_closed() {
                    continue;
                }
                let noted = match test {
                    Some(test) => home.note_test(&test).await,
                    None => Ok(()),
                };
                // Whoever asked may go away meanwhile.
                reply.send(noted.map(|()| state(&home.facts()))).ok();
            }
            let line = line(&home.facts());
            if line != said {
                tracing::info!("{line}");
                said = line;
            }
        }
    }
}

/// How the home stands, in one line without an address.
pub(super) fn line(facts: &Facts) -> String {
    let state = state(facts);
    let known: Vec<_> = state.ways.iter().filter_map(|way| way.last).collect();
    let works = known.iter().filter(|last| last.works).count();
    let codes = state
        .findings
        .iter()
        .map(|finding| serde_json::to_value(finding.code));
    let codes: Vec<_> = codes
        .flatten()
        .filter_map(|code| code.as_str().map(str::to_owned))
        .collect();
    let tests = if known.is_empty() {
        "not tested".to_owned()
    } else {
        format!(
            "{works} of {} ways worked at the last test",
            state.ways.len()
        )
    };
    format!(
        "reachable from outside? {tests} ({}); see homeline reachability",
        codes.join(", ")
    )
}
