use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashSet,
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What a JSON body may hold; Vault's own limits by default.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Objects and lists inside each other.
    pub depth: usize,
    /// Bytes of a text, decoded.
    pub string: usize,
    /// Digits and signs of a number.
    pub number: usize,
    /// Members of an object.
    pub entries: usize,
    /// Elements of a list.
    pub elements: usize,
    /// Keys, values and ends of objects and lists, altogether.
    pub tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 300,
            string: 1 << 20,
            number: 1 << 10,
            entries: 10_000,
            elements: 10_000,
            tokens: 500_000,
        }
    }
}

/// Why a text is not taken. The sentences are Vault's where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum Refused {
    #[error("malformed JSON, unclosed containers")]
    Unclosed,
    #[error("invalid character {0:?} after top-level value")]
    Trailing(char),
    #[error("duplicate key '{0}' in object")]
    Duplicate(String),
    #[error("JSON string value exceeds allowed length")]
    String,
    #[error("JSON number exceeds allowed length")]
    Number,
    #[error("JSON input exceeds allowed nesting depth")]
    Depth,
    #[error("JSON object exceeds allowed entry count")]
    Entries,
    #[error("JSON array exceeds allowed element count")]
    Elements,
    #[error("JSON payload exceeds allowed token count")]
    Tokens,
    #[error("error parsing JSON: failed to parse JSON input: {0}")]
    Syntax(String),
    #[error(
        "error parsing JSON: failed to parse JSON input: json: cannot unmarshal {0} into Go value of type map[string]interface {{}}"
    )]
    NotAnObject(&'static str),
    #[error("error parsing JSON: a key begins with a reserved word")]
    Reserved,
}

/// What stands at the top of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Null,
    Bool,
    Number,
    EmptyString,
    String,
    Array,
    Object,
}

/// Under this key our JSON library hands out a number as text, and it takes it back the same way. A key of a client
/// with this prefix must not reach code that reads it so.
pub const RESERVED: &str = "$serde_json::private::";
const NUMBER: &str = "$serde_json::private::Number";

/// Longer keys are not repeated to the client.
const SHOWN_KEY: usize = 64;

/// Reads a text once, keeping nothing but the keys of the objects that are open. True: it is an object; false: it
/// stands for no parameters at all, as `null` and `""` do.
pub fn check(text: &str, limits: &Limits) -> Result<bool, Refused> {
    let walk = Walk { limits, tokens: Cell::new(0), refused: RefCell::new(None) };
    let mut reader = serde_json::Deserializer::from_str(text);
    // Our own limit counts instead; it is small enough for the stack.
    reader.disable_recursion_limit();
    let shape = Value { walk: &walk, depth: 0 }.deserialize(&mut reader).map_err(|error| walk.why(&error))?;
    reader.end().map_err(|error| Refused::Trailing(char_at(text, &error)))?;
    match shape {
        Shape::Object => Ok(true),
        Shape::Null | Shape::EmptyString => Ok(false),
        Shape::Bool => Err(Refused::NotAnObject("bool")),
        Shape::Number => Err(Refused::NotAnObject("number")),
        Shape::String => Err(Refused::NotAnObject("string")),
        Shape::Array => Err(Refused::NotAnObject("array")),
    }
}

fn char_at(text: &str, error: &serde_json::Error) -> char {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    line.get(error.column().saturating_sub(1)..).and_then(|rest| rest.chars().next()).unwrap_or(' ')
}

struct Walk<'l> {
    limits: &'l Limits,
    tokens: Cell<usize>,
    refused: RefCell<Option<Refused>>,
}

impl Walk<'_> {
    /// The error that ends the walk; what it was about is kept aside, because the reader wraps the sentence.
    fn refuse<E: serde::de::Error>(&self, why: Refused) -> E {
        self.refused.replace(Some(why));
        E::custom("refused")
    }

    fn why(&self, error: &serde_json::Error) -> Refused {
        match self.refused.take() {
            Some(why) => why,
            None if error.is_eof() => Refused::Unclosed,
            None => Refused::Syntax(error.to_string()),
        }
    }

    fn token<E: serde::de::Error>(&self) -> Result<(), E> {
        let tokens = self.tokens.get() + 1;
        self.tokens.set(tokens);
        if tokens > self.limits.tokens { Err(self.refuse(Refused::Tokens)) } else { Ok(()) }
    }

    fn text<E: serde::de::Error>(&self, text: &str) -> Result<(), E> {
        if text.len() > self.limits.string { Err(self.refuse(Refused::String)) } else { Ok(()) }
    }
}

/// A value at some depth; both the wish to read it and what reads it.
#[derive(Clone, Copy)]
struct Value<'w, 'l> {
    walk: &'w Walk<'l>,
    depth: usize,
}

impl Value<'_, '_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.walk.limits.depth {
            return Err(self.walk.refuse(Refused::Depth));
        }
        self.walk.token()?;
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn scalar<E: serde::de::Error>(self, shape: Shape) -> Result<Shape, E> {
        self.walk.token().map(|()| shape)
    }

    /// The text of a number that fits no machine's integer, which arrives as the only member of a map. A client may have written such a map: then
    /// it has to hold a number as well, because it will be read as one.
    fn number<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<Shape, A::Error> {
        let text = map.next_value_seed(Text(self.walk))?;
        if text.len() > self.walk.limits.number {
            return Err(self.walk.refuse(Refused::Number));
        }
        let is_number = serde_json::from_str::<serde_json::Number>(&text).is_ok();
        if !is_number || map.next_key_seed(Text(self.walk))?.is_some() {
            return Err(self.walk.refuse(Refused::Reserved));
        }
        self.scalar(Shape::Number)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Shape, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Shape, E> {
        self.scalar(Shape::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Shape, E> {
        self.scalar(Shape::Bool)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Shape, E> {
        self.scalar(Shape::Number)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Shape, E> {
        self.scalar(Shape::Number)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Shape, E> {
        self.walk.text(text)?;
        self.scalar(if text.is_empty() { Shape::EmptyString } else { Shape::String })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let inner = self.inner()?;
        let mut elements = 0;
        while list.next_element_seed(inner)?.is_some() {
            elements += 1;
            if elements > self.walk.limits.elements {
                return Err(self.walk.refuse(Refused::Elements));
            }
        }
        self.scalar(Shape::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut key = map.next_key_seed(Text(self.walk))?;
        if key.as_deref() == Some(NUMBER) {
            return self.number(&mut map);
        }
        let inner = self.inner()?;
        let mut keys = HashSet::new();
        while let Some(new) = key {
            self.walk.token()?;
            if new.starts_with(RESERVED) {
                return Err(self.walk.refuse(Refused::Reserved));
            }
            if let Some(same) = keys.replace(new) {
                let shown = if same.len() > SHOWN_KEY { "..." } else { &same };
                return Err(self.walk.refuse(Refused::Duplicate(shown.to_owned())));
            }
            if keys.len() > self.walk.limits.entries {
                return Err(self.walk.refuse(Refused::Entries));
            }
            map.next_value_seed(inner)?;
            key = map.next_key_seed(Text(self.walk))?;
        }
        self.scalar(Shape::Object)
    }
}

/// A key, or the text of a number; borrowed where it has no escapes.
struct Text<'w, 'l>(&'w Walk<'l>);

impl<'de> DeserializeSeed<'de> for Text<'_, '_> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text<'_, '_> {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.0.text(text).map(|()| Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        self.0.text(text).map(|()| Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
