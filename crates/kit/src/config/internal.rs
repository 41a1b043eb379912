use std::path::PathBuf;

use super::{
    address::Address,
    key::{Block, Key},
    problem::Problems,
    stanza::Stanza,
    tree::Node,
};
use crate::Service;

const BLOCK: Block = Block::new(
    "internal",
    "`internal`",
    "How services in processes of their own meet, over mutual TLS. `mortise server` needs none.",
)
.read_by(&Service::ALL);

const ADDRESS: Key<Address> =
    Key::new("address", "where this service answers the one above it").otherwise("the gateway has none");

const CA_FILE: Key<PathBuf> = Key::new("ca_file", "who signed the certificates of all services, in PEM");

const CERT_FILE: Key<PathBuf> =
    Key::new("cert_file", "this service's certificate, in PEM; it names the service, as in `DNS:router`");

const KEY_FILE: Key<PathBuf> = Key::new("key_file", "the key of that certificate, in PEM");

const CATALOG: Key<Address> =
    Key::new("catalog", "where the catalog answers").read_by(&[Service::Launcher, Service::Router]);

const LAUNCHER: Key<Address> = Key::new("launcher", "where the launcher answers").read_by(&[Service::Router]);

const ROUTER: Key<Address> = Key::new("router", "where the router answers").read_by(&[Service::Gateway]);

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
        let mut stanza = Stanza::of(&BLOCK, node, problems)?;
        let ca_file = stanza.required(&CA_FILE, &place);
        let cert_file = stanza.required(&CERT_FILE, &place);
        let key_file = stanza.required(&KEY_FILE, &place);
        let address = stanza.last(&ADDRESS);
        let catalog = stanza.last(&CATALOG);
        let launcher = stanza.last(&LAUNCHER);
        let router = stanza.last(&ROUTER);
        stanza.finish();
        let (ca_file, cert_file, key_file) = (ca_file?, cert_file?, key_file?);
        Some(Self { address, ca_file, cert_file, key_file, catalog, launcher, router })
    }
}
