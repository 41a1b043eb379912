//! The compiled access rules are compared with a model that is slow and obviously right: it goes through every rule as
//! it was written, for every question.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "acl_model/model.rs"]
mod model;
#[path = "acl_model/written.rs"]
mod written;

use std::{env, time::Duration};

use domain::policy::{Acl, Identity, Policy, Question};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use written::{Asked, Written};

/// How many questions are asked about each set of policies.
const QUESTIONS: usize = 20;

struct Bob;

impl Identity for Bob {
    fn value(&self, selector: &str) -> Option<String> {
        match selector {
            "name" => Some("bob".to_owned()),
            "star" => Some("*".to_owned()),
            _ => None,
        }
    }
}

fn body_of(asked: &Asked) -> String {
    Value::from_iter(asked.data.iter().map(|(name, value)| ((*name).to_owned(), json!(value)))).to_string()
}

#[test]
fn t2_decisions_are_those_of_a_slow_and_obvious_model() {
    let at_length = env::var("MORTISE_TEST_SOAK").is_ok_and(|soak| soak == "1");
    let pairs = if at_length { 1_000_000 } else { 50_000 };
    let config = Config { cases: pairs / QUESTIONS as u32, failure_persistence: None, ..Config::default() };
    let all = (vec(vec(written::rule(), 0..10), 1..4), vec(written::question(), QUESTIONS));
    let run = TestRunner::new(config).run(&all, |(policies, questions)| compare(policies, &questions));
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

fn compare(policies: Vec<Vec<Written>>, questions: &[Asked]) -> Result<(), TestCaseError> {
    let texts = policies.iter().enumerate();
    let texts = texts.map(|(at, rules)| if at % 2 == 0 { written::hcl(rules) } else { written::json(rules) });
    let parsed: Vec<Policy> = texts.map(|text| text.parse().unwrap()).collect();
    let acl = Acl::compile(&parsed, &Bob);
    let rules = model::for_bob(policies.into_iter().flatten());
    for asked in questions {
        let body = body_of(asked);
        let question = Question {
            path: &asked.path,
            operation: asked.operation,
            needs_sudo: asked.needs_sudo,
            wrap_ttl: asked.wrap.map(Duration::from_secs),
            body: body.as_bytes(),
        };
        prop_assert_eq!(acl.allows(&question), model::allows(&rules, asked), "{:?}", asked);
        prop_assert_eq!(acl.words(&asked.path), model::words_at(&rules, &asked.path), "{:?}", asked);
    }
    Ok(())
}
