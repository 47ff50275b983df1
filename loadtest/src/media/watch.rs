//! The node that is measured, its readings, and what the threads measured beside them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use homeline_protocol::media_http::{NodeFigures, TransitFigures};

use super::control::Control;
use super::driver::Driver;
use super::recorder::Measured;
use crate::arguments::MediaOptions;
use crate::child::{ServerChild, Start};
use crate::result::Latency;
use crate::result::histogram::Bar;
use crate::result::model::Server;
use crate::run::interval::ServerReading;
use crate::shape::Shape;
use crate::sockets::own_address_towards;

/// Room for more peers and tracks than the scenario has.
const SPARE: usize = 8;

/// The node under load.
pub struct Target {
    /// What commands it.
    pub control: Control,
    /// The process, if it was started here.
    pub child: Option<ServerChild>,
    /// The address of this machine from which it is reached.
    pub own_address: IpAddr,
    /// What it is.
    pub server: Server,
}

impl Target {
    /// Starts a node, or finds the one that was named.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open(options: &MediaOptions, shape: &Shape) -> Result<Self> {
        let (control, child) = match (&options.node, &options.token) {
            (Some(node), Some(token)) => (Control::new(node, token)?, None),
            _ => {
                let token = format!("{:032x}", rand::random::<u128>());
                let child = start(options, shape, &token)?;
                let control = Control::new(&child.url("http://")?, &token)?;
                (control, Some(child))
            }
        };
        let figures = control.figures().await?;
        let media = figures.addresses.first();
        let media = *media.context("the node has no address for media")?;
        let own_address = own_address_towards(media)
            .with_context(|| format!("the node's media address {media} can't be reached"))?;
        let same_machine = child.is_some() || own_address == media.ip();
        Ok(Self {
            server: Server {
                version: figures.version.clone(),
                kind: "media node".to_owned(),
                started_here: child.is_some(),
                same_machine,
                media_threads: media_threads(&figures),
            },
            control,
            child,
            own_address,
        })
    }

    /// What it has done so far.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn read(&self) -> Result<(ServerReading, NodeFigures)> {
        let figures = self.control.figures().await?;
        let reading = ServerReading {
            cpu: Some(Duration::from_micros(figures.process_cpu_micros)),
            media_cpu: Some(Duration::from_micros(figures.media_cpu_micros)),
            resident: figures.resident_bytes,
            done: figures.counters.get("rtp_forwarded").copied().unwrap_or(0),
            bytes_out: figures.counters.get("bytes_out").copied(),
        };
        Ok((reading, figures))
    }
}

/// Each media thread has a port of its own.
fn media_threads(figures: &NodeFigures) -> u64 {
    let mut ports: Vec<u16> = figures
        .addresses
        .iter()
        .map(|address| address.port())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports.len() as u64
}

fn start(options: &MediaOptions, shape: &Shape, token: &str) -> Result<ServerChild> {
    let most = |of: fn(&Vec<crate::shape::Member>) -> usize| {
        shape.rooms.iter().map(of).max().unwrap_or(0) + SPARE
    };
    let peers = most(Vec::len);
    let takes = most(|members| members.iter().map(|one| one.takes.len()).max().unwrap_or(0));
    let loopback = Ipv4Addr::LOCALHOST;
    let setting = |name: &str, value: String| (format!("HOMELINE_MEDIA__{name}"), value);
    let mut settings = vec![
        setting("CONTROL__BIND", format!("{loopback}:0")),
        setting("CONTROL__TOKEN", format!("\"{token}\"")),
        setting("BIND", format!("[\"{loopback}\"]")),
        setting("ADVERTISED_ADDRESSES", format!("[\"{loopback}\"]")),
        setting("UDP_PORT", "0".to_owned()),
        setting("WORKERS", options.workers.to_string()),
        setting("PEERS_PER_ROOM_MAX", peers.max(100).to_string()),
        setting("SUBSCRIPTIONS_PER_PEER_MAX", takes.max(256).to_string()),
        setting(
            "ROOMS_MAX",
            (shape.rooms.len() + SPARE).max(1_000).to_string(),
        ),
    ];
    // What was asked for outranks what we think is needed.
    settings.extend(options.common.settings.iter().cloned());
    ServerChild::start(&Start {
        binary: options.common.server_binary.as_deref(),
        media_alone: true,
        settings,
        pinned: options.common.pin,
    })
}

/// Takes what all threads measured.
pub fn take(drivers: &[Driver]) -> Measured {
    let mut all = Measured::default();
    for driver in drivers {
        all.add(&driver.recorder.take());
    }
    all
}

/// How long packets were inside the node between two readings, as its own histogram tells: bounds, not times.
pub fn inside(before: &TransitFigures, after: &TransitFigures) -> Option<Latency> {
    let counts: Vec<u64> = after
        .buckets
        .iter()
        .zip(before.buckets.iter().chain(std::iter::repeat(&0)))
        .map(|(after, before)| after.saturating_sub(*before))
        .collect();
    let count: u64 = counts.iter().sum();
    let last = *after.bounds_micros.last()?;
    let bound = |at: usize| {
        let bound = after.bounds_micros.get(at).copied().unwrap_or(last * 2);
        bound as f64 / 1e3
    };
    let quantile = |share: f64| {
        let wanted = (count as f64 * share).ceil() as u64;
        let mut sum = 0;
        let reached = |part: &u64| {
            sum += part;
            sum >= wanted
        };
        bound(counts.iter().position(reached).unwrap_or(counts.len()))
    };
    let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let sum = after.sum_micros.saturating_sub(before.sum_micros);
    (count > 0).then(|| Latency {
        id: "inside".to_owned(),
        title: "Inside the node".to_owned(),
        explanation: "From the node's socket to its socket, by its own clock; each figure is the upper bound \
             of a bucket."
            .to_owned(),
        count,
        mean_ms: sum as f64 / 1e3 / count as f64,
        p50_ms: quantile(0.5),
        p90_ms: quantile(0.9),
        p99_ms: quantile(0.99),
        p999_ms: quantile(0.999),
        max_ms: quantile(1.0),
        bars: bars
            .map(|(at, count)| Bar {
                from_ms: if at == 0 { bound(0) / 2.0 } else { bound(at - 1) },
                to_ms: bound(at),
                count: *count,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_own_times_are_those_between_two_readings() {
        let figures = |buckets: [u64; 3], sum_micros| TransitFigures {
            bounds_micros: vec![100, 1_000],
            buckets: buckets.to_vec(),
            sum_micros,
            count: buckets.iter().sum(),
            p50_micros: None,
            p99_micros: None,
        };
        let (before, after) = (figures([50, 0, 0], 500), figures([140, 10, 0], 10_500));
        let inside = inside(&before, &after).unwrap();
        assert_eq!((inside.count, inside.bars.len()), (100, 2));
        assert!((inside.p50_ms - 0.1).abs() < 1e-9 && (inside.p99_ms - 1.0).abs() < 1e-9);
        assert!((inside.mean_ms - 0.1).abs() < 1e-9);
        assert!(super::inside(&before, &before).is_none());
    }
}
