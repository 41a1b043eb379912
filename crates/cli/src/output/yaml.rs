use serde_json::Value as Json;
use serde_norway::{Mapping, Number, Value};

use crate::{Error, error::Result};

/// A value as YAML.
pub fn yaml(value: &Json) -> Result<String> {
    serde_norway::to_string(&converted(value))
        .map_err(|error| Error::local(format!("the answer cannot be printed: {error}")))
}

/// By hand: JSON's numbers are texts here, so that none loses a digit.
fn converted(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::Sequence(items.iter().map(converted).collect()),
        Json::Object(members) => {
            let each = members.iter().map(|(key, value)| (Value::String(key.clone()), converted(value)));
            Value::Mapping(each.collect::<Mapping>())
        }
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Value::Number(Number::from(number)),
            (_, Some(number), _) => Value::Number(Number::from(number)),
            (.., Some(number)) => Value::Number(Number::from(number)),
            _ => Value::String(number.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_yaml_that_is_read_back() {
        let value = json!({"data": {"keys": ["a", "b"], "no": "true", "n": 1.5}, "warnings": null});
        assert_eq!(
            yaml(&value).unwrap(),
            "data:\n  keys:\n  - a\n  - b\n  n: 1.5\n  no: 'true'\nwarnings: null\n"
        );
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in ".{0,40}", number in any::<i64>()) {
            let told = yaml(&json!({ "k": [text, number] })).unwrap();
            let back: Value = serde_norway::from_str(&told).unwrap();
            prop_assert_eq!(&back["k"][0], &Value::String(text));
            prop_assert_eq!(back["k"][1].as_i64(), Some(number));
        }
    }
}
