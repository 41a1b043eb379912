//! What there is to say about the server itself.

use domain::Operation::{List, Read, Update};
use serde_json::{Map, Value, json};

use super::Unfit;
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint, Handler},
    error::Result,
};

const NOT_HERE: Handler = |_| Box::pin(async { Err(Unfit::Enterprise.into()) });
const NOTHING: Handler = |_| Box::pin(async { Ok(Answer::Nothing) });

const WITHOUT: &str = "Not on this server.";

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        "version-history/",
        Access::Token,
        &[(List, |ask| Box::pin(versions(ask)))],
        "Lists the versions of the server that have served what is stored.",
    ),
    Endpoint::new(
        "config/state/sanitized",
        Access::Token,
        &[(Read, |ask| Box::pin(configuration(ask)))],
        "Tells how the server is configured, without secrets.",
    ),
    // There is no licence to read again.
    Endpoint::new("config/reload/license", Access::Token, &[(Update, NOTHING)], "Reads the licence again."),
    Endpoint::token("ha-status", &[(Read, |ask| Box::pin(nodes(ask)))], "Lists the nodes of the cluster.")
        .on_top(),
    Endpoint::new(
        "replication/status",
        Access::Open,
        &[(Read, |_| Box::pin(async { Ok(Answer::data(&json!({ "mode": "disabled" }))) }))],
        "Tells whether the cluster is a copy of another one.",
    ),
    Endpoint::new(
        "experiments",
        Access::Token,
        &[(Read, |_| Box::pin(async { Ok(Answer::data(&json!({ "available": [], "enabled": [] }))) }))],
        "Lists what is still tried out.",
    ),
    Endpoint::new("license/status", Access::Token, &[(Read, NOT_HERE)], WITHOUT),
    Endpoint::new("replication/performance/status", Access::Token, &[(Read, NOT_HERE)], WITHOUT),
    Endpoint::new("policies/rgp/", Access::Token, &[(List, NOT_HERE)], WITHOUT),
    Endpoint::new("policies/egp/", Access::Token, &[(List, NOT_HERE)], WITHOUT),
];

async fn versions(ask: Ask) -> Result<Answer> {
    let versions = ask.active()?.shared.settings.versions.now();
    let keys: Vec<&str> = versions.iter().map(|(each, _)| each.version.as_str()).collect();
    let info = versions.iter().map(|(each, before)| {
        let view = json!({
            "build_date": each.build_date,
            "previous_version": before,
            "timestamp_installed": each.installed.to_string(),
        });
        (each.version.clone(), view)
    });
    Ok(Answer::data(&json!({ "keys": keys, "key_info": info.collect::<Map<String, Value>>() })))
}

async fn configuration(ask: Ask) -> Result<Answer> {
    Ok(Answer::data(&ask.core.config.shown))
}

async fn nodes(ask: Ask) -> Result<Answer> {
    let config = &ask.core.config;
    let system = rustix::system::uname();
    Ok(Answer::data(&json!({ "nodes": [{
        "hostname": system.nodename().to_string_lossy(),
        "api_address": config.api_addr,
        "cluster_address": "",
        "active_node": true,
        "last_echo": null,
        "version": config.version,
        "echo_duration_ms": 0,
        "clock_skew_ms": 0,
        "replication_primary_canary_age_ms": 0,
    }]})))
}
