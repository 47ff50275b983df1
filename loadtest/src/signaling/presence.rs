//! Devices that are connected and do nothing: what each costs in memory, and keeping them all in processor time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_client::Server;
use homeline_client::session::{RequestError, Session, SessionEvent};
use homeline_protocol::Secret;
use homeline_protocol::session::Request;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

use super::stage::Stage;
use super::tally::{Kind, Tally};
use super::watch::Words;
use crate::media::plan::population_steps;
use crate::report::words;
use crate::result::RunResult;
use crate::run::memory::memory;

/// How long memory settles after a step of the population.
const SETTLE: Duration = Duration::from_millis(500);

const STEPS: usize = 4;

/// Connections that are opened at once.
const AT_ONCE: usize = 64;

const KINDS: &[Kind] = &[(
    "latency",
    "Answering a question",
    "From the moment at which a random device was meant to ask for its running calls until it had the answer.",
)];

/// Runs it.
pub(super) async fn run(stage: &Stage<'_>, devices: usize, probes: f64) -> Result<RunResult> {
    let people = stage.people(devices.max(1)).await?;
    let mut tokens = people.into_iter().map(|person| person.identity.token);
    let mut sessions = Vec::new();
    let mut steps = vec![(0, stage.read().server.resident.unwrap_or(0))];
    for size in population_steps(devices.max(1), STEPS) {
        if stage.stop.asked() {
            break;
        }
        stage.progress.phase(format!("{size} devices connect"));
        let coming = tokens.by_ref().take(size - sessions.len()).collect();
        sessions.extend(connect(&stage.server, coming, &stage.tally).await?);
        stage.stop.sleep(SETTLE).await;
        let resident = stage.read().server.resident.unwrap_or(0);
        steps.push((sessions.len() as u64, resident));
    }
    let asked: Arc<[Session]> = sessions.into();
    let chance = std::sync::Mutex::new(StdRng::seed_from_u64(stage.common.seed));
    let begin = |_, intended| {
        let mut chance = chance
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let session = asked[chance.random_range(0..asked.len())].clone();
        ask(session, stage.tally.clone(), intended)
    };
    let seen = if probes > 0.0 {
        stage
            .during("questions", stage.open_loop(probes, begin))
            .await
    } else {
        stage
            .during("questions", stage.stop.sleep(stage.length()))
            .await
    };
    let memory = memory(&steps, stage.read().server.resident);
    let words = Words {
        title: format!("presence of {devices}"),
        story: format!(
            "{devices} devices are connected and do nothing but say now and then that they are there. Meanwhile {probes} \
             small questions a second, by random ones, show how fast the server answers."
        ),
        participants: devices as u64,
        participant: "device",
        counted: ("question", "questions"),
        kinds: KINDS,
    };
    let mut result = stage.result(words, seen, memory, Vec::new());
    if let Some(cores) = result.work.cpu_cores {
        let each = cores * 1e6 / devices.max(1) as f64;
        result.notes.push(format!(
            "Keeping a device connected cost the server {} of processor time a second, questions included.",
            words::micros(each)
        ));
    }
    Ok(result)
}

/// Opens a session for each token and keeps it open.
pub(super) async fn connect(
    server: &Server,
    tokens: Vec<Secret>,
    tally: &Tally,
) -> Result<Vec<Session>> {
    let mut sessions = Vec::new();
    let mut opening = JoinSet::new();
    for token in tokens {
        if opening.len() == AT_ONCE {
            sessions.push(next(&mut opening).await?);
        }
        opening.spawn(open(server.clone(), token, tally.clone()));
    }
    while !opening.is_empty() {
        sessions.push(next(&mut opening).await?);
    }
    Ok(sessions)
}

async fn next(opening: &mut JoinSet<Result<Session>>) -> Result<Session> {
    opening
        .join_next()
        .await
        .context("something is opening")??
}

async fn open(server: Server, token: Secret, tally: Tally) -> Result<Session> {
    let (session, mut events) = Session::open(server, token).await?;
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            match event {
                SessionEvent::Lost => tally.error("session lost"),
                SessionEvent::Ended(error) => tally.error(format!("session: {:?}", error.code)),
                SessionEvent::Connected { .. } | SessionEvent::Event(_) => {}
            }
        }
    });
    Ok(session)
}

async fn ask(session: Session, tally: Tally, intended: Instant) {
    match session.request(Request::ListCalls).await {
        Ok(_) => {
            tally.took("latency", true, intended);
            tally.done();
        }
        Err(error) => tally.error(request_error(&error)),
    }
}

/// The kind of an error, for counting.
pub(super) fn request_error(error: &RequestError) -> String {
    match error.code() {
        Some(code) => format!("request: {code:?}"),
        None => format!("request: {error}"),
    }
}
