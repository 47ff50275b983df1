//! A media node that stands alone: no database, no app, no certificates for people. Whoever has the admin
//! token commands it over the control interface.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::Handle;
use homeline_media_node::Node;
use homeline_media_node::control::QUESTIONS_MAX;
use homeline_media_node::turn::{Turn, TurnConfig};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::info;

use crate::config::{Config, ServerConfig};
use crate::control::ControlDoor;
use crate::outside::{self, Alone, Home, Watch};
use crate::{relay, shutdown};

/// Runs a media node until it is asked to stop.
///
/// # Errors
/// When a part can't start: a port in use, an address that others reach, a token that can't be kept.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let Config { server, media, .. } = config;
    let (control, turn) = (media.control.clone(), media.turn.clone());
    let advertised = media.advertised_addresses.clone();
    let (node, link) = Node::start(media).context("the media node")?;
    let (asking, asked) = mpsc::channel(QUESTIONS_MAX);
    let (door, _) = ControlDoor::open(&control, &server.data_dir, (&node, link), asking)?;

    // Whoever hands out credentials knows the secret; without one nobody could use the relay. It has no
    // certificate here, and so no TLS.
    let relay = match turn.secret {
        Some(_) => relay::start(&turn, &node, None)?,
        None => {
            if turn.enabled {
                tracing::warn!(
                    "no relay: set media.turn.secret to what signaling derives credentials from, or media.turn.enabled to false"
                );
            }
            None
        }
    };
    let handle = Handle::new();
    let mut servers = JoinSet::new();
    print(&node, relay.as_ref(), &door.line()?);
    let looking = look_outside(&server, advertised, &node, (&turn, relay.as_ref()));
    let home = Home::Alone(Alone::open(server.data_dir.join(outside::KEPT)));
    let looking = looking.start(home, asked);
    let control = door.serve(relay.clone(), &handle, &mut servers);
    tokio::select! {
        requested = shutdown::requested() => requested?,
        Some(ended) = servers.join_next() => ended??,
    }
    info!("stopping");
    looking.abort();
    control.close();
    let deadline = Duration::from_secs(server.shutdown_deadline_secs.into());
    handle.graceful_shutdown(Some(deadline));
    while servers.join_next().await.is_some() {}
    drop(relay);
    node.shutdown().await;
    Ok(())
}

fn look_outside(
    server: &ServerConfig,
    advertised: Vec<IpAddr>,
    node: &Node,
    (turn, relay): (&TurnConfig, Option<&Turn>),
) -> Watch {
    let relay = relay.map(Turn::ports).unwrap_or_default();
    Watch {
        asks: server.outside.clone(),
        ports: outside::ports(None, node.ports(), (turn, relay)),
        advertised,
    }
}

fn print(node: &Node, relay: Option<&Turn>, control: &str) {
    println!(
        "Homeline {} is running as a media node.",
        env!("CARGO_PKG_VERSION")
    );
    println!();
    println!("{control}");
    for address in node.addresses() {
        println!("  Media               UDP {address}");
    }
    let ports = relay.map(Turn::ports).unwrap_or_default();
    for (protocol, port) in [("UDP", ports.udp), ("TCP", ports.tcp)] {
        if let Some(port) = port {
            println!("  Relay               {protocol} {port}");
        }
    }
    println!();
    println!("  Ctrl-C stops it.");
}
