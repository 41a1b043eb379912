use bytes::Bytes;
use domain::Operation::Read;
use metrics::gauge;
use serde_json::Value;
use wire::{
    launcher::v1::MetricsRequest,
    router::v1::{Raw, Response, response::Body},
};

use crate::{Error, answer::Answer, ask::Ask, core::Active, endpoint::Endpoint, error::Result};

/// As Prometheus names its text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "metrics",
    &[(Read, |ask| Box::pin(metrics(ask)))],
    "Tells what the server counts and times, in JSON or as format=prometheus.",
)];

async fn metrics(ask: Ask) -> Result<Answer> {
    let format = ask.fields()?.text("format")?.unwrap_or_default();
    look_around(&ask);
    let meters = ask.core.config.meters.clone();
    match format.as_str() {
        "" => {
            let of_plugins = of_plugins(&ask, false).await;
            Ok(Answer::bare(&with_plugins(meters.json(), &of_plugins)))
        }
        "prometheus" => {
            let of_plugins = of_plugins(&ask, true).await;
            // It sorts what has come in since it was last asked.
            let text = tokio::task::spawn_blocking(move || meters.prometheus()).await;
            Ok(match text.map_err(|_| Error::CutOff)? {
                // What is counted here and what there have no name in common.
                Some(text) => plain(200, PROMETHEUS, text + &String::from_utf8_lossy(&of_plugins)),
                None => plain(400, "text/plain", "prometheus is not enabled".to_owned()),
            })
        }
        other => Ok(plain(400, "text/plain", format!("metric response format {other:?} unknown"))),
    }
}

/// What can be seen when somebody asks need not be counted all the time.
fn look_around(ask: &Ask) {
    let number = |count: usize| count as f64;
    let is_open = f64::from(u8::from(ask.unsealed.is_some()));
    gauge!("vault.core.active").set(is_open);
    gauge!("vault.core.unsealed").set(is_open);
    gauge!("vault.core.in_flight_requests").set(number(ask.core.in_flight.count()));
    let Some(active) = &ask.unsealed else { return };
    let namespaces = active.shared.namespaces.all();
    let all = |count: fn(&Active) -> usize| number(namespaces.iter().map(|active| count(active)).sum());
    gauge!("vault.core.mount_table.num_entries").set(all(|active| active.mounts.snapshot().iter().count()));
    gauge!("vault.expire.num_leases").set(all(|active| active.leases.count()));
    gauge!("vault.identity.num_entities").set(all(|active| active.identity.count()));
}

/// What the launcher counts of plugins; nothing if that is in this process, and told with all else.
async fn of_plugins(ask: &Ask, prometheus: bool) -> Bytes {
    match ask.core.clients.launcher.metrics(MetricsRequest { prometheus }).await {
        Ok(reply) => reply.into_inner().text,
        Err(status) => {
            tracing::warn!(status = status.message(), "the launcher does not say what it counts");
            Bytes::new()
        }
    }
}

/// Both together, each list sorted by names.
fn with_plugins(mut own: Value, of_plugins: &[u8]) -> Value {
    let Ok(Value::Object(theirs)) = serde_json::from_slice(of_plugins) else { return own };
    for list in ["Gauges", "Counters", "Samples"] {
        let (Some(Value::Array(all)), Some(Value::Array(more))) = (own.get_mut(list), theirs.get(list))
        else {
            continue;
        };
        all.extend(more.iter().cloned());
        all.sort_by(|one, other| one["Name"].as_str().cmp(&other["Name"].as_str()));
    }
    own
}

fn plain(code: u32, content_type: &str, text: String) -> Answer {
    let body = Bytes::from(text);
    let raw = Raw { code, content_type: content_type.to_owned(), body, ..Raw::default() };
    Answer::Whole(Box::new(Response { body: Some(Body::Raw(raw)), ..Response::default() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_two_processes_count_is_told_as_one() {
        let own = json!({ "Timestamp": "t", "Gauges": [{ "Name": "b" }], "Counters": [], "Points": [] });
        assert_eq!(with_plugins(own.clone(), b""), own);
        let theirs = json!({ "Timestamp": "u", "Gauges": [{ "Name": "a" }, { "Name": "c" }], "Counters": [{ "Name": "d" }] });
        let both = with_plugins(own, theirs.to_string().as_bytes());
        let expected = json!({
            "Timestamp": "t",
            "Gauges": [{ "Name": "a" }, { "Name": "b" }, { "Name": "c" }],
            "Counters": [{ "Name": "d" }],
            "Points": [],
        });
        assert_eq!(both, expected);
    }
}
