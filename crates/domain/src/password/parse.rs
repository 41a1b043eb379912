use super::policy::{Charset, PasswordPolicy};
use crate::document::{self, Entry, Node, Value};

/// A character is drawn by one byte.
const LARGEST_ALPHABET: usize = 256;

/// Why a text is no password policy, in the words that clients know.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPasswordPolicy {
    /// It is neither HCL nor JSON.
    #[error("unable to decode: {0}")]
    Document(#[from] document::Problem),
    /// Something in it has another form.
    #[error("failed to decode configuration: {name} has to be {expected}")]
    Type {
        /// What it is called.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// There is only one sort of rules.
    #[error("unable to parse rules: unrecognized rule type {0}")]
    Rule(String),
    /// There would be no such passwords.
    #[error("{}", listed(.0))]
    Impossible(Vec<String>),
}

/// Reads a policy. Names that mean nothing are overlooked, as in Vault.
pub(super) fn parse(text: &str) -> Result<PasswordPolicy, InvalidPasswordPolicy> {
    let entries = document::parse(text)?;
    let all: Vec<&Entry> = entries.iter().collect();
    let length = whole(&all, "length")?;
    let rules = rules(&all)?;
    let alphabet = distinct(rules.iter().flat_map(|rule| rule.characters.iter().copied()));
    let problems = problems(length, &alphabet, &rules);
    if !problems.is_empty() {
        return Err(InvalidPasswordPolicy::Impossible(problems));
    }
    Ok(PasswordPolicy { length: usize::try_from(length).unwrap_or(0), alphabet, rules })
}

fn rules(entries: &[&Entry]) -> Result<Vec<Charset>, InvalidPasswordPolicy> {
    let wrong = InvalidPasswordPolicy::Type { name: "rule", expected: "followed by its type and a block" };
    let nodes = entries.iter().filter(|entry| entry.name == "rule").map(|entry| &entry.node);
    let typed: Option<Vec<Vec<&Entry>>> = nodes.map(Node::tables).collect();
    typed.ok_or(wrong)?.into_iter().flatten().map(rule).collect()
}

fn rule(typed: &Entry) -> Result<Charset, InvalidPasswordPolicy> {
    if typed.name != "charset" {
        return Err(InvalidPasswordPolicy::Rule(typed.name.clone()));
    }
    let wrong = InvalidPasswordPolicy::Type { name: "rule", expected: "followed by its type and a block" };
    let block = typed.node.tables().ok_or(wrong)?;
    let at_least = usize::try_from(whole(&block, "min-chars")?).unwrap_or(0);
    let characters = match last(&block, "charset") {
        None => Vec::new(),
        Some(node) => {
            let wrong = InvalidPasswordPolicy::Type { name: "charset", expected: "a text" };
            distinct(node.text().ok_or(wrong)?.chars())
        }
    };
    Ok(Charset { characters, at_least })
}

fn last<'e>(entries: &[&'e Entry], name: &str) -> Option<&'e Node> {
    entries.iter().rfind(|entry| entry.name == name).map(|entry| &entry.node)
}

/// A whole number; absent: zero.
fn whole(entries: &[&Entry], name: &'static str) -> Result<i64, InvalidPasswordPolicy> {
    let number = match last(entries, name).map(|node| &node.value) {
        None => Some(0),
        Some(Value::Number(number)) => number.as_i64(),
        Some(_) => None,
    };
    number.ok_or(InvalidPasswordPolicy::Type { name, expected: "a whole number" })
}

fn distinct(characters: impl Iterator<Item = char>) -> Vec<char> {
    let mut characters: Vec<char> = characters.collect();
    characters.sort_unstable();
    characters.dedup();
    characters
}

fn problems(length: i64, alphabet: &[char], rules: &[Charset]) -> Vec<String> {
    let mut problems = Vec::new();
    let needed = rules.iter().fold(0_usize, |sum, rule| sum.saturating_add(rule.at_least));
    if length <= 0 {
        problems.push("length must be > 0".to_owned());
    } else if usize::try_from(length).is_ok_and(|length| length < needed) {
        problems
            .push(format!("specified rules require at least {needed} characters but {length} is specified"));
    }
    if alphabet.is_empty() {
        problems.push("no charset specified".to_owned());
    } else if alphabet.len() > LARGEST_ALPHABET {
        problems.push(format!("charset is too long: limited to {LARGEST_ALPHABET} characters"));
    }
    if alphabet.iter().any(|each| each.is_control()) {
        problems.push("non-printable character in charset".to_owned());
    }
    problems
}

/// As Go's multierror writes a list.
fn listed(problems: &[String]) -> String {
    let count = problems.len();
    let lines: String = problems.iter().map(|problem| format!("\t* {problem}\n")).collect();
    format!("{count} error{} occurred:\n{lines}\n", if count == 1 { "" } else { "s" })
}
