//! What users may note beside a secret, and its limits.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Map, Value};
use tenon::{Error, Result, framework::loosely};

const MAX_KEYS: usize = 64;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 512;

/// Reads what a client sent; texts are taken loosely.
///
/// # Errors
/// Every limit that is broken, in Vault's words.
pub(super) fn parse(given: Map<String, Value>) -> Result<BTreeMap<String, String>> {
    patch(
        BTreeMap::new(),
        given.into_iter().map(|(key, value)| match value {
            // Not a removal here, but a text that is too short.
            Value::Null => (key, Value::String(String::new())),
            value => (key, value),
        }),
    )
}

/// Applies a merge patch: `null` removes.
///
/// # Errors
/// Every limit that the outcome breaks, in Vault's words.
pub(super) fn patch(
    mut metadata: BTreeMap<String, String>,
    changes: impl IntoIterator<Item = (String, Value)>,
) -> Result<BTreeMap<String, String>> {
    for (key, change) in changes {
        if change.is_null() {
            metadata.remove(&key);
        } else {
            let value = loosely::string(&change).map_err(|sentence| {
                Error::refused(format!("custom_metadata validation failed: {sentence}"))
            })?;
            metadata.insert(key, value);
        }
    }
    let broken = broken_limits(&metadata);
    if broken.is_empty() { Ok(metadata) } else { Err(Error::refused(listing(&broken))) }
}

fn broken_limits(metadata: &BTreeMap<String, String>) -> Vec<String> {
    let count = metadata.len();
    if count > MAX_KEYS {
        return vec![format!("payload must contain at most {MAX_KEYS} keys, provided {count}")];
    }
    let mut broken = Vec::new();
    for (key, value) in metadata {
        if key.is_empty() || key.len() > MAX_KEY {
            let length = key.len();
            broken.push(format!("length of key {key:?} is {length} but must be 0 < len(key) <= {MAX_KEY}"));
        }
        if value.is_empty() || value.len() > MAX_VALUE {
            let length = value.len();
            broken.push(format!(
                "length of value for key {key:?} is {length} but must be 0 < len(value) <= {MAX_VALUE}"
            ));
        }
        if !is_printable(key) {
            broken.push(format!("key {key:?} ({key}) contains unprintable characters"));
        }
        if !is_printable(value) {
            broken.push(format!("value for key {key:?} contains unprintable characters"));
        }
    }
    broken
}

/// Only the plain space counts among the spaces; invisible marks do not count.
fn is_printable(text: &str) -> bool {
    let invisible = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars().all(|c| c == ' ' || !(c.is_control() || c.is_whitespace() || invisible(c)))
}

/// Several errors as Go lists them.
fn listing(sentences: &[String]) -> String {
    let noun = if sentences.len() == 1 { "error" } else { "errors" };
    let mut text = format!("{} {noun} occurred:\n", sentences.len());
    for sentence in sentences {
        let _ = writeln!(text, "\t* custom_metadata validation failed: {sentence}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kv::testing::sentence;

    fn parsed(given: Value) -> Result<BTreeMap<String, String>, String> {
        let Value::Object(given) = given else { return Err("no object".to_owned()) };
        parse(given).map_err(|error| sentence(&error))
    }

    #[test]
    fn texts_are_taken_loosely() {
        let expected = [("a", "1"), ("b", "1"), ("c", "x y")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(parsed(json!({"a": 1, "b": true, "c": "x y"})), Ok(expected.into()));
    }

    #[test]
    fn limits_are_told_in_vaults_words() {
        let many: Map<_, _> = (0..65).map(|n| (n.to_string(), json!("x"))).collect();
        let cases = [
            (many.into(), "payload must contain at most 64 keys, provided 65".to_owned()),
            (json!({"": "x"}), r#"length of key "" is 0 but must be 0 < len(key) <= 128"#.to_owned()),
            (
                json!({"k": ""}),
                r#"length of value for key "k" is 0 but must be 0 < len(value) <= 512"#.to_owned(),
            ),
            (
                json!({"k": null}),
                r#"length of value for key "k" is 0 but must be 0 < len(value) <= 512"#.to_owned(),
            ),
            (json!({"k": "a\tb"}), r#"value for key "k" contains unprintable characters"#.to_owned()),
        ];
        for (given, expected) in cases {
            let text = format!("1 error occurred:\n\t* custom_metadata validation failed: {expected}\n\n");
            assert_eq!(parsed(given), Err(text));
        }
        assert!(parsed(json!({"k": []})).unwrap_err().starts_with("custom_metadata validation failed: "));
    }

    #[test]
    fn a_patch_counts_with_what_was_there() {
        let there: BTreeMap<_, _> = (0..64).map(|n| (n.to_string(), "x".to_owned())).collect();
        assert!(patch(there.clone(), [("more".to_owned(), json!("x"))]).is_err());
        let swapped = patch(there, [("0".to_owned(), Value::Null), ("more".to_owned(), json!("x"))]);
        assert_eq!(swapped.map(|metadata| metadata.len()), Ok(64));
    }
}
