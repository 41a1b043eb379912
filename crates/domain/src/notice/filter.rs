use std::{iter::Peekable, vec};

use regex::{Regex, RegexBuilder};

use super::words::{Word, words};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// So deep it may be nested.
const DEEPEST: usize = 32;
/// So much memory one pattern may take, in bytes: an expression has room for many.
const HEAVIEST: usize = 256 << 10;

/// What a filter can ask about a notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'n> {
    /// `kv-v2/data-write`.
    pub event_type: &'n str,
    /// What was done.
    pub operation: &'n str,
    /// The mount whose plugin announced it.
    pub source_plugin_mount: &'n str,
    /// Where the data is that it is about.
    pub data_path: &'n str,
    /// Empty: the root namespace.
    pub namespace: &'n str,
}

/// An expression that chooses notices, in the language that Vault's filters are written in.
#[derive(Clone, Debug)]
pub struct Filter(Node);

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// It says too much.
    #[error("the filter is longer than {LONGEST} bytes, or nested deeper than {DEEPEST}")]
    TooLarge,
    /// A quote has no end.
    #[error("a quote in the filter has no end")]
    Unclosed,
    /// Something else was to come here.
    #[error("the filter is not understood at {0:?}")]
    Unexpected(String),
    /// It is over too early.
    #[error("the filter ends where something is missing")]
    Ends,
    /// No such fact.
    #[error(
        "the filter cannot ask for {0:?}; it can for event_type, operation, source_plugin_mount, data_path and namespace"
    )]
    Selector(String),
    /// No regular expression.
    #[error("{0:?} is no regular expression")]
    Regex(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    EventType,
    Operation,
    Mount,
    DataPath,
    Namespace,
}

#[derive(Clone, Debug)]
enum Node {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Is(Fact, String),
    Contains(Fact, String),
    Matches(Fact, Regex),
    Empty(Fact),
}

impl Filter {
    /// Reads an expression; an empty one chooses everything.
    ///
    /// # Errors
    /// It is no expression of the language.
    pub fn parse(text: &str) -> Result<Self, InvalidFilter> {
        if text.len() > LONGEST {
            return Err(InvalidFilter::TooLarge);
        }
        if text.trim().is_empty() {
            return Ok(Self(Node::All(Vec::new())));
        }
        let mut parser = Parser { words: words(text)?.into_iter().peekable(), depth: 0 };
        let node = parser.any()?;
        match parser.words.next() {
            None => Ok(Self(node)),
            Some(word) => Err(unexpected(&word)),
        }
    }

    /// Whether it chooses a notice.
    pub fn chooses(&self, facts: &Facts<'_>) -> bool {
        self.0.holds(facts)
    }
}

impl Node {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(facts)),
            Self::All(nodes) => nodes.iter().all(|node| node.holds(facts)),
            Self::Not(node) => !node.holds(facts),
            Self::Is(fact, value) => fact.of(facts) == value,
            Self::Contains(fact, value) => fact.of(facts).contains(value),
            Self::Matches(fact, pattern) => pattern.is_match(fact.of(facts)),
            Self::Empty(fact) => fact.of(facts).is_empty(),
        }
    }

    fn negated(self, is: bool) -> Self {
        if is { Self::Not(Box::new(self)) } else { self }
    }
}

impl Fact {
    /// By its name; with a slash before it, it is written as a pointer.
    fn named(name: &str) -> Option<Self> {
        match name.strip_prefix('/').unwrap_or(name) {
            "event_type" => Some(Self::EventType),
            "operation" => Some(Self::Operation),
            "source_plugin_mount" => Some(Self::Mount),
            "data_path" => Some(Self::DataPath),
            "namespace" => Some(Self::Namespace),
            _ => None,
        }
    }

    const fn of<'n>(self, facts: &Facts<'n>) -> &'n str {
        match self {
            Self::EventType => facts.event_type,
            Self::Operation => facts.operation,
            Self::Mount => facts.source_plugin_mount,
            Self::DataPath => facts.data_path,
            Self::Namespace => facts.namespace,
        }
    }
}

struct Parser {
    words: Peekable<vec::IntoIter<Word>>,
    depth: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Node, InvalidFilter> {
        let mut nodes = vec![self.all()?];
        while self.takes("or") {
            nodes.push(self.all()?);
        }
        Ok(Node::Any(nodes))
    }

    fn all(&mut self) -> Result<Node, InvalidFilter> {
        let mut nodes = vec![self.one()?];
        while self.takes("and") {
            nodes.push(self.one()?);
        }
        Ok(Node::All(nodes))
    }

    fn one(&mut self) -> Result<Node, InvalidFilter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(InvalidFilter::TooLarge);
        }
        let node = if self.takes("not") {
            self.one()?.negated(true)
        } else if self.words.next_if_eq(&Word::Open).is_some() {
            let node = self.any()?;
            match self.next()? {
                Word::Close => node,
                other => return Err(unexpected(&other)),
            }
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node, InvalidFilter> {
        let first = self.next()?;
        match self.next()? {
            Word::Is => Ok(Node::Is(fact(&first)?, self.value()?)),
            Word::IsNot => Ok(Node::Is(fact(&first)?, self.value()?).negated(true)),
            Word::Bare(word) if word == "is" => {
                let negated = self.takes("not");
                self.expect("empty")?;
                Ok(Node::Empty(fact(&first)?).negated(negated))
            }
            Word::Bare(word) if word == "not" => {
                let relation = self.next()?;
                Ok(self.relation(&first, &relation)?.negated(true))
            }
            relation => self.relation(&first, &relation),
        }
    }

    fn relation(&mut self, first: &Word, relation: &Word) -> Result<Node, InvalidFilter> {
        let Word::Bare(word) = relation else { return Err(unexpected(relation)) };
        match word.as_str() {
            "contains" => Ok(Node::Contains(fact(first)?, self.value()?)),
            "matches" => {
                let (fact, pattern) = (fact(first)?, self.value()?);
                let regex = RegexBuilder::new(&pattern).size_limit(HEAVIEST).dfa_size_limit(HEAVIEST).build();
                let regex = regex.map_err(|_| InvalidFilter::Regex(pattern))?;
                Ok(Node::Matches(fact, regex))
            }
            "in" => {
                let value = text(first)?;
                Ok(Node::Contains(fact(&self.next()?)?, value))
            }
            _ => Err(unexpected(relation)),
        }
    }

    fn next(&mut self) -> Result<Word, InvalidFilter> {
        self.words.next().ok_or(InvalidFilter::Ends)
    }

    fn value(&mut self) -> Result<String, InvalidFilter> {
        text(&self.next()?)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        self.words.next_if(|word| matches!(word, Word::Bare(word) if word == keyword)).is_some()
    }

    fn expect(&mut self, keyword: &str) -> Result<(), InvalidFilter> {
        match self.next()? {
            Word::Bare(word) if word == keyword => Ok(()),
            other => Err(unexpected(&other)),
        }
    }
}

fn fact(word: &Word) -> Result<Fact, InvalidFilter> {
    let name = text(word)?;
    Fact::named(&name).ok_or(InvalidFilter::Selector(name))
}

fn text(word: &Word) -> Result<String, InvalidFilter> {
    match word {
        Word::Bare(text) | Word::Quoted(text) => Ok(text.clone()),
        other => Err(unexpected(other)),
    }
}

fn unexpected(word: &Word) -> InvalidFilter {
    InvalidFilter::Unexpected(match word {
        Word::Open => "(".to_owned(),
        Word::Close => ")".to_owned(),
        Word::Is => "==".to_owned(),
        Word::IsNot => "!=".to_owned(),
        Word::Bare(text) | Word::Quoted(text) => text.clone(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FACTS: Facts<'_> = Facts {
        event_type: "kv-v2/data-write",
        operation: "data-write",
        source_plugin_mount: "secret/",
        data_path: "secret/data/foo",
        namespace: "",
    };

    #[test]
    fn each_relation_means_what_it_says() {
        for (expression, chosen) in [
            ("", true),
            ("data_path == secret/data/foo", true),
            ("data_path == \"secret/data/foo\" and operation != `data-write`", false),
            ("event_type == kv-v2/data-write or event_type == kv-v1/write", true),
            ("not operation == data-write", false),
            ("not (operation == a or operation == b)", true),
            ("data_path contains data/foo", true),
            ("data_path not contains data/foo", false),
            ("foo in data_path", true),
            ("\"bar\" not in data_path", true),
            ("data_path matches \"^secret/.*oo$\"", true),
            ("data_path not matches \"^secret/\"", false),
            ("namespace is empty", true),
            ("namespace is not empty", false),
            ("/source_plugin_mount == secret/", true),
            // `and` binds more tightly.
            ("operation == data-write or operation == a and namespace is not empty", true),
            ("operation==data-write", true),
        ] {
            let filter = Filter::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
            assert_eq!(filter.chooses(&FACTS), chosen, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_reason() {
        let deep = "(".repeat(40);
        for (expression, sentence) in [
            ("data_path ==", "ends where something is missing"),
            ("data_path == \"a", "has no end"),
            ("password == a", "cannot ask for \"password\""),
            ("data_path = a", "not understood at \"=\""),
            ("data_path == a b", "not understood at \"b\""),
            ("data_path matches \"(\"", "no regular expression"),
            ("(data_path == a", "ends where"),
            (deep.as_str(), "nested deeper"),
        ] {
            let refused = Filter::parse(expression).unwrap_err().to_string();
            assert!(refused.contains(sentence), "{expression}: {refused}");
        }
        assert_eq!(Filter::parse(&"a".repeat(5000)).unwrap_err(), InvalidFilter::TooLarge);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused_or_asked(text in "[a-z_=!()\"` ]{0,60}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.chooses(&FACTS);
            }
        }
    }
}
