//! Scenarios against a node and a server that run already.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use loadtest::child::{ServerChild, Start};
use loadtest::media::control::Control;

use crate::support::{loadtest, run};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn start(media_alone: bool, settings: &[(&str, &str)]) -> ServerChild {
    let loopback = r#"["127.0.0.1"]"#;
    let always = [
        ("MEDIA__BIND", loopback),
        ("MEDIA__ADVERTISED_ADDRESSES", loopback),
        ("MEDIA__UDP_PORT", "0"),
        ("MEDIA__TURN__ENABLED", "false"),
    ];
    let settings = always.iter().chain(settings);
    let settings = settings.map(|(name, value)| (format!("HOMELINE_{name}"), (*value).to_owned()));
    let start = Start {
        binary: None,
        media_alone,
        settings: settings.collect(),
        pinned: false,
    };
    ServerChild::start(&start).unwrap()
}

fn node() -> (ServerChild, String) {
    let token = format!("\"{TOKEN}\"");
    let node = start(
        true,
        &[
            ("MEDIA__CONTROL__BIND", "127.0.0.1:0"),
            ("MEDIA__CONTROL__TOKEN", &token),
        ],
    );
    let url = node.url("http://").unwrap();
    (node, url)
}

#[test]
fn a_node_that_runs_already_is_measured_and_left_as_it_was() {
    let (mut node, url) = node();
    let ran = run(&[
        "audio-room",
        "--members",
        "3",
        "--decrypt-one-in",
        "1",
        "--node",
        &url,
        "--token",
        TOKEN,
    ]);
    ran.carried_media();
    let server = &ran.result.server;
    assert!(!server.started_here && server.same_machine, "{server:?}");
    assert!(ran.page.contains("running before, on the same machine"));
    // The token opens the node: no file may have it.
    assert!(!ran.page.contains(TOKEN));
    assert!(node.lives());
    // Its figures are a quarter of a second old at most.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let control = Control::new(&url, TOKEN).unwrap();
    let left = runtime.block_on(async {
        let empty = async {
            loop {
                let figures = control.figures().await.unwrap();
                if (figures.rooms, figures.peers) == (0, 0) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), empty).await
    });
    assert!(left.is_ok(), "its rooms are still there");
}

#[test]
fn a_node_that_is_not_there_or_not_ours_is_told_with_what_to_do() {
    let (_node, url) = node();
    let refused = loadtest(&["pairs", "--quiet", "--node", &url, "--token", "another"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("does not know this token"), "{said}");
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let refused = loadtest(&["pairs", "--quiet", "--node", &nowhere, "--token", "another"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&nowhere), "{said}");
}

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn a_server_that_runs_already_is_measured_by_its_name_and_certificate() {
    let port = free_port().to_string();
    let mut server = start(
        false,
        &[
            ("SERVER__BIND", r#"["127.0.0.1"]"#),
            ("SERVER__HTTP_PORT", "0"),
            ("SERVER__HTTPS_PORT", &port),
            ("SIGNALING__LIMITS__SIGN_UP_PER_ADDRESS__BURST", "100"),
        ],
    );
    let http = server.url("http://localhost:").unwrap();
    let authority = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = loadtest::media::control::client(Duration::from_secs(20))?;
        let url = format!("{http}/install/homeline-authority.pem");
        anyhow::Ok(
            client
                .get(url)
                .send()
                .await?
                .error_for_status()?
                .text()
                .await?,
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("homeline-authority.pem");
    std::fs::write(&file, authority.unwrap()).unwrap();
    let address = format!("https://localhost:{port}");
    let ran = run(&[
        "presence",
        "--devices",
        "4",
        "--probes",
        "20",
        "--server",
        &address,
        "--authority",
        file.to_str().unwrap(),
    ]);
    let result = &ran.result;
    let printed = String::from_utf8_lossy(&ran.output.stdout);
    assert!(
        ran.output.status.success() && result.errors.is_empty(),
        "{printed}"
    );
    assert!(result.latencies[0].count > 0, "{printed}");
    assert!(!result.server.started_here && result.work.cpu_s.is_none());
    assert!(
        ran.page
            .contains("processor time and memory can&#39;t be read from here")
    );
    assert!(server.lives());
    // Without its certificate it is nobody that we know.
    let refused = loadtest(&["presence", "--quiet", "--server", &address]);
    assert_eq!(refused.status.code(), Some(2));
}
