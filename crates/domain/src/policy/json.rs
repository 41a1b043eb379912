use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::tree::{Entry, Node};

/// How deep a document may nest; a policy needs four levels.
const DEPTH: usize = 32;

/// Reads a document written as JSON. Repeated names are kept: a later rule must not hide an earlier one.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, serde_json::Error> {
    match node(text.trim(), DEPTH)? {
        Node::Table(entries) => Ok(entries),
        _ => Err(serde_json::Error::custom("a policy is an object")),
    }
}

fn node(text: &str, depth: usize) -> Result<Node, serde_json::Error> {
    let depth = depth.checked_sub(1).ok_or_else(|| serde_json::Error::custom("nested too deeply"))?;
    Ok(match text.as_bytes().first() {
        Some(b'n') => serde_json::from_str(text).map(|()| Node::Null)?,
        Some(b't' | b'f') => Node::Bool(serde_json::from_str(text)?),
        Some(b'"') => Node::Text(serde_json::from_str(text)?),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Node::List(items.into_iter().map(|item| node(item.get(), depth)).collect::<Result<_, _>>()?)
        }
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text)?;
            let entry =
                |(name, raw): (String, &RawValue)| Ok(Entry { name, line: 0, node: node(raw.get(), depth)? });
            Node::Table(members.0.into_iter().map(entry).collect::<Result<_, serde_json::Error>>()?)
        }
        _ => Node::Number(serde_json::from_str(text)?),
    })
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
