use std::{sync::Arc, time::Duration};

use domain::{Operation, SpecialPaths};

use super::{
    Outcome, Path,
    handler::{Hook, hook},
    mounted::Mounted,
    pattern::Captures,
};
use crate::{Backend, BackendKind, Error, Request, Result, Wal, WalEntry};

/// An engine: the table of its paths, and what it does at the turns of its life. One serves any number of mounts, each
/// with a state of its own.
pub struct Engine<S> {
    pub(super) kind: BackendKind,
    pub(super) version: &'static str,
    pub(super) about: &'static str,
    pub(super) paths: Vec<Path<S>>,
    pub(super) special: SpecialPaths,
    pub(super) leases: Vec<Lease<S>>,
    pub(super) renew_login: Option<Hook<S, Request, Outcome>>,
    pub(super) periodically: Option<Hook<S, (), Result<()>>>,
    pub(super) roll_back: Option<RollBack<S>>,
    pub(super) on_initialize: Option<Hook<S, (), Result<()>>>,
    pub(super) on_invalidate: Option<Hook<S, String, ()>>,
    pub(super) on_cleanup: Option<Hook<S, (), ()>>,
}

/// What becomes of leased answers of one kind.
pub(super) struct Lease<S> {
    pub(super) kind: &'static str,
    pub(super) renew: Hook<S, Request, Outcome>,
    pub(super) revoke: Hook<S, Request, Outcome>,
}

/// What becomes of entries in the log of what was about to be done.
pub(super) struct RollBack<S> {
    pub(super) wal: fn(&S) -> &Wal,
    pub(super) min_age: Duration,
    pub(super) undo: Hook<S, WalEntry, Result<Undone>>,
}

/// What has become of an entry in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// It is undone or finished, and the entry goes.
    Now,
    /// Somebody else sees to it, and to the entry.
    Later,
}

macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident($argument:ty) -> $output:ty;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name<F, Fut>(mut self, run: F) -> Self
        where
            F: Fn(Arc<S>, $argument) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = $output> + Send + 'static,
        {
            self.$name = Some(hook(run));
            self
        })*
    };
}

impl<S: Send + Sync + 'static> Engine<S> {
    /// An engine without a path.
    #[must_use]
    pub fn new(kind: BackendKind) -> Self {
        Self {
            kind,
            version: "",
            about: "",
            paths: Vec::new(),
            special: SpecialPaths::default(),
            leases: Vec::new(),
            renew_login: None,
            periodically: None,
            roll_back: None,
            on_initialize: None,
            on_invalidate: None,
            on_cleanup: None,
        }
    }

    /// Its own semantic version.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// What the help of the whole engine says.
    #[must_use]
    pub fn help(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// A row of the table. The first row that takes a path answers.
    #[must_use]
    pub fn path(mut self, path: Path<S>) -> Self {
        self.paths.push(path);
        self
    }

    /// Paths that need no token: exact, a prefix with a trailing `*`, or with `+` for one whole segment.
    #[must_use]
    pub fn open(mut self, paths: &[&str]) -> Self {
        self.special.unauthenticated.extend(paths.iter().map(ToString::to_string));
        self
    }

    /// Paths that need the `sudo` capability: exact, or a prefix with a trailing `*`.
    #[must_use]
    pub fn sudo(mut self, paths: &[&str]) -> Self {
        self.special.root.extend(paths.iter().map(ToString::to_string));
        self
    }

    /// How leases of one kind (`secret_type` in their internal data) are renewed and revoked.
    #[must_use]
    pub fn lease<R, RFut, V, VFut>(mut self, kind: &'static str, renew: R, revoke: V) -> Self
    where
        R: Fn(Arc<S>, Request) -> RFut + Send + Sync + 'static,
        RFut: Future<Output = Outcome> + Send + 'static,
        V: Fn(Arc<S>, Request) -> VFut + Send + Sync + 'static,
        VFut: Future<Output = Outcome> + Send + 'static,
    {
        self.leases.push(Lease { kind, renew: hook(renew), revoke: hook(revoke) });
        self
    }

    /// What was about to be done and is still in the log after a time (see [`Wal`]) is undone or finished by this, about
    /// once a minute. The entry goes if that succeeds; else it is tried again.
    #[must_use]
    pub fn roll_back<F, Fut>(mut self, wal: fn(&S) -> &Wal, min_age: Duration, undo: F) -> Self
    where
        F: Fn(Arc<S>, WalEntry) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Undone>> + Send + 'static,
    {
        self.roll_back = Some(RollBack { wal, min_age, undo: hook(undo) });
        self
    }

    hooks! {
        /// How a login is renewed.
        renew_login(Request) -> Outcome;
        /// What is done about once a minute.
        periodically(()) -> Result<()>;
        /// What is done once storage takes writes.
        on_initialize(()) -> Result<()>;
        /// What is done when a key of the storage has changed behind the engine's back.
        on_invalidate(String) -> ();
        /// What is done when the mount ends or moves.
        on_cleanup(()) -> ();
    }

    /// The backend of one mount.
    pub fn mounted(self: &Arc<Self>, state: S) -> Arc<dyn Backend> {
        Arc::new(Mounted { engine: Arc::clone(self), state: Arc::new(state) })
    }

    /// The first row that takes a path.
    pub(super) fn route<'e, 'p>(
        &'e self,
        operation: Operation,
        path: &'p str,
    ) -> Result<(&'e Path<S>, Captures<'p>)> {
        self.paths
            .iter()
            .find_map(|row| Some((row, row.captures(operation, path)?)))
            .ok_or(Error::UnsupportedPath)
    }
}
