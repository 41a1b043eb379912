use bytes::Bytes;
use domain::Operation::Read;
use metrics::gauge;
use wire::router::v1::{Raw, Response, response::Body};

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
    look_around(&ask, ask.active()?);
    let meters = ask.core.config.meters.clone();
    match format.as_str() {
        "" => Ok(Answer::bare(&meters.json())),
        "prometheus" => {
            // It sorts what has come in since it was last asked.
            let text = tokio::task::spawn_blocking(move || meters.prometheus()).await;
            Ok(match text.map_err(|_| Error::CutOff)? {
                Some(text) => plain(200, PROMETHEUS, text),
                None => plain(400, "text/plain", "prometheus is not enabled".to_owned()),
            })
        }
        other => Ok(plain(400, "text/plain", format!("metric response format {other:?} unknown"))),
    }
}

/// What can be seen when somebody asks need not be counted all the time.
fn look_around(ask: &Ask, active: &Active) {
    let number = |count: usize| count as f64;
    gauge!("vault.core.active").set(1.0);
    gauge!("vault.core.unsealed").set(1.0);
    gauge!("vault.core.in_flight_requests").set(number(ask.core.in_flight.count()));
    let namespaces = active.shared.namespaces.all();
    let all = |count: fn(&Active) -> usize| number(namespaces.iter().map(|active| count(active)).sum());
    gauge!("vault.core.mount_table.num_entries").set(all(|active| active.mounts.snapshot().iter().count()));
    gauge!("vault.expire.num_leases").set(all(|active| active.leases.count()));
    gauge!("vault.identity.num_entities").set(all(|active| active.identity.count()));
}

fn plain(code: u32, content_type: &str, text: String) -> Answer {
    let body = Bytes::from(text);
    let raw = Raw { code, content_type: content_type.to_owned(), body, ..Raw::default() };
    Answer::Whole(Box::new(Response { body: Some(Body::Raw(raw)), ..Response::default() }))
}
