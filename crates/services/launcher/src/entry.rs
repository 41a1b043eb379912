use std::fmt;

use domain::{PluginType, Sandbox, Sha256};
use wire::catalog::v1::Plugin;

use crate::{Error, Result};

/// An external plugin as the catalog knows it. Two mounts whose entries are equal may share a process.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub plugin_type: PluginType,
    /// Its registered version; may be empty.
    pub version: String,
    /// What its program has to hash to.
    pub sha256: Sha256,
    /// Its program, for being told its own name.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// `KEY=value`.
    pub env: Vec<String>,
    /// What its processes are confined by.
    pub sandbox: Option<Sandbox>,
}

impl Entry {
    /// What the program is told that it is called.
    pub fn program_name(&self) -> &str {
        self.command.rsplit('/').next().unwrap_or(&self.command)
    }
}

impl TryFrom<Plugin> for Entry {
    type Error = Error;

    fn try_from(plugin: Plugin) -> Result<Self> {
        let malformed = |what: &dyn fmt::Display| {
            Error::Malformed(format!("the catalog's entry of plugin {} is damaged: {what}", plugin.name))
        };
        let plugin_type = plugin.r#type.parse().map_err(|error| malformed(&error))?;
        let sha256 = Sha256::try_from(&*plugin.sha256).map_err(|error| malformed(&error))?;
        let sandbox = plugin.sandbox.map(Sandbox::try_from).transpose().map_err(|error| malformed(&error))?;
        if sandbox.is_none() && !plugin.runtime.is_empty() {
            return Err(malformed(&format_args!("it does not say what the runtime {} is", plugin.runtime)));
        }
        Ok(Self {
            name: plugin.name,
            plugin_type,
            version: plugin.version,
            sha256,
            command: plugin.command,
            args: plugin.args,
            env: plugin.env,
            sandbox,
        })
    }
}

/// `kv`, or `kv v1.2.3`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.version.is_empty() { Ok(()) } else { write!(f, " {}", self.version) }
    }
}

/// Arguments and environment may hold secrets.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("plugin_type", &self.plugin_type)
            .field("version", &self.version)
            .field("sha256", &self.sha256)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Entry {
    /// An entry of that name, for tests.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            plugin_type: PluginType::Secret,
            version: String::new(),
            sha256: Sha256::new([0; 32]),
            command: name.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            sandbox: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_whose_sandbox_is_not_told_is_no_entry() {
        let plugin = Plugin { r#type: "secret".to_owned(), sha256: vec![0; 32].into(), ..Plugin::default() };
        let confined = Plugin { runtime: "strict".to_owned(), ..plugin.clone() };
        assert!(Entry::try_from(plugin).is_ok());
        let refused = Entry::try_from(confined.clone()).unwrap_err().to_string();
        assert!(refused.contains("the runtime strict"), "{refused}");
        let told = Plugin { sandbox: Some(Sandbox::default().into()), ..confined };
        assert_eq!(Entry::try_from(told).unwrap().sandbox, Some(Sandbox::default()));
    }

    #[test]
    fn arguments_and_environment_are_never_shown() {
        let mut entry = Entry::named("kv");
        entry.args = vec!["-password=hunter2".to_owned()];
        entry.env = vec!["TOKEN=hunter2".to_owned()];
        assert!(!format!("{entry:?} {entry}").contains("hunter2"));
    }
}
