use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use super::{
    Capabilities, Capability, Parameters, Policy, Rule, Wrapping,
    error::{InvalidPolicy, PathProblem, Problem, UnknownKey},
    template::RulePath,
};
use crate::{
    document::{self, Entry, Node},
    parse_duration,
};

/// What may stand in a policy.
const TOP: [&str; 2] = ["name", "path"];

/// What may stand in the block of a path. `mfa_methods` and `control_group` belong to parts that are not there, and have
/// no effect.
const INSIDE: [&str; 11] = [
    "comment",
    "policy",
    "capabilities",
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "min_wrapping_ttl",
    "max_wrapping_ttl",
    "mfa_methods",
    "control_group",
    "subscribe_event_types",
];

/// Reads a policy, written as HCL or JSON.
pub(super) fn parse(text: &str) -> Result<Policy, InvalidPolicy> {
    let entries = document::parse(text).map_err(Problem::from)?;
    check_keys(None, entries.iter(), &TOP)?;
    let mut rules = Vec::new();
    for entry in entries.iter().filter(|entry| entry.name == "path") {
        for named in entry.node.tables().ok_or(Problem::NoPath)? {
            rules.push(rule(named)?);
        }
    }
    Ok(Policy { rules })
}

fn rule(named: &Entry) -> Result<(RulePath, Rule), Problem> {
    let name = named.name.as_str();
    let path = RulePath::parse(name);
    if let Err(super::template::InvalidPath::Unbalanced) = path {
        return Err(Problem::Templating);
    }
    let entries = named.node.tables().ok_or_else(|| Problem::at(name, PathProblem::NoBlock))?;
    check_keys(Some(name), entries.iter().copied(), &INSIDE)?;
    let block = Block(entries);
    let shaped = block.shape().map_err(|source| Problem::at(name, source))?;
    let path = path.map_err(|problem| Problem::of_path(name, problem))?;
    let capabilities = block.capabilities().map_err(|source| Problem::at(name, source))?;
    let announcements = block.words("subscribe_event_types").map_err(|source| Problem::at(name, source))?;
    let announcements = announcements.map(str::to_owned).collect();
    let (parameters, wrapping) = shaped;
    if wrapping.max.zip(wrapping.min).is_some_and(|(max, min)| max < min) {
        return Err(Problem::Wrapping);
    }
    Ok((path, Rule { capabilities, parameters, wrapping, announcements }))
}

fn check_keys<'e>(
    path: Option<&str>,
    entries: impl Iterator<Item = &'e Entry>,
    known: &[&str],
) -> Result<(), Problem> {
    let unknown: Vec<UnknownKey> = entries
        .filter(|entry| !known.contains(&entry.name.as_str()))
        .map(|entry| UnknownKey {
            path: path.map(str::to_owned),
            key: entry.name.clone(),
            line: entry.assigned,
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Problem::Keys(unknown)) }
}

/// What stands between the braces of a path.
struct Block<'e>(Vec<&'e Entry>);

impl Block<'_> {
    fn shape(&self) -> Result<(Parameters, Wrapping), PathProblem> {
        let parameters = Parameters {
            allowed: self.map("allowed_parameters")?,
            denied: self.map("denied_parameters")?,
            required: self.words("required_parameters")?.map(str::to_lowercase).collect(),
        };
        let min = self.duration("min_wrapping_ttl")?;
        Ok((parameters, Wrapping { min, max: self.duration("max_wrapping_ttl")? }))
    }

    fn capabilities(&self) -> Result<Capabilities, PathProblem> {
        let mut all = Vec::new();
        for word in self.words("policy")? {
            all.extend_from_slice(legacy(word)?);
        }
        for word in self.words("capabilities")? {
            all.push(word.parse()?);
        }
        Ok(all.into_iter().collect())
    }

    fn get(&self, key: &str) -> impl Iterator<Item = &Node> {
        self.0.iter().filter(move |entry| entry.name == key).map(|entry| &entry.node)
    }

    fn words(&self, key: &'static str) -> Result<impl Iterator<Item = &str>, PathProblem> {
        let wrong = PathProblem::Type { key, expected: "a list of texts" };
        let words: Option<Vec<&str>> = self.get(key).flat_map(Node::items).map(Node::text).collect();
        Ok(words.ok_or(wrong)?.into_iter())
    }

    fn map(&self, key: &'static str) -> Result<BTreeMap<String, Vec<Value>>, PathProblem> {
        let mut map: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for node in self.get(key) {
            let wrong = || PathProblem::Type { key, expected: "a map of names to lists of values" };
            for entry in node.tables().ok_or_else(wrong)? {
                let values = entry.node.items().iter().map(value);
                map.entry(entry.name.to_lowercase()).or_default().extend(values);
            }
        }
        Ok(map)
    }

    fn duration(&self, key: &'static str) -> Result<Option<Duration>, PathProblem> {
        let Some(node) = self.get(key).last() else { return Ok(None) };
        let text = match &node.value {
            document::Value::Text(text) => text.clone(),
            document::Value::Number(number) => number.to_string(),
            _ => return Err(PathProblem::Type { key, expected: "a duration" }),
        };
        let duration = parse_duration(&text).map_err(|source| PathProblem::Duration { key, source })?;
        Ok((!duration.is_zero()).then_some(duration))
    }
}

/// What the words of the first policies stand for.
fn legacy(word: &str) -> Result<&'static [Capability], PathProblem> {
    use Capability::{Create, Delete, Deny, List, Read, Sudo, Update};
    match word {
        "deny" => Ok(&[Deny]),
        "read" => Ok(&[Read, List]),
        "write" => Ok(&[Create, Read, Update, Delete, List]),
        "sudo" => Ok(&[Create, Read, Update, Delete, List, Sudo]),
        other => Err(PathProblem::Legacy(other.to_owned())),
    }
}

fn value(node: &Node) -> Value {
    match &node.value {
        document::Value::Null => Value::Null,
        document::Value::Bool(flag) => (*flag).into(),
        document::Value::Number(number) => Value::Number(number.clone()),
        document::Value::Text(text) => text.as_str().into(),
        document::Value::List(items) => items.iter().map(value).collect(),
        document::Value::Table(entries) => {
            let member = |entry: &Entry| (entry.name.clone(), value(&entry.node));
            Value::Object(entries.iter().map(member).collect::<Map<_, _>>())
        }
    }
}
