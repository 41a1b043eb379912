use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    problem::Problem,
    tree::{Entry, Lines, Node, Value},
};

/// How deep a configuration may nest; Vault's own goes five levels down.
const DEPTH: usize = 32;

/// Reads JSON. Each part is looked at as a slice of the text, so that its line is known.
pub(crate) fn parse(lines: &Lines<'_>) -> Result<Vec<Entry>, Problem> {
    let document: &RawValue = serde_json::from_str(lines.text).map_err(|error| Problem {
        place: lines.line(error.line()),
        text: format!("this is not JSON: {error}"),
    })?;
    match value(lines, document, DEPTH)? {
        Value::Table(entries) => Ok(entries),
        other => Err(Problem {
            place: lines.line(1),
            text: format!("a configuration is a JSON object, not {}", other.describe()),
        }),
    }
}

fn value(lines: &Lines<'_>, raw: &RawValue, depth: usize) -> Result<Value, Problem> {
    let text = raw.get();
    let wrong = |error: serde_json::Error| Problem {
        place: place(lines, raw),
        text: format!("this is not JSON: {error}"),
    };
    if depth == 0 {
        return Err(Problem { place: place(lines, raw), text: "nested too deeply".to_owned() });
    }
    Ok(match text.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => Value::Text(serde_json::from_str(text).map_err(wrong)?),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            Value::List(items.into_iter().map(|item| node(lines, item, depth)).collect::<Result<_, _>>()?)
        }
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(wrong)?;
            let entry = |(key, raw)| Ok(Entry { key, node: node(lines, raw, depth)? });
            Value::Table(members.0.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        _ => Value::Number(text.to_owned()),
    })
}

fn node(lines: &Lines<'_>, raw: &RawValue, depth: usize) -> Result<Node, Problem> {
    Ok(Node { place: place(lines, raw), value: value(lines, raw, depth - 1)? })
}

fn place(lines: &Lines<'_>, raw: &RawValue) -> super::Place {
    // The slice lies within the text, because it was borrowed from it.
    lines.at((raw.get().as_ptr() as usize).saturating_sub(lines.text.as_ptr() as usize))
}

/// An object's members in their order, repeated names included.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
