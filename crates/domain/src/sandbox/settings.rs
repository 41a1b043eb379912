use serde::{Deserialize, Serialize};

/// What can be asked of a sandbox, by the names that the API has for it. An amount of 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// The user that the process changes to, by its number.
    pub user: Option<u32>,
    /// The group that the process changes to; it has no others.
    pub group: Option<u32>,
    /// Address space that a process may reserve.
    pub address_space_bytes: u64,
    /// Memory that a process may write to and that no file is behind.
    pub data_bytes: u64,
    /// Descriptors that a process may have open.
    pub open_files: u64,
    /// Processes and threads that the user may have.
    pub processes: u64,
    /// Where the process's control group is made; empty: below the launcher's own.
    pub cgroup_parent: String,
    /// Memory that the control group may hold.
    pub memory_bytes: u64,
    /// Processor time that the control group may have in each second, in nanoseconds.
    pub cpu_nanos: u64,
    /// Processes and threads that the control group may hold.
    pub cgroup_processes: u64,
    /// Whether the process sees only some of the file system, and signals nobody outside.
    pub filesystem: bool,
    /// What it may read beside what every program needs.
    pub read_paths: Vec<String>,
    /// What it may read and execute.
    pub execute_paths: Vec<String>,
    /// What it may read and change beside its own folder.
    pub write_paths: Vec<String>,
    /// Whether calls of the system that no plugin needs are refused.
    pub system_calls: bool,
    /// Which variables of the host's environment are handed down; none: those that every plugin is handed.
    pub environment: Option<Vec<String>>,
    /// What this host cannot give is left out; without it, the plugin then does not start.
    pub best_effort: bool,
}

/// What suits a plugin that only talks to its host and to the network.
impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            user: None,
            group: None,
            address_space_bytes: 0,
            data_bytes: 1 << 30,
            open_files: 1024,
            processes: 0,
            cgroup_parent: String::new(),
            memory_bytes: 0,
            cpu_nanos: 0,
            cgroup_processes: 0,
            filesystem: true,
            read_paths: Vec::new(),
            execute_paths: Vec::new(),
            write_paths: Vec::new(),
            system_calls: true,
            environment: None,
            best_effort: false,
        }
    }
}
