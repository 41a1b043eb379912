use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Weak},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject};
use tokio_rustls::TlsAcceptor;

use crate::{Clients, Error};

/// The oldest version of TLS that a listener speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2 and 1.3.
    #[default]
    Tls12,
    /// 1.3 only.
    Tls13,
}

/// A word that names no version we speak.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no TLS version that can be served; use tls12 or tls13")]
pub struct InvalidTlsVersion(String);

impl FromStr for TlsVersion {
    type Err = InvalidTlsVersion;

    fn from_str(word: &str) -> Result<Self, InvalidTlsVersion> {
        match word {
            "tls12" => Ok(Self::Tls12),
            "tls13" => Ok(Self::Tls13),
            _ => Err(InvalidTlsVersion(word.to_owned())),
        }
    }
}

impl TlsVersion {
    const fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        const ALL: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        match self {
            Self::Tls12 => &ALL,
            Self::Tls13 => ALL.split_at(1).0,
        }
    }
}

/// Where a listener's certificate is, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, and those between it and its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The oldest version to speak.
    pub min_version: TlsVersion,
    /// Whether clients are asked for a certificate.
    pub clients: Clients,
}

pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |source| Error::Certificate { path: path.to_owned(), source };
    let all = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let all = all.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if all.is_empty() { Err(unreadable(pem::Error::NoItemsFound)) } else { Ok(all) }
}

impl TlsFiles {
    fn read(&self) -> Result<CertifiedKey, Error> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|source| Error::PrivateKey { path: self.key.clone(), source })?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|source| self.unusable(source))
    }

    fn unusable(&self, source: rustls::Error) -> Error {
        Error::Tls { path: self.certificate.clone(), source }
    }
}

/// A certificate that can be read again while connections go on.
pub struct Certificate {
    files: TlsFiles,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the files, and says how to greet with them.
    pub fn open(files: TlsFiles) -> Result<(Arc<Self>, TlsAcceptor), Error> {
        let current = ArcSwap::from_pointee(files.read()?);
        let certificate = Arc::new(Self { files, current });
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(certificate.files.min_version.and_newer())
            .map_err(|source| certificate.files.unusable(source))?
            .with_client_cert_verifier(certificate.files.clients.verifier()?)
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok((certificate, TlsAcceptor::from(Arc::new(config))))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Reads the certificates of listeners again.
#[derive(Clone, Debug, Default)]
pub struct Reload(Vec<Weak<Certificate>>);

impl Reload {
    /// For these certificates, as long as their listeners live.
    pub(crate) fn of<'c>(certificates: impl Iterator<Item = &'c Arc<Certificate>>) -> Self {
        Self(certificates.map(Arc::downgrade).collect())
    }

    /// Reads every file again; connections from now on are greeted with what they hold. Reads files: not for a task
    /// that must not wait.
    ///
    /// # Errors
    /// A file that cannot be used. Its listener goes on with what it had; the others are reloaded all the same.
    pub fn certificates(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for certificate in self.0.iter().filter_map(Weak::upgrade) {
            match certificate.files.read() {
                Ok(new) => certificate.current.store(Arc::new(new)),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_refused_with_what_is_allowed() {
        assert_eq!("tls13".parse(), Ok(TlsVersion::Tls13));
        let refused = "tls10".parse::<TlsVersion>().unwrap_err().to_string();
        assert_eq!(refused, "\"tls10\" is no TLS version that can be served; use tls12 or tls13");
    }
}
