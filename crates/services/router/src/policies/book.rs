use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use domain::policy::{Acl, DEFAULT, Identity, Nobody, Policy, RESPONSE_WRAPPING};
use quick_cache::{Equivalent, sync::Cache};

use crate::identity::Standing;

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

/// Who holds policies: the names of a token's own, which are sorted, and the standing of whoever holds the token.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Holder {
    names: Vec<String>,
    standing: Option<u64>,
}

/// The same, to look for.
#[derive(Hash)]
struct HolderRef<'a> {
    names: &'a [String],
    standing: Option<u64>,
}

impl Equivalent<Holder> for HolderRef<'_> {
    fn equivalent(&self, holder: &Holder) -> bool {
        self.standing == holder.standing && self.names == holder.names
    }
}

/// All policies, as they are at one moment.
pub(crate) struct Book {
    pub(super) pages: Pages,
    compiled: Cache<Holder, Arc<Acl>>,
    /// What the holders of [`ROOT`] may do. None: nobody may do everything here, and it is a name like any other.
    root: Option<Arc<Acl>>,
}

impl Page {
    /// A policy that has been checked, or is to be found out as damaged.
    pub(super) fn of(text: String) -> Self {
        let policy = text.parse().ok();
        Self { text, policy }
    }
}

impl Book {
    pub(super) fn new(mut pages: Pages, has_root: bool) -> Self {
        for (name, text) in [(ALWAYS, DEFAULT), (WRAPPING, RESPONSE_WRAPPING)] {
            pages.entry(name.to_owned()).or_insert_with(|| Arc::new(Page::of(text.to_owned())));
        }
        Self { pages, compiled: Cache::new(COMPILED), root: has_root.then(|| Arc::new(Acl::root())) }
    }

    /// Those that people see, sorted; `root` last.
    pub(crate) fn names(&self) -> Vec<&str> {
        let shown = self.pages.keys().map(String::as_str).filter(|name| *name != WRAPPING);
        shown.chain(self.root.is_some().then_some(ROOT)).collect()
    }

    /// The text of a policy. That of root is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        if name == ROOT {
            self.root.as_ref().map(|_| "")
        } else {
            self.pages.get(name).map(|page| page.text.as_str())
        }
    }

    /// What the holder of these policies may do, and of those that follow from who they are. Policies that do not exist
    /// allow nothing; with a damaged one nothing is allowed at all, for it may be the one that forbids.
    pub(crate) fn acl(&self, names: &[String], standing: Option<&Standing>) -> Arc<Acl> {
        if let Some(root) = self.root.as_ref().filter(|_| names.iter().any(|name| name == ROOT)) {
            return root.clone();
        }
        let serial = standing.map(|standing| standing.serial);
        if let Some(compiled) = self.compiled.get(&HolderRef { names, standing: serial }) {
            return compiled;
        }
        let acl = Arc::new(self.compile(names, standing));
        self.compiled.insert(Holder { names: names.to_vec(), standing: serial }, acl.clone());
        acl
    }

    /// What one policy by itself allows to somebody.
    pub(crate) fn single(&self, name: &String, standing: Option<&Standing>) -> Arc<Acl> {
        match standing {
            Some(standing) if self.text(name).is_some_and(|text| text.contains("{{")) => {
                Arc::new(self.merged([name], &standing.person))
            }
            // Without a template it allows everybody the same.
            _ => self.acl(std::slice::from_ref(name), None),
        }
    }

    fn compile(&self, names: &[String], standing: Option<&Standing>) -> Acl {
        let who: &dyn Identity = standing.map_or(&Nobody, |standing| &standing.person);
        let names: BTreeSet<&String> =
            names.iter().chain(standing.into_iter().flat_map(Standing::policies)).collect();
        self.merged(names, who)
    }

    fn merged<'n>(&self, names: impl IntoIterator<Item = &'n String>, who: &dyn Identity) -> Acl {
        let held = names.into_iter().filter_map(|name| self.pages.get(name));
        let policies: Option<Vec<&Policy>> = held.map(|page| page.policy.as_ref()).collect();
        policies.map(|policies| Acl::compile(policies, who)).unwrap_or_default()
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
        book.acl(&names, None).allows(&question)
    }

    fn book() -> Book {
        let page = |text: &str| Arc::new(Page::of(text.to_owned()));
        let read = page(r#"path "a" { capabilities = ["read"] }"#);
        Book::new(Pages::from([("read".to_owned(), read), ("damaged".to_owned(), page("path"))]), true)
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
    fn where_nobody_may_do_everything_root_is_a_name_like_any_other() {
        let book = Book::new(Pages::new(), false);
        assert!(!may_read(&book, &["root"], "anything"));
        assert!(may_read(&book, &["default", "root"], "auth/token/lookup-self"));
        assert_eq!((book.names(), book.text("root")), (vec!["default"], None));
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
