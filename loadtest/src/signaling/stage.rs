//! The server under load, and what every scenario does around it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_client::Server;
use tokio::task::JoinSet;

use super::tally::{PATIENCE, Tally};
use crate::arguments::{CommonOptions, SignalingOptions};
use crate::child::{ServerChild, Start};
use crate::result::model;
use crate::run::{Stop, progress::Progress};
use crate::schedule::Arrivals;

/// What lets a load test in: everything comes from one address, and strangers call each other all the time.
const LET_IN: [(&str, &str); 14] = [
    ("LIMITS__SIGN_UP_PER_ADDRESS__BURST", "1000000"),
    ("LIMITS__SIGN_IN_PER_ADDRESS__BURST", "1000000"),
    ("LIMITS__PAIRING_PER_ADDRESS__BURST", "1000000"),
    ("LIMITS__PAIRING_PER_HANDLE__BURST", "1000000"),
    ("ACCOUNTS__ACCOUNTS_MAX", "1000000"),
    ("CALLS__ONE_STRANGER_AN_HOUR_MAX", "1000000"),
    ("CALLS__ALL_STRANGERS_A_DAY_MAX", "1000000"),
    ("CALLS__RUNNING_MAX", "100000"),
    ("CALLS__RUNNING_PER_ACCOUNT_MAX", "64"),
    ("SESSION__SESSIONS_MAX", "100000"),
    ("SESSION__GREETING_MAX", "100000"),
    ("SESSION__REQUESTS_PER_SECOND_MAX", "1000"),
    ("SESSION__REQUEST_BURST_MAX", "10000"),
    ("PASSWORDS__WAITING_MAX", "100000"),
];

/// Sign-ups that only prepare a scenario need no slow hash.
const QUICK: [(&str, &str); 2] = [("PASSWORDS__MEMORY_KIB", "64"), ("PASSWORDS__PASSES", "1")];

/// The server, and how the run goes.
pub(super) struct Stage<'a> {
    pub(super) name: &'static str,
    pub(super) server: Server,
    pub(super) child: Option<ServerChild>,
    pub(super) facts: model::Server,
    pub(super) common: &'a CommonOptions,
    pub(super) kept: BTreeMap<String, String>,
    pub(super) stop: Stop,
    pub(super) progress: &'a Progress,
    pub(super) tally: Tally,
    pub(super) began_at: String,
}

impl<'a> Stage<'a> {
    /// Starts a server, or finds the one that was named.
    pub(super) async fn open(
        name: &'static str,
        options: &'a SignalingOptions,
        kept: BTreeMap<String, String>,
        stop: Stop,
        progress: &'a Progress,
    ) -> Result<Self> {
        progress.phase("starting the server");
        let common = &options.common;
        let (server, child) = match &options.server {
            Some(address) => (named(address, options)?, None),
            None => {
                let child = start(common, name != "register")?;
                let port = child.url("http://localhost:")?;
                let port = port.rsplit(':').next().context("a port")?.to_owned();
                (
                    Server::new(&format!("http://127.0.0.1:{port}"))?,
                    Some(child),
                )
            }
        };
        let about = homeline_client::api::about(&server).await;
        about.with_context(|| format!("the server at {}", server.address()))?;
        let facts = model::Server {
            // The load test is released with the server, and starts that of its own version.
            version: if child.is_some() {
                env!("CARGO_PKG_VERSION")
            } else {
                ""
            }
            .to_owned(),
            kind: "whole server".to_owned(),
            started_here: child.is_some(),
            same_machine: server.is_local(),
            media_threads: 0,
        };
        Ok(Self {
            name,
            server,
            child,
            facts,
            common,
            kept,
            stop,
            progress,
            tally: Tally::default(),
            began_at: crate::run::rfc3339_now(),
        })
    }

    /// How long load goes on: the warm-up and what is measured.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.common.warm_up.max(0.0) + self.common.seconds.max(0.1))
    }

    /// Begins things at their times, whether those before them are done or not, and waits for the last.
    pub(super) async fn open_loop<F>(&self, rate: f64, begin: impl Fn(u64, Instant) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let start = Instant::now();
        let mut under_way = JoinSet::new();
        let times = Arrivals::new(self.common.arrivals, rate, self.common.seed);
        for (number, after) in times.take_while(|after| *after < self.length()).enumerate() {
            let intended = start + after;
            self.stop.sleep_until(intended).await;
            if self.stop.asked() {
                break;
            }
            self.tally.begins(intended);
            under_way.spawn(begin(number as u64, intended));
            while under_way.try_join_next().is_some() {}
        }
        let rest = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, rest).await.is_err() {
            for _ in 0..under_way.len() {
                self.tally.error("not done in time");
            }
        }
    }
}

fn named(address: &str, options: &SignalingOptions) -> Result<Server> {
    Ok(match &options.authority {
        Some(path) => {
            let pem = std::fs::read(path);
            let pem = pem.with_context(|| format!("reading {}", path.display()))?;
            Server::with_authority(address, &pem)?
        }
        None => Server::new(address)?,
    })
}

fn start(common: &CommonOptions, quick: bool) -> Result<ServerChild> {
    let setting = |name: &str, value: &str| (format!("HOMELINE_{name}"), value.to_owned());
    let loopback = "[\"127.0.0.1\"]";
    let mut settings = vec![
        setting("SERVER__BIND", loopback),
        setting("SERVER__HTTP_PORT", "0"),
        setting("SERVER__HTTPS_PORT", "0"),
        setting("MEDIA__BIND", loopback),
        setting("MEDIA__ADVERTISED_ADDRESSES", loopback),
        setting("MEDIA__UDP_PORT", "0"),
        setting("MEDIA__ROOMS_MAX", "100000"),
    ];
    let quick: &[(&str, &str)] = if quick { &QUICK } else { &[] };
    let signaling = LET_IN.iter().chain(quick);
    settings.extend(signaling.map(|(name, value)| setting(&format!("SIGNALING__{name}"), value)));
    // What was asked for outranks what we think is needed.
    settings.extend(common.settings.iter().cloned());
    ServerChild::start(&Start {
        binary: common.server_binary.as_deref(),
        media_alone: false,
        settings,
        pinned: common.pin,
    })
}
