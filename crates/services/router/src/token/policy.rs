use domain::Operation;

use super::Caller;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'r> {
    pub(crate) path: &'r str,
    pub(crate) operation: Operation,
    pub(crate) needs_sudo: bool,
}

/// What the built-in policy `default` grants of what there is.
const DEFAULT: [(&str, Operation); 3] = [
    ("auth/token/lookup-self", Operation::Read),
    ("auth/token/revoke-self", Operation::Update),
    ("sys/internal/ui/resultant-acl", Operation::Read),
];

/// What a caller who is not root may do.
pub(crate) fn grants(caller: &Caller) -> impl Iterator<Item = (&'static str, Operation)> {
    let granted = if caller.has_policy("default") { &DEFAULT[..] } else { &[] };
    granted.iter().copied()
}

/// Whether the policies of a caller allow it. The one place where this is decided.
pub(crate) fn allows(caller: &Caller, question: Question<'_>) -> bool {
    if caller.is_root() {
        return true;
    }
    // Help explains what exists anyway; any good token may ask for it.
    let help = question.operation == Operation::Help;
    let asked = (question.path, question.operation);
    help || (!question.needs_sudo && grants(caller).any(|granted| granted == asked))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::entry::TokenEntry, *};

    fn may(policy: &str, path: &str, operation: Operation) -> bool {
        let entry =
            TokenEntry { policies: vec![policy.to_owned()], ..TokenEntry::root("accessor".to_owned()) };
        let caller = Caller { id: [0; 32], entry: Arc::new(entry) };
        allows(&caller, Question { path, operation, needs_sudo: false })
    }

    #[test]
    fn root_may_do_everything_and_default_only_what_it_grants() {
        assert!(may("root", "sys/mounts", Operation::Read));
        assert!(may("default", "auth/token/lookup-self", Operation::Read));
        assert!(may("default", "auth/token/revoke-self", Operation::Update));
        assert!(!may("default", "auth/token/lookup-self", Operation::Update));
        assert!(!may("default", "auth/token/lookup-self/", Operation::Read));
        assert!(!may("default", "sys/mounts", Operation::Read));
        assert!(!may("other", "auth/token/lookup-self", Operation::Read));
        assert!(!may("Root", "sys/mounts", Operation::Read));
        assert!(may("other", "sys/mounts", Operation::Help));
    }
}
