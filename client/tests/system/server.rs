//! A server in this process: signaling on a free port, its database in memory, and a media node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use homeline_client::MediaWays;
use homeline_client::Server;
use homeline_media_node::{Link, Node, NodeConfig};
use homeline_signaling::gateway::Media;
use homeline_signaling::model::Clock;
use homeline_signaling::store::Db;
use homeline_signaling::{MediaLink, Signaling, SignalingConfig};
use tokio::net::TcpListener;

pub(crate) struct TestServer {
    pub(crate) address: String,
    /// Ends with the test.
    pub(crate) node: Node,
    /// The ways that its clients' media may take.
    pub(crate) ways: MediaWays,
    /// The authority (PEM) that its clients trust, when it is not a public one.
    pub(crate) authority: Option<String>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(SignalingConfig::default()).await
    }

    pub(crate) async fn start_with(config: SignalingConfig) -> Self {
        Self::start_on(config, media()).await
    }

    /// On a media node of the test's own.
    pub(crate) async fn start_on(
        mut config: SignalingConfig,
        (node, link): (Node, MediaLink),
    ) -> Self {
        // Real hashing, but not half a second of it for each person that a test signs up.
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
        Self {
            address,
            node,
            ways: MediaWays::default(),
            authority: None,
        }
    }

    /// What the media node has taken since it began, and who is there: datagrams, packets, peers.
    pub(crate) async fn media(&self) -> (u64, u64, u64) {
        // Its figures are a quarter of a second old at most.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let figures = self.node.metrics();
        let taken = figures.counters;
        (taken.datagrams_in, taken.rtp_in, figures.peers)
    }

    pub(crate) fn server(&self) -> Server {
        let server = match &self.authority {
            Some(pem) => Server::with_authority(&self.address, pem.as_bytes()),
            None => Server::new(&self.address),
        };
        server.unwrap().with_media_ways(self.ways)
    }
}

/// Media over loopback only, so that a test needs no network.
fn media() -> (Node, MediaLink) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let config = NodeConfig {
        bind: vec![loopback],
        advertised_addresses: vec![loopback],
        udp_port: 0,
        ..NodeConfig::default()
    };
    link_of(Node::start(config).unwrap())
}

pub(crate) fn link_of((node, link): (Node, Link)) -> (Node, MediaLink) {
    (
        node,
        MediaLink {
            media: Media::Local(link.commands),
            events: link.events,
        },
    )
}
