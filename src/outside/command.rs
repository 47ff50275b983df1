//! `homeline reachability`: what is known, printed for the operator.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use homeline_media_node::turn::TurnPorts;
use homeline_protocol::session::{OutsideFrom, OutsideState, OutsideWay};
use homeline_signaling::domain::outside::{Facts, Verdict, state};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::outside as kept;

use super::look::{look, ports};
use super::watch::KEPT;
use crate::config::Config;

/// Looks at the network, and says that together with the last tests of the server on this data directory. Whether the
/// server runs makes no difference.
///
/// # Errors
/// When the results of earlier tests can't be read.
pub async fn report(config: Config) -> anyhow::Result<String> {
    let Config {
        server,
        media,
        signaling,
        log: _,
    } = config;
    let file = server.data_dir.join(KEPT);
    let kept = kept::read(&file).with_context(|| format!("the results in {}", file.display()))?;
    let workers =
        |first: u16| (first..first.saturating_add(media.workers.get())).collect::<Vec<_>>();
    let udp = workers(media.udp_port);
    let tcp = if media.tcp {
        workers(media.tcp_port.unwrap_or(media.udp_port))
    } else {
        Vec::new()
    };
    let own = media.turn.enabled && signaling.relays.servers.is_empty();
    let (relay_udp, relay_tcp) = media.turn.listened();
    let relay_tcp = media.turn.advertised_tcp_port.unwrap_or(relay_tcp);
    let relay = TurnPorts {
        udp: Some(media.turn.advertised_udp_port.unwrap_or(relay_udp)),
        tcp: Some(relay_tcp),
        tls: Some(relay_tcp),
    };
    let relay = if own { relay } else { TurnPorts::default() };
    let ports = ports(server.https_port, (udp, tcp), (&media.turn, relay));
    let look = look(&server.outside, ports, media.advertised_addresses).await;
    let verdict = Verdict {
        last: kept.last.into_iter().collect(),
        reached_at: kept.reached_at,
    };
    Ok(printed(
        &state(&Facts { look, verdict }),
        Clock::System.now(),
    ))
}

pub(super) fn printed(state: &OutsideState, now: UnixMillis) -> String {
    let mut out = String::from("Can this home be reached from outside?\n\n");
    for way in &state.ways {
        let last = match way.last {
            None => "not tested".to_owned(),
            Some(last) => {
                let word = match (last.works, last.works_here) {
                    (true, _) => "yes",
                    (false, true) => "not at the addresses that clients are told",
                    (false, false) => "no",
                };
                let from = match last.from {
                    OutsideFrom::Outside => "from outside",
                    OutsideFrom::Inside => "from inside, which proves little",
                    OutsideFrom::Unclear => "from a network that the server can't place",
                };
                format!(
                    "{word} ({from}, {})",
                    ago(now.since(UnixMillis(last.at_ms)))
                )
            }
        };
        let (name, protocol) = name(way.way);
        let written = writeln!(out, "  {name:<24} {protocol} {:<6} {last}", way.port);
        written.expect("a string takes all");
    }
    for finding in &state.findings {
        out.push_str(if finding.grave { "\n! " } else { "\n  " });
        out.push_str(&finding.text);
        for step in &finding.steps {
            out.push_str("\n    - ");
            out.push_str(step);
        }
        out.push('\n');
    }
    out
}

const fn name(way: OutsideWay) -> (&'static str, &'static str) {
    match way {
        OutsideWay::Web => ("the app (HTTPS)", "TCP"),
        OutsideWay::WebSocket => ("the session (WebSocket)", "TCP"),
        OutsideWay::MediaUdp => ("media over UDP", "UDP"),
        OutsideWay::MediaTcp => ("media over TCP", "TCP"),
        OutsideWay::RelayUdp => ("relay over UDP", "UDP"),
        OutsideWay::RelayTcp => ("relay over TCP", "TCP"),
        OutsideWay::RelayTls => ("relay over TLS", "TCP"),
    }
}

fn ago(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0..2 => "just now".to_owned(),
        2..120 => format!("{minutes} minutes ago"),
        120..2_880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}
