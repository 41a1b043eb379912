//! The four-process form: one configuration a service, and certificates for all of them.

use std::fs;
use std::path::Path;

use crate::{Options, mortise, ports};

/// The services, each before those that call it.
const SERVICES: [&str; 4] = ["catalog", "launcher", "router", "gateway"];

/// Where the catalog is among them.
pub(crate) const CATALOG: usize = 0;

/// Where the launcher is among them.
pub(crate) const LAUNCHER: usize = 1;

/// The arguments of each service of a server in `folder`; their configurations are written there.
pub(crate) fn commands(options: &Options, folder: &Path, port: u16) -> Vec<Vec<String>> {
    let certificates = folder.join("certificates");
    if !certificates.exists() {
        let made = mortise().arg("dev-certs").arg(&certificates).status();
        assert!(made.is_ok_and(|status| status.success()), "mortise dev-certs failed");
    }
    let addresses = SERVICES.map(|_| format!("127.0.0.1:{}", ports::free()));
    let services = SERVICES.iter().enumerate().map(|(place, service)| {
        let path = folder.join(format!("{service}.hcl"));
        let config = options.render(folder, port) + &neighbours(&certificates, &addresses, place);
        fs::write(&path, config).expect("a configuration can be written");
        vec![String::from(*service), format!("-config={}", path.display())]
    });
    services.collect()
}

/// The arguments of the catalog, whose configuration is there.
pub(crate) fn catalog(folder: &Path) -> Vec<String> {
    vec![SERVICES[CATALOG].to_owned(), format!("-config={}", folder.join("catalog.hcl").display())]
}

/// What a service has to know of itself and of those below it, which are those before it.
fn neighbours(certificates: &Path, addresses: &[String; 4], place: usize) -> String {
    let (service, folder) = (SERVICES[place], certificates.display());
    let mut known = vec![
        ("ca_file", format!("{folder}/ca.pem")),
        ("cert_file", format!("{folder}/{service}.pem")),
        ("key_file", format!("{folder}/{service}-key.pem")),
    ];
    known.extend(SERVICES.into_iter().zip(addresses.iter().cloned()).take(place));
    if service != "gateway" {
        known.push(("address", addresses[place].clone()));
    }
    let lines: String = known.iter().map(|(key, value)| format!("  {key} = \"{value}\"\n")).collect();
    format!("internal {{\n{lines}}}\n")
}
