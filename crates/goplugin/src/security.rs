use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, Error, ServerConfig};

use crate::{Identity, tls};

/// How a host secures the connections between itself and a plugin.
#[derive(Clone, Debug)]
pub enum Security {
    /// Each end makes a certificate of its own, and tells the other when they greet each other.
    Mutual(Identity),
    /// Both ends hold the same one, which the plugin is handed in secret: so it is with old plugins.
    Shared(Identity),
    /// Not at all: for an old plugin that is only asked who it is, and is given nothing.
    None,
}

impl From<&Identity> for Security {
    fn from(own: &Identity) -> Self {
        Self::Mutual(own.clone())
    }
}

impl From<&Self> for Security {
    fn from(security: &Self) -> Self {
        security.clone()
    }
}

/// The certificates of a connection; none: it has none.
#[derive(Clone)]
pub(crate) struct Ends(Option<(Identity, CertificateDer<'static>)>);

impl Security {
    /// Whether the plugin announces a certificate of its own.
    pub(crate) const fn is_mutual(&self) -> bool {
        matches!(self, Self::Mutual(_))
    }

    /// With what the plugin has announced.
    pub(crate) fn with(&self, announced: Option<&CertificateDer<'static>>) -> Ends {
        Ends(match self {
            Self::Mutual(own) => announced.map(|peer| (own.clone(), peer.clone())),
            Self::Shared(own) => Some((own.clone(), own.der().clone())),
            Self::None => None,
        })
    }
}

impl Ends {
    /// For dialling.
    pub(crate) fn client(&self) -> Result<Option<Arc<ClientConfig>>, Error> {
        self.0.as_ref().map(|(own, peer)| tls::client(own, peer)).transpose()
    }

    /// For accepting.
    pub(crate) fn server(&self) -> Result<Option<Arc<ServerConfig>>, Error> {
        self.0.as_ref().map(|(own, peer)| tls::server(own, peer)).transpose()
    }
}
