//! What passes through the server's hands is ciphertext, and none of it is kept: shown on everything that it could
//! see, beside a control run without encryption in which the same search finds sound and picture.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use homeline_client::media::{Camera, Control, SAMPLE_RATE, SAMPLES, Seen, VideoFrame};
use homeline_client::sound::level_at;
use homeline_client::{Outgoing, Server};
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::{CallCrypto, Input, Output, Phase};
use homeline_e2ee::sframe::FrameSource;
use homeline_e2ee::time::UnixMs;
use homeline_media_node::{Node, NodeConfig};
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Event, ServerFrame};
use homeline_signaling::gateway::Media;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use rand::RngCore as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::people::{Person, Side, code, ended, hears, soon, sound};
use crate::recorder::Recorder;

/// Payload types as the SDK offers them.
const OPUS: u8 = 111;
const VP8: u8 = 96;

/// The SDK puts so many bytes of VP8 payload descriptor before each piece of a picture.
const DESCRIPTOR_BYTES: usize = 4;

/// Sixteen bytes in a row are no accident.
const TRACE_BYTES: usize = 16;

const PICTURES: usize = 60;
const PICTURE_BYTES: usize = 12_000;

/// All that there was to see of one call.
struct Evidence {
    call: CallId,
    /// Each RTP packet as the server had it, without SRTP.
    packets: Vec<Vec<u8>>,
    /// What the encoders of both devices made, before encryption.
    encoded: Vec<Vec<u8>>,
    /// What the server told the clients.
    told: Vec<ServerFrame>,
    /// The server's files, after the call.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// Two people with devices of their own on the same server, and the households of the call.
    strangers: [Person; 2],
    households: [PublicKey; 2],
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

/// Short pieces of each frame, by which it is found again wherever packets cut it.
fn traces<'a>(frames: impl Iterator<Item = &'a [u8]>) -> HashSet<&'a [u8]> {
    frames
        .flat_map(|frame| frame.chunks_exact(TRACE_BYTES).step_by(4))
        .collect()
}

/// How often a trace occurs.
fn found<'a>(traces: &HashSet<&[u8]>, places: impl IntoIterator<Item = &'a [u8]>) -> usize {
    let at = |place: &'a [u8]| {
        place
            .windows(TRACE_BYTES)
            .filter(|window| traces.contains(window))
            .count()
    };
    places.into_iter().map(at).sum()
}

fn kind_of(packet: &[u8]) -> u8 {
    packet[1] & 0x7f
}

/// What follows the RTP header (RFC 3550 section 5.1).
fn payload(packet: &[u8]) -> &[u8] {
    let mut start = 12 + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 != 0 {
        let words = u16::from_be_bytes([packet[start + 2], packet[start + 3]]);
        start += 4 + 4 * usize::from(words);
    }
    &packet[start..]
}

/// The largest share of a second's energy at `hertz`, when the sound packets of any sender are decoded as Opus, each
/// without its first bytes, as though those were a header.
fn loudest(packets: &[Vec<u8>], skipped: usize, hertz: f64) -> f64 {
    let mut senders: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for packet in packets.iter().filter(|packet| kind_of(packet) == OPUS) {
        senders
            .entry(&packet[8..12])
            .or_default()
            .push(payload(packet));
    }
    assert!(!senders.is_empty(), "sound passed");
    let level = |payloads: &Vec<&[u8]>| {
        let mut decoder = opus::Decoder::new(SAMPLE_RATE, opus::Channels::Mono).unwrap();
        let mut heard = Vec::new();
        for payload in payloads {
            let mut samples = [0; 6 * SAMPLES];
            let bytes = payload.get(skipped..).filter(|bytes| !bytes.is_empty());
            // Most of it is no Opus, when it is ciphertext.
            let count = bytes.and_then(|bytes| decoder.decode(bytes, &mut samples, false).ok());
            heard.extend(&samples[..count.unwrap_or(0)]);
        }
        heard
            .chunks_exact(SAMPLE_RATE as usize)
            .map(|second| level_at(hertz, second))
            .fold(0.0, f64::max)
    };
    senders.values().map(level).fold(0.0, f64::max)
}

/// With everything that passed, and genuine keys of its own.
fn a_third_party_decodes_nothing(evidence: &Evidence) {
    let [mut carol, mut dave] = evidence
        .strangers
        .each_ref()
        .map(|person| member(evidence, person));
    let welcomes: Vec<_> = evidence.told.iter().filter_map(welcome).collect();
    assert!(
        !welcomes.is_empty(),
        "the recorder heard the call's Welcome"
    );
    for welcome in welcomes {
        dave.step(now(), Input::Welcome { welcome });
        assert_eq!(
            dave.phase(),
            Phase::Idle,
            "let into the call by another's Welcome"
        );
    }
    found_group(&mut carol, &mut dave);
    let own = carol.encrypt_frame(b"a frame of their own").unwrap();
    let source = FrameSource {
        owner: device(&evidence.strangers[0]),
        tag: 0,
    };
    assert_eq!(
        dave.decrypt_frame(now(), source, &own).unwrap(),
        b"a frame of their own"
    );

    let frames = encrypted_frames(&evidence.packets);
    assert!(frames.len() > PICTURES);
    for frame in frames {
        assert!(
            dave.decrypt_frame(now(), source, &frame).is_err(),
            "a third party decodes"
        );
    }
}

fn member(evidence: &Evidence, person: &Person) -> CallCrypto {
    let identity = &person.identity;
    let credential =
        Credential::new(identity.device_key.clone(), identity.chain.clone(), now()).unwrap();
    let mut expect = Expect::own_household(person.client.household().roster().clone());
    for genesis in evidence.households.iter().chain(
        evidence
            .strangers
            .iter()
            .map(|person| &person.identity.genesis),
    ) {
        expect = expect.and(*genesis);
    }
    CallCrypto::new(credential, evidence.call, expect, now())
}

/// A group of the two strangers for the same call and epoch: keys that a receiver tries in earnest.
fn found_group(carol: &mut CallCrypto, dave: &mut CallCrypto) {
    carol.step(now(), Input::Create);
    let offer = dave.key_package(now()).unwrap();
    let (key_package, statement) = (offer.key_package, offer.statement);
    let outputs = carol.step(
        now(),
        Input::Add {
            key_package,
            statement,
        },
    );
    let sent = outputs.into_iter().find_map(|output| match output {
        Output::SendCommit {
            epoch,
            commit,
            welcome,
            ..
        } => Some((epoch, commit, welcome)),
        _ => None,
    });
    let (epoch, commit, welcome) = sent.expect("carol adds dave");
    carol.step(now(), Input::Commit { epoch, commit });
    dave.step(
        now(),
        Input::Welcome {
            welcome: welcome.unwrap().1,
        },
    );
    for side in [carol, dave] {
        side.step(now(), Input::Execute { epoch: epoch + 1 });
    }
}

fn welcome(frame: &ServerFrame) -> Option<Vec<u8>> {
    match frame {
        ServerFrame::Event { body, .. } => match body.as_ref() {
            Event::GroupWelcome { welcome, .. } => Some(welcome.0.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Frames put together again from their packets: those of one sender and one moment.
fn encrypted_frames(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut frames: BTreeMap<&[u8], BTreeMap<&[u8], &[u8]>> = BTreeMap::new();
    for packet in packets {
        let skipped = if kind_of(packet) == VP8 {
            DESCRIPTOR_BYTES
        } else {
            0
        };
        let piece = payload(packet).get(skipped..).unwrap_or_default();
        frames
            .entry(&packet[4..12])
            .or_default()
            .insert(&packet[2..4], piece);
    }
    frames
        .values()
        .map(|pieces| pieces.values().copied().collect::<Vec<_>>().concat())
        .collect()
}

fn device(person: &Person) -> homeline_protocol::id::DeviceId {
    homeline_e2ee::ids::device_id(person.identity.device_key.public())
}

fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMs(u64::try_from(since.as_millis()).unwrap())
}
