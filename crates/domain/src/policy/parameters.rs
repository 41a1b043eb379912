use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde_json::{Map, Value};

/// Which parameters of a request a rule allows. Names are in lower case; an empty list stands for any value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// If there are any, no others are allowed, unless `*` is among them.
    pub allowed: BTreeMap<String, Vec<Value>>,
    /// `*` stands for all.
    pub denied: BTreeMap<String, Vec<Value>>,
    /// Have to be there.
    pub required: BTreeSet<String>,
}

/// Stands for every name.
const ANY: &str = "*";

impl Parameters {
    /// Whether every request is allowed.
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.denied.is_empty() && self.required.is_empty()
    }

    /// Adds those of another rule for the same path.
    pub fn merge(&mut self, other: &Self) {
        unite(&mut self.allowed, &other.allowed);
        unite(&mut self.denied, &other.denied);
        self.required.extend(other.required.iter().cloned());
    }

    /// Whether a request with this body is allowed. What is not a JSON object is not.
    pub fn permit(&self, body: &[u8]) -> bool {
        if self.is_empty() {
            return true;
        }
        let body = body.trim_ascii();
        if body.is_empty() {
            return self.required.is_empty();
        }
        match serde_json::from_slice(body) {
            Ok(Value::Null) => self.required.is_empty(),
            Ok(Value::Object(data)) => self.permit_data(&data),
            _ => false,
        }
    }

    fn permit_data(&self, data: &Map<String, Value>) -> bool {
        let given: Vec<(String, &Value)> =
            data.iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let required = self.required.iter().all(|wanted| given.iter().any(|(name, _)| name == wanted));
        required && given.iter().all(|(name, value)| !self.denies(name, value) && self.allows(name, value))
    }

    fn denies(&self, name: &str, value: &Value) -> bool {
        let listed = |values: &Vec<Value>| values.is_empty() || touches(values, value);
        self.denied.contains_key(ANY) || self.denied.get(name).is_some_and(listed)
    }

    fn allows(&self, name: &str, value: &Value) -> bool {
        match self.allowed.get(name) {
            Some(values) => values.is_empty() || covers(values, value),
            None => self.allowed.is_empty() || self.allowed.contains_key(ANY),
        }
    }
}

fn unite(into: &mut BTreeMap<String, Vec<Value>>, from: &BTreeMap<String, Vec<Value>>) {
    for (name, values) in from {
        match into.entry(name.clone()) {
            Entry::Vacant(place) => {
                place.insert(values.clone());
            }
            Entry::Occupied(mut place) if values.is_empty() => place.get_mut().clear(),
            Entry::Occupied(mut place) if !place.get().is_empty() => {
                place.get_mut().extend_from_slice(values)
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// Whether a value, or every element of it, is in a list.
fn covers(listed: &[Value], value: &Value) -> bool {
    let is_listed = |value: &Value| listed.iter().any(|pattern| matches(pattern, value));
    listed.contains(value)
        || match elements(value) {
            Some(elements) => elements.iter().all(is_listed),
            None => is_listed(value),
        }
}

/// Whether a value, or any element of it, is in a list.
fn touches(listed: &[Value], value: &Value) -> bool {
    let is_listed = |value: &Value| listed.iter().any(|pattern| matches(pattern, value));
    is_listed(value) || elements(value).is_some_and(|elements| elements.iter().any(is_listed))
}

/// The elements of a list, or of a text that plugins may read as one.
fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(elements) => Some(elements.clone()),
        Value::String(text) if text.contains(',') => {
            Some(text.split(',').map(|element| Value::from(element.trim())).collect())
        }
        _ => None,
    }
}

fn matches(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::String(pattern), Value::String(text)) => glob(pattern, text),
        // However they are written: `1.0` is `1`.
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => pattern == value,
    }
}

/// A star at either end stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> BTreeMap<String, Vec<Value>> {
        serde_json::from_value(value).unwrap()
    }

    fn permits(allowed: Value, denied: Value, required: &[&str], body: Value) -> bool {
        let required = required.iter().map(|name| (*name).to_owned()).collect();
        let rule = Parameters { allowed: map(allowed), denied: map(denied), required };
        rule.permit(body.to_string().as_bytes())
    }

    #[test]
    fn allowed_parameters_leave_no_room_for_others() {
        let allowed = || json!({"a": ["1", "x*"], "r": []});
        for (body, expected) in [
            (json!({"a": "1"}), true),
            (json!({"A": "xyz", "r": {"any": 1}}), true),
            (json!({"a": "2"}), false),
            (json!({"a": 1}), false),
            (json!({"b": "1"}), false),
            (json!({}), true),
            (json!({"a": ["1", "xx"]}), true),
            (json!({"a": ["1", "2"]}), false),
            (json!({"a": "1,xx"}), true),
            (json!({"a": "xx,2"}), false),
            (json!([1]), false),
        ] {
            assert_eq!(permits(allowed(), json!({}), &[], body.clone()), expected, "{body}");
        }
        assert!(permits(json!({"*": [], "a": ["1"]}), json!({}), &[], json!({"b": 1, "a": "1"})));
        assert!(!permits(json!({"*": [], "a": ["1"]}), json!({}), &[], json!({"b": 1, "a": "2"})));
    }

    #[test]
    fn one_denied_element_denies() {
        let denied = || json!({"d": [], "v": ["*secret*", 5]});
        for (body, expected) in [
            (json!({"x": 1}), true),
            (json!({"D": "anything"}), false),
            (json!({"v": "plain"}), true),
            (json!({"v": "a secret here"}), false),
            (json!({"v": ["plain", "secret"]}), false),
            (json!({"v": "plain, secret"}), false),
            (json!({"v": 5.0}), false),
            (json!({"v": null}), true),
        ] {
            assert_eq!(permits(json!({}), denied(), &[], body.clone()), expected, "{body}");
        }
        assert!(!permits(json!({}), json!({"*": []}), &[], json!({"x": 1})));
        assert!(permits(json!({}), json!({"*": []}), &[], json!({})));
    }

    #[test]
    fn required_parameters_have_to_be_there() {
        assert!(permits(json!({}), json!({}), &["r"], json!({"R": null})));
        assert!(!permits(json!({}), json!({}), &["r"], json!({"a": 1})));
        assert!(!permits(json!({}), json!({}), &["r"], json!({})));
        assert!(!permits(json!({}), json!({}), &["r"], json!(null)));
    }

    #[test]
    fn merged_lists_grow_and_an_empty_one_beats_values() {
        let mut one =
            Parameters { allowed: map(json!({"a": ["1"], "b": ["1"], "c": []})), ..Parameters::default() };
        one.merge(&Parameters {
            allowed: map(json!({"a": ["2"], "b": [], "c": ["3"], "d": ["4"]})),
            ..Parameters::default()
        });
        assert_eq!(one.allowed, map(json!({"a": ["1", "2"], "b": [], "c": [], "d": ["4"]})));
    }

    #[test]
    fn stars_stand_for_anything_at_either_end() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("**", "x", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b*", "abc", true),
            ("a*c", "abc", false),
            ("abc", "abc", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
