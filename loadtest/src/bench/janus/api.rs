//! Janus's HTTP interface: one session, a handle for each peer, and answers that come by long polls.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::media::control::client;

/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(10);

/// How long it may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// One session.
pub(super) struct Api {
    http: Client,
    runtime: Runtime,
    /// The session's address.
    url: String,
    /// Requests so far: each has its number, by which its answer is known.
    asked: u64,
}

/// What a plugin answered.
pub(super) struct Reply {
    pub(super) plugin: Value,
    jsep: Value,
}

impl Reply {
    /// The session description of this kind.
    pub(super) fn description(&self, kind: &str) -> Result<String> {
        let sdp = self.jsep["sdp"].as_str();
        match sdp.filter(|_| self.jsep["type"] == kind) {
            Some(sdp) => Ok(sdp.to_owned()),
            None => bail!("Janus gave no {kind}: {}", self.plugin),
        }
    }
}

impl Api {
    /// Makes a session as soon as it answers.
    pub(super) fn open(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut api = Self {
            http: client(ANSWER_MAX)?,
            runtime,
            url: url.to_owned(),
            asked: 0,
        };
        let started = Instant::now();
        let session = loop {
            match api.post("", json!({"janus": "create"})) {
                Ok(made) => break made["data"]["id"].as_u64().context("a session")?,
                Err(error) if started.elapsed() > START_MAX => {
                    return Err(error.context("Janus did not start"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        api.url = format!("{url}/{session}");
        Ok(api)
    }

    /// A new handle of the plugin: one peer connection.
    pub(super) fn attach(&mut self) -> Result<u64> {
        let plugin = "janus.plugin.videoroom";
        let made = self.post("", json!({"janus": "attach", "plugin": plugin}))?;
        made["data"]["id"].as_u64().context("a handle")
    }

    /// Asks the plugin, and waits for what it says.
    pub(super) fn ask(
        &mut self,
        handle: u64,
        body: Value,
        description: Option<(&str, &str)>,
    ) -> Result<Reply> {
        let mut message = json!({"janus": "message", "body": body});
        if let Some((kind, sdp)) = description {
            // All candidates are in it.
            message["jsep"] = json!({"type": kind, "sdp": sdp, "trickle": false});
        }
        let mut answer = self.post(&format!("/{handle}"), message)?;
        if answer["janus"] == "ack" {
            answer = self.event(&answer["transaction"].clone())?;
        }
        let reply = Reply {
            plugin: answer["plugindata"]["data"].take(),
            jsep: answer["jsep"].take(),
        };
        match reply.plugin["error"].as_str() {
            Some(error) => bail!("Janus refused: {error}"),
            None => Ok(reply),
        }
    }

    fn post(&mut self, path: &str, mut message: Value) -> Result<Value> {
        self.asked += 1;
        message["transaction"] = json!(self.asked.to_string());
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .body(message.to_string());
        let answer = self.runtime.block_on(read(request))?;
        match answer["error"]["reason"].as_str() {
            Some(reason) => bail!("Janus refused: {reason}"),
            None => Ok(answer),
        }
    }

    /// The event that answers a request; others are of no interest.
    fn event(&self, transaction: &Value) -> Result<Value> {
        let started = Instant::now();
        while started.elapsed() < ANSWER_MAX {
            let request = self.http.get(format!("{}?maxev=100", self.url));
            let events = self.runtime.block_on(read(request))?;
            let events = match events {
                Value::Array(events) => events,
                one => vec![one],
            };
            let mut own = events
                .into_iter()
                .filter(|event| event["transaction"] == *transaction);
            if let Some(event) = own.next() {
                return Ok(event);
            }
        }
        bail!("Janus did not answer")
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Value> {
    let bytes = request.send().await?.bytes().await?;
    serde_json::from_slice(&bytes).context("Janus answered something else than JSON")
}
