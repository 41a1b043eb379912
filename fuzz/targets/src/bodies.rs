use gateway::fuzzing;
use serde_json::{Map, Value};

use crate::shape::{self, LIMITS, RESERVED};

/// Stands for whatever was hidden.
const HIDDEN: &str = "hidden";

/// Values below this name are not hidden.
const CLEAR: &str = "a";

/// The body of a request, after a byte that says what it claims to be.
pub fn bodies(data: &[u8]) {
    let Some((sort, body)) = data.split_first() else { return };
    let content_type = match sort % 3 {
        0 => "application/json",
        1 => "application/x-www-form-urlencoded; charset=utf-8",
        _ => "",
    };
    let taken = fuzzing::body(body, content_type, &LIMITS);
    if sort % 3 != 1 {
        same_verdict(&String::from_utf8_lossy(body), taken.is_some());
    }
    let all = [taken, fuzzing::query(body)].into_iter().flatten();
    for data in all.filter(|data| !data.is_empty() && !is_reserved(&String::from_utf8_lossy(data))) {
        is_good_everywhere(&data);
    }
    from_a_plugin(body);
    let _ = audit::fuzzing::redacted(body, CLEAR, HIDDEN);
}

/// A client may write a number as our JSON library does: then it is a number to us, and an object to everybody else.
fn is_reserved(body: &str) -> bool {
    body.contains(RESERVED) || body.contains('\\') && body.contains("private")
}

/// A slow reader takes what the fast one takes, and nothing else.
fn same_verdict(body: &str, taken: bool) {
    if is_reserved(body) {
        return;
    }
    let text = body.trim_ascii();
    let expected = match text.as_bytes().first() {
        Some(b'{') => shape::keeps_the_limits(body),
        // Nothing at all, written in one of three ways.
        _ => {
            text.is_empty()
                || serde_json::from_str(body).is_ok_and(|value: Value| value.is_null() || value == "")
        }
    };
    assert_eq!(taken, expected, "{body:?}");
}

/// What the gateway has let through is understood by everybody behind it.
fn is_good_everywhere(data: &[u8]) {
    let object: Map<String, Value> = serde_json::from_slice(data)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(data)));
    assert!(router::fuzzing::is_taken(data));
    assert_eq!(router::fuzzing::members(data), Some(object.len()));
    let answer = fuzzing::answer(data.to_vec().into()).unwrap();
    let answer: Map<String, Value> = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["data"], Value::Object(object.clone()));
    assert!(answer["auth"].is_null() && answer["request_id"] == "", "data are data only");
    let record = audit::fuzzing::redacted(data, CLEAR, HIDDEN).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record, hidden(&Value::Object(object), false), "each secret is hidden");
}

/// An audit record's view of a value.
fn hidden(value: &Value, clear: bool) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), hidden(value, name == CLEAR))).collect()
        }
        Value::Array(items) => items.iter().map(|item| hidden(item, clear)).collect(),
        Value::String(_) | Value::Number(_) if !clear => HIDDEN.into(),
        other => other.clone(),
    }
}

/// A plugin may answer anything. What is an object to everybody is one to us.
fn from_a_plugin(data: &[u8]) {
    let members = router::fuzzing::members(data);
    match serde_json::from_slice(data) {
        Ok(Value::Object(object)) => assert!(members.is_some_and(|members| members >= object.len())),
        Ok(Value::Null) => assert_eq!(members, Some(0)),
        Ok(_) => assert_eq!(members, None),
        Err(_) => {}
    }
    if members.is_some_and(|members| members > 0) {
        fuzzing::answer(data.to_vec().into());
    }
}
