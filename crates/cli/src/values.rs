//! What is written: `KEY=VALUE`, `KEY=@FILE`, `KEY=-`, and whole documents as `@FILE` and `-`.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use serde_json::{Map, Value};

use crate::{Error, error::Result};

/// Everything on standard input.
pub fn standard_input() -> Result<String> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Error::local(format!("cannot read the standard input: {error}")))?;
    Ok(text)
}

/// The text of a file.
pub fn file(path: &str) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Error::unreadable(Path::new(path), &error))
}

/// What words say that come after a path.
pub fn written(words: &[String]) -> Result<Map<String, Value>> {
    gather(words, &standard_input)
}

/// The same, where nothing but texts can be said: as parameters.
pub fn parameters(words: &[String]) -> Result<Vec<(String, String)>> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let each = |(key, value): (String, Value)| match value {
        Value::Array(items) => items.into_iter().map(|item| (key.clone(), text(item))).collect(),
        value => vec![(key, text(value))],
    };
    Ok(written(words)?.into_iter().flat_map(each).collect())
}

fn gather(words: &[String], input: &dyn Fn() -> Result<String>) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for word in words {
        if word == "-" {
            all.extend(document("the standard input", &input()?)?);
        } else if let Some(path) = word.strip_prefix('@') {
            all.extend(document(path, &file(path)?)?);
        } else {
            let (key, text) = word.split_once('=').ok_or_else(|| {
                Error::local(format!(
                    "Failed to parse K=V data: invalid key/value pair {word:?}: format must be key=value"
                ))
            })?;
            add(&mut all, key, value(text, input)?);
        }
    }
    Ok(all)
}

/// A text as it is; out of a file if it begins with `@`, and `\@` stands for one that does.
fn value(text: &str, input: &dyn Fn() -> Result<String>) -> Result<String> {
    match text.strip_prefix('@') {
        _ if text == "-" => input(),
        Some(path) => file(path),
        None => Ok(if text.starts_with("\\@") { text[1..].to_owned() } else { text.to_owned() }),
    }
}

/// A key that is given twice has a list.
fn add(all: &mut Map<String, Value>, key: &str, text: String) {
    match all.get_mut(key) {
        None => drop(all.insert(key.to_owned(), text.into())),
        Some(Value::Array(items)) => items.push(text.into()),
        Some(first) => *first = Value::Array(vec![first.take(), text.into()]),
    }
}

fn document(called: &str, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| {
        Error::local(format!("Failed to parse K=V data: {called} holds no JSON object: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(words: &[&str]) -> Result<Value> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        gather(&words, &|| Ok("{\"in\": 1}".to_owned())).map(Value::Object)
    }

    #[test]
    fn values_come_from_the_line_from_files_and_from_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        fs::write(&path, "{\"f\": [1.50]}").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(read(&["a=b", "c="]).unwrap(), json!({"a": "b", "c": ""}));
        assert_eq!(read(&["a=1", "a=2", "a=3"]).unwrap(), json!({"a": ["1", "2", "3"]}));
        assert_eq!(read(&["-", "a=-"]).unwrap(), json!({"in": 1, "a": "{\"in\": 1}"}));
        assert_eq!(
            read(&[&format!("a=@{path}"), "b=\\@x"]).unwrap(),
            json!({"a": "{\"f\": [1.50]}", "b": "@x"})
        );
        assert_eq!(read(&[&format!("@{path}")]).unwrap().to_string(), "{\"f\":[1.50]}");
    }

    #[test]
    fn words_that_say_nothing_are_refused() {
        for word in ["a", "", "@/no/such/file", "a=@/no/such/file"] {
            assert!(matches!(read(&[word]), Err(Error::Local(_))), "{word}");
        }
    }

    proptest! {
        #[test]
        fn what_follows_the_first_equals_sign_is_the_value(key in "[a-z]{1,8}", text in "[^@\\\\-].{0,20}") {
            prop_assert_eq!(read(&[&format!("{key}={text}")]).unwrap(), json!({ key: text }));
        }
    }
}
