use std::{borrow::Cow, collections::BTreeMap};

use domain::{parse_bool, parse_duration};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::field::Kind;

/// Puts a value right for its field. What is right already is not copied.
///
/// # Errors
/// The sentence of Vault's own framework.
pub(super) fn coerce(kind: Kind, raw: &RawValue) -> Result<Cow<'_, RawValue>, String> {
    let text = raw.get();
    let fits = match kind {
        Kind::String => text.starts_with('"'),
        Kind::Bool => matches!(text, "true" | "false"),
        Kind::Map => text.starts_with('{') || text == "null",
        // Kept, so that a patch can tell "clear it" from "leave it".
        Kind::Seconds | Kind::SignedSeconds => text == "null",
        Kind::Any => true,
        _ => false,
    };
    if fits {
        return Ok(Cow::Borrowed(raw));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match kind {
        Kind::String => owned(&string(&value)?),
        Kind::Bool => owned(&boolean(&value)?),
        Kind::Int => owned(&int(&value)?),
        Kind::Seconds => match seconds(&value)? {
            negative @ ..0 => Err(format!("cannot provide negative value '{negative}'")),
            seconds => owned(&seconds),
        },
        Kind::SignedSeconds => owned(&seconds(&value)?),
        Kind::Map => owned(&map(&value)?),
        Kind::List => owned(&list(&value)?),
        Kind::CommaList => owned(&comma_list(&value)?),
        Kind::CommaInts => owned(&comma_ints(&value)?),
        Kind::Pairs => owned(&pairs(&value)?),
        Kind::Any => Ok(Cow::Borrowed(raw)),
    }
}

fn owned(value: &impl Serialize) -> Result<Cow<'static, RawValue>, String> {
    serde_json::value::to_raw_value(value).map(Cow::Owned).map_err(|error| error.to_string())
}

/// What Go calls the type of a value.
const fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) | Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn unconvertible(wanted: &str, value: &Value) -> String {
    format!("'' expected type '{wanted}', got unconvertible type '{}'", go_type(value))
}

/// Reads a text loosely, as a field would: numbers and truth values count.
///
/// # Errors
/// The sentence of Vault's own framework.
pub fn string(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(yes) => Ok(u8::from(*yes).to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(unconvertible("string", value)),
    }
}

/// Reads a whole number loosely, as a field would: texts and truth values count.
///
/// # Errors
/// The sentence of Vault's own framework.
pub fn int(value: &Value) -> Result<i64, String> {
    let text = match value {
        Value::Null => return Ok(0),
        Value::Bool(yes) => return Ok((*yes).into()),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => return Ok(0),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return Err(unconvertible("int", value)),
    };
    let whole = |number: f64| number.fract() == 0.0 && number.abs() < 9e15;
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().filter(|number| whole(*number)).map(|number: f64| number as i64))
        .ok_or_else(|| format!("cannot parse '' as int: strconv.ParseInt: parsing {text:?}: invalid syntax"))
}

fn boolean(value: &Value) -> Result<bool, String> {
    let text = match value {
        Value::Null => return Ok(false),
        Value::Bool(yes) => return Ok(*yes),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return Err(unconvertible("bool", value)),
    };
    match text.as_str() {
        "" => Ok(false),
        text => parse_bool(text).ok_or_else(|| {
            format!("cannot parse '' as bool: strconv.ParseBool: parsing {text:?}: invalid syntax")
        }),
    }
}

/// Reads a duration loosely, as a field would, in seconds.
///
/// # Errors
/// The sentence of Vault's own framework.
pub fn seconds(value: &Value) -> Result<i64, String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err("could not parse duration from input".to_owned()),
    };
    let (negative, amount) = match text.strip_prefix('-') {
        Some(amount) if !amount.is_empty() => (true, amount),
        _ => (false, text.as_str()),
    };
    let duration = match amount.parse::<f64>() {
        // A fraction of seconds, which the text form has no word for.
        Ok(number) if amount.contains('.') => parse_duration(&format!("{number}s")),
        _ => parse_duration(amount),
    };
    let seconds = duration.map_err(|error| error.to_string())?.as_secs();
    let seconds = i64::try_from(seconds).map_err(|_| format!("time: invalid duration {text:?}"))?;
    Ok(if negative { -seconds } else { seconds })
}

fn map(value: &Value) -> Result<Value, String> {
    match value {
        Value::Array(items) if items.is_empty() => Ok(Value::Object(serde_json::Map::new())),
        Value::Array(items) => {
            let mut merged = serde_json::Map::new();
            for (at, item) in items.iter().enumerate() {
                let Value::Object(map) = item else {
                    return Err(format!("'[{at}]' expected a map, got '{}'", go_type(item)));
                };
                merged.extend(map.clone());
            }
            Ok(Value::Object(merged))
        }
        other => Err(format!("'' expected a map, got '{}'", go_type(other))),
    }
}

fn list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::Array(items) => {
            items.iter().map(|item| string(item).map(|text| text.trim().to_owned())).collect()
        }
        one => Ok(vec![string(one)?.trim().to_owned()]),
    }
}

fn comma_list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(split(text).map(str::to_owned).collect()),
        other => list(other),
    }
}

fn comma_ints(value: &Value) -> Result<Vec<i64>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => split(text).map(|part| int(&Value::String(part.to_owned()))).collect(),
        Value::Array(items) => items.iter().map(int).collect(),
        one => Ok(vec![int(one)?]),
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn pairs(value: &Value) -> Result<BTreeMap<String, String>, String> {
    if let Value::Object(map) = value {
        return map.iter().map(|(key, value)| Ok((key.clone(), string(value)?))).collect();
    }
    let pair = |pair: String| match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("invalid key pair {pair:?}")),
    };
    list(value)?.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coerced(kind: Kind, json: &str) -> Result<String, String> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        coerce(kind, &raw).map(|value| value.get().to_owned())
    }

    #[test]
    fn what_clients_send_loosely_is_put_right() {
        let cases = [
            (Kind::String, "3", r#""3""#),
            (Kind::String, "12345678901234567890", r#""12345678901234567890""#),
            (Kind::String, "true", r#""1""#),
            (Kind::String, "null", r#""""#),
            (Kind::Int, r#""3""#, "3"),
            (Kind::Int, "3.0", "3"),
            (Kind::Int, "null", "0"),
            (Kind::Int, r#""""#, "0"),
            (Kind::Int, "true", "1"),
            (Kind::Bool, r#""true""#, "true"),
            (Kind::Bool, "1", "true"),
            (Kind::Bool, r#""""#, "false"),
            (Kind::Seconds, "3600", "3600"),
            (Kind::Seconds, r#""1h""#, "3600"),
            (Kind::Seconds, r#""3600""#, "3600"),
            (Kind::Seconds, r#""2d""#, "172800"),
            (Kind::Seconds, "1.9", "1"),
            (Kind::Seconds, r#""""#, "0"),
            (Kind::Seconds, "null", "null"),
            (Kind::SignedSeconds, r#""-1h""#, "-3600"),
            (Kind::SignedSeconds, "-1", "-1"),
            (Kind::Map, r#"{"n": 1.50}"#, r#"{"n": 1.50}"#),
            (Kind::Map, "null", "null"),
            (Kind::Map, "[]", "{}"),
            (Kind::Map, r#"[{"a":1},{"b":2}]"#, r#"{"a":1,"b":2}"#),
            (Kind::List, r#""a, b""#, r#"["a, b"]"#),
            (Kind::List, r#"["a ",1,true]"#, r#"["a","1","1"]"#),
            (Kind::CommaList, r#""a, b""#, r#"["a","b"]"#),
            (Kind::CommaList, r#""""#, "[]"),
            (Kind::CommaList, "1", r#"["1"]"#),
            (Kind::CommaInts, r#"[1,"2"]"#, "[1,2]"),
            (Kind::CommaInts, r#""1, 2""#, "[1,2]"),
            (Kind::CommaInts, r#""1,,2""#, "[1,2]"),
            (Kind::CommaInts, "7", "[7]"),
            (Kind::CommaInts, r#""""#, "[]"),
            (Kind::Pairs, r#"{"a":1}"#, r#"{"a":"1"}"#),
            (Kind::Pairs, r#"["a=b=c","d="]"#, r#"{"a":"b=c","d":""}"#),
            (Kind::Pairs, r#""a=b""#, r#"{"a":"b"}"#),
            (Kind::Any, "[1.0]", "[1.0]"),
        ];
        for (kind, given, expected) in cases {
            assert_eq!(coerced(kind, given).as_deref(), Ok(expected), "{kind:?} {given}");
        }
    }

    #[test]
    fn what_cannot_be_put_right_is_refused_in_vaults_words() {
        let cases = [
            (
                Kind::Int,
                r#""abc""#,
                r#"cannot parse '' as int: strconv.ParseInt: parsing "abc": invalid syntax"#,
            ),
            (Kind::Int, "1.5", r#"cannot parse '' as int: strconv.ParseInt: parsing "1.5": invalid syntax"#),
            (Kind::Int, "[]", "'' expected type 'int', got unconvertible type '[]interface {}'"),
            (
                Kind::Bool,
                r#""zz""#,
                r#"cannot parse '' as bool: strconv.ParseBool: parsing "zz": invalid syntax"#,
            ),
            (
                Kind::String,
                "{}",
                "'' expected type 'string', got unconvertible type 'map[string]interface {}'",
            ),
            (Kind::Seconds, r#""abc""#, r#"time: invalid duration "abc""#),
            (Kind::Seconds, "-1", "cannot provide negative value '-1'"),
            (Kind::Map, r#""abc""#, "'' expected a map, got 'string'"),
            (Kind::Map, "[1]", "'[0]' expected a map, got 'string'"),
            (Kind::Pairs, r#"["=b"]"#, r#"invalid key pair "=b""#),
        ];
        for (kind, given, expected) in cases {
            assert_eq!(coerced(kind, given), Err(expected.to_owned()), "{kind:?} {given}");
        }
    }
}
