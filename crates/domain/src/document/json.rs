use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{DEPTH, Entry, Node, Problem, Value};

/// Reads a document written as JSON. Repeated names are kept: a later rule must not hide an earlier one.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|source| Problem::Json { line: source.line(), source })?;
    Reader { lines: Lines { text, position: 0, line: 1 } }.entries(members, DEPTH)
}

/// Looks at each part as a slice of the text, so that its line is known.
struct Reader<'t> {
    lines: Lines<'t>,
}

impl Reader<'_> {
    fn entries(&mut self, members: Members<'_>, depth: usize) -> Result<Vec<Entry>, Problem> {
        let entry = |(name, raw)| Ok(Entry { name, assigned: 0, node: self.node(raw, depth)? });
        members.0.into_iter().map(entry).collect()
    }

    fn node(&mut self, raw: &RawValue, depth: usize) -> Result<Node, Problem> {
        let line = self.lines.of(raw);
        let depth = depth.checked_sub(1).ok_or(Problem::Deep { line })?;
        let text = raw.get();
        let wrong = |source| Problem::Json { line, source };
        let value = match text.as_bytes().first() {
            Some(b'n') => serde_json::from_str(text).map(|()| Value::Null).map_err(wrong)?,
            Some(b't' | b'f') => Value::Bool(serde_json::from_str(text).map_err(wrong)?),
            Some(b'"') => Value::Text(serde_json::from_str(text).map_err(wrong)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
                Value::List(items.into_iter().map(|item| self.node(item, depth)).collect::<Result<_, _>>()?)
            }
            Some(b'{') => Value::Table(self.entries(serde_json::from_str(text).map_err(wrong)?, depth)?),
            _ => Value::Number(serde_json::from_str(text).map_err(wrong)?),
        };
        Ok(Node { line, value })
    }
}

/// Turns positions in a text into lines. Asked in the order of the text, it goes over the text once.
struct Lines<'t> {
    text: &'t str,
    position: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, raw: &RawValue) -> usize {
        // The slice lies within the text, because it was borrowed from it.
        let position = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let between = self.text.as_bytes().get(self.position..position).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.position = position;
        self.line
    }
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
