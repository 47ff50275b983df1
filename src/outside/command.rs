//! `homeline reachability`: what is known, printed for the operator.

use std::fmt::Write as _;
use std::time::Duration;

use homeline_media_node::turn::{TurnConfig, TurnPorts};
use homeline_protocol::session::{OutsideFrom, OutsideState, OutsideWay};
use homeline_signaling::domain::outside::{Facts, Verdict, state};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::outside as kept;

use super::look::{look, ports};
use super::watch::KEPT;
use crate::config::{Config, Parts};

/// Looks at the network, and says that together with the last tests of the server or media node on this data directory.
/// Whether it runs makes no difference. Results that can't be read are as none, which is said.
///
/// # Errors
/// When the roles do not go together.
pub async fn report(config: Config) -> anyhow::Result<String> {
    let Config {
        server,
        media,
        signaling,
        log: _,
    } = config;
    let parts = Parts::of(&server.roles)?;
    let file = server.data_dir.join(KEPT);
    let kept = kept::read(&file);
    let workers =
        |first: u16| (first..first.saturating_add(media.workers.get())).collect::<Vec<_>>();
    let udp = workers(media.udp_port);
    let tcp = if media.tcp {
        workers(media.tcp_port.unwrap_or(media.udp_port))
    } else {
        Vec::new()
    };
    let relay = relay_ports(&media.turn, parts, signaling.relays.servers.is_empty());
    let https = match parts {
        Parts::Whole => Some(server.https_port),
        Parts::MediaAlone => None,
    };
    let ports = ports(https, (udp, tcp), (&media.turn, relay));
    let look = look(&server.outside, ports, media.advertised_addresses).await;
    let unread = kept.as_ref().err().map(|error| {
        let file = file.display();
        format!(
            "\n! The results of earlier tests can't be read and count as none: {file}: {error}\n"
        )
    });
    let verdict = kept.map(Verdict::from).unwrap_or_default();
    let said = printed(&state(&Facts { look, verdict }), Clock::System.now());
    Ok(said + &unread.unwrap_or_default())
}

/// The relay's ports, if it is this home's own. A media node alone has none without a secret, and never a certificate.
fn relay_ports(turn: &TurnConfig, parts: Parts, own: bool) -> TurnPorts {
    let (udp, tcp) = turn.listened();
    let tcp = turn.advertised_tcp_port.unwrap_or(tcp);
    let all = TurnPorts {
        udp: Some(turn.advertised_udp_port.unwrap_or(udp)),
        tcp: Some(tcp),
        tls: Some(tcp),
    };
    match parts {
        Parts::Whole if turn.enabled && own => all,
        Parts::MediaAlone if turn.enabled && turn.secret.is_some() => {
            TurnPorts { tls: None, ..all }
        }
        _ => TurnPorts::default(),
    }
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
