use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::CryptoProvider, server::WebPkiClientVerifier,
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject};

use crate::config::Internal;

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no PEM.
    #[error("{} does not hold {what} in PEM", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The parts do not fit together.
    #[error("the certificates of the internal block do not fit together")]
    Unfit(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An address that no connection can be made to.
    #[error("{0} is no address that a service can be at")]
    Address(String),
}

/// This service's certificate and whom it trusts; can be read again while connections use it.
pub struct Certificates {
    files: [PathBuf; 3],
    current: RwLock<Arc<Current>>,
}

pub(crate) struct Current {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
}

impl Certificates {
    /// Reads them.
    ///
    /// # Errors
    /// They cannot be read or used.
    pub fn read(internal: &Internal) -> Result<Arc<Self>, Error> {
        let files = [internal.ca_file.clone(), internal.cert_file.clone(), internal.key_file.clone()];
        let current = RwLock::new(Arc::new(Current::read(&files)?));
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads them again; new connections use them. After an error, the old ones stay.
    ///
    /// # Errors
    /// They cannot be read or used.
    pub fn reload(&self) -> Result<(), Error> {
        let fresh = Arc::new(Current::read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Current {
    fn read([ca, cert, key]: &[PathBuf; 3]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root).map_err(unfit)?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(cert)?;
        let key = private_key(key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self {
            server: Arc::new(server(&provider, &roots, chain.clone(), key.clone_key())?),
            client: Arc::new(client(&provider, &roots, chain, key)?),
        })
    }
}

type Chain = Vec<CertificateDer<'static>>;

fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Chain,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(unfit)?
        .with_client_cert_verifier(verifier.build().map_err(unfit)?)
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Chain,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(unfit)?
        .with_root_certificates(roots.clone())
        .with_client_auth_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn unfit(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unfit(Box::new(error))
}

fn certificates(path: &Path) -> Result<Chain, Error> {
    let what = "a certificate";
    let all = CertificateDer::pem_file_iter(path).map_err(|error| refuse(path, what, error))?;
    let all = all.collect::<Result<Chain, _>>().map_err(|error| refuse(path, what, error))?;
    if all.is_empty() { Err(Error::Pem { path: path.to_owned(), what }) } else { Ok(all) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| refuse(path, "a private key", error))
}

fn refuse(path: &Path, what: &'static str, error: pem::Error) -> Error {
    match error {
        pem::Error::Io(source) => Error::Read { path: path.to_owned(), source },
        _ => Error::Pem { path: path.to_owned(), what },
    }
}
