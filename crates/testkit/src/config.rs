//! What a server under test is started with.

use std::env;
use std::path::Path;

use crate::{PostgreSql, tls};

/// How the four services are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All in one process.
    One,
    /// Each in a process of its own, over mutual TLS.
    Apart,
    /// All in one process, in development mode, with nothing kept.
    Dev,
}

impl Form {
    /// The form that `MORTISE_TEST_FORM` asks for: `one`, which is the default, or `apart`.
    pub fn wanted() -> Self {
        match env::var("MORTISE_TEST_FORM").as_deref() {
            Ok("apart") => Self::Apart,
            Ok("one" | "") | Err(_) => Self::One,
            Ok(other) => panic!("MORTISE_TEST_FORM is `one` or `apart`, not `{other}`"),
        }
    }
}

/// How a server differs from the ordinary one.
#[derive(Clone, Debug)]
pub struct Options {
    /// How its services are deployed.
    pub form: Form,
    /// The storage stanza; `{data}` stands for a folder of this server's own.
    pub storage: &'static str,
    /// Whether it has a plugin directory.
    pub plugin_directory: bool,
    /// Whether its listener speaks TLS.
    pub tls: bool,
    /// The least severe messages that it logs.
    pub log_level: &'static str,
    /// More lines for the stanza of its listener.
    pub listener: String,
    /// More lines for its configuration.
    pub extra: String,
    /// More for its environment.
    pub environment: Vec<(String, String)>,
    /// Its umask, when that is not to be the tester's.
    pub umask: Option<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            form: Form::wanted(),
            storage: r#"storage "sqlite" { path = "{data}/mortise.db" }"#,
            plugin_directory: true,
            tls: false,
            log_level: "debug",
            listener: String::new(),
            extra: String::new(),
            environment: Vec::new(),
            umask: None,
        }
    }
}

impl Options {
    /// A server that keeps everything in that database. Where it is, it learns from its environment.
    pub fn on(database: &PostgreSql) -> Self {
        let url = ("VAULT_PG_CONNECTION_URL".to_owned(), database.admin_url());
        Self { storage: r#"storage "postgresql" {}"#, environment: vec![url], ..Self::default() }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The configuration of a server in `folder` that listens on `port`.
    pub(crate) fn render(&self, folder: &Path, port: u16) -> String {
        let storage = self.storage.replace("{data}", &format!("{}/data", folder.display()));
        let plugins = format!("plugin_directory = \"{}/plugins\"\n", folder.display());
        let plugins = if self.plugin_directory { plugins.as_str() } else { "" };
        let tls = if self.tls { tls::settings(folder) } else { "tls_disable = true".into() };
        let folder = folder.display();
        let (scheme, listener, extra) = (self.scheme(), &self.listener, &self.extra);
        format!(
            "{storage}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  {tls}\n  {listener}\n}}\n\
             api_addr = \"{scheme}://127.0.0.1:{port}\"\n\
             {plugins}\
             plugin_tmpdir = \"{folder}/tmp\"\n\
             disable_mlock = true\n\
             log_level = \"{level}\"\n\
             {extra}\n",
            level = self.log_level,
        )
    }
}
