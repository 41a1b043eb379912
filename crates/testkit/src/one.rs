//! The one-process form.

use std::fs;
use std::path::Path;

use crate::Options;

/// The arguments of a server in `folder` that listens on `port`; its configuration is written there.
pub(crate) fn command(options: &Options, folder: &Path, port: u16) -> Vec<String> {
    let path = folder.join("server.hcl");
    fs::write(&path, options.render(folder, port)).expect("a configuration can be written");
    vec!["server".into(), format!("-config={}", path.display())]
}

/// The arguments of a server in development mode.
pub(crate) fn dev(folder: &Path, port: u16) -> Vec<String> {
    vec![
        "server".into(),
        "-dev".into(),
        "-dev-root-token-id=root".into(),
        "-dev-no-store-token".into(),
        format!("-dev-listen-address=127.0.0.1:{port}"),
        format!("-dev-plugin-dir={}/plugins", folder.display()),
    ]
}
