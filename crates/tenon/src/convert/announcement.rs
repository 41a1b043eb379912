use prost_types::{Struct, Value, value::Kind};
use uuid::Uuid;
use wire::logical::EventData;

/// What is announced, as it travels; with a name that no other has.
pub fn event_data(metadata: Vec<(&'static str, String)>) -> EventData {
    let text = |text: String| Value { kind: Some(Kind::StringValue(text)) };
    let fields = metadata.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    EventData { id: Uuid::new_v4().to_string(), metadata: Some(Struct { fields }), ..EventData::default() }
}
