//! JSON read slowly and obviously, to tell whether a fast reader is right.

use std::{collections::HashSet, fmt};

use gateway::JsonLimits;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Small ones, so that short inputs reach them.
pub const LIMITS: JsonLimits =
    JsonLimits { depth: 8, string: 64, number: 32, entries: 12, elements: 12, tokens: 150 };

/// What our JSON library reads another way than it is written.
pub const RESERVED: &str = "$serde_json::private::";

/// Whether a text is JSON, keeps the limits and names no member twice.
pub fn keeps_the_limits(text: &str) -> bool {
    let Ok(whole) = serde_json::from_str::<&RawValue>(text) else { return false };
    let mut tokens = 0;
    value(whole.get(), 0, &mut tokens) && tokens <= LIMITS.tokens
}

fn value(text: &str, depth: usize, tokens: &mut usize) -> bool {
    *tokens += 1;
    match text.as_bytes()[0] {
        b'{' => {
            *tokens += 1;
            let members = serde_json::from_str::<Members<'_>>(text);
            depth < LIMITS.depth && members.is_ok_and(|members| object(&members.0, depth + 1, tokens))
        }
        b'[' => {
            *tokens += 1;
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            depth < LIMITS.depth
                && items.len() <= LIMITS.elements
                && items.into_iter().all(|item| value(item.get(), depth + 1, tokens))
        }
        b'"' => serde_json::from_str(text).is_ok_and(|text: String| text.len() <= LIMITS.string),
        b'-' | b'0'..=b'9' => text.len() <= LIMITS.number,
        _ => true,
    }
}

fn object(members: &[(String, &RawValue)], depth: usize, tokens: &mut usize) -> bool {
    let names: HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    *tokens += members.len();
    members.len() <= LIMITS.entries
        && names.len() == members.len()
        && names.iter().all(|name| name.len() <= LIMITS.string)
        && members.iter().all(|(_, item)| value(item.get(), depth, tokens))
}

/// The members of an object in their order, repeated names included.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
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

        deserializer.deserialize_map(Reader)
    }
}
