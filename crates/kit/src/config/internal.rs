use std::path::PathBuf;

use super::{
    address::Address,
    problem::{Place, Problems},
    stanza::Stanza,
    tree::Node,
};

/// How a service that runs in a process of its own meets its neighbours: over mutual TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internal {
    /// Where this service answers its neighbours; the gateway has none above it.
    pub address: Option<Address>,
    /// Who signed the certificates of all services.
    pub ca_file: PathBuf,
    /// This service's certificate; it carries the service's name.
    pub cert_file: PathBuf,
    /// The key of that certificate.
    pub key_file: PathBuf,
    /// Where the catalog answers.
    pub catalog: Option<Address>,
    /// Where the launcher answers.
    pub launcher: Option<Address>,
    /// Where the router answers.
    pub router: Option<Address>,
}

impl Internal {
    pub(crate) fn read(node: Node, problems: &mut Problems) -> Option<Self> {
        let place = node.place.clone();
        let mut stanza = Stanza::of("internal", node, problems)?;
        let ca_file = file(&mut stanza, "ca_file", &place);
        let cert_file = file(&mut stanza, "cert_file", &place);
        let key_file = file(&mut stanza, "key_file", &place);
        let address = stanza.last("address");
        let catalog = stanza.last("catalog");
        let launcher = stanza.last("launcher");
        let router = stanza.last("router");
        stanza.finish(&[]);
        let (ca_file, cert_file, key_file) = (ca_file?, cert_file?, key_file?);
        Some(Self { address, ca_file, cert_file, key_file, catalog, launcher, router })
    }
}

fn file(stanza: &mut Stanza<'_>, key: &str, place: &Place) -> Option<PathBuf> {
    stanza.required("internal", key, place)
}
