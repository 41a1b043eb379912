//! What a plugin finds in its environment.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use domain::Sandbox;
use goplugin::host;

use crate::{
    config::Config,
    entry::Entry,
    greeting::{Greeting, cookie},
    runtime_dir::ProcessDir,
};

/// What is handed down of the host's own environment: what any program needs to find its way, and no credentials.
/// Everything else that a plugin needs is registered with it.
const INHERITED: [&str; 19] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    // How a plugin finds the host's API.
    "VAULT_API_ADDR",
    "VAULT_ADDR",
    "VAULT_CACERT",
    "VAULT_CAPATH",
];

/// Where a plugin makes its sockets.
pub const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";

/// The setting by which every descendant of the process is known.
pub fn mark(dir: &ProcessDir) -> String {
    format!("{SOCKET_DIR}={}", dir.path().display())
}

/// The whole environment of a process. Later wins: what is inherited, what is registered with the plugin, Vault's
/// variables, go-plugin's.
pub fn of(
    entry: &Entry,
    config: &Config,
    greeting: &Greeting,
    dir: &ProcessDir,
) -> Vec<(OsString, OsString)> {
    let mut all = BTreeMap::<OsString, OsString>::new();
    let inherited = inherited(entry).filter_map(|name| Some((OsString::from(name), env::var_os(name)?)));
    all.extend(inherited);
    if entry.sandbox.as_ref().and_then(Sandbox::ids).is_some() {
        // Those of the host's user are not its own.
        all.insert("HOME".into(), dir.path().into());
        all.retain(|name, _| name != "USER" && name != "LOGNAME");
    }
    // Temporary files go with the process; and old SDKs make their sockets there.
    all.insert("TMPDIR".into(), dir.path().into());
    let registered = entry.env.iter().filter_map(|setting| setting.split_once('='));
    // `PLUGIN_…` is go-plugin's: a leftover would change how the plugin greets us.
    let registered = registered.filter(|(name, _)| !name.starts_with("PLUGIN_"));
    all.extend(registered.map(|(name, value)| (name.into(), value.into())));
    all.extend(vaults(config).map(|(name, value)| (OsStr::new(name).into(), value.into())));
    all.extend(greeting.variables().map(|(name, value)| (name.into(), value.into())));
    let cookie = cookie(entry.plugin_type);
    let goplugins = host::environment(cookie, greeting.versions, &greeting.security, dir.path());
    all.extend(goplugins.into_iter().map(|(name, value)| (name.into(), value.into())));
    all.into_iter().collect()
}

/// The variables of the host's own environment that are handed down.
fn inherited(entry: &Entry) -> impl Iterator<Item = &str> {
    let chosen = entry.sandbox.as_ref().and_then(|sandbox| sandbox.settings().environment.as_ref());
    let usual = if chosen.is_none() { &INHERITED[..] } else { &[] };
    chosen.into_iter().flatten().map(String::as_str).chain(usual.iter().copied())
}

/// What a plugin has to read to make use of its environment: the certificates that it is told to trust.
pub fn trusted(env: &[(OsString, OsString)]) -> Vec<PathBuf> {
    const NAMES: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "VAULT_CACERT", "VAULT_CAPATH"];
    let named = env.iter().filter(|(name, _)| NAMES.iter().any(|each| name == each));
    named.map(|(_, path)| PathBuf::from(path)).filter(|path| path.is_absolute()).collect()
}

/// Whether the plugin is asked to lock its memory.
pub fn locks_memory(entry: &Entry, config: &Config) -> bool {
    config.mlock || entry.env.iter().any(|setting| setting == "VAULT_PLUGIN_MLOCK_ENABLED=true")
}

fn vaults(config: &Config) -> impl Iterator<Item = (&'static str, &str)> {
    let mlock = config.mlock.then_some(("VAULT_PLUGIN_MLOCK_ENABLED", "true"));
    std::iter::once(("VAULT_VERSION", config.host_version.as_str())).chain(mlock)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::SandboxSettings;

    use super::*;
    use crate::runtime_dir::RuntimeDir;

    #[test]
    fn the_entry_adds_its_own_but_cannot_change_how_the_plugin_greets() {
        let parent = tempfile::tempdir().unwrap();
        let dir = Arc::new(RuntimeDir::create(Some(parent.path())).unwrap()).process_dir().unwrap();
        let mut entry = Entry::named("kv");
        entry.env =
            ["REGION=eu", "PLUGIN_MULTIPLEX_GRPC=true", "VAULT_VERSION=0", "A=b=c"].map(String::from).into();
        let greeting = Greeting::current().unwrap();
        let all: BTreeMap<_, _> = of(&entry, &Config::default(), &greeting, &dir).into_iter().collect();
        let get = |name: &str| all.get(OsStr::new(name)).and_then(|value| value.to_str());
        assert_eq!(get("REGION"), Some("eu"));
        assert_eq!(get("A"), Some("b=c"));
        assert_eq!(get("PLUGIN_MULTIPLEX_GRPC"), None);
        assert_eq!(get("VAULT_VERSION"), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(get("PLUGIN_PROTOCOL_VERSIONS"), Some("5"));
        assert_eq!(get("CARGO_PKG_VERSION"), None);
        let settings = SandboxSettings { environment: Some(Vec::new()), user: Some(7), ..Default::default() };
        entry.sandbox = Some(settings.try_into().unwrap());
        let confined: BTreeMap<_, _> = of(&entry, &Config::default(), &greeting, &dir).into_iter().collect();
        assert!(all.contains_key(OsStr::new("PATH")) && !confined.contains_key(OsStr::new("PATH")));
        assert_eq!(confined[OsStr::new("HOME")], dir.path());
        let (name, value) = mark(&dir).split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap();
        assert_eq!(get(&name), Some(value.as_str()));
    }
}
