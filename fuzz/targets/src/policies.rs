use std::time::Duration;

use domain::{
    Operation, RequestPath,
    document::{self, Entry, Problem},
    policy::{Acl, Identity, Policy, Question},
};

use crate::{parts, print};

const OPERATIONS: [Operation; 6] = [
    Operation::Create,
    Operation::Read,
    Operation::Update,
    Operation::Patch,
    Operation::Delete,
    Operation::List,
];

/// A policy, the path of a request and its body, divided by a zero character.
///
/// Whatever is a policy means the same in both languages, and the rules that hold for all policies hold for it.
pub fn policies(data: &[u8]) {
    let Some([text, path, body]) = parts(data, '\0') else { return };
    let Some(entries) = document(text) else { return };
    let policy = text.parse::<Policy>().ok();
    for written in [print::hcl(&entries), as_json(&entries)].into_iter().flatten() {
        assert_eq!(
            written.parse::<Policy>().ok(),
            policy,
            "it means something else when written as\n{written}"
        );
    }
    if let (Some(policy), Ok(path)) = (policy, path.parse::<RequestPath>()) {
        decide(&policy, path.as_str(), body.as_bytes());
    }
}

/// Reads a document, and makes sure that it says the same when it is written down again.
pub fn document(text: &str) -> Option<Vec<Entry>> {
    let entries = document::parse(text).ok()?;
    for written in [print::hcl(&entries), as_json(&entries)].into_iter().flatten() {
        let again = document::parse(&written).unwrap_or_else(|problem| panic!("{problem}, in\n{written}"));
        assert!(print::same(&entries, &again), "{entries:?}\nis not\n{again:?}");
    }
    Some(entries)
}

/// JSON has a level more for its scalars, so what is as deep as can be cannot be written in it.
pub fn as_json(entries: &[Entry]) -> Option<String> {
    let written = print::json(entries);
    let deep = matches!(document::parse(&written), Err(Problem::Deep { .. }));
    (!deep).then_some(written)
}

struct Bob;

impl Identity for Bob {
    fn value(&self, selector: &str) -> Option<String> {
        (!selector.is_empty()).then(|| if selector.len().is_multiple_of(5) { "*" } else { "bob" }.to_owned())
    }
}

fn decide(policy: &Policy, path: &str, body: &[u8]) {
    let acl = Acl::compile([policy], &Bob);
    let twice = Acl::compile([policy, policy], &Bob);
    let denial = denial(path);
    let denied = denial.as_ref().map(|denial| Acl::compile([denial, policy], &Bob));
    for operation in OPERATIONS {
        for wrap_ttl in [None, Some(Duration::from_secs(60))] {
            let question = Question { path, operation, needs_sudo: false, wrap_ttl, body };
            let allowed = acl.allows(&question);
            assert!(Acl::root().allows(&question), "root may do everything");
            assert!(!Acl::default().allows(&question), "what nothing allows is denied");
            assert_eq!(allowed, twice.allows(&question), "a policy said twice says the same");
            assert!(!denied.as_ref().is_some_and(|acl| acl.allows(&question)), "a denial wins");
            let with_sudo = Question { needs_sudo: true, ..question };
            assert!(allowed || !acl.allows(&with_sudo), "sudo is asked for on top");
            let shown = operation != Operation::List || acl.words(path).contains(&"list");
            assert!(!allowed || shown, "what may be done is shown");
            let folders =
                path.match_indices('/').map(|(at, _)| &path[..=at]).filter(|at| at.len() < path.len());
            assert!(
                !allowed || folders.into_iter().all(|folder| acl.reaches_into(folder)),
                "and its folders"
            );
        }
    }
}

/// A policy that denies exactly a path, where one can be written.
fn denial(path: &str) -> Option<Policy> {
    let literal = !path.is_empty() && !path.contains(['*', '+', '{', '}']);
    let text = literal.then(|| serde_json::json!({"path": {path: {"capabilities": ["deny"]}}}).to_string());
    text.map(|text| text.parse().unwrap())
}
