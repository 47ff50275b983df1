//! The host's names and addresses: what the certificate authority is allowed to vouch for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Names and addresses under which devices reach this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Lowercase DNS names.
    pub hosts: BTreeSet<String>,
    /// Addresses of the machine's interfaces.
    pub addresses: BTreeSet<IpAddr>,
}

impl Names {
    /// This machine's host name, its `.local` name, `localhost`, the names configured, and the addresses of its interfaces.
    #[must_use]
    pub fn of_this_host(configured: &[String]) -> Self {
        let mut hosts = BTreeSet::from(["localhost".to_owned()]);
        let host = hostname::get()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let short = host.split('.').next().unwrap_or_default().to_owned();
        if is_dns_name(&host) {
            hosts.insert(host);
        }
        if is_dns_name(&short) {
            hosts.insert(format!("{short}.local"));
        }
        hosts.extend(
            configured
                .iter()
                .map(|name| name.to_lowercase())
                .filter(|name| is_dns_name(name)),
        );
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let mut addresses: BTreeSet<IpAddr> =
            interfaces.iter().map(if_addrs::Interface::ip).collect();
        addresses.retain(|address| !is_link_local(*address));
        addresses.insert(IpAddr::from([127, 0, 0, 1]));
        Self { hosts, addresses }
    }

    /// What is in both: the names that an older authority may still vouch for.
    #[must_use]
    pub fn within(&self, allowed: &Self) -> Self {
        Self {
            hosts: self.hosts.intersection(&allowed.hosts).cloned().collect(),
            addresses: self
                .addresses
                .intersection(&allowed.addresses)
                .copied()
                .collect(),
        }
    }

    /// All of them as text, names first.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.hosts
            .iter()
            .cloned()
            .chain(self.addresses.iter().map(IpAddr::to_string))
    }
}

fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Link-local IPv6 addresses need a zone, which a URL cannot carry in a browser.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80)
}
