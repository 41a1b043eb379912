//! JSON in messages, as `google.protobuf.Struct` has it.

use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::{Map, Number, Value as Json};

/// JSON as it goes into a message. Every number is a double there.
pub fn to_struct(map: Map<String, Json>) -> Struct {
    Struct { fields: map.into_iter().map(|(key, value)| (key, value_of(value))).collect() }
}

/// JSON as it came in a message. A double without a fraction is a whole number.
pub fn map_of(message: Struct) -> Map<String, Json> {
    message.fields.into_iter().map(|(key, value)| (key, json_of(value))).collect()
}

fn value_of(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(truth) => Kind::BoolValue(truth),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(value_of).collect() })
        }
        Json::Object(map) => Kind::StructValue(to_struct(map)),
    };
    Value { kind: Some(kind) }
}

fn json_of(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(truth)) => truth.into(),
        Some(Kind::NumberValue(double)) => number_of(double),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json_of).collect(),
        Some(Kind::StructValue(message)) => map_of(message).into(),
    }
}

fn number_of(double: f64) -> Json {
    /// Up to here every whole number is a double.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if double.fract() == 0.0 && double.abs() <= WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within the range")]
        return (double as i64).into();
    }
    Number::from_f64(double).map_or(Json::Null, Json::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-1_000_000_i64..1_000_000).prop_map(Json::from),
            ".*".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_comes(value in json()) {
            let map = Map::from_iter([("key".to_owned(), value)]);
            prop_assert_eq!(map_of(to_struct(map.clone())), map);
        }
    }

    #[test]
    fn fractions_stay_and_what_is_no_number_is_nothing() {
        assert_eq!(number_of(0.5), json!(0.5));
        assert_eq!(number_of(4.0).to_string(), "4");
        assert_eq!(number_of(f64::NAN), Json::Null);
        assert_eq!(map_of(Struct::default()), Map::new());
    }
}
