use super::{stanza::Stanza, tree::Node};
use crate::metrics::Telemetry;

/// Settings of Vault's stanza that change nothing here.
const WITHOUT_EFFECT: &[&str] = &[
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
];

/// How the server tells what it counts; the last stanza counts.
pub(super) fn read(top: &mut Stanza<'_>) -> Telemetry {
    let nodes = top.all("telemetry").into_iter();
    nodes.filter_map(|node| one(node, top)).next_back().unwrap_or_default()
}

fn one(node: Node, top: &mut Stanza<'_>) -> Option<Telemetry> {
    let mut stanza = Stanza::of("telemetry", node, top.problems)?;
    let usual = Telemetry::default();
    let telemetry = Telemetry {
        prometheus_retention: stanza.last("prometheus_retention_time").unwrap_or(usual.prometheus_retention),
        disable_hostname: stanza.any("disable_hostname"),
    };
    stanza.finish(WITHOUT_EFFECT);
    Some(telemetry)
}
