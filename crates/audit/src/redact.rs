//! JSON with its texts and numbers hashed, in one pass over the bytes: no tree, and no recursion however deep it is.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Replaces every text and number by what `hide` makes of it; the names of members stay, and so do values whose nearest
/// name is among `clear`. Nothing: this is no JSON.
pub(crate) fn redacted(
    json: &[u8],
    clear: &[String],
    hide: impl Fn(&[u8]) -> String,
) -> Option<Box<RawValue>> {
    let mut walk = Walk { rest: json, out: Vec::with_capacity(json.len() * 2), open: Vec::new(), clear };
    while walk.step(&hide)? {}
    // What is not whole JSON is found out here.
    RawValue::from_string(String::from_utf8(walk.out).ok()?).ok()
}

/// A list's names and what is said of each, replaced by how many they are.
pub(crate) fn elided(json: &RawValue) -> Option<Box<RawValue>> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json.get()).ok()?;
    for name in ["keys", "key_info"] {
        if let Some(value) = members.get_mut(name)
            && let Some(count) = count(value)
        {
            *value = RawValue::from_string(count.to_string()).ok()?;
        }
    }
    serde_json::value::to_raw_value(&members).ok()
}

fn count(value: &RawValue) -> Option<usize> {
    let array = serde_json::from_str::<Vec<&RawValue>>(value.get()).map(|items| items.len());
    let object = || serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get()).map(|items| items.len());
    array.or_else(|_| object()).ok()
}

/// An array or object that has not ended.
struct Open {
    object: bool,
    /// The next text is the name of a member.
    name_next: bool,
    /// The nearest name says that values stay as they are.
    clear: bool,
}

struct Walk<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    open: Vec<Open>,
    clear: &'a [String],
}

impl Walk<'_> {
    /// Takes one token; false at the end.
    fn step(&mut self, hide: &impl Fn(&[u8]) -> String) -> Option<bool> {
        let Some(first) = self.rest.first() else { return Some(false) };
        match first {
            b' ' | b'\t' | b'\n' | b'\r' => _ = self.take(1),
            b'{' => self.enter(true),
            b'[' => self.enter(false),
            b'}' | b']' => {
                self.open.pop();
                self.copy(1);
            }
            b',' => {
                if let Some(open) = self.open.last_mut() {
                    open.name_next = open.object;
                }
                self.copy(1);
            }
            b':' => self.copy(1),
            b'"' => self.text(hide)?,
            b'-' | b'0'..=b'9' => {
                let number = self
                    .take(self.length(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')));
                self.value(number, number, hide);
            }
            // true, false, null.
            b'a'..=b'z' => self.copy(self.length(|byte| byte.is_ascii_lowercase())),
            _ => return None,
        }
        Some(true)
    }

    fn enter(&mut self, object: bool) {
        // An array belongs to the name before it; in an object each member has its own.
        let clear = !object && self.is_clear();
        self.open.push(Open { object, name_next: object, clear });
        self.copy(1);
    }

    fn text(&mut self, hide: &impl Fn(&[u8]) -> String) -> Option<()> {
        let token = self.take(end_of_text(self.rest)?);
        let plain = token.get(1..token.len() - 1)?;
        let decoded: Option<String> =
            if plain.contains(&b'\\') { Some(serde_json::from_slice(token).ok()?) } else { None };
        let text = decoded.as_ref().map_or(plain, |text| text.as_bytes());
        match self.open.last_mut() {
            Some(open) if open.name_next => {
                open.name_next = false;
                open.clear = self.clear.iter().any(|each| each.as_bytes() == text);
                self.out.extend_from_slice(token);
            }
            _ => self.value(token, text, hide),
        }
        Some(())
    }

    fn value(&mut self, token: &[u8], text: &[u8], hide: &impl Fn(&[u8]) -> String) {
        if self.is_clear() {
            self.out.extend_from_slice(token);
        } else {
            self.out.push(b'"');
            self.out.extend_from_slice(hide(text).as_bytes());
            self.out.push(b'"');
        }
    }

    fn is_clear(&self) -> bool {
        self.open.last().is_some_and(|open| open.clear)
    }

    fn length(&self, of: impl Fn(u8) -> bool) -> usize {
        self.rest.iter().position(|byte| !of(*byte)).unwrap_or(self.rest.len())
    }

    fn copy(&mut self, length: usize) {
        let token = self.take(length);
        self.out.extend_from_slice(token);
    }
}

impl<'a> Walk<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (token, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        token
    }
}

/// How long the text is that begins here, with its quotes.
fn end_of_text(json: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn shown(json: &str, clear: &[&str]) -> Option<String> {
        let clear: Vec<String> = clear.iter().map(|&name| name.to_owned()).collect();
        let marked =
            |text: &[u8]| format!("<{}>", String::from_utf8_lossy(text).replace(['"', '\\', '\n'], "_"));
        redacted(json.as_bytes(), &clear, marked).map(|raw| raw.get().to_owned())
    }

    #[test]
    fn texts_and_numbers_are_hidden_and_names_and_truth_values_are_not() {
        assert_eq!(
            shown(r#"{"a": "x", "b": [1.50, true, null, {"c": "y\"z"}], "d": {}}"#, &[]).unwrap(),
            r#"{"a":"<x>","b":["<1.50>",true,null,{"c":"<y_z>"}],"d":{}}"#
        );
    }

    #[test]
    fn only_what_stands_directly_below_a_clear_name_stays() {
        let json = r#"{"a":"1","b":["2",{"c":"3","a":4}],"d":{"b":[["5"]],"e":"6"}}"#;
        assert_eq!(
            shown(json, &["a", "b"]).unwrap(),
            r#"{"a":"1","b":["2",{"c":"<3>","a":4}],"d":{"b":[["5"]],"e":"<6>"}}"#
        );
        assert_eq!(shown(r#"{"\u0061":"1"}"#, &["a"]).unwrap(), r#"{"\u0061":"1"}"#);
    }

    #[test]
    fn a3_what_is_no_json_is_not_shown_at_all() {
        for bad in ["", "{", r#"{"a"}"#, r#"{"a":"x}"#, r#"{"a":x"y"}"#, "{\"a\":\"\\", "\u{1}", "nonsense"] {
            assert_eq!(shown(bad, &[]), None, "{bad}");
        }
        assert_eq!(
            redacted(b"{\"a\":\"\xff\"}", &["a".to_owned()], |_| String::new()).map(|raw| raw.to_string()),
            None
        );
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!("{{\"a\":{}\"x\"{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(shown(&deep, &[]).unwrap().contains("[\"<x>\"]"));
    }

    #[test]
    fn a_list_can_be_shown_by_its_length() {
        let list =
            RawValue::from_string(r#"{"keys":["a","b"],"key_info":{"a":{}},"c":"d"}"#.to_owned()).unwrap();
        assert_eq!(elided(&list).unwrap().get(), r#"{"c":"d","key_info":1,"keys":2}"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[abc\\\\\"]{0,2}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same, slowly and obviously.
    fn model(value: &Value, clear: bool) -> Value {
        match value {
            Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), model(v, k == "a"))).collect(),
            Value::Array(items) => items.iter().map(|item| model(item, clear)).collect(),
            Value::String(_) | Value::Number(_) if !clear => json!("hidden"),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a3_every_value_is_hidden_as_the_model_says(value in any_json()) {
            let hidden = redacted(value.to_string().as_bytes(), &["a".to_owned()], |_| "hidden".to_owned()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(hidden.get()).unwrap(), model(&value, false));
        }

        #[test]
        fn no_bytes_are_a_danger(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            redacted(&bytes, &[], |_| String::new());
        }
    }
}
