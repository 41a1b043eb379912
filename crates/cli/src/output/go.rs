//! Values as Go prints them, because scripts read them.

use std::time::Duration;

use serde_json::Value;

/// A value in one line: `map[a:1 b:[x y]]`.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
            members.sort();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// A list of texts, quoted: `["a" "b"]`.
pub fn quoted(items: Option<&[String]>) -> String {
    let items: Vec<String> = items.unwrap_or_default().iter().map(|item| format!("{item:?}")).collect();
    format!("[{}]", items.join(" "))
}

/// Seconds as people say them: `768h`, `1h30m`.
pub fn duration(seconds: i64) -> String {
    let text = domain::format_go_duration(Duration::from_secs(seconds.unsigned_abs()));
    let text = text.strip_suffix("m0s").map_or_else(|| text.clone(), |minutes| format!("{minutes}m"));
    let text = text.strip_suffix("h0m").map_or_else(|| text.clone(), |hours| format!("{hours}h"));
    if seconds < 0 { format!("-{text}") } else { text }
}

/// A member of an answer; one that is called as a duration is printed as one.
pub fn member(name: &str, value: &Value) -> String {
    let is_duration = ["period", "ttl", "duration"]
        .iter()
        .any(|word| name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_')))
        || matches!(name, "lease_max" | "ttl_max");
    match value.as_i64().filter(|_| is_duration) {
        Some(seconds) => duration(seconds),
        None => plain(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        let value: Value = serde_json::from_str(r#"{"b":[1.50,true,null],"a":{"x":"y z"}}"#).unwrap();
        assert_eq!(plain(&value), "map[a:map[x:y z] b:[1.50 true <nil>]]");
        assert_eq!(quoted(Some(&["a".to_owned(), "b c".to_owned()])), r#"["a" "b c"]"#);
        assert_eq!(quoted(None), "[]");
    }

    #[test]
    fn durations_are_short() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3600, "1h"),
            (5400, "1h30m"),
            (2_764_800, "768h"),
            (3601, "1h0m1s"),
            (-1, "-1s"),
        ];
        cases.into_iter().for_each(|(seconds, text)| assert_eq!(duration(seconds), text, "{seconds}"));
    }

    #[test]
    fn what_is_called_a_duration_is_one() {
        assert_eq!(member("creation_ttl", &json!(3600)), "1h");
        assert_eq!(member("period", &json!(60)), "1m");
        assert_eq!(member("ttl", &json!("x")), "x");
        assert_eq!(member("subtle", &json!(3600)), "3600");
    }
}
