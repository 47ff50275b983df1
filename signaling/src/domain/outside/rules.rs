//! What the facts mean: findings, the gravest first. Pure. `words` turns them into sentences.

use std::collections::BTreeMap;
use std::net::IpAddr;

use homeline_protocol::session::{OutsideCode, OutsideFrom, OutsideLast, OutsideWay};

use super::facts::{Facts, Look, Router};
use super::place::{is_carrier, is_public};

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Every way worked from outside.
    AllWell,
    /// Nobody has tested from outside yet.
    NeverTested,
    /// The last test came from inside.
    TestedInside,
    /// The server could not tell from where the last test came.
    SourceHidden,
    /// The provider's NAT stands before the home's router.
    CarrierNat {
        /// What the router takes for its address outside.
        external: IpAddr,
    },
    /// Another router stands before the home's.
    DoubleNat {
        /// What the router takes for its address outside.
        external: IpAddr,
    },
    /// Nothing came in on these ways.
    NotForwarded {
        /// The rules that the router lacks.
        rules: Vec<Forward>,
    },
    /// Media is open where the tester reached the server, but clients are told other addresses.
    NotAdvertised {
        /// What they should be told, in this order, if it is known.
        addresses: Vec<IpAddr>,
    },
    /// Clients are told a public address that is not the home's.
    WrongAdvertised {
        /// What they are told.
        told: IpAddr,
        /// The home's.
        own: IpAddr,
    },
    /// The relay's TLS fails and its TCP works.
    Untrusted,
    /// Web pages come through and nothing else does.
    OnlyWeb,
    /// UDP does not come through, and TCP on the same ports does.
    UdpBlocked {
        /// The rules to look at.
        rules: Vec<Forward>,
    },
    /// The machine has a public address of its own.
    PublicAddress,
    /// The machine has a public address of IPv6, and nothing was reached over it yet.
    PublicV6,
    /// The router says its address.
    Router {
        /// The address.
        external: IpAddr,
        /// By which protocol.
        by: &'static str,
    },
    /// The router says nothing.
    RouterSilent,
}

/// A rule of a router: what comes in at a port goes to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// UDP, or TCP.
    pub udp: bool,
    /// The port outside.
    pub port: u16,
    /// The machine's own, where it is another.
    pub inside: Option<u16>,
    /// The machine, if the server knows its address in the home.
    pub to: Option<IpAddr>,
    /// What for.
    pub way: OutsideWay,
}

impl Finding {
    /// Its name.
    #[must_use]
    pub const fn code(&self) -> OutsideCode {
        match self {
            Self::AllWell => OutsideCode::AllWell,
            Self::NeverTested => OutsideCode::NeverTested,
            Self::TestedInside => OutsideCode::TestedInside,
            Self::SourceHidden => OutsideCode::SourceHidden,
            Self::CarrierNat { .. } => OutsideCode::CarrierNat,
            Self::DoubleNat { .. } => OutsideCode::DoubleNat,
            Self::NotForwarded { .. } => OutsideCode::NotForwarded,
            Self::NotAdvertised { .. } => OutsideCode::NotAdvertised,
            Self::WrongAdvertised { .. } => OutsideCode::WrongAdvertised,
            Self::Untrusted => OutsideCode::Untrusted,
            Self::OnlyWeb => OutsideCode::OnlyWeb,
            Self::UdpBlocked { .. } => OutsideCode::UdpBlocked,
            Self::PublicAddress => OutsideCode::PublicAddress,
            Self::PublicV6 => OutsideCode::PublicV6,
            Self::Router { .. } => OutsideCode::Router,
            Self::RouterSilent => OutsideCode::RouterSilent,
        }
    }

    /// Whether something has to be mended.
    #[must_use]
    pub const fn is_grave(&self) -> bool {
        matches!(
            self,
            Self::CarrierNat { .. }
                | Self::DoubleNat { .. }
                | Self::NotForwarded { .. }
                | Self::NotAdvertised { .. }
                | Self::WrongAdvertised { .. }
                | Self::OnlyWeb
                | Self::UdpBlocked { .. }
        )
    }
}

/// What the facts mean, the gravest first.
#[must_use]
pub fn diagnose(facts: &Facts) -> Vec<Finding> {
    let look = &facts.look;
    let tests = Tests::of(facts);
    let mut findings = Vec::new();
    // What works from outside outweighs what the router takes for its address.
    if !tests.media_came_in() {
        findings.extend(hopeless(look));
    }
    findings.extend(addresses(facts, &tests));
    findings.extend(closed(look, &tests));
    findings.push(tests.summary());
    if look
        .networks
        .iter()
        .any(|one| one.address.is_ipv4() && is_public(one.address))
    {
        findings.push(Finding::PublicAddress);
    } else {
        findings.extend(router(look));
    }
    if look
        .networks
        .iter()
        .any(|one| one.address.is_ipv6() && is_public(one.address))
    {
        findings.push(Finding::PublicV6);
    }
    findings
}

/// The last tests that came from outside, and whether any came at all.
struct Tests<'a> {
    outside: BTreeMap<OutsideWay, &'a OutsideLast>,
    missing: bool,
    newest: Option<&'a OutsideLast>,
}

impl<'a> Tests<'a> {
    fn of(facts: &'a Facts) -> Self {
        let ways = facts.look.ways();
        let known = ways
            .iter()
            .filter_map(|(way, _)| Some((*way, facts.verdict.last.get(way)?)));
        // A source that the server can't place may well be outside: what it found open is, and what it found
        // closed is worth a look.
        let counts = |last: &OutsideLast| last.from != OutsideFrom::Inside;
        let outside: BTreeMap<_, _> = known.clone().filter(|(_, last)| counts(last)).collect();
        Self {
            missing: outside.len() < ways.len(),
            newest: known.map(|(_, last)| last).max_by_key(|last| last.at_ms),
            outside,
        }
    }

    fn works(&self, way: OutsideWay) -> Option<bool> {
        self.outside
            .get(&way)
            .map(|last| last.works || last.works_here)
    }

    fn fails(&self, way: OutsideWay) -> bool {
        self.works(way) == Some(false)
    }

    fn media_came_in(&self) -> bool {
        [
            OutsideWay::MediaUdp,
            OutsideWay::MediaTcp,
            OutsideWay::RelayUdp,
            OutsideWay::RelayTcp,
        ]
        .into_iter()
        .any(|way| self.works(way) == Some(true))
    }

    fn summary(&self) -> Finding {
        match self.newest {
            None => Finding::NeverTested,
            Some(last) if last.from == OutsideFrom::Inside && self.outside.is_empty() => {
                Finding::TestedInside
            }
            Some(last) if last.from == OutsideFrom::Unclear => Finding::SourceHidden,
            Some(_) if !self.missing && self.outside.values().all(|last| last.works) => {
                Finding::AllWell
            }
            Some(last) if last.from == OutsideFrom::Inside => Finding::TestedInside,
            Some(_) if self.missing => Finding::NeverTested,
            Some(_) => Finding::SourceHidden,
        }
    }
}

/// What no rule of the home's own router mends.
fn hopeless(look: &Look) -> Option<Finding> {
    let outer = look.external().filter(|external| !is_public(*external));
    if let Some(external) = outer {
        return Some(if is_carrier(external) {
            Finding::CarrierNat { external }
        } else {
            Finding::DoubleNat { external }
        });
    }
    // The machine hangs on the provider's network without a router of its own.
    let own = look.networks.iter().map(|one| one.address);
    let (mut carrier, others): (Vec<_>, Vec<_>) = own
        .filter(IpAddr::is_ipv4)
        .partition(|one| is_carrier(*one));
    let external = carrier.pop().filter(|_| others.is_empty())?;
    Some(Finding::CarrierNat { external })
}

/// Whether clients are told where the home is.
fn addresses(facts: &Facts, tests: &Tests<'_>) -> Vec<Finding> {
    let look = &facts.look;
    let told: Vec<IpAddr> = if look.advertised.is_empty() {
        look.networks.iter().map(|one| one.address).collect()
    } else {
        look.advertised.clone()
    };
    let known = facts.seen_at();
    let only_here = [OutsideWay::MediaUdp, OutsideWay::MediaTcp]
        .into_iter()
        .filter_map(|way| tests.outside.get(&way))
        .any(|last| !last.works && last.works_here);
    if let Some(own) = known {
        let mut public = told
            .iter()
            .filter(|one| is_public(**one) && one.is_ipv4() == own.is_ipv4());
        // Two public addresses may be right together; none that is the home's is not.
        if !told.contains(&own)
            && let Some(told) = public.next()
        {
            let told = *told;
            return vec![Finding::WrongAdvertised { told, own }];
        }
    }
    let reachable = known.is_some_and(|own| told.contains(&own));
    if only_here || (!reachable && known.is_some() && tests.fails(OutsideWay::MediaUdp)) {
        let addresses = look.home_address().into_iter().chain(known).collect();
        return vec![Finding::NotAdvertised { addresses }];
    }
    Vec::new()
}

/// What does not come in, and the rules for it.
fn closed(look: &Look, tests: &Tests<'_>) -> Vec<Finding> {
    let rules = forwards(look);
    let failing = |way| tests.fails(way);
    let mut lacking: Vec<Forward> = rules
        .iter()
        .copied()
        .filter(|rule| failing(rule.way))
        .collect();
    let mut findings = Vec::new();
    // One port, one rule: TLS that fails where TCP works has another reason.
    let tcp_works = tests.works(OutsideWay::RelayTcp) == Some(true);
    if failing(OutsideWay::RelayTls) && tcp_works {
        findings.push(Finding::Untrusted);
    }
    lacking.retain(|rule| !(rule.way == OutsideWay::RelayTls && tcp_works));
    if lacking.is_empty() {
        return findings;
    }
    let others = rules.iter().filter(|rule| !is_web(rule.way));
    let tried: Vec<_> = others
        .filter(|rule| tests.outside.contains_key(&rule.way))
        .collect();
    let udp_fails = tried
        .iter()
        .filter(|rule| rule.udp)
        .all(|rule| failing(rule.way));
    let tcp_comes = tried
        .iter()
        .filter(|rule| !rule.udp)
        .all(|rule| !failing(rule.way));
    let has_both = tried.iter().any(|rule| rule.udp) && tried.iter().any(|rule| !rule.udp);
    let web_works = tests.works(OutsideWay::Web) == Some(true);
    let finding = if has_both && udp_fails && tcp_comes {
        Finding::UdpBlocked {
            rules: distinct(lacking),
        }
    } else {
        if web_works && tried.iter().all(|rule| failing(rule.way)) {
            findings.push(Finding::OnlyWeb);
        }
        Finding::NotForwarded {
            rules: distinct(lacking),
        }
    };
    findings.insert(0, finding);
    findings
}

const fn is_web(way: OutsideWay) -> bool {
    matches!(way, OutsideWay::Web | OutsideWay::WebSocket)
}

/// Every rule that a router before this server needs.
fn forwards(look: &Look) -> Vec<Forward> {
    let to = look.home_address();
    let ports = &look.ports;
    let mut rules = Vec::new();
    for (way, port) in look.ways() {
        let udp = matches!(way, OutsideWay::MediaUdp | OutsideWay::RelayUdp);
        // Each worker has a port of its own; the test sees one of them.
        let all = match way {
            OutsideWay::MediaUdp => ports.media_udp.clone(),
            OutsideWay::MediaTcp => ports.media_tcp.clone(),
            _ => vec![port],
        };
        let inside = match way {
            OutsideWay::RelayUdp => ports.relay_udp_inside,
            OutsideWay::RelayTcp | OutsideWay::RelayTls => ports.relay_tcp_inside,
            _ => None,
        };
        let rule = |port| Forward {
            udp,
            port,
            inside: inside.filter(|inside| *inside != port),
            to,
            way,
        };
        rules.extend(all.into_iter().map(rule));
    }
    rules
}

/// Two ways over one port are one rule.
fn distinct(rules: Vec<Forward>) -> Vec<Forward> {
    let mut kept: Vec<Forward> = Vec::new();
    for rule in rules {
        if !kept
            .iter()
            .any(|one| (one.udp, one.port) == (rule.udp, rule.port))
        {
            kept.push(rule);
        }
    }
    kept
}

fn router(look: &Look) -> Option<Finding> {
    match look.router {
        Router::At { external, by } if is_public(external) => {
            Some(Finding::Router { external, by })
        }
        Router::Silent => Some(Finding::RouterSilent),
        Router::At { .. } | Router::NotAsked => None,
    }
}
