use std::{io, path::PathBuf};

use domain::{
    InvalidDigest, InvalidName, InvalidSandbox, InvalidVersion, Kind, PluginName, PluginType, PluginVersion,
    Sha256,
};

/// Why the plugin catalog did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The name or the type.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Not a semantic version.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// The mark of built-in plugins, on one that is not.
    #[error("version \"{0}\" is not allowed because 'builtin' is a reserved metadata identifier")]
    ReservedVersion(PluginVersion),
    /// Built-in plugins are part of the host.
    #[error("version \"{0}\" cannot be deleted")]
    DeleteBuiltin(PluginVersion),
    /// Mounts are bound to it.
    #[error("cannot delete a pinned version")]
    DeletePinned,
    /// A pin is a version.
    #[error("missing plugin version")]
    NoPinVersion,
    /// Built-in plugins come with the host, in its version.
    #[error("cannot pin a builtin plugin: \"{0}\"")]
    PinBuiltin(PluginVersion),
    /// A pin of what is not registered.
    #[error(
        "plugin not found in the catalog; {plugin_type} plugin \"{name}\" version {version} does not exist"
    )]
    PinMissing {
        /// The plugin.
        name: PluginName,
        /// What it is for.
        plugin_type: PluginType,
        /// The version to be pinned.
        version: PluginVersion,
    },
    /// The pin's record does not open, or says nothing of use.
    #[error(
        "the pinned version of {plugin_type} plugin {name} cannot be read: pin the plugin again, or delete its pin"
    )]
    DamagedPin {
        /// The plugin.
        name: PluginName,
        /// What it is for.
        plugin_type: PluginType,
    },
    /// Neither of the two that say what to register.
    #[error(
        "must provide at least one of sha256 or version: use sha256 for binary registration (version optional) or \
         version only for artifact registration"
    )]
    NoDigest,
    /// Not 32 bytes.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// Nothing to run.
    #[error("must provide at least one of command or oci_image")]
    NoCommand,
    /// Arguments in two places.
    #[error("must not specify args in command and args field")]
    ArgsTwice,
    /// What a process cannot be given.
    #[error("command, arguments and environment variables of a plugin cannot contain NUL")]
    Nul,
    /// A variable without a name.
    #[error("each environment variable of a plugin is written KEY=value")]
    Env,
    /// Plugins run as processes here.
    #[error(
        "plugins in containers cannot be run: register the plugin's file with command instead of oci_image"
    )]
    Container,
    /// No sandbox of that name.
    #[error("specified plugin runtime {0:?}, but failed to retrieve config: plugin runtime not found")]
    Runtime(String),
    /// Settings that do not go together.
    #[error(transparent)]
    Sandbox(#[from] InvalidSandbox),
    /// Plugins would lose what confines them.
    #[error(
        "unable to delete \"{name}\" runtime. Registered plugins=[{}] are referencing it.",
        spaced(plugins)
    )]
    RuntimeInUse {
        /// The sandbox.
        name: PluginName,
        /// Who is registered with it.
        plugins: Vec<PluginName>,
    },
    /// Its record does not open, or says nothing of use.
    #[error("the sandbox {0} cannot be read: register it again, and the plugins that use it start again")]
    DamagedRuntime(PluginName),
    /// An unpacked release was expected.
    #[error(
        "failed to verify plugin plugin {name:?} version \"{version}\": extracted artifact directory not found: {}",
        directory.display()
    )]
    NoRelease {
        /// The plugin.
        name: PluginName,
        /// Its version.
        version: PluginVersion,
        /// Where the release was looked for.
        directory: PathBuf,
    },
    /// The file is not as it has to be; when registering.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The file is not as it has to be; when it was to run.
    #[error("plugin {name} cannot run: {source}")]
    Broken {
        /// The plugin.
        name: PluginName,
        /// What is wrong with the file.
        source: ArtifactError,
    },
    /// Built-in plugins have no file.
    #[error("plugin {0} is built in and has no file")]
    BuiltIn(PluginName),
    /// Another program was registered under the name since.
    #[error("plugin {0} was registered anew, with another program: reload the plugin to run that one")]
    Superseded(PluginName),
    /// Somebody registered what the configuration declares.
    #[error(
        "{plugin_type} plugin {name} was registered already, but not by this configuration: deregister it, or do not \
         declare it"
    )]
    NotDeclared {
        /// The plugin.
        name: PluginName,
        /// What it is for.
        plugin_type: PluginType,
    },
    /// Nothing of that name, type and version.
    #[error("plugin not found in the catalog: {name}{}", if version.is_none() { String::new() } else { format!(", version={version}") })]
    NotFound {
        /// The plugin.
        name: PluginName,
        /// The version asked for.
        version: PluginVersion,
    },
    /// Nothing to read.
    #[error("there is no such entry")]
    NoEntry,
    /// The record does not open, or says nothing of use.
    #[error(
        "the catalog's record of {plugin_type} plugin {name}{} is damaged: register the plugin again, or deregister it",
        if version.is_none() { String::new() } else { format!(", version {version},") }
    )]
    Damaged {
        /// The plugin.
        name: PluginName,
        /// What it is for.
        plugin_type: PluginType,
        /// Its version.
        version: PluginVersion,
    },
}

/// What is wrong with a plugin's file, or with the plugin directory.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Not configured.
    #[error("could not set plugin, plugin directory is not configured")]
    NoDirectory,
    /// Configured, and not there.
    #[error("the plugin directory {} does not exist", .0.display())]
    DirectoryMissing(PathBuf),
    /// Something else is there.
    #[error("the plugin directory {} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// A link, which can lead elsewhere tomorrow.
    #[error(
        "cannot execute files outside of configured plugin directory {0}: expected {0}, got {1}",
        directory.display(), target.display()
    )]
    Outside {
        /// The plugin directory.
        directory: PathBuf,
        /// Where the file, or the directory itself, is.
        target: PathBuf,
    },
    /// Others could replace what is in it.
    #[error(
        "the plugin directory {} can be written by its group or by others (mode {mode:04o}): let its owner alone write",
        directory.display()
    )]
    DirectoryWritable {
        /// The plugin directory.
        directory: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A release that was not unpacked.
    #[error("extracted artifact directory not found: {}", .0.display())]
    NoRelease(PathBuf),
    /// Deeper than a release goes.
    #[error("the command {0:?} of an extracted artifact is the name of a file in its directory, not a path")]
    InRelease(String),
    /// A way up.
    #[error("path cannot contain parent references")]
    Parent,
    /// A place of its own.
    #[error("the command is the name of a file in the plugin directory, not an absolute path")]
    Absolute,
    /// No such file.
    #[error("error while validating the command path: lstat {}: no such file or directory", .0.display())]
    Missing(PathBuf),
    /// A directory, a device, a pipe, a socket.
    #[error("{command:?} in the plugin directory is {what}, not a file")]
    NotAFile {
        /// The file's name.
        command: String,
        /// What it is.
        what: &'static str,
    },
    /// No execute bit.
    #[error("{0:?} in the plugin directory is not executable: set its execute bit (chmod 0755)")]
    NotExecutable(String),
    /// Others could change it.
    #[error(
        "{command:?} in the plugin directory can be written by its group or by others (mode {mode:04o}): let its \
         owner alone write"
    )]
    FileWritable {
        /// The file's name.
        command: String,
        /// Its permissions.
        mode: u32,
    },
    /// Other bytes than were said.
    #[error("{command:?} in the plugin directory has SHA256 {actual}, the given one is {expected}")]
    Mismatch {
        /// The file's name.
        command: String,
        /// As given.
        expected: Sha256,
        /// As found.
        actual: Sha256,
    },
    /// The system says no.
    #[error("cannot read {command:?} in the plugin directory: {source}")]
    Read {
        /// The file's name, or the directory's.
        command: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Names as Go lists them.
fn spaced(names: &[PluginName]) -> String {
    names.iter().map(PluginName::as_str).collect::<Vec<_>>().join(" ")
}

impl PluginError {
    /// The word for it at the border.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Name(_)
            | Self::Version(_)
            | Self::ReservedVersion(_)
            | Self::DeleteBuiltin(_)
            | Self::DeletePinned
            | Self::NoPinVersion
            | Self::PinBuiltin(_)
            | Self::PinMissing { .. }
            | Self::NoDigest
            | Self::Digest(_)
            | Self::NoCommand
            | Self::ArgsTwice
            | Self::Nul
            | Self::Env
            | Self::Container
            | Self::Runtime(_)
            | Self::Sandbox(_)
            | Self::RuntimeInUse { .. }
            | Self::NoRelease { .. }
            | Self::BuiltIn(_)
            | Self::Superseded(_)
            | Self::NotDeclared { .. }
            | Self::NotFound { .. } => Kind::Invalid,
            Self::Artifact(error) | Self::Broken { source: error, .. } => error.kind(),
            Self::NoEntry => Kind::NotFound,
            Self::Damaged { .. } | Self::DamagedPin { .. } | Self::DamagedRuntime(_) => Kind::Internal,
        }
    }
}

impl ArtifactError {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::NoDirectory
            | Self::DirectoryMissing(_)
            | Self::NotADirectory(_)
            | Self::Outside { .. }
            | Self::DirectoryWritable { .. }
            | Self::NoRelease(_)
            | Self::InRelease(_)
            | Self::Parent
            | Self::Absolute
            | Self::Missing(_)
            | Self::NotAFile { .. }
            | Self::NotExecutable(_)
            | Self::FileWritable { .. }
            | Self::Mismatch { .. } => Kind::Invalid,
            Self::Read { .. } => Kind::Internal,
        }
    }
}
