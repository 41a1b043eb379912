use std::path::{Path, PathBuf};

use procfs::process::{ProcState, Process};
use rustix::thread::{CapabilitySet, capabilities, capability_is_in_bounding_set};

use crate::kernel;

/// What this host can confine a process by. Found out once, before anything is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// The version of Landlock; 0: none.
    pub landlock: i32,
    /// Whether system calls can be filtered.
    pub filters: bool,
    /// Whether a child can become another user.
    pub changes_users: bool,
    /// Whether a child can lose all capabilities for good.
    pub drops_capabilities: bool,
    /// The capabilities that a program could gain.
    pub bounding: CapabilitySet,
    /// The control groups; none: not of version 2.
    pub cgroups: Option<Cgroups>,
}

/// Where control groups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroups {
    /// Where they are mounted.
    pub root: PathBuf,
    /// The launcher's own.
    pub own: PathBuf,
}

impl Offers {
    /// Asks the kernel.
    pub fn detect() -> Self {
        let held = capabilities(None).map(|sets| sets.effective).unwrap_or(CapabilitySet::empty());
        let bounding: CapabilitySet = CapabilitySet::all()
            .iter()
            .filter(|each| capability_is_in_bounding_set(*each).unwrap_or_default())
            .collect();
        let users = CapabilitySet::SETUID | CapabilitySet::SETGID | CapabilitySet::CHOWN;
        Self {
            landlock: kernel::landlock_abi(),
            filters: kernel::filters_system_calls(),
            changes_users: held.contains(users),
            // A program of an ordinary user gains none.
            drops_capabilities: held.contains(CapabilitySet::SETPCAP)
                || !rustix::process::geteuid().is_root(),
            bounding: if held.contains(CapabilitySet::SETPCAP) { bounding } else { CapabilitySet::empty() },
            cgroups: Cgroups::find(),
        }
    }
}

impl Cgroups {
    fn find() -> Option<Self> {
        let host = Process::myself().ok()?;
        let mounts = host.mountinfo().ok()?;
        let root = mounts.into_iter().find(|mount| mount.fs_type == "cgroup2")?.mount_point;
        let own = host.cgroups().ok()?.into_iter().find(|group| group.hierarchy == 0)?.pathname;
        Some(Self { own: below(&root, &own), root })
    }

    /// Where a sandbox's groups are made.
    pub(super) fn parent(&self, named: &str) -> PathBuf {
        if named.is_empty() { self.own.clone() } else { below(&self.root, named) }
    }
}

/// Whether a process of that number is alive.
pub(super) fn is_alive(pid: i32) -> bool {
    let state = Process::new(pid).and_then(|process| process.stat()).and_then(|stat| stat.state());
    state.is_ok_and(|state| !matches!(state, ProcState::Zombie | ProcState::Dead))
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
