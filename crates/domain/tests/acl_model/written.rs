//! Policies as they are written, and questions.

use std::fmt::Write;

use domain::Operation;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};

const WORDS: [&str; 9] = ["create", "read", "update", "delete", "list", "patch", "sudo", "scan", "deny"];

/// A parameter, and the values that a rule names for it.
pub type Parameter = Option<(&'static str, Vec<&'static str>)>;

/// One rule.
#[derive(Clone, Debug)]
pub struct Written {
    pub path: String,
    pub words: Vec<&'static str>,
    pub allowed: Parameter,
    pub denied: Parameter,
    pub required: Option<&'static str>,
    pub max_wrapping: Option<u64>,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub operation: Operation,
    pub needs_sudo: bool,
    pub wrap: Option<u64>,
    pub data: Vec<(&'static str, &'static str)>,
}

/// Few segments, so that rules meet paths; `-` sorts before the slash.
fn segment() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "a", "a", "a", "b", "b", "ab", "a-", "bob"])
}

fn rule_path() -> impl Strategy<Value = String> {
    let piece = || {
        prop_oneof![
            6 => segment(),
            5 => Just("+"),
            1 => select(vec!["+a", "{{name}}", "{{star}}", "{{absent}}"]),
        ]
    };
    // Many of the same length: they compete for the same paths.
    let pieces = prop_oneof![vec(piece(), 0..4), vec(piece(), 3)];
    let end = prop_oneof![4 => Just(""), 2 => Just("/"), 3 => Just("/*"), 2 => Just("*")];
    (select(vec!["", "", "", "/"]), pieces, end)
        .prop_map(|(start, pieces, end)| format!("{start}{}{end}", pieces.join("/")))
        .prop_filter("this is refused", |path| !path.contains("+*"))
}

fn parameter() -> impl Strategy<Value = Parameter> {
    option::weighted(0.45, (select(vec!["p", "p", "q", "*"]), subsequence(vec!["1", "2"], 0..=2)))
}

pub fn rule() -> impl Strategy<Value = Written> {
    let words = prop_oneof![
        6 => subsequence(WORDS[..8].to_vec(), 0..=8),
        1 => subsequence(WORDS.to_vec(), 1..=9),
        1 => Just(vec!["deny"]),
    ];
    let required = option::weighted(0.1, select(vec!["p", "q"]));
    let max_wrapping = option::weighted(0.1, select(vec![10_u64, 60]));
    (rule_path(), words, parameter(), parameter(), required, max_wrapping).prop_map(
        |(path, words, allowed, denied, required, max_wrapping)| Written {
            path,
            words,
            allowed,
            denied,
            required,
            max_wrapping,
        },
    )
}

pub fn question() -> impl Strategy<Value = Asked> {
    use Operation::{Create, Delete, List, Patch, Read, Update};
    let operation = select(vec![Create, Read, Update, Patch, Delete, List]);
    let data = vec(select(vec![("p", "1"), ("p", "2"), ("q", "1"), ("q", "3")]), 0..3);
    let data = data.prop_map(|mut data| {
        data.sort_unstable();
        data.dedup_by_key(|(name, _)| *name);
        data
    });
    let end = prop_oneof![3 => Just(""), 2 => Just("/")];
    let segments = prop_oneof![vec(segment(), 0..5), vec(segment(), 3)];
    let path = (segments, end).prop_map(|(segments, end)| segments.join("/") + end);
    let wrap = option::weighted(0.3, select(vec![5_u64, 30, 90]));
    (path, operation, prop::bool::weighted(0.2), wrap, data).prop_map(
        |(path, operation, needs_sudo, wrap, data)| Asked { path, operation, needs_sudo, wrap, data },
    )
}

/// As an administrator writes it.
pub fn hcl(rules: &[Written]) -> String {
    let mut text = String::new();
    for rule in rules {
        write!(text, "path {:?} {{ capabilities = {:?}", rule.path, rule.words).unwrap();
        for (key, parameter) in [("allowed", &rule.allowed), ("denied", &rule.denied)] {
            if let Some((name, values)) = parameter {
                write!(text, " {key}_parameters = {{ {name:?} = {values:?} }}").unwrap();
            }
        }
        if let Some(name) = rule.required {
            write!(text, "\n  required_parameters = [{name:?}]").unwrap();
        }
        if let Some(seconds) = rule.max_wrapping {
            write!(text, " max_wrapping_ttl = \"{seconds}s\"").unwrap();
        }
        writeln!(text, " }}").unwrap();
    }
    text
}

/// As a program writes it.
pub fn json(rules: &[Written]) -> String {
    let rules: Vec<Value> = rules.iter().map(|rule| json!({ rule.path.as_str(): block(rule) })).collect();
    json!({ "path": rules }).to_string()
}

fn block(rule: &Written) -> Value {
    let mut block = Map::from_iter([("capabilities".to_owned(), json!(rule.words))]);
    for (key, parameter) in [("allowed", &rule.allowed), ("denied", &rule.denied)] {
        if let Some((name, values)) = parameter {
            block.insert(format!("{key}_parameters"), json!({ *name: values }));
        }
    }
    if let Some(name) = rule.required {
        block.insert("required_parameters".to_owned(), json!([name]));
    }
    if let Some(seconds) = rule.max_wrapping {
        block.insert("max_wrapping_ttl".to_owned(), json!(seconds));
    }
    block.into()
}
