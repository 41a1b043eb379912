use std::{io, path::PathBuf};

use super::Step;

/// Why a plugin is not started in its sandbox.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The host does not have what is asked for.
    #[error("{0}; change the host or the sandbox, or set best_effort to make do without it")]
    Missing(Missing),
    /// The child could not do it to itself.
    #[error("{step}: {source}")]
    Failed {
        /// Which part of it.
        step: Step,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses something that every host has.
    #[error("it cannot be made ready: {0}")]
    Host(io::Error),
}

/// What a host cannot give.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The file system.
    #[error("filesystem needs Landlock {needed} in the kernel, which {}", has(*abi))]
    Landlock {
        /// The oldest that will do.
        needed: i32,
        /// The kernel's.
        abi: i32,
    },
    /// Signals to those outside.
    #[error(
        "filesystem without a user of its own needs Landlock 6 in the kernel to keep signals in, which {}",
        has(*abi)
    )]
    Signals {
        /// The kernel's.
        abi: i32,
    },
    /// A path of the sandbox.
    #[error("the sandbox names {}, which cannot be opened: {source}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The rules as a whole.
    #[error("the kernel does not take the rules for the file system: {0}")]
    Rules(String),
    /// The filter.
    #[error("system_calls needs filters of system calls, which this kernel or processor does not have")]
    SystemCalls,
    /// Another user.
    #[error(
        "user needs the right to change users (CAP_SETUID, CAP_SETGID and CAP_CHOWN), which this host was not given"
    )]
    User,
    /// A folder that the user cannot pass.
    #[error("user {user} cannot enter {}: let others pass it (chmod o+x), or set plugin_tmpdir elsewhere", path.display())]
    Unreachable {
        /// The user.
        user: u32,
        /// The folder.
        path: PathBuf,
    },
    /// Rights that come back with each program.
    #[error(
        "a sandbox takes all capabilities away, for which this host needs CAP_SETPCAP, which it was not given"
    )]
    Capabilities,
    /// No control groups.
    #[error(
        "memory_bytes, cpu_nanos and cgroup_processes need control groups of version 2, which this host does not have"
    )]
    NoCgroups,
    /// Control groups that are somebody else's.
    #[error("the control group {} does not hand on {controllers} (cgroup.subtree_control)", parent.display())]
    Controllers {
        /// The parent.
        parent: PathBuf,
        /// What is missing.
        controllers: String,
    },
    /// Control groups that cannot be changed.
    #[error("cannot set up the control group {}: {source}", path.display())]
    Cgroup {
        /// The group, or its file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn has(abi: i32) -> String {
    if abi > 0 { format!("has Landlock {abi}") } else { "has none".to_owned() }
}
