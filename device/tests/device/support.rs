//! A whole server, people's apps on the SDK, and device processes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use homeline_client::api::{Credentials, FounderPlan, found_household};
use homeline_client::{Client, Server};
use homeline_media_node::{Node, NodeConfig};
use homeline_protocol::Secret;
use homeline_signaling::gateway::Media;
use homeline_signaling::model::Clock;
use homeline_signaling::store::Db;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than a ring with a spoken name, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) async fn start_server() -> (String, Node) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let config = NodeConfig {
        bind: vec![loopback],
        advertised_addresses: vec![loopback],
        udp_port: 0,
        ..NodeConfig::default()
    };
    let (node, link) = Node::start(config).unwrap();
    let link = MediaLink {
        media: Media::Local(link.commands),
        events: link.events,
    };
    let mut config = SignalingConfig::default();
    config.passwords.memory_kib = 64;
    config.passwords.passes = 1;
    let db = Db::open_in_memory().await.unwrap();
    let signaling = Signaling::start_on(config, db, Clock::System, link, "")
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = signaling
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (address, node)
}

/// A person's app, on the SDK.
pub(crate) async fn app(address: &str, handle: &str, name: &str) -> Client {
    let server = Server::new(address).unwrap();
    let who = Credentials {
        handle: handle.parse().unwrap(),
        password: Secret::new("long enough"),
    };
    let plan = FounderPlan {
        display_name: name.to_owned(),
        label: "Phone".to_owned(),
        household_name: format!("{name}'s home"),
    };
    let founded = found_household(&server, who, plan).await.unwrap();
    let (client, mut events) = Client::connect(server, founded.identity, None)
        .await
        .unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    client
}

/// A device process, and what it tells.
pub(crate) struct Device {
    child: Child,
    input: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Device {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_homeline-device"))
            .arg("--json")
            .arg("--folder")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, told }
    }

    /// Waits for an event; those in between are passed over, but for an end.
    pub(crate) async fn event(&mut self, wanted: &str) -> Value {
        let waiting = async {
            loop {
                let line = self.told.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("the device ended before {wanted}"));
                let told: Value = serde_json::from_str(&line).unwrap();
                if told["event"] == wanted {
                    return told;
                }
                assert_ne!(told["event"], "ended", "before {wanted}: {line}");
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("waited too long for {wanted}"))
    }

    /// Waits for an event before which another must not come.
    pub(crate) async fn event_before(&mut self, wanted: &str, unwanted: &str) -> Value {
        loop {
            let line = self.told.next_line().await.unwrap().unwrap();
            let told: Value = serde_json::from_str(&line).unwrap();
            assert_ne!(told["event"], unwanted);
            if told["event"] == wanted {
                return told;
            }
        }
    }

    pub(crate) async fn light(&mut self, wanted: &str) {
        assert_eq!(self.event("light").await["light"], wanted);
    }

    pub(crate) async fn say(&mut self, command: &str) {
        self.input
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
    }

    /// As when its power is cut.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As a service is stopped.
    pub(crate) async fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id().unwrap());
        let mut sh = Command::new("sh");
        assert!(sh.args(["-c", &kill]).status().await.unwrap().success());
    }

    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        drop(self.input);
        // What it tells at the end is read, so that it never waits for us.
        while let Ok(Some(_)) = self.told.next_line().await {}
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .unwrap()
            .unwrap()
            .code()
    }
}

pub(crate) async fn pair(address: &str, app: &Client, handle: &str, folder: &Path) {
    pair_as(address, app, handle, "Kitchen", folder).await;
}

/// With a label of its own.
pub(crate) async fn pair_as(address: &str, app: &Client, handle: &str, label: &str, folder: &Path) {
    let mut listener = app.listen_for_devices().await.unwrap();
    let arguments = [
        "--server", address, "pair", "--handle", handle, "--label", label, "--quiet",
    ];
    let mut device = Device::start(folder, &arguments);
    let found = listener.next().await.unwrap();
    assert_eq!(found.label(), label);
    let digits = device.event("digits").await["digits"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(digits.len(), 6);
    found.enter(&digits).await.unwrap();
    device.event("paired").await;
    assert_eq!(device.exit_code().await, Some(0));
}

pub(crate) struct Homes {
    pub(crate) address: String,
    pub(crate) node: Node,
    pub(crate) anna: Client,
    pub(crate) ben: Client,
    pub(crate) folder: tempfile::TempDir,
}

/// Anna and Ben, who know each other, each with a paired device.
pub(crate) async fn homes() -> Homes {
    let (address, node) = start_server().await;
    let folder = tempfile::tempdir().unwrap();
    let anna = app(&address, "anna", "Anna").await;
    let ben = app(&address, "ben", "Ben").await;
    pair(&address, &anna, "anna", &folder.path().join("a")).await;
    pair(&address, &ben, "ben", &folder.path().join("b")).await;
    let key = |client: &Client| Some(client.household().roster().genesis_key());
    anna.add_contact("Uncle Ben", "ben".parse().unwrap(), key(&ben))
        .await
        .unwrap();
    ben.add_contact("Aunt Anna", "anna".parse().unwrap(), key(&anna))
        .await
        .unwrap();
    Homes {
        address,
        node,
        anna,
        ben,
        folder,
    }
}

pub(crate) fn flite_is_here() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("flite").is_file())
}
