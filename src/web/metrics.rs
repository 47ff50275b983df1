//! `/metrics` in the Prometheus text format: counts and states, never a person.

use std::collections::HashMap;
use std::fmt;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use homeline_media_node::turn::{Turn, TurnFigures};
use homeline_media_node::{Node, NodeMetrics, TcpFigures};
use homeline_signaling::Signaling;
use homeline_signaling::domain::calls::CallFigures;
use homeline_signaling::edge::session::SignalingFigures;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde::Serialize;

/// The parts that count.
#[derive(Clone)]
pub(crate) struct Sources {
    /// Sessions, requests, calls.
    pub(crate) signaling: Signaling,
    /// Packets.
    pub(crate) node: Node,
    /// The relay, where there is one.
    pub(crate) relay: Option<Turn>,
}

pub(crate) fn router(sources: Sources) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(sources)
}

/// The same for a media node that stands alone, or beside its control interface.
pub(crate) fn media_router(node: Node, relay: Option<Turn>) -> Router {
    Router::new()
        .route("/metrics", get(media_metrics))
        .with_state((node, relay))
}

async fn metrics(State(sources): State<Sources>) -> impl IntoResponse {
    written(rows(&sources))
}

async fn media_metrics(State((node, relay)): State<(Node, Option<Turn>)>) -> impl IntoResponse {
    let mut rows = media_rows(&node);
    let figures = relay.as_ref().map(Turn::figures);
    rows.extend(figures.iter().flat_map(relay_rows));
    written(rows)
}

fn written(rows: Vec<Row>) -> impl IntoResponse {
    let mut registry = Registry::with_prefix("homeline");
    registry.register_collector(Box::new(Snapshot(rows)));
    let mut body = String::new();
    text::encode(&mut body, &registry).expect("writing into a string does not fail");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], body)
}

/// One metric with all its values at one moment.
#[derive(Debug)]
struct Row {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    values: Vec<(Vec<(&'static str, String)>, u64)>,
}

fn rows(sources: &Sources) -> Vec<Row> {
    let SignalingFigures { sessions, calls } = sources.signaling.figures();
    let requests = sessions
        .requests_total
        .iter()
        .map(|((kind, error), count)| {
            let result = error.as_ref().map_or("ok".to_owned(), code);
            (
                vec![("kind", (*kind).to_owned()), ("result", result)],
                *count,
            )
        });
    let mut rows = vec![
        gauge(
            "sessions",
            "Sessions, connected or waiting to resume",
            sessions.running as u64,
        ),
        counter("sessions_opened", "Sessions opened", sessions.opened_total),
        counter(
            "sessions_resumed",
            "Sessions taken up again",
            sessions.resumed_total,
        ),
        by(
            "sessions_ended",
            "Sessions ended by the server",
            "code",
            &sessions.ended_total,
        ),
        family(
            "requests",
            "Requests answered",
            MetricType::Counter,
            requests.collect(),
        ),
    ];
    rows.extend(call_rows(&calls));
    rows.extend(media_rows(&sources.node));
    let figures = sources.relay.as_ref().map(Turn::figures);
    rows.extend(figures.iter().flat_map(relay_rows));
    rows
}

fn call_rows(calls: &CallFigures) -> Vec<Row> {
    let phase = |name: &str, count: usize| (vec![("phase", name.to_owned())], count as u64);
    let phases = vec![
        phase("inviting", calls.inviting),
        phase("ringing", calls.ringing),
        phase("answered", calls.answered),
    ];
    vec![
        family("calls", "Running calls", MetricType::Gauge, phases),
        counter("calls_started", "Calls begun", calls.started_total),
        by("calls_ended", "Calls ended", "reason", &calls.ended_total),
        gauge("drop_ins", "Open drop-ins", calls.drop_ins.open as u64),
        counter(
            "drop_ins_opened",
            "Drop-ins opened",
            calls.drop_ins.opened_total,
        ),
        by(
            "drop_ins_ended",
            "Drop-ins ended",
            "reason",
            &calls.drop_ins.ended_total,
        ),
        gauge(
            "live_announcements",
            "Running live announcements",
            calls.live.open as u64,
        ),
        counter(
            "live_announcements_begun",
            "Live announcements begun",
            calls.live.opened_total,
        ),
        by(
            "live_announcements_ended",
            "Live announcements ended",
            "reason",
            &calls.live.ended_total,
        ),
    ]
}

fn media_rows(node: &Node) -> Vec<Row> {
    let figures = node.metrics();
    let counted = figures.counters;
    let dropped = figures.dropped();
    let dropped = dropped.map(|(reason, count)| (vec![("reason", reason.to_owned())], count));
    let quantile = |share| figures.transit.quantile_micros(share).unwrap_or_default();
    let mut rows = vec![
        gauge("media_rooms", "Rooms", figures.rooms),
        gauge("media_peers", "Peers", figures.peers),
        counter(
            "media_datagrams_in",
            "Datagrams received",
            counted.datagrams_in,
        ),
        counter(
            "media_datagrams_out",
            "Datagrams sent",
            counted.datagrams_out,
        ),
        counter("media_bytes_in", "Bytes received", counted.bytes_in),
        counter("media_bytes_out", "Bytes sent", counted.bytes_out),
        counter(
            "media_packets_in",
            "Packets taken from publishers",
            counted.rtp_in,
        ),
        counter(
            "media_packets_forwarded",
            "Packets sent to receivers",
            counted.rtp_forwarded,
        ),
        counter(
            "media_packets_repaired",
            "Packets sent again",
            counted.rtp_retransmitted,
        ),
        family(
            "media_dropped",
            "Packets dropped",
            MetricType::Counter,
            dropped.collect(),
        ),
        counter(
            "media_send_errors",
            "Datagrams the kernel refused",
            figures.send_errors,
        ),
        counter(
            "media_rooms_failed",
            "Rooms dropped after a fault",
            figures.rooms_failed,
        ),
        gauge(
            "media_transit_p50_microseconds",
            "Median time inside",
            quantile(0.5),
        ),
        gauge(
            "media_transit_p99_microseconds",
            "99th percentile inside",
            quantile(0.99),
        ),
    ];
    rows.extend(thread_rows(node, &figures));
    rows.extend(tcp_rows(&figures.tcp));
    rows
}

/// The media threads, and what passes between them.
fn thread_rows(node: &Node, figures: &NodeMetrics) -> Vec<Row> {
    let cpu_micros = u64::try_from(figures.cpu_time.as_micros()).unwrap_or(u64::MAX);
    let (_, silent) = node.threads();
    let busy = node.busy_permille().into_iter().enumerate();
    let busy = busy.map(|(at, busy)| (vec![("thread", at.to_string())], busy.into()));
    vec![
        counter(
            "media_cpu_microseconds",
            "Processor time of the media threads",
            cpu_micros,
        ),
        gauge(
            "media_threads_silent",
            "Media threads not heard of for two seconds",
            silent as u64,
        ),
        family(
            "media_thread_busy_permille",
            "How much of a processor core each media thread uses, in thousandths",
            MetricType::Gauge,
            busy.collect(),
        ),
        counter(
            "media_relay_full",
            "Packets lost because the way between two media threads was full",
            figures.relay_full,
        ),
    ]
}

/// Media over TCP.
fn tcp_rows(figures: &TcpFigures) -> Vec<Row> {
    vec![
        gauge(
            "media_tcp_connections",
            "Media connections over TCP",
            figures.connections,
        ),
        counter(
            "media_tcp_refused",
            "Media connections closed at once, for a limit",
            figures.refused,
        ),
        counter(
            "media_tcp_ended",
            "Media connections that ended",
            figures.ended,
        ),
        counter(
            "media_tcp_dropped",
            "Packets not sent because a receiver took too little",
            figures.dropped,
        ),
    ]
}

/// The relay (TURN).
fn relay_rows(figures: &TurnFigures) -> Vec<Row> {
    let refused = figures.refused.by_reason();
    let refused = refused.map(|(reason, count)| (vec![("reason", reason.to_owned())], count));
    let ways = [
        ("to_media", figures.bytes_to_media),
        ("to_clients", figures.bytes_to_clients),
    ];
    let bytes = ways.map(|(way, count)| (vec![("direction", way.to_owned())], count));
    vec![
        gauge(
            "relay_sessions",
            "Relayed connections of clients (TURN allocations)",
            figures.allocations as u64,
        ),
        gauge(
            "relay_connections",
            "TCP and TLS connections to the relay",
            figures.connections as u64,
        ),
        family(
            "relay_bytes",
            "Bytes relayed",
            MetricType::Counter,
            bytes.into(),
        ),
        family(
            "relay_refused",
            "Signed requests refused, and connections closed at once",
            MetricType::Counter,
            refused.collect(),
        ),
    ]
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> Row {
    family(name, help, MetricType::Gauge, vec![(Vec::new(), value)])
}

fn counter(name: &'static str, help: &'static str, value: u64) -> Row {
    family(name, help, MetricType::Counter, vec![(Vec::new(), value)])
}

fn by<K: Serialize>(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: &HashMap<K, u64>,
) -> Row {
    let values = values
        .iter()
        .map(|(key, count)| (vec![(label, code(key))], *count));
    family(name, help, MetricType::Counter, values.collect())
}

fn family(
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    values: Vec<(Vec<(&'static str, String)>, u64)>,
) -> Row {
    Row {
        name,
        help,
        kind,
        values,
    }
}

/// The wire name of a code or reason.
fn code<K: Serialize>(key: &K) -> String {
    match serde_json::to_value(key) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "unknown".to_owned(),
    }
}

#[derive(Debug)]
struct Snapshot(Vec<Row>);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for row in &self.0 {
            let mut metric = encoder.encode_descriptor(row.name, row.help, None, row.kind)?;
            for (labels, value) in &row.values {
                if labels.is_empty() {
                    encode_value(row.kind, *value, metric)?;
                    break;
                }
                encode_value(row.kind, *value, metric.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

fn encode_value(
    kind: MetricType,
    value: u64,
    encoder: MetricEncoder<'_>,
) -> Result<(), fmt::Error> {
    match kind {
        MetricType::Counter => ConstCounter::new(value).encode(encoder),
        _ => ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder),
    }
}
