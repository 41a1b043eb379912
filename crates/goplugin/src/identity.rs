use std::fmt;
use std::sync::Arc;

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::tls;

/// The name that every certificate of the protocol is made out to.
pub(crate) const SERVER_NAME: &str = "localhost";

/// One end's certificate and key: made for one plugin process and never stored.
///
/// Go's end wants the name `localhost` and both key usages, as the same certificate serves for dialling and accepting.
/// Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pem: Arc<str>,
    key: Arc<CertifiedKey>,
    resolver: Arc<SingleCertAndKey>,
}

/// An identity could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate for mutual TLS")]
pub struct IdentityError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Identity {
    /// A fresh P-256 key and a certificate signed with it. Takes some tens of microseconds.
    pub fn generate() -> Result<Self, IdentityError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(because)?;
        let certificate = params().map_err(because)?.self_signed(&pair).map_err(because)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let key = tls::provider().key_provider.load_private_key(key).map_err(because)?;
        let key = CertifiedKey::new(vec![certificate.der().clone()], key);
        Ok(Self {
            pem: certificate.pem().into(),
            resolver: Arc::new(SingleCertAndKey::from(key.clone())),
            key: Arc::new(key),
        })
    }

    /// The certificate as PEM, which is how the host tells it to the plugin.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate as DER, which is how the plugin tells it to the host.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.key.cert[0]
    }

    /// The certificate and its key, as rustls wants them in both roles.
    pub(crate) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::clone(&self.resolver)
    }
}

/// What the certificate says. Its dates leave room for clocks that are wrong: it dies with its process anyway.
fn params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn because(error: impl std::error::Error + Send + Sync + 'static) -> IdentityError {
    IdentityError(Box::new(error))
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identity_is_its_own() {
        let (one, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        assert_ne!(one.der(), other.der());
        assert!(one.pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
