//! What passes through the server's hands is ciphertext, and none of it is kept: shown on everything that it could
//! see, beside a control run without encryption in which the same search finds sound and picture.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use homeline_client::media::{Camera, Control, Seen, VideoFrame};
use homeline_client::{Outgoing, Server};
use homeline_e2ee::key::PublicKey;
use homeline_media_node::{Node, NodeConfig};
use homeline_protocol::id::CallId;
use homeline_protocol::session::ServerFrame;
use homeline_signaling::gateway::Media;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use rand::RngCore as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::people::{Person, Side, code, ended, hears, soon, sound};
use crate::recorder::Recorder;
use crate::search::{OPUS, VP8, found, kind_of, loudest, payload, traces};
use crate::server::Server as Process;
use crate::third_party::a_third_party_decodes_nothing;
use crate::web::{figure, get};

const PICTURES: usize = 60;
const PICTURE_BYTES: usize = 12_000;

/// All that there was to see of one call.
pub(crate) struct Evidence {
    pub(crate) call: CallId,
    /// Each RTP packet as the server had it, without SRTP.
    pub(crate) packets: Vec<Vec<u8>>,
    /// What the encoders of both devices made, before encryption.
    pub(crate) encoded: Vec<Vec<u8>>,
    /// What the server told the clients.
    pub(crate) told: Vec<ServerFrame>,
    /// The server's files, after the call.
    pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    /// Two people with devices of their own on the same server, and the households of the call.
    pub(crate) strangers: [Person; 2],
    pub(crate) households: [PublicKey; 2],
}

// req: CALL-14, ENC-1, ENC-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_sees_ciphertext_only_and_keeps_nothing() {
    let evidence = watch_a_call(false).await;
    let encoded = traces(evidence.encoded.iter().map(Vec::as_slice));
    assert_eq!(
        found(&encoded, evidence.packets.iter().map(Vec::as_slice)),
        0,
        "an encoded frame"
    );
    for skipped in 0..8 {
        let level = loudest(&evidence.packets, skipped, 1_000.0);
        assert!(level < 0.1, "1 kHz at {level} in what should be noise");
    }
    a_third_party_decodes_nothing(&evidence);

    let passed = traces(evidence.packets.iter().map(|packet| payload(packet)));
    assert!(!evidence.files.is_empty());
    for (path, bytes) in &evidence.files {
        assert_eq!(
            found(&encoded, [bytes.as_slice()]),
            0,
            "clear media in {}",
            path.display()
        );
        assert_eq!(
            found(&passed, [bytes.as_slice()]),
            0,
            "media in {}",
            path.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_search_finds_both_when_frames_are_not_encrypted() {
    let evidence = watch_a_call(true).await;
    let encoded = traces(evidence.encoded.iter().map(Vec::as_slice));
    let packets = evidence.packets.iter().map(Vec::as_slice);
    assert!(
        found(&encoded, packets) > PICTURES,
        "sound and pictures are found"
    );
    for kind in [OPUS, VP8] {
        let of_kind = evidence
            .packets
            .iter()
            .filter(|packet| kind_of(packet) == kind);
        assert!(
            found(&encoded, of_kind.map(Vec::as_slice)) > 0,
            "payload type {kind}"
        );
    }
    assert!(
        loudest(&evidence.packets, 0, 1_000.0) > 0.8,
        "the tone is heard"
    );
}

// The real process this time: it writes to no file but its own, and those hardly grow by a call.
// req: ENC-3, KID-9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_written_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let mut ben = Person::found(&server.here(), "ben").await;
    let before = bytes_in(data.path());
    let (with, heard) = sound(1_000.0);
    let (screen, mut seen) = mpsc::channel(8);
    let (camera, shown) = pictures();
    let with = Outgoing {
        camera: Some(camera),
        ..with
    };
    let call = anna.client.call("ben", with).await.unwrap();
    let (at_anna, mut at_ben) = answer_with_screen(Side { call, heard }, &mut ben, screen).await;
    hears(&mut at_ben.heard, 1_000.0).await;
    sees(&mut seen, &shown).await;
    for file in open_files(server.pid()) {
        let inside = file.starts_with(data.path());
        assert!(inside, "{} is open during a call", file.display());
    }
    at_anna.call.hang_up().await;
    ended(&mut at_ben.call).await;
    let metrics = get(("127.0.0.1", server.port()), "localhost", "/metrics").text();
    let passed = figure(&metrics, "homeline_media_bytes_in_total");
    let grown = bytes_in(data.path()) - before;
    assert!(passed > (PICTURES * PICTURE_BYTES) as u64);
    assert!(
        grown < passed / 10,
        "files grew by {grown} bytes for {passed} of media"
    );
}

/// The files that a process holds open; sockets, pipes and devices are none.
fn open_files(process: u32) -> Vec<PathBuf> {
    let folder = format!("/proc/{process}/fd");
    let links = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let targets = links.filter_map(|link| std::fs::read_link(link).ok());
    targets
        .filter(|target| target.starts_with("/") && !target.starts_with("/dev"))
        .collect()
}

fn bytes_in(folder: &Path) -> u64 {
    let sizes = files(folder)
        .into_iter()
        .map(|(_, bytes)| bytes.len() as u64);
    sizes.sum()
}

/// A call of some seconds with a tone and pictures, on a server with glass walls.
async fn watch_a_call(clear: bool) -> Evidence {
    let data = tempfile::tempdir().unwrap();
    let (tap, packets) = std_mpsc::channel();
    let (address, signaling, node) = serve(data.path(), tap).await;
    let (recorder, address) = Recorder::before(address).await;
    let server = Server::new(&format!("http://{address}")).unwrap();
    let anna = Person::found(&server, "anna").await;
    let mut ben = Person::found(&server, "ben").await;
    let (witness, encoded) = std_mpsc::channel();
    for person in [&anna, &ben] {
        person.client.set_control(Control {
            clear,
            witness: Some(witness.clone()),
        });
    }

    let (with, heard) = sound(1_000.0);
    let (screen, mut seen) = mpsc::channel(8);
    let (camera, shown) = pictures();
    let with = Outgoing {
        camera: Some(camera),
        ..with
    };
    let call = anna.client.call("ben", with).await.unwrap();
    let id = call.id();
    let (mut at_anna, mut at_ben) =
        answer_with_screen(Side { call, heard }, &mut ben, screen).await;
    hears(&mut at_ben.heard, 1_000.0).await;
    hears(&mut at_anna.heard, 1_500.0).await;
    sees(&mut seen, &shown).await;
    at_anna.call.hang_up().await;
    ended(&mut at_anna.call).await;
    ended(&mut at_ben.call).await;

    let strangers = [
        Person::found(&server, "carol").await,
        Person::found(&server, "dave").await,
    ];
    let households = [anna.identity.genesis, ben.identity.genesis];
    signaling.shutdown().await;
    node.shutdown().await;
    let evidence = Evidence {
        call: id,
        packets: packets.try_iter().collect(),
        encoded: encoded.try_iter().collect(),
        told: recorder.frames(),
        files: files(data.path()),
        strangers,
        households,
    };
    let pictures = evidence
        .encoded
        .iter()
        .filter(|frame| frame.len() == PICTURE_BYTES)
        .count();
    assert!(
        pictures >= PICTURES && evidence.encoded.len() >= pictures + 50,
        "media of both kinds"
    );
    assert!(evidence.packets.len() > 500, "packets passed");
    evidence
}

async fn serve(data: &Path, tap: std_mpsc::Sender<Vec<u8>>) -> (SocketAddr, Signaling, Node) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let config = NodeConfig {
        bind: vec![loopback],
        advertised_addresses: vec![loopback],
        udp_port: 0,
        ..NodeConfig::default()
    };
    let (node, link) = Node::start_with_tap(config, tap).unwrap();
    let link = MediaLink {
        media: Media::Local(link.commands),
        events: link.events,
    };
    let mut config = SignalingConfig::default();
    config.store.path = data.join(&config.store.path);
    config.passwords.memory_kib = 64;
    config.passwords.passes = 1;
    let signaling = Signaling::start(config, link, "").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = signaling
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (address, signaling, node)
}

/// The callee answers, with a screen for the caller's pictures.
async fn answer_with_screen(
    mut caller: Side,
    callee: &mut Person,
    screen: mpsc::Sender<Seen>,
) -> (Side, Side) {
    let incoming = callee.incoming().await;
    assert!(incoming.video());
    let (with, heard) = sound(1_500.0);
    let answered = incoming
        .answer(Outgoing {
            screen: Some(screen),
            ..with
        })
        .await;
    let mut callee = Side {
        call: answered,
        heard,
    };
    let codes = (code(&mut caller.call).await, code(&mut callee.call).await);
    assert_eq!(codes.0, codes.1);
    (caller, callee)
}

/// A camera of pictures that nobody can guess, 25 a second, and what it showed.
fn pictures() -> (Camera, std_mpsc::Receiver<Vec<u8>>) {
    let (sender, frames) = mpsc::channel(4);
    let (key_frame_wanted, mut wanted) = mpsc::channel(4);
    let (shown, showed) = std_mpsc::channel();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(40));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut key = true;
        loop {
            ticks.tick().await;
            key |= wanted.try_recv().is_ok();
            let mut data = vec![0; PICTURE_BYTES];
            rand::rng().fill_bytes(&mut data);
            // A test that has seen enough is gone.
            shown.send(data.clone()).ok();
            if sender.send(VideoFrame { data, key }).await.is_err() {
                return;
            }
            key = false;
        }
    });
    (
        Camera {
            frames,
            key_frame_wanted,
        },
        showed,
    )
}

/// Waits until enough pictures have arrived, each as it was shown.
async fn sees(seen: &mut mpsc::Receiver<Seen>, shown: &std_mpsc::Receiver<Vec<u8>>) {
    let mut showed = HashSet::new();
    for _ in 0..PICTURES {
        let picture = soon("a picture", seen.recv())
            .await
            .expect("the call goes on");
        showed.extend(shown.try_iter());
        assert!(
            showed.contains(&picture.frame.data),
            "a picture that nobody sent"
        );
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}
