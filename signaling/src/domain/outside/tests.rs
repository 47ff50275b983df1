//! Facts in, findings and steps out.

use std::net::IpAddr;

use homeline_protocol::session::{OutsideCode, OutsideFrom, OutsideLast, OutsideTried, OutsideWay};

use super::facts::{Facts, Look, Network, Ports, Router, Verdict};
use super::place::stands;
use super::rules::{Finding, diagnose};
use super::{Tester, is_carrier, is_public, state};
use crate::model::UnixMillis;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(address: &str, prefix: u8) -> Network {
    let address = ip(address);
    Network { address, prefix }
}

/// A home behind an ordinary router.
fn home() -> Look {
    Look {
        ports: Ports {
            https: Some(8443),
            media_udp: vec![8444],
            media_tcp: vec![8444],
            relay_udp: Some(3478),
            relay_tcp: Some(8445),
            relay_tls: Some(8445),
            ..Ports::default()
        },
        advertised: vec![ip("192.168.1.5"), ip("203.0.113.7")],
        networks: vec![network("172.17.0.1", 16), network("192.168.1.5", 24)],
        gateway: Some([192, 168, 1, 1].into()),
        router: Router::At {
            external: ip("203.0.113.7"),
            by: "NAT-PMP",
        },
        seen_by_stun: None,
        at: UnixMillis(1),
    }
}

const ALL: [OutsideWay; 7] = [
    OutsideWay::Web,
    OutsideWay::WebSocket,
    OutsideWay::MediaUdp,
    OutsideWay::MediaTcp,
    OutsideWay::RelayUdp,
    OutsideWay::RelayTcp,
    OutsideWay::RelayTls,
];

/// A test from there in which all but these ways work.
fn tested(from: OutsideFrom, failing: &[OutsideWay]) -> Verdict {
    let last = |way: OutsideWay| OutsideLast {
        works: !failing.contains(&way),
        works_here: false,
        from,
        at_ms: 1,
    };
    Verdict {
        last: ALL.into_iter().map(|way| (way, last(way))).collect(),
        reached_at: Some(ip("203.0.113.7")),
    }
}

fn codes(look: Look, verdict: Verdict) -> Vec<OutsideCode> {
    diagnose(&Facts { look, verdict })
        .iter()
        .map(Finding::code)
        .collect()
}

fn told(look: Look, verdict: Verdict) -> String {
    let findings = state(&Facts { look, verdict }).findings;
    let steps = findings
        .into_iter()
        .flat_map(|one| [vec![one.text], one.steps].concat());
    steps.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_home_in_which_everything_works_from_outside_is_well() {
    let found = codes(home(), tested(OutsideFrom::Outside, &[]));
    assert_eq!(found, [OutsideCode::AllWell, OutsideCode::Router]);
}

#[test]
fn before_a_test_nothing_is_promised_and_a_test_from_inside_proves_little() {
    let found = codes(home(), Verdict::default());
    assert_eq!(found, [OutsideCode::NeverTested, OutsideCode::Router]);
    let found = codes(home(), tested(OutsideFrom::Inside, &[]));
    assert_eq!(found, [OutsideCode::TestedInside, OutsideCode::Router]);
    // Nor does a failure there say anything of the router.
    let found = codes(home(), tested(OutsideFrom::Inside, &[OutsideWay::MediaUdp]));
    assert_eq!(found, [OutsideCode::TestedInside, OutsideCode::Router]);
    let found = codes(home(), tested(OutsideFrom::Unclear, &[]));
    assert_eq!(found, [OutsideCode::SourceHidden, OutsideCode::Router]);
}

#[test]
fn a_media_node_alone_is_told_no_way_through_an_app() {
    let mut look = home();
    look.ports.https = None;
    let mut facts = Facts {
        look,
        verdict: Verdict::default(),
    };
    let found = state(&facts);
    assert_eq!(found.ways.len(), 5);
    assert_eq!(found.findings[0].code, OutsideCode::NeverTested);
    assert!(found.findings[0].steps[0].contains("/v1/reachability"));
    let tried = |way| OutsideTried {
        way,
        works: false,
        works_here: false,
    };
    let (udp, tester) = (
        tried(OutsideWay::MediaUdp),
        Tester {
            source: ip("198.51.100.9"),
            reached_at: Some(ip("203.0.113.8")),
        },
    );
    for none in [vec![], vec![udp, udp]] {
        assert!(facts.note_test(&none, tester, UnixMillis(5)).is_err());
    }
    assert_eq!(facts.verdict, Verdict::default());
    facts.note_test(&[udp], tester, UnixMillis(5)).unwrap();
    let last = facts.verdict.last[&OutsideWay::MediaUdp];
    assert_eq!((last.from, last.at_ms), (OutsideFrom::Outside, 5));
    assert_eq!(facts.verdict.reached_at, tester.reached_at);
    let again = Verdict::from(crate::store::outside::Kept::from(&facts.verdict));
    assert_eq!(again, facts.verdict);
}

#[test]
fn a_port_that_is_not_forwarded_is_named_with_the_machine_in_the_home() {
    let failing = [OutsideWay::RelayTcp, OutsideWay::RelayTls];
    let verdict = tested(OutsideFrom::Outside, &failing);
    let found = codes(home(), verdict.clone());
    assert_eq!(found[0], OutsideCode::NotForwarded);
    let text = told(home(), verdict);
    let rules = text.matches("Forward ").count();
    assert!(
        rules == 1 && text.contains("Forward TCP 8445 to 192.168.1.5 in the router"),
        "{text}"
    );
}

#[test]
fn a_port_that_is_another_inside_is_named_with_both() {
    let mut look = home();
    (look.ports.relay_tcp, look.ports.relay_tls) = (Some(443), Some(443));
    look.ports.relay_tcp_inside = Some(8445);
    let failing = [OutsideWay::RelayTcp, OutsideWay::RelayTls];
    let text = told(look, tested(OutsideFrom::Outside, &failing));
    assert!(
        text.contains("Forward TCP 443 to 192.168.1.5, port 8445, in the router"),
        "{text}"
    );
}

#[test]
fn every_worker_needs_its_port() {
    let mut look = home();
    look.ports.media_udp = vec![8444, 8445];
    let text = told(
        look,
        tested(
            OutsideFrom::Outside,
            &[OutsideWay::MediaUdp, OutsideWay::MediaTcp],
        ),
    );
    assert!(text.contains("UDP 8444 to 192.168.1.5") && text.contains("UDP 8445 to 192.168.1.5"));
}

#[test]
fn udp_alone_that_fails_is_said_to_be_blocked() {
    let failing = [OutsideWay::MediaUdp, OutsideWay::RelayUdp];
    let found = codes(home(), tested(OutsideFrom::Outside, &failing));
    assert_eq!(found[0], OutsideCode::UdpBlocked);
}

#[test]
fn where_only_the_web_gets_through_a_firewall_is_named_too() {
    let found = codes(home(), tested(OutsideFrom::Outside, &ALL[2..]));
    assert_eq!(
        found[..2],
        [OutsideCode::NotForwarded, OutsideCode::OnlyWeb]
    );
}

#[test]
fn tls_that_fails_where_tcp_works_is_a_matter_of_trust() {
    let found = codes(
        home(),
        tested(OutsideFrom::Outside, &[OutsideWay::RelayTls]),
    );
    assert!(found.contains(&OutsideCode::Untrusted) && !found.contains(&OutsideCode::NotForwarded));
}

#[test]
fn a_carriers_nat_and_a_second_router_are_told_apart() {
    let at = |external| Router::At {
        external: ip(external),
        by: "UPnP",
    };
    for (external, code, word) in [
        ("100.72.3.4", OutsideCode::CarrierNat, "provider"),
        ("192.168.178.20", OutsideCode::DoubleNat, "bridge mode"),
    ] {
        let look = Look {
            router: at(external),
            ..home()
        };
        assert_eq!(codes(look.clone(), Verdict::default())[0], code);
        assert!(told(look.clone(), Verdict::default()).contains(word));
        // A tester who came through knows better.
        let found = codes(look, tested(OutsideFrom::Outside, &[]));
        assert!(!found.contains(&code));
    }
    let direct = Look {
        networks: vec![network("100.72.3.4", 10)],
        router: Router::Silent,
        ..home()
    };
    assert_eq!(
        codes(direct, Verdict::default())[0],
        OutsideCode::CarrierNat
    );
}

#[test]
fn addresses_that_clients_are_told_must_be_the_homes() {
    let moved = Look {
        advertised: vec![ip("192.168.1.5"), ip("203.0.113.99")],
        ..home()
    };
    let found = codes(
        moved.clone(),
        tested(OutsideFrom::Outside, &[OutsideWay::MediaUdp]),
    );
    assert_eq!(found[0], OutsideCode::WrongAdvertised);
    assert!(
        told(moved.clone(), Verdict::default()).contains("replace 203.0.113.99 by 203.0.113.7")
    );

    // The provider gave another address since a tester used the old one.
    let reached = Verdict {
        reached_at: Some(ip("203.0.113.99")),
        ..Verdict::default()
    };
    assert!(told(moved, reached.clone()).contains("replace 203.0.113.99 by 203.0.113.7"));
    let mended = Look {
        advertised: vec![ip("192.168.1.5"), ip("203.0.113.7")],
        ..home()
    };
    let facts = Facts {
        look: mended,
        verdict: reached,
    };
    assert_eq!(facts.public_address(), Some(ip("203.0.113.7")));
    let found = codes(facts.look, facts.verdict);
    assert!(!found.contains(&OutsideCode::WrongAdvertised), "{found:?}");

    // Nothing configured, the port open: it works only where the tester knew the address.
    let look = Look {
        advertised: Vec::new(),
        ..home()
    };
    let mut verdict = tested(OutsideFrom::Outside, &[OutsideWay::MediaUdp]);
    let udp = verdict.last.get_mut(&OutsideWay::MediaUdp).unwrap();
    udp.works_here = true;
    let found = codes(look.clone(), verdict.clone());
    assert_eq!(found[0], OutsideCode::NotAdvertised);
    assert!(!found.contains(&OutsideCode::NotForwarded));
    let text = told(look, verdict);
    assert!(
        text.contains(r#"advertised_addresses = ["192.168.1.5", "203.0.113.7"]"#),
        "{text}"
    );
}

#[test]
fn a_machine_with_a_public_address_needs_no_router() {
    let look = Look {
        networks: vec![network("198.51.100.4", 24), network("2001:db8::4", 64)],
        advertised: Vec::new(),
        gateway: None,
        router: Router::Silent,
        ..home()
    };
    let found = codes(look, Verdict::default());
    let expected = [
        OutsideCode::NeverTested,
        OutsideCode::PublicAddress,
        OutsideCode::PublicV6,
    ];
    assert_eq!(found, expected);
}

#[test]
fn testers_are_placed_by_where_their_packets_come_from() {
    let mut look = home();
    look.networks.push(network("2001:db8:1:2::5", 64));
    for (source, expected) in [
        ("127.0.0.1", OutsideFrom::Inside),
        ("192.168.1.20", OutsideFrom::Inside),
        ("::ffff:192.168.1.20", OutsideFrom::Inside),
        ("203.0.113.7", OutsideFrom::Inside),
        ("2001:db8:1:2::77", OutsideFrom::Inside),
        ("192.168.1.1", OutsideFrom::Unclear),
        ("10.8.0.2", OutsideFrom::Unclear),
        ("100.64.0.9", OutsideFrom::Unclear),
        ("198.51.100.9", OutsideFrom::Outside),
        ("2001:db8:9::1", OutsideFrom::Outside),
    ] {
        assert_eq!(stands(&look, None, ip(source)), expected, "{source}");
    }
    // A router that says nothing and sends the home's packets back: only what clients are told gives it away.
    look.router = Router::Silent;
    look.advertised = vec![ip("192.168.1.5"), ip("203.0.113.7")];
    let looped = stands(&look, None, ip("203.0.113.7"));
    assert_eq!(looped, OutsideFrom::Inside);
    let known = Some(ip("198.51.100.9"));
    assert_eq!(
        stands(&look, known, ip("198.51.100.9")),
        OutsideFrom::Inside
    );
}

#[test]
fn public_addresses_are_those_to_which_the_internet_knows_the_way() {
    for private in [
        "10.0.0.1",
        "172.20.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "0.0.0.0",
        "224.0.0.1",
        "fe80::1",
        "fd00::1",
        "::1",
        "::ffff:10.0.0.1",
    ] {
        assert!(!is_public(ip(private)), "{private}");
    }
    for public in ["100.63.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1"] {
        assert!(is_public(ip(public)) && !is_carrier(ip(public)), "{public}");
    }
}
