//! The figures of a first call, Rust device to Rust device on loopback through the real server: how soon
//! an answer is heard, what a forwarded packet costs, how long it stays inside, and what a participant weighs.
//!
//! Every figure is of one run on one machine: compare ratios, not numbers of different machines.

#[path = "../tests/system/server.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod server;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use homeline_client::api::{Credentials, FounderPlan, found_household};
use homeline_client::media::{Heard, Sound};
use homeline_client::sound::{HEARD_MAX, tone};
use homeline_client::{Call, CallEvent, Client, ClientEvent, IncomingCall, Outgoing};
use homeline_protocol::Secret;
use server::{Server, Start};
use tokio::sync::mpsc;

/// Calls whose time from the answer to the first sound is taken.
const ANSWERS: usize = 20;
/// How long the steady calls run while their cost is taken.
const STEADY: Duration = Duration::from_secs(10);
/// Calls at once at the end, for the slope of memory.
const CALLS_AT_ONCE: usize = 6;

struct Person {
    client: Client,
    events: mpsc::Receiver<ClientEvent>,
}

/// A call with both its ends, and what each hears.
struct Talk {
    ends: [Call; 2],
    heard: [mpsc::Receiver<Heard>; 2],
    answer_to_sound: Duration,
}

/// What one run measured.
struct Figures {
    /// Sorted.
    answers: Vec<Duration>,
    packets: u64,
    cpu: Duration,
    inside_p50_us: u64,
    inside_p99_us: u64,
    bytes_each: u64,
}

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().expect("a directory");
    let settings = [
        ("HOMELINE_LOG__FILTER", "warn"),
        (
            "HOMELINE_SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS__BURST",
            "100",
        ),
        // The callee does not know the caller, who calls again and again.
        (
            "HOMELINE_SIGNALING__CALLS__ONE_STRANGER_AN_HOUR_MAX",
            "1000",
        ),
        ("HOMELINE_SIGNALING__CALLS__ALL_STRANGERS_A_DAY_MAX", "1000"),
    ];
    let server = Server::start_with(&Start {
        data: data.path(),
        settings: &settings,
        namespace: None,
    });
    let mut pairs = Vec::new();
    for pair in 0..CALLS_AT_ONCE {
        let (caller, callee) = (format!("caller{pair}"), format!("callee{pair}"));
        let (a, b) = (
            sign_up(&server, &caller).await,
            sign_up(&server, &callee).await,
        );
        let handle = callee.parse().expect("a handle");
        a.client
            .add_contact(&callee, handle, None)
            .await
            .expect("a contact");
        pairs.push((a, b));
    }
    let answers = answers(&mut pairs[0]).await;
    report(&steady(&server, &mut pairs, answers).await);
}

/// Calls again and again, and takes the time from the answer to the first sound.
async fn answers((a, b): &mut (Person, Person)) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..ANSWERS {
        let mut talk = talk(a, b, "callee0").await;
        times.push(talk.answer_to_sound);
        talk.ends[0].hang_up().await;
        for end in &mut talk.ends {
            end.ended().await;
        }
    }
    times.sort_unstable();
    times
}

/// All pairs talk at once, and the server is weighed.
async fn steady(
    server: &Server,
    pairs: &mut [(Person, Person)],
    answers: Vec<Duration>,
) -> Figures {
    let mut talks = Vec::new();
    let mut memory = Vec::new();
    for (pair, (a, b)) in pairs.iter_mut().enumerate() {
        talks.push(talk(a, b, &format!("callee{pair}")).await);
        memory.push(resident_bytes(server.pid()));
    }
    let listening: Vec<_> = talks
        .into_iter()
        .map(|talk| tokio::spawn(listen(talk)))
        .collect();
    let before = metrics(server);
    tokio::time::sleep(STEADY).await;
    let after = metrics(server);
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    let grown = |name: &str| after[name].saturating_sub(before[name]);
    let participants = 2 * (CALLS_AT_ONCE as u64 - 1);
    Figures {
        answers,
        packets: grown("homeline_media_packets_forwarded_total"),
        cpu: Duration::from_micros(grown("homeline_media_cpu_microseconds_total")),
        inside_p50_us: after["homeline_media_transit_p50_microseconds"],
        inside_p99_us: after["homeline_media_transit_p99_microseconds"],
        bytes_each: memory[CALLS_AT_ONCE - 1].saturating_sub(memory[0]) / participants,
    }
}

fn report(figures: &Figures) {
    let cpu = figures.cpu / u32::try_from(figures.packets.max(1)).unwrap_or(u32::MAX);
    let (median, slowest) = (figures.answers[ANSWERS / 2], figures.answers[ANSWERS - 1]);
    println!("\nFirst call, Rust device to Rust device, loopback, one run");
    println!("| figure | value |\n|---|---|");
    println!("| answer to first decoded sound, median of {ANSWERS} | {median:.0?} |");
    println!("| answer to first decoded sound, slowest | {slowest:.0?} |");
    println!(
        "| packets forwarded in {STEADY:?}, {CALLS_AT_ONCE} calls | {} |",
        figures.packets
    );
    println!("| CPU of the media thread for each forwarded packet | {cpu:.1?} |");
    println!(
        "| time inside the SFU, p50, at most | {} us |",
        figures.inside_p50_us
    );
    println!(
        "| time inside the SFU, p99, at most | {} us |",
        figures.inside_p99_us
    );
    println!(
        "| memory for each further participant | {} kB |",
        figures.bytes_each / 1000
    );
}

async fn sign_up(server: &Server, handle: &str) -> Person {
    let to = homeline_client::Server::new(&server.url).expect("the printed URL");
    let who = Credentials {
        handle: handle.parse().expect("a handle"),
        password: Secret::new("long enough to be taken"),
    };
    let plan = FounderPlan {
        display_name: handle.to_owned(),
        label: "Bench".to_owned(),
        household_name: handle.to_owned(),
    };
    let founded = found_household(&to, who, plan).await.expect("sign-up");
    let (client, events) = Client::connect(to, founded.identity, None)
        .await
        .expect("a session");
    Person { client, events }
}

async fn talk(a: &Person, b: &mut Person, callee: &str) -> Talk {
    let (with, mut at_a) = sound(1_000.0);
    let mut call = a.client.call(callee, with).await.expect("a call");
    let mut incoming = incoming(b).await;
    // People take longer to answer than transports to connect: both are up before the answer.
    while !matches!(
        call.next().await.expect("rings"),
        CallEvent::Media { connected: true }
    ) {}
    while !matches!(
        incoming.next().await.expect("rings"),
        CallEvent::Media { connected: true }
    ) {}
    let (with, at_b) = sound(1_500.0);
    let answering = Instant::now();
    let answered = incoming.answer(with).await;
    at_a.recv().await.expect("sound from the answering side");
    Talk {
        ends: [call, answered],
        heard: [at_a, at_b],
        answer_to_sound: answering.elapsed(),
    }
}

async fn incoming(person: &mut Person) -> IncomingCall {
    loop {
        match person.events.recv().await.expect("the client lives") {
            ClientEvent::Incoming(call) => return *call,
            _ => continue,
        }
    }
}

fn sound(hertz: f64) -> (Outgoing, mpsc::Receiver<Heard>) {
    let (speaker, heard) = mpsc::channel(HEARD_MAX);
    (
        Outgoing {
            sound: Sound {
                microphone: tone(hertz),
                speaker,
            },
            camera: None,
            screen: None,
        },
        heard,
    )
}

/// Takes in what both ends hear and are told, until it is dropped.
async fn listen(talk: Talk) {
    let Talk {
        ends: [mut a, mut b],
        heard: [mut at_a, mut at_b],
        ..
    } = talk;
    loop {
        tokio::select! {
            Some(_) = at_a.recv() => {}
            Some(_) = at_b.recv() => {}
            Some(_) = a.next() => {}
            Some(_) = b.next() => {}
            else => return,
        }
    }
}

fn metrics(server: &Server) -> HashMap<String, u64> {
    let text = get(server.url.trim_start_matches("http://"), "/metrics");
    let rows = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains('{'));
    rows.filter_map(|row| row.split_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

/// A whole answer of the server, head and body.
fn get(host: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(host).expect("the server listens");
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the server lives");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("Linux says it");
    let kilobytes = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<u64>().ok());
    kilobytes.expect("a number") * 1024
}
