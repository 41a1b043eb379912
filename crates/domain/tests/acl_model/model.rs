//! What rules mean, told as simply as possible.

use std::collections::BTreeSet;

use domain::Operation;

use super::written::{Asked, Parameter, Written};

/// A rule and its path, with the templates replaced.
pub type Rules = Vec<(String, Written)>;

/// The rules as they are for somebody named bob. A rule with a template that has no good value is none.
pub fn for_bob(rules: impl Iterator<Item = Written>) -> Rules {
    rules
        .filter_map(|rule| {
            let path = rule.path.replace("{{name}}", "bob");
            let path = path.strip_prefix('/').unwrap_or(&path);
            (!path.contains("{{")).then(|| (path.to_owned(), rule.clone()))
        })
        .collect()
}

pub fn allows(rules: &Rules, asked: &Asked) -> bool {
    let rules = deciding(rules, &asked.path, asked.operation == Operation::List);
    let words = words(&rules);
    let limit = rules.iter().filter_map(|rule| rule.max_wrapping).min();
    let has_data = !matches!(asked.operation, Operation::Delete | Operation::List);
    words.contains(&asked.operation.word())
        && (!asked.needs_sudo || words.contains(&"sudo"))
        && limit.is_none_or(|limit| asked.wrap.is_some_and(|wrap| wrap <= limit))
        && (!has_data || data_is_fine(&rules, &asked.data))
}

pub fn words_at(rules: &Rules, path: &str) -> Vec<&'static str> {
    words(&deciding(rules, path, true))
}

fn words(rules: &[&Written]) -> Vec<&'static str> {
    let all: BTreeSet<&str> = rules.iter().flat_map(|rule| rule.words.clone()).collect();
    if all.is_empty() || all.contains("deny") { vec!["deny"] } else { all.into_iter().collect() }
}

/// All that is written for the path that decides.
fn deciding<'r>(rules: &'r Rules, path: &str, lists: bool) -> Vec<&'r Written> {
    let written = |path: &str| -> Vec<&Written> {
        rules.iter().filter(|(rule, _)| rule == path).map(|(_, written)| written).collect()
    };
    let own = winner(rules, path);
    let bare = path.strip_suffix('/').and_then(|bare| winner(rules, bare));
    let bare = bare.filter(|bare| lists || written(bare).iter().any(|rule| rule.words.contains(&"deny")));
    let chosen = match (own, bare) {
        (Some(own), Some(bare)) if beats(bare, own) => Some(bare),
        (own, bare) => own.or(bare),
    };
    chosen.map(written).unwrap_or_default()
}

fn winner<'r>(rules: &'r Rules, path: &str) -> Option<&'r str> {
    let mut best: Option<&str> = None;
    for (rule, _) in rules.iter().filter(|(rule, _)| matches(rule, path)) {
        if best.is_none_or(|best| beats(rule, best)) {
            best = Some(rule);
        }
    }
    best
}

fn is_open(rule: &str) -> bool {
    rule.ends_with('*')
}

fn without_star(rule: &str) -> &str {
    rule.strip_suffix('*').unwrap_or(rule)
}

fn plusses(rule: &str) -> usize {
    without_star(rule).split('/').filter(|segment| *segment == "+").count()
}

fn matches(rule: &str, path: &str) -> bool {
    let wanted: Vec<&str> = without_star(rule).split('/').collect();
    let asked: Vec<&str> = path.split('/').collect();
    follows(&wanted, &asked, is_open(rule))
}

fn follows(wanted: &[&str], asked: &[&str], open: bool) -> bool {
    match (wanted, asked) {
        ([], []) => true,
        ([last], [first, ..]) if open => first.starts_with(last),
        ([want, wanted @ ..], [segment, asked @ ..]) => {
            (*want == "+" || want == segment) && follows(wanted, asked, open)
        }
        _ => false,
    }
}

fn first_wildcard(rule: &str) -> usize {
    let segments: Vec<&str> = without_star(rule).split('/').collect();
    match segments.iter().position(|segment| *segment == "+") {
        Some(first) => segments[..first].iter().map(|segment| segment.len() + 1).sum(),
        None => without_star(rule).len(),
    }
}

/// Whether one rule is more specific than another, step by step.
fn beats(one: &str, other: &str) -> bool {
    let is_exact = |rule: &str| !is_open(rule) && plusses(rule) == 0;
    if is_exact(one) != is_exact(other) {
        return is_exact(one);
    }
    if first_wildcard(one) != first_wildcard(other) {
        return first_wildcard(one) > first_wildcard(other);
    }
    if is_open(one) != is_open(other) {
        return is_open(other);
    }
    if plusses(one) != plusses(other) {
        return plusses(one) < plusses(other);
    }
    if one.len() != other.len() {
        return one.len() > other.len();
    }
    one > other
}

fn data_is_fine(rules: &[&Written], data: &[(&str, &str)]) -> bool {
    let is_there = |wanted: &str| data.iter().any(|(name, _)| *name == wanted);
    let has_all = rules.iter().filter_map(|rule| rule.required).all(is_there);
    let denied = |name| values(rules, |rule| &rule.denied, name);
    let allowed = |name| values(rules, |rule| &rule.allowed, name);
    let lists_any = rules.iter().any(|rule| rule.allowed.is_some());
    has_all
        && data.iter().all(|(name, value)| {
            let covers = |values: Vec<&str>| values.is_empty() || values.contains(value);
            let is_denied = denied("*").is_some() || denied(name).is_some_and(covers);
            let is_allowed = match allowed(name) {
                Some(values) => covers(values),
                None => !lists_any || allowed("*").is_some(),
            };
            !is_denied && is_allowed
        })
}

/// The values written for a parameter; none: nothing is written. An empty list beats all others.
fn values(
    rules: &[&Written],
    parameter: impl Fn(&Written) -> &Parameter,
    name: &str,
) -> Option<Vec<&'static str>> {
    let named = rules.iter().filter_map(|rule| parameter(rule).clone()).filter(|(each, _)| *each == name);
    let lists: Vec<Vec<&str>> = named.map(|(_, values)| values).collect();
    let any = lists.iter().any(Vec::is_empty);
    (!lists.is_empty()).then(|| if any { Vec::new() } else { lists.concat() })
}
