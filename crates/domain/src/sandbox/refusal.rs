/// Why settings make no sandbox.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidSandbox {
    /// The host's all-mighty user, or the number that stands for nobody at all.
    #[error("{what} {id} cannot be that of a sandbox: give a number from 1 to 4294967294, or leave it out")]
    Id {
        /// Of which kind.
        what: &'static str,
        /// The number.
        id: u32,
    },
    /// A group of the host's own user.
    #[error("group needs user: give both, or leave both out")]
    GroupAlone,
    /// The system counts processes by user.
    #[error(
        "processes needs user, because the system counts the processes of a user: give user, or cgroup_processes instead"
    )]
    ProcessesOfHost,
    /// Less than anything runs with.
    #[error("{what} is {given}: it has to be 0, for no limit, or at least {least}")]
    TooLittle {
        /// Of which amount.
        what: &'static str,
        /// What was given.
        given: u64,
        /// What is needed.
        least: u64,
    },
    /// It would be no place of its own.
    #[error("cgroup_parent {0:?} is not a path below the root of the control groups, without . and ..")]
    CgroupParent(String),
    /// A path that could lead anywhere.
    #[error("{what} has {path:?}: each is an absolute path without . and ..")]
    Path {
        /// In which list.
        what: &'static str,
        /// The path.
        path: String,
    },
    /// Nothing would be kept from it.
    #[error("write_paths cannot have /: name what the plugin writes to")]
    WriteAll,
    /// They would have no effect.
    #[error("{0} needs filesystem, which is false: leave one of them out")]
    PathsUnused(&'static str),
    /// No name that a variable can have.
    #[error("environment has {0:?}: each is the name of a variable, without =")]
    Variable(String),
    /// Longer than anybody needs.
    #[error("{what} has {given} entries: at most {most} are taken")]
    TooMany {
        /// Which list.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many are taken.
        most: usize,
    },
}
