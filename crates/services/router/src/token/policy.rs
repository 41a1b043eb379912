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
const DEFAULT: [(&str, Operation); 2] =
    [("auth/token/lookup-self", Operation::Read), ("auth/token/revoke-self", Operation::Update)];

/// Whether the policies of a caller allow it. The one place where this is decided.
pub(crate) fn allows(caller: &Caller, question: Question<'_>) -> bool {
    if caller.is_root() {
        return true;
    }
    // Help explains what exists anyway; any good token may ask for it.
    let help = question.operation == Operation::Help;
    let granted = caller.has_policy("default")
        && !question.needs_sudo
        && DEFAULT.contains(&(question.path, question.operation));
    help || granted
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
