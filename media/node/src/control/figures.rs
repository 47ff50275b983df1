//! The figures of the whole node.

use axum::Json;
use axum::extract::State;
use homeline_protocol::media_http::{NodeFigures, TransitFigures};
use homeline_protocol::session::ApiError;

use super::process;
use super::state::Control;
use crate::metrics::{NodeMetrics, TRANSIT_BOUNDS_MICROS, TransitTimes};

/// Tells what the node does and what it costs.
#[utoipa::path(
    get, path = "/v1/node", tag = "node", security(("token" = [])),
    responses(
        (status = 200, description = "At most a quarter of a second old.", body = NodeFigures),
        (status = 401, description = "`unauthorized`", body = ApiError),
    )
)]
pub(super) async fn node(State(control): State<Control>) -> Json<NodeFigures> {
    let inner = &control.inner;
    let metrics = inner.node.metrics();
    let dropped = metrics.dropped();
    Json(NodeFigures {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_ms: whole(inner.started.elapsed().as_millis()),
        addresses: inner.node.addresses().to_vec(),
        rooms: metrics.rooms,
        peers: metrics.peers,
        process_cpu_micros: whole(process::cpu_time().as_micros()),
        media_cpu_micros: whole(metrics.cpu_time.as_micros()),
        resident_bytes: process::resident_bytes(),
        counters: counters(&metrics),
        dropped: dropped
            .map(|(reason, count)| (reason.to_owned(), count))
            .collect(),
        transit: transit(&metrics.transit),
    })
}

fn counters(metrics: &NodeMetrics) -> std::collections::BTreeMap<String, u64> {
    let sockets = [
        ("send_calls", metrics.send_calls),
        ("send_errors", metrics.send_errors),
        ("send_queue_full", metrics.send_queue_full),
        ("rooms_failed", metrics.rooms_failed),
        ("relay_full", metrics.relay_full),
        ("tcp_refused", metrics.tcp.refused),
        ("tcp_ended", metrics.tcp.ended),
        ("tcp_dropped", metrics.tcp.dropped),
    ];
    let engine = metrics.counters.named();
    let all = engine.into_iter().chain(sockets);
    all.map(|(name, count)| (name.to_owned(), count)).collect()
}

fn transit(times: &TransitTimes) -> TransitFigures {
    TransitFigures {
        bounds_micros: TRANSIT_BOUNDS_MICROS.to_vec(),
        buckets: times.buckets.to_vec(),
        sum_micros: times.sum_micros,
        count: times.count(),
        p50_micros: times.quantile_micros(0.5),
        p99_micros: times.quantile_micros(0.99),
    }
}

/// Saturates after more than a human life.
fn whole(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
