use std::time::SystemTime;

use axum::response::Response;
use domain::parse_bool;
use http::StatusCode;
use serde::Serialize;
use wire::router::v1::NodeState;

use crate::{answer::with_body, parameters::Parameters, refusal::Refusal};

/// What a health check is told, in Vault's order.
#[derive(Serialize)]
struct Health<'h> {
    initialized: bool,
    sealed: bool,
    standby: bool,
    performance_standby: bool,
    replication_performance_mode: &'static str,
    replication_dr_mode: &'static str,
    server_time_utc: u64,
    version: &'h str,
    enterprise: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster_name: &'h str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster_id: &'h str,
    echo_duration_ms: u64,
    clock_skew_ms: u64,
    replication_primary_canary_age_ms: u64,
}

/// Every parameter that sets a code. All are read, whichever state we are in, so that a mistake shows at once.
const CODES: [&str; 8] = [
    "uninitcode",
    "removedcode",
    "sealedcode",
    "haunhealthycode",
    "drsecondarycode",
    "performancestandbycode",
    "standbycode",
    "activecode",
];

/// The answer to a health check.
///
/// # Errors
/// A parameter that is no code, or no truth value.
pub fn answer(state: &NodeState, query: &Parameters<'_>, version: &str) -> Result<Response, Refusal> {
    let status = status(state, query)?;
    let open = state.initialized && !state.sealed;
    let replication = if open { "disabled" } else { "unknown" };
    let health = Health {
        initialized: state.initialized,
        sealed: state.sealed || !state.initialized,
        standby: state.standby || !open,
        performance_standby: false,
        replication_performance_mode: replication,
        replication_dr_mode: replication,
        server_time_utc: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs(),
        version,
        enterprise: false,
        cluster_name: if open { &state.cluster_name } else { "" },
        cluster_id: if open { &state.cluster_id } else { "" },
        echo_duration_ms: 0,
        clock_skew_ms: 0,
        replication_primary_canary_age_ms: 0,
    };
    // Texts and numbers: this cannot fail to be JSON.
    let mut json = serde_json::to_vec(&health).unwrap_or_default();
    json.push(b'\n');
    Ok(with_body(status, json))
}

fn status(state: &NodeState, query: &Parameters<'_>) -> Result<StatusCode, Refusal> {
    for name in CODES {
        code(query, name, StatusCode::OK)?;
    }
    let standby_is_well = truth(query, "standbyok")?;
    truth(query, "perfstandbyok")?;
    let active = code(query, "activecode", StatusCode::OK);
    if !state.initialized {
        code(query, "uninitcode", StatusCode::NOT_IMPLEMENTED)
    } else if state.sealed {
        code(query, "sealedcode", StatusCode::SERVICE_UNAVAILABLE)
    } else if state.standby && !standby_is_well {
        code(query, "standbycode", StatusCode::TOO_MANY_REQUESTS)
    } else {
        active
    }
}

/// A code is taken as it is, as long as an answer can carry it.
fn code(query: &Parameters<'_>, name: &str, default: StatusCode) -> Result<StatusCode, Refusal> {
    if !query.has(name) {
        return Ok(default);
    }
    let code = StatusCode::from_bytes(query.first(name).as_bytes()).ok();
    code.filter(|code| !code.is_informational()).ok_or(Refusal::Parameter)
}

fn truth(query: &Parameters<'_>, name: &str) -> Result<bool, Refusal> {
    match query.first(name) {
        "" => Ok(false),
        text => parse_bool(text).ok_or(Refusal::Parameter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(initialized: bool, sealed: bool, standby: bool) -> NodeState {
        NodeState { initialized, sealed, standby, ..NodeState::default() }
    }

    fn checked(state: &NodeState, query: &str) -> Result<u16, Refusal> {
        answer(state, &Parameters::read(query.as_bytes()), "1.2.3").map(|response| response.status().as_u16())
    }

    #[test]
    fn each_state_has_its_code_and_its_parameter() {
        for (state, query, expected) in [
            (state(false, true, true), "", 501),
            (state(false, true, true), "uninitcode=200", 200),
            (state(true, true, true), "", 503),
            (state(true, true, true), "sealedcode=204&uninitcode=299", 204),
            (state(true, false, true), "", 429),
            (state(true, false, true), "standbyok=true", 200),
            (state(true, false, true), "standbyok=true&activecode=250", 250),
            (state(true, false, true), "standbyok", 429),
            (state(true, false, true), "perfstandbyok=true", 429),
            (state(true, false, true), "standbycode=299", 299),
            (state(true, false, false), "", 200),
            (state(true, false, false), "activecode=299", 299),
        ] {
            assert_eq!(checked(&state, query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn a_parameter_without_meaning_is_refused_in_every_state() {
        let active = state(true, false, false);
        for query in
            ["uninitcode=abc", "activecode=", "sealedcode=100", "standbycode=1000", "standbyok=maybe"]
        {
            assert_eq!(checked(&active, query), Err(Refusal::Parameter), "{query}");
        }
    }
}
