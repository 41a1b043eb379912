use serde_json::{Value, json};

use super::openapi::braced;
use crate::{
    Config, Error,
    answer::Answer,
    endpoint::{Endpoint, find},
    error::Result,
};

/// What one of our own paths is for; the mount's own path lists them all.
pub(crate) fn help(config: &Config, table: &[&[Endpoint]], mount: &str, rest: &str) -> Result<Answer> {
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() {
        return Ok(overview(config, table, mount));
    }
    let (endpoint, _) =
        find(table, rest).or_else(|| find(table, &format!("{rest}/"))).ok_or(Error::UnsupportedPath)?;
    let text = format!("Request:        {mount}{}\n\n{}\n", endpoint.pattern, endpoint.help);
    Ok(document(config, &text, &[endpoint], mount))
}

fn overview(config: &Config, table: &[&[Endpoint]], mount: &str) -> Answer {
    let all: Vec<&Endpoint> = table.iter().flat_map(|family| family.iter()).collect();
    let lines =
        all.iter().map(|endpoint| format!("    {mount}{}\n        {}\n\n", endpoint.pattern, endpoint.help));
    let text = format!("## PATHS\n\n{}", lines.collect::<String>());
    document(config, &text, &all, mount)
}

fn document(config: &Config, text: &str, endpoints: &[&Endpoint], mount: &str) -> Answer {
    let paths = endpoints.iter().map(|endpoint| {
        let path = format!("/{mount}{}", braced(endpoint.pattern));
        (path, json!({ "description": endpoint.help }))
    });
    let openapi = json!({
        "openapi": "3.0.2",
        "info": { "title": "Mortise API", "version": config.version },
        "paths": paths.collect::<serde_json::Map<String, Value>>(),
    });
    Answer::bare(&json!({ "help": text, "see_also": null, "openapi": openapi }))
}
