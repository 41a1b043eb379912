use std::{io, net::SocketAddr, path::PathBuf};

use domain::Kind;

/// Why a gateway cannot listen as it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate file is missing or holds none.
    #[error("cannot read a certificate from {}", path.display())]
    Certificate {
        /// Where.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The key file is missing or holds none.
    #[error("cannot read a private key from {}", path.display())]
    PrivateKey {
        /// Where.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not belong together, or are of a sort that we cannot use.
    #[error("cannot serve TLS with the certificate in {}", path.display())]
    Tls {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Error {
    /// What sort it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Bind { .. } => Kind::Unavailable,
            Self::Certificate { .. } | Self::PrivateKey { .. } | Self::Tls { .. } => Kind::Invalid,
        }
    }
}
