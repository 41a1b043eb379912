use domain::NamespacePath;
use uuid::Uuid;

/// What the root namespace is called where it needs a name.
const ROOT: &str = "root";

/// Which namespace something is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// A short name that is never given twice: what tokens end with that belong to it.
    pub(crate) id: String,
    /// By which its part of the storage is called.
    pub(crate) uuid: Uuid,
    pub(crate) path: NamespacePath,
}

impl Namespace {
    pub(crate) fn root() -> Self {
        Self { id: ROOT.to_owned(), uuid: Uuid::nil(), path: NamespacePath::ROOT }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.path.is_root()
    }

    /// What its uuid is where the root namespace has none.
    pub(crate) fn uuid_below_root(&self) -> String {
        if self.is_root() { String::new() } else { self.uuid.to_string() }
    }

    /// A name that says to which namespace it belongs: those of the root namespace say nothing.
    pub(crate) fn mark(&self, name: String) -> String {
        if self.is_root() { name } else { format!("{name}.{}", self.id) }
    }

    /// The name as it was before [`Self::mark`]; none: another namespace's mark is on it.
    pub(crate) fn unmark<'n>(&self, name: &'n str) -> Option<&'n str> {
        if self.is_root() { Some(name) } else { name.strip_suffix(&self.id)?.strip_suffix('.') }
    }
}
