use std::{io, path::PathBuf};

/// Why there is no such device, in the words that clients of Vault know where Vault has words for it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum Refusal {
    #[error("unknown backend type: {0:?}: invalid configuration")]
    Sort(String),
    #[error("path already in use: invalid configuration")]
    PathInUse,
    #[error("file_path already in use: invalid configuration")]
    FileInUse,
    #[error(
        "audit prefixing is not enabled in configuration, audit prefixing may not be configured for file sinks"
    )]
    Prefix,
    #[error("audit file target may not be in the plugin directory")]
    PluginDirectory,
    #[error("unable to create new audit backend: {0:?} is required: invalid configuration")]
    Required(&'static str),
    #[error("unable to create new audit backend: file mode may not be executable: {0}")]
    Executable(String),
    #[error(
        "unable to create new audit backend: file mode may not set the user, the group or the sticky bit: {0}"
    )]
    SetId(String),
    #[error(
        "unable to create new audit backend: unable to parse {name:?}: {value:?} is not {wanted}: invalid configuration"
    )]
    Value { name: &'static str, value: String, wanted: &'static str },
    #[error("unable to create new audit backend: unsupported \"format\": invalid configuration")]
    Format,
    #[error(
        "unable to create new audit backend: the format jsonx is not available on this server; use json: invalid configuration"
    )]
    Jsonx,
    #[error("unable to create new audit backend: enterprise-only options supplied: invalid configuration")]
    Enterprise,
    #[error("unable to create new audit backend: file sink creation failed for path {path:?}: {why}")]
    File { path: PathBuf, why: Unfit },
    #[error("audit backend failed test message: {0}")]
    Test(String),
}

/// Why a file cannot take records.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum Unfit {
    #[error("the path does not name a file")]
    NoName,
    #[error("it is in the plugin directory")]
    PluginDirectory,
    #[error("{} can be written by everybody, so that anybody could exchange the file; choose another folder", .0.display())]
    Open(PathBuf),
    #[error("it is a symbolic link; name the file itself")]
    Link,
    #[error("it is not a regular file; for the server's own output use stdout")]
    Irregular,
    #[error("it has other names, one of which may be anywhere; remove those or choose another file")]
    Names,
    #[error("it belongs to another user")]
    Owner,
    #[error("it is executable; take that away, or set mode")]
    Executable,
    #[error("{0}")]
    System(#[from] io::Error),
}

impl From<rustix::io::Errno> for Unfit {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::System(errno.into())
    }
}
