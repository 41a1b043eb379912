//! Whether an answer is the recorded one, up to what is different in every run.

use serde_json::Value;

/// What stands in a recording for something of one run only. Any `<.. trimmed>` is one too.
const PLACEHOLDERS: [&str; 19] = [
    "<uuid>",
    "<time>",
    "<sha256>",
    "<accessor>",
    "<token hvs>",
    "<token hvb>",
    "<hex8>",
    "<v-root-dyn-...>",
    "<20 chars>",
    "<24 alnum>",
    "<32 hex>",
    "<client_id>",
    "<hostname>",
    "<plugin_directory>",
    "<api_addr>",
    "<cluster_addr>",
    "<key base64>",
    "<text>",
    "<openapi>",
];

/// Versions of the recorded server and of its built-in plugins, which are not ours.
const VERSIONS: [&str; 4] = ["v1.21.4+builtin.vault", "v0.25.0+builtin", "v0.22.0+builtin", "1.21.4"];

/// Numbers that are compared by type only.
const MOVING: [&str; 9] = [
    "server_time_utc",
    "creation_time",
    "creation_ttl",
    "ttl",
    "lease_duration",
    "encryptions",
    "timestamp",
    "echo_duration_ms",
    "clock_skew_ms",
];

/// The first place where `actual` is not what `expected` says, or nothing.
pub fn difference(expected: &Value, actual: &Value, partial: bool) -> Option<String> {
    differs("", expected, actual, partial)
}

fn differs(at: &str, expected: &Value, actual: &Value, partial: bool) -> Option<String> {
    let same = match (expected, actual) {
        (Value::String(pattern), _) if is_placeholder(pattern) => true,
        (Value::String(pattern), Value::String(text)) => matches(pattern, text),
        (Value::Object(expected), Value::Object(actual)) => return objects(at, expected, actual, partial),
        (Value::Array(expected), Value::Array(actual)) if partial => return subset(at, expected, actual),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            return pairs.find_map(|(place, (expected, actual))| {
                differs(&format!("{at}/{place}"), expected, actual, partial)
            });
        }
        (Value::Number(_), Value::Number(_)) if MOVING.iter().any(|key| at.ends_with(&format!("/{key}"))) => {
            true
        }
        _ => expected == actual,
    };
    (!same).then(|| format!("{at}: expected {expected}, got {actual}"))
}

type Object = serde_json::Map<String, Value>;

fn objects(at: &str, expected: &Object, actual: &Object, partial: bool) -> Option<String> {
    let mut unexpected: Vec<&String> = actual.keys().collect();
    for (key, value) in expected {
        let Some((found, other)) = actual.iter().find(|(name, _)| *name == key || matches(key, name)) else {
            return Some(format!("{at}/{key}: missing"));
        };
        unexpected.retain(|name| *name != found);
        if let Some(difference) = differs(&format!("{at}/{key}"), value, other, partial) {
            return Some(difference);
        }
    }
    (!partial && !unexpected.is_empty()).then(|| format!("{at}: unexpected {unexpected:?}"))
}

/// Each expected element is among the actual ones.
fn subset(at: &str, expected: &[Value], actual: &[Value]) -> Option<String> {
    let among = |wanted: &&Value| actual.iter().any(|other| differs(at, wanted, other, true).is_none());
    let missing = expected
        .iter()
        .filter(|wanted| !wanted.as_str().is_some_and(is_placeholder))
        .find(|wanted| !among(wanted));
    missing.map(|missing| format!("{at}: {missing} is missing"))
}

fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.contains(&text) || text.starts_with('<') && text.contains("trimmed") && text.ends_with('>')
}

/// Whether `text` is `pattern` with something in the place of each placeholder and version.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut literals = vec![pattern];
    for hole in PLACEHOLDERS.iter().chain(&VERSIONS) {
        literals = literals.into_iter().flat_map(|literal| literal.split(hole)).collect();
    }
    let [first, middle @ .., last] = literals.as_slice() else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for literal in middle {
        let Some((_, after)) = rest.split_once(literal) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn placeholders_match_anything_and_nothing_else_does() {
    assert!(matches("vault-cluster-<hex8>", "vault-cluster-0a1b2c3d"));
    assert!(matches("no plugin at <plugin_directory>/x: <uuid>", "no plugin at /p/x: 1-2"));
    assert!(!matches("no plugin at <plugin_directory>/x", "no plugin at /p/y"));
    assert!(matches("v0.25.0+builtin", "v0.1.0+builtin"));
    assert!(!matches("plain", "plainer"));
}
