//! OpenLDAP's server, with people in it.

use std::{fs, net::TcpStream, path::Path, process::Command};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    daemon::{Daemon, PATIENCE},
    eventually, ports,
};

/// Debian has it where only administrators look.
const PROGRAM: &str = "/usr/sbin/slapd";

/// A directory of one test's own, whose entries are below `dc=example,dc=org`.
#[derive(Debug)]
pub struct Ldap {
    _daemon: Daemon,
    _folder: TempDir,
    /// On the loopback.
    pub port: u16,
}

impl Ldap {
    /// Starts one that holds this, in LDIF.
    pub async fn start(entries: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let config = configure(folder.path());
        let file = folder.path().join("entries.ldif");
        fs::write(&file, entries).expect("a file can be written");
        let added =
            Command::new(PROGRAM).args(["-T", "add", "-f"]).arg(&config).arg("-l").arg(&file).output();
        let added = added.expect("slapd is installed");
        assert!(added.status.success(), "slapadd: {}", String::from_utf8_lossy(&added.stderr));
        let port = ports::free();
        let mut serve = Command::new(PROGRAM);
        // With a level of messages it stays in the foreground.
        serve.args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}"), "-f"]).arg(&config);
        let started = Self { _daemon: Daemon::start(&mut serve, Signal::KILL), _folder: folder, port };
        let ready = async || TcpStream::connect(("127.0.0.1", port)).is_ok();
        eventually(PATIENCE, "the directory takes connections", ready).await;
        started
    }
}

/// Writes a configuration with a database in `folder`.
fn configure(folder: &Path) -> std::path::PathBuf {
    let schema = |name: &str| format!("include /etc/ldap/schema/{name}.schema\n");
    let schemas: String = ["core", "cosine", "inetorgperson"].map(schema).concat();
    let database = folder.join("database");
    fs::create_dir(&database).expect("a folder can be made");
    let text = format!(
        "{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix \"dc=example,dc=org\"\ndirectory {}\n",
        database.display()
    );
    let config = folder.join("slapd.conf");
    fs::write(&config, text).expect("a file can be written");
    config
}
