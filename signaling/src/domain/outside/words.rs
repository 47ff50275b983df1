//! What people read: each finding as a sentence, and what to do about it. Here, and nowhere else.

use std::net::IpAddr;

use homeline_protocol::session::{OutsideFinding, OutsideWay};

use super::rules::{Finding, Forward};

const TEST: &str = "In the app of an adult: Settings, Reachable from outside?, send yourself the link, switch the phone's Wi-Fi off and open it.";

/// The same where there is no app.
const TEST_ALONE: &str = "Have a client in another network join a room of this node by each way, and tell what it found: POST /v1/reachability at the control interface (docs/media-node.md).";

/// A finding for people, who have an app, or command a media node that stands alone.
pub(super) fn said(finding: &Finding, has_app: bool) -> OutsideFinding {
    let (text, steps) = match finding {
        Finding::NeverTested | Finding::TestedInside if !has_app => {
            let (text, _) = quiet(finding);
            (text, steps(&[TEST_ALONE]))
        }
        _ => sentences(finding),
    };
    OutsideFinding {
        code: finding.code(),
        grave: finding.is_grave(),
        text,
        steps,
    }
}

fn sentences(finding: &Finding) -> (String, Vec<String>) {
    match finding {
        Finding::CarrierNat { external } => (
            format!("The provider shares one public address among many homes: the router's address outside is {external}, which nobody outside can reach. No rule in the router helps against that."),
            steps(&[
                "Ask the provider for a public IPv4 address; many give one for nothing.",
                "Or use IPv6: open the ports below in the router's IPv6 firewall, and reach the home by a name that has an AAAA record. Callers need IPv6 then, as most mobile networks have.",
                "Or rent a small server with a public address, run a relay (TURN) on it or a tunnel from it to this home, and name it in signaling.relays.servers (docs/networks.md).",
            ]),
        ),
        Finding::DoubleNat { external } => (
            format!("There is a second router before this home's router, whose address outside is {external}: a private one."),
            steps(&[
                "Switch the outer device (often the provider's box) to bridge mode, or the inner router to a plain access point.",
                "Or forward the same ports twice: in the outer device to the inner router, and in the inner router to this machine.",
            ]),
        ),
        Finding::NotForwarded { rules } => (
            "What callers outside send does not arrive on every port.".to_owned(),
            rules.iter().map(forward).collect(),
        ),
        Finding::UdpBlocked { rules } => (
            "TCP comes in and UDP does not. Most likely the router's rules are for TCP only; the tester's network may block UDP too. Calls go on over TCP, and stutter where the network is bad.".to_owned(),
            rules.iter().map(forward).chain(steps(&["If the rules are there, test again from another network, as another mobile provider's."])).collect(),
        ),
        Finding::OnlyWeb => (
            "Web pages come through and nothing else does. Either the rules for the other ports are missing, or the tester's network lets only web pages through.".to_owned(),
            steps(&["If the rules are there, forward TCP 443 of the router to the relay's TCP port and set advertised_tcp_port = 443 under [media.turn]."]),
        ),
        Finding::NotAdvertised { addresses } => (
            "The ports are open, but clients are told addresses at which nobody outside finds this home.".to_owned(),
            vec![advertise(addresses)],
        ),
        Finding::WrongAdvertised { told, own } => (
            format!("Clients are told {told}, but the home is at {own} now. Providers change addresses, mostly at night."),
            vec![
                format!("In the configuration, replace {told} by {own} in media.advertised_addresses, and restart."),
                "Ask the provider for an address that stays, if it changes often.".to_owned(),
            ],
        ),
        Finding::Untrusted => (
            "The relay's TLS was refused, while its TCP works: the tester does not trust this server's certificate.".to_owned(),
            steps(&["Open /install on that phone once, or reach the server by a name in its certificate. Nothing has to be done if only this test was made on a phone of a stranger."]),
        ),
        _ => quiet(finding),
    }
}

/// Those that need nothing but a test.
fn quiet(finding: &Finding) -> (String, Vec<String>) {
    let (text, todo): (String, &[&str]) = match finding {
        Finding::AllWell => ("This home can be reached from outside, on every way.".to_owned(), &[]),
        Finding::NeverTested => (
            "Nobody has tested every way from outside yet.".to_owned(),
            &[TEST, "If the link does not open there, the router does not forward HTTPS: see the ports below."],
        ),
        Finding::TestedInside => (
            "The last test came from inside the home. It proves little: inside, everything is open.".to_owned(),
            &[TEST],
        ),
        Finding::SourceHidden => (
            "The server can't tell whether the last test came from outside: it sees the router, or a network that is not its own, in place of the tester.".to_owned(),
            &["Make sure that the phone's Wi-Fi and VPN were off. Then the results count."],
        ),
        Finding::PublicAddress => (
            "This machine has a public address of its own. No router has to forward anything, but a firewall must let the ports below in.".to_owned(),
            &[],
        ),
        Finding::PublicV6 => (
            "This machine has a public IPv6 address. Callers with IPv6 reach it there if the router's IPv6 firewall lets the ports below in.".to_owned(),
            &[],
        ),
        Finding::Router { external, by } => (format!("The router's address outside is {external} (it says so by {by})."), &[]),
        _ => (
            "The router does not say its address outside (it speaks neither PCP, NAT-PMP nor UPnP, or they are off). That is no fault; only the test from outside tells then.".to_owned(),
            &[],
        ),
    };
    (text, steps(todo))
}

fn forward(rule: &Forward) -> String {
    let Forward {
        udp,
        port,
        inside,
        to,
        way,
    } = rule;
    let protocol = if *udp { "UDP" } else { "TCP" };
    let machine = to.map_or_else(|| "this machine".to_owned(), |to| to.to_string());
    let machine = match inside {
        Some(inside) => format!("{machine}, port {inside},"),
        None => machine,
    };
    format!(
        "Forward {protocol} {port} to {machine} in the router ({}).",
        purpose(*way)
    )
}

const fn purpose(way: OutsideWay) -> &'static str {
    match way {
        OutsideWay::Web | OutsideWay::WebSocket => "the app",
        OutsideWay::MediaUdp => "sound and pictures",
        OutsideWay::MediaTcp => "sound and pictures where UDP is blocked",
        OutsideWay::RelayUdp | OutsideWay::RelayTcp | OutsideWay::RelayTls => {
            "the relay for hostile networks"
        }
    }
}

fn advertise(addresses: &[IpAddr]) -> String {
    let list: Vec<String> = addresses.iter().map(|one| format!("\"{one}\"")).collect();
    if list.len() < 2 {
        return "In the configuration, list this machine's address in the home and then the home's public address in media.advertised_addresses, and restart.".to_owned();
    }
    format!(
        "In the configuration, set advertised_addresses = [{}] under [media], and restart.",
        list.join(", ")
    )
}

fn steps(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
