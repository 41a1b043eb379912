use std::fmt;

use crate::{PluginName, PluginType, PluginVersion, Sha256};

/// A plugin that the configuration of the server declares.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredPlugin {
    /// What it is for.
    pub plugin_type: PluginType,
    /// What it is enabled by.
    pub name: PluginName,
    /// Which version.
    pub version: PluginVersion,
    /// What its program hashes to.
    pub sha256: Sha256,
    /// Where the program is from.
    pub source: PluginSource,
    /// What it is started with.
    pub args: Vec<String>,
    /// Its variables, as `KEY=value`.
    pub env: Vec<String>,
}

/// Where the program of a declared plugin is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginSource {
    /// Somebody puts it into the plugin directory.
    File {
        /// Its name there.
        command: String,
    },
    /// It is taken out of an OCI image.
    Image(PluginImage),
}

/// An OCI image with a plugin in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginImage {
    /// Registry and repository.
    pub repository: String,
    /// The version as it was written.
    pub tag: String,
    /// The program's path in the image; none: what the image says that it runs.
    pub binary: Option<String>,
}

impl PluginImage {
    /// How a registry is asked for it.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

impl DeclaredPlugin {
    /// The name of its file in the plugin directory. What comes from an image is called after the plugin.
    pub fn command(&self) -> String {
        match &self.source {
            PluginSource::File { command } => command.clone(),
            PluginSource::Image(image) => format!("{}-{}-{}", self.plugin_type, self.name, image.tag),
        }
    }
}

/// A path inside an image in its one form: `/bin/kv` and `./bin/kv` are `bin/kv`. None: it leads out, or nowhere.
pub fn path_in_image(path: &str) -> Option<String> {
    let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

// Variables and arguments can be secrets.
impl fmt::Debug for DeclaredPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredPlugin")
            .field("plugin_type", &self.plugin_type)
            .field("name", &self.name)
            .field("version", &self.version)
            .field("sha256", &self.sha256)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_an_image() {
        for (path, inside) in
            [("kv", "kv"), ("/kv", "kv"), ("./bin//kv", "bin/kv"), ("/bin/./kv/", "bin/kv"), ("...", "...")]
        {
            assert_eq!(path_in_image(path).as_deref(), Some(inside));
        }
        for path in ["", "/", ".", "..", "../kv", "bin/../../kv", "/bin/../kv", "kv/.."] {
            assert_eq!(path_in_image(path), None, "{path}");
        }
    }

    #[test]
    fn what_comes_from_an_image_is_called_after_the_plugin_and_shows_no_variable() {
        let image = PluginImage { repository: "r.example/kv".into(), tag: "1.0".into(), binary: None };
        assert_eq!(image.reference(), "r.example/kv:1.0");
        let plugin = DeclaredPlugin {
            plugin_type: PluginType::Secret,
            name: "kv".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            sha256: Sha256::new([7; 32]),
            source: PluginSource::Image(image),
            args: vec!["--key=canary".into()],
            env: vec!["KEY=canary".into()],
        };
        assert_eq!(plugin.command(), "secret-kv-1.0");
        assert!(!format!("{plugin:?}").contains("canary"));
    }
}
