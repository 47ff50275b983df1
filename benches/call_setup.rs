//! The figures of a call set-up: from the moment at which a caller asks to the moment at which the third
//! device of the callee has been told to ring, through the real server on SQLite on disk.
//!
//! The load is an open loop: callers ask at random times, a hundred a second, whether the server keeps
//! up or not, and a time runs from when the request was due. The server has one core for itself and the
//! clients another. People and devices are written into the database beforehand; sessions and
//! frames are real, keys and certificates are not.

#[path = "call_setup/people.rs"]
mod people;
#[path = "../tests/system/server.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod server;
#[path = "call_setup/sessions.rs"]
mod sessions;

use std::time::{Duration, Instant};

use homeline_protocol::id::CallId;
use people::{DEVICES_OF_CALLEE, People};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::thread::{CpuSet, sched_setaffinity};
use server::{Server, Start};
use sessions::{Rung, Session};

/// Set-ups in a second, on the average.
const RATE: f64 = 100.0;
/// Set-ups of one round; then the calls end, which is not measured.
const ROUND: usize = people::CALLERS;
const ROUNDS: usize = 8;
/// The first round warms caches and connections up.
const WARM_UP: usize = 1;
/// After this long a device that does not ring never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// What should hold on one core.
const CPU_AIM: Duration = Duration::from_millis(1);
const P99_AIM: Duration = Duration::from_millis(25);

/// What the rounds measured together.
#[derive(Default)]
struct Figures {
    cpu: Duration,
    times: Vec<Duration>,
}

fn main() {
    let data = tempfile::tempdir().expect("a directory");
    let people = runtime().block_on(People::settle(data.path()));
    // What is started from here on inherits the core.
    let apart = pin(0);
    let server = start(data.path());
    if apart {
        pin(1);
    }
    let figures = runtime().block_on(measure(&server, people));
    report(figures, apart);
}

fn start(data: &std::path::Path) -> Server {
    let settings = [
        ("HOMELINE_LOG__FILTER", "warn"),
        ("HOMELINE_SIGNALING__SESSION__HEARTBEAT_SECS", "300"),
        // The callees know none of the callers, who call again and again.
        (
            "HOMELINE_SIGNALING__CALLS__ONE_STRANGER_AN_HOUR_MAX",
            "100000",
        ),
        (
            "HOMELINE_SIGNALING__CALLS__ALL_STRANGERS_A_DAY_MAX",
            "100000",
        ),
    ];
    Server::start_with(&Start {
        data,
        settings: &settings,
        namespace: None,
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Keeps this thread, and what it starts, on one core; false where there is no second one.
fn pin(core: usize) -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut set = CpuSet::new();
    set.set(core);
    (cores > 1 || core > 0) && sched_setaffinity(None, &set).is_ok()
}

async fn measure(server: &Server, people: People) -> Figures {
    let rung = Rung::default();
    let mut callers = Vec::new();
    let mut callees = Vec::new();
    for token in &people.callers {
        callers.push(Session::open(server, token, &rung).await);
    }
    for token in &people.callees {
        callees.push(Session::open(server, token, &rung).await);
    }
    let mut chance = StdRng::seed_from_u64(0x7269_6e67);
    let mut figures = Figures::default();
    for round in 0..ROUNDS {
        let first = (round * ROUND) as u128;
        let before = cpu(server.pid());
        let due = set_up(&mut callers, &people, first, &mut chance).await;
        let times = rung.all(&due, DEVICES_OF_CALLEE, PATIENCE).await;
        let after = cpu(server.pid());
        if round >= WARM_UP {
            figures.cpu += after - before;
            figures.times.extend(times);
        }
        for (caller, (call, _)) in callers.iter_mut().zip(&due) {
            caller.cancel(*call).await;
        }
        rung.ended(due.len(), PATIENCE).await;
        for session in callers.iter_mut().chain(&mut callees) {
            session.acknowledge().await;
        }
    }
    figures
}

/// Every caller calls once, at random times. What was called, and when it was due.
async fn set_up(
    callers: &mut [Session],
    people: &People,
    first: u128,
    chance: &mut StdRng,
) -> Vec<(CallId, Instant)> {
    let mut due = Instant::now();
    let mut calls = Vec::new();
    for (number, caller) in callers.iter_mut().enumerate() {
        // Poisson arrivals: the waits between them are exponential.
        let wait = -(1.0 - chance.random::<f64>()).ln() / RATE;
        due += Duration::from_secs_f64(wait);
        tokio::time::sleep_until(due.into()).await;
        let call = CallId((first + number as u128 + 1).to_be_bytes());
        caller.call(call, people.callee_of(number)).await;
        calls.push((call, due));
    }
    calls
}

fn report(mut figures: Figures, apart: bool) {
    figures.times.sort_unstable();
    let count = figures.times.len();
    let at = |percent: usize| figures.times[(count * percent / 100).min(count - 1)];
    let each = figures.cpu / u32::try_from(count).unwrap_or(u32::MAX);
    println!(
        "\nCall set-up: asked, stored, and told to {DEVICES_OF_CALLEE} devices; {count} of them"
    );
    println!("| figure | value | aim |\n|---|---|---|");
    println!("| CPU of the server for each | {each:.2?} | under {CPU_AIM:?} |");
    println!("| asked to third device told, median | {:.1?} | |", at(50));
    println!(
        "| asked to third device told, 99 % | {:.1?} | under {P99_AIM:?} |",
        at(99)
    );
    println!(
        "| asked to third device told, slowest | {:.1?} | |",
        at(100)
    );
    let core = if apart { "one" } else { "shared" };
    println!("| set-ups in a second, cores of the server | {RATE}, {core} | 100, one |");
}

/// User and system time of a process.
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server lives");
    // The name stands in parentheses and may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_secs(ticks)
        / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100)
}
