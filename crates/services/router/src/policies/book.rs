use std::{collections::BTreeMap, fmt, sync::Arc};

use domain::policy::{Acl, DEFAULT, Nobody, Policy, RESPONSE_WRAPPING};
use quick_cache::sync::Cache;

/// The policies that are always there.
pub(super) const ROOT: &str = "root";
pub(super) const ALWAYS: &str = "default";
pub(super) const WRAPPING: &str = "response-wrapping";

/// How many sets of policies are kept compiled.
const COMPILED: usize = 1000;

/// One policy.
#[derive(Debug)]
pub(super) struct Page {
    /// As it was written.
    pub(super) text: String,
    /// None: its record is damaged, and nobody knows what it forbids.
    pub(super) policy: Option<Policy>,
}

pub(super) type Pages = BTreeMap<String, Arc<Page>>;

/// All policies, as they are at one moment.
pub(crate) struct Book {
    pub(super) pages: Pages,
    /// By the names of the set, which are sorted.
    compiled: Cache<Vec<String>, Arc<Acl>>,
    root: Arc<Acl>,
}

impl Page {
    /// A policy that has been checked, or is to be found out as damaged.
    pub(super) fn of(text: String) -> Self {
        let policy = text.parse().ok();
        Self { text, policy }
    }
}

impl Book {
    pub(super) fn new(mut pages: Pages) -> Self {
        for (name, text) in [(ALWAYS, DEFAULT), (WRAPPING, RESPONSE_WRAPPING)] {
            pages.entry(name.to_owned()).or_insert_with(|| Arc::new(Page::of(text.to_owned())));
        }
        Self { pages, compiled: Cache::new(COMPILED), root: Arc::new(Acl::root()) }
    }

    /// Those that people see, sorted; `root` last.
    pub(crate) fn names(&self) -> Vec<&str> {
        let shown = self.pages.keys().map(String::as_str).filter(|name| *name != WRAPPING);
        shown.chain([ROOT]).collect()
    }

    /// The text of a policy. That of root is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        if name == ROOT { Some("") } else { self.pages.get(name).map(|page| page.text.as_str()) }
    }

    /// What the holder of these policies may do. Policies that do not exist allow nothing; with a damaged one nothing is
    /// allowed at all, for it may be the one that forbids.
    pub(crate) fn acl(&self, names: &[String]) -> Arc<Acl> {
        if names.iter().any(|name| name == ROOT) {
            return self.root.clone();
        }
        if let Some(compiled) = self.compiled.get(names) {
            return compiled;
        }
        let acl = Arc::new(self.compile(names));
        self.compiled.insert(names.to_vec(), acl.clone());
        acl
    }

    fn compile(&self, names: &[String]) -> Acl {
        let held = names.iter().filter_map(|name| self.pages.get(name));
        let policies: Option<Vec<&Policy>> = held.map(|page| page.policy.as_ref()).collect();
        // Entities come with the identity store; until then no template has a value.
        policies.map(|policies| Acl::compile(policies, &Nobody)).unwrap_or_default()
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("count", &self.pages.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use domain::{Operation, policy::Question};

    use super::*;

    fn may_read(book: &Book, names: &[&str], path: &str) -> bool {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let question =
            Question { path, operation: Operation::Read, needs_sudo: false, wrap_ttl: None, body: b"" };
        book.acl(&names).allows(&question)
    }

    fn book() -> Book {
        let page = |text: &str| Arc::new(Page::of(text.to_owned()));
        let read = page(r#"path "a" { capabilities = ["read"] }"#);
        Book::new(Pages::from([("read".to_owned(), read), ("damaged".to_owned(), page("path"))]))
    }

    #[test]
    fn a_set_of_policies_allows_what_they_say() {
        let book = book();
        assert!(may_read(&book, &["root"], "anything"));
        assert!(may_read(&book, &["default"], "auth/token/lookup-self"));
        assert!(!may_read(&book, &["default"], "a"));
        assert!(may_read(&book, &["default", "read"], "a"));
        assert!(may_read(&book, &["absent", "read"], "a"));
        assert!(!may_read(&book, &["absent"], "a"));
        assert!(!may_read(&book, &[], "auth/token/lookup-self"));
        assert!(!may_read(&book, &["Root"], "a"));
    }

    #[test]
    fn with_a_damaged_policy_nothing_is_allowed() {
        assert!(!may_read(&book(), &["damaged", "read"], "a"));
    }

    #[test]
    fn root_is_listed_last_and_the_policy_of_wrappings_is_not() {
        assert_eq!(book().names(), ["damaged", "default", "read", "root"]);
    }
}
