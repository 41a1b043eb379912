use std::{path::PathBuf, time::Duration};

use super::{
    key::{Block, Key, Usual},
    setting::{Ratio, Url},
    stanza::Stanza,
    tree::Node,
};
use crate::{metrics::Telemetry, traces, variable};

const BLOCK: Block =
    Block::new("telemetry", "`telemetry`", "How the server tells what it counts, and what it traces.")
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

const OTLP_ENDPOINT: Key<Url> = Key::new(
    "otlp_endpoint",
    "the collector that spans of traces are sent to, by OTLP over gRPC, such as `http://127.0.0.1:4317`",
)
.otherwise("nothing is traced")
.variable(&variable::OTLP_ENDPOINT);

const OTLP_HEADERS_FILE: Key<PathBuf> =
    Key::new("otlp_headers_file", "headers that the collector wants to see, each a line: `NAME: VALUE`");

const OTLP_CA_FILE: Key<PathBuf> =
    Key::new("otlp_ca_file", "who signed the collector's certificate, in PEM, if its address is `https`")
        .otherwise("whom the system trusts")
        .variable(&variable::OTLP_CERTIFICATE);

const SAMPLE_RATIO: Usual<Ratio> =
    Key::new("trace_sample_ratio", "the share of traces that are recorded, of those that no client began")
        .usually(|| Ratio(1.0));

/// How the server tells what it counts, and where its spans go; the last stanza counts.
pub(super) fn read(top: &mut Stanza<'_>) -> (Telemetry, traces::Settings) {
    let nodes = top.blocks("telemetry").into_iter();
    nodes.filter_map(|node| one(node, top)).next_back().unwrap_or_default()
}

fn one(node: Node, top: &mut Stanza<'_>) -> Option<(Telemetry, traces::Settings)> {
    let mut stanza = Stanza::of(&BLOCK, node, top.problems)?;
    let telemetry = Telemetry {
        prometheus_retention: stanza.get(&RETENTION),
        disable_hostname: stanza.any(&DISABLE_HOSTNAME),
    };
    let traces = traces::Settings {
        endpoint: stanza.last(&OTLP_ENDPOINT).map(|Url(text)| text),
        headers_file: stanza.last(&OTLP_HEADERS_FILE),
        ca_file: stanza.last(&OTLP_CA_FILE),
        sample_ratio: stanza.get(&SAMPLE_RATIO).0,
    };
    stanza.finish();
    Some((telemetry, traces))
}
