use std::time::Duration;

use super::{
    key::{Block, Key, Usual},
    stanza::Stanza,
    tree::Node,
};
use crate::metrics::Telemetry;

const BLOCK: Block = Block::new("telemetry", "`telemetry`", "How the server tells what it counts.")
    .read_by(&crate::Service::ALL)
    .without_effect(&[
        "add_lease_metrics_namespace_labels",
        "add_mount_point_rollback_metrics",
        "enable_hostname_label",
        "filter_default",
        "lease_metrics_epsilon",
        "maximum_gauge_cardinality",
        "metrics_prefix",
        "num_lease_metrics_buckets",
        "prefix_filter",
        "usage_gauge_period",
    ]);

const RETENTION: Usual<Duration> = Key::new(
    "prometheus_retention_time",
    "how long what does not change any more is told to Prometheus; zero: nothing is told to it",
)
.usually(|| Telemetry::default().prometheus_retention);

const DISABLE_HOSTNAME: Key<bool> =
    Key::new("disable_hostname", "the names of gauges do not hold that of the host");

/// How the server tells what it counts; the last stanza counts.
pub(super) fn read(top: &mut Stanza<'_>) -> Telemetry {
    let nodes = top.blocks("telemetry").into_iter();
    nodes.filter_map(|node| one(node, top)).next_back().unwrap_or_default()
}

fn one(node: Node, top: &mut Stanza<'_>) -> Option<Telemetry> {
    let mut stanza = Stanza::of(&BLOCK, node, top.problems)?;
    let telemetry = Telemetry {
        prometheus_retention: stanza.get(&RETENTION),
        disable_hostname: stanza.any(&DISABLE_HOSTNAME),
    };
    stanza.finish();
    Some(telemetry)
}
