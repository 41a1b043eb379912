use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P521_SHA512,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use uuid::Uuid;

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

/// What both ends of a connection to an old plugin hold, and how the plugin is handed it.
pub struct SharedIdentity {
    /// The certificate and its key.
    pub identity: Identity,
    /// The certificate, as DER.
    pub certificate: Vec<u8>,
    /// Its key, as DER, in the form that Go calls SEC 1.
    pub key: Vec<u8>,
}

/// An identity could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate for mutual TLS")]
pub struct IdentityError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Identity {
    /// A fresh P-256 key and a certificate signed with it. Takes some tens of microseconds.
    pub fn generate() -> Result<Self, IdentityError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(because)?;
        Self::of(&pair, params(SERVER_NAME).map_err(because)?)
    }

    fn of(pair: &KeyPair, params: CertificateParams) -> Result<Self, IdentityError> {
        let certificate = params.self_signed(pair).map_err(because)?;
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

impl SharedIdentity {
    /// A fresh P-521 key, and a certificate that is made out to a name that nobody else has.
    pub fn generate() -> Result<Self, IdentityError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).map_err(because)?;
        let mut params = params(&Uuid::new_v4().to_string()).map_err(because)?;
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        let identity = Identity::of(&pair, params)?;
        let own = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_ASN1_SIGNING, &pair.serialize_der());
        let own = own.map_err(|error| IdentityError(error.to_string().into()))?;
        let key = AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&own.private_key()).map_err(because)?;
        Ok(Self { certificate: identity.der().to_vec(), key: key.as_ref().to_vec(), identity })
    }
}

impl fmt::Debug for SharedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedIdentity")
    }
}

/// What the certificate says. Its dates leave room for clocks that are wrong: it dies with its process anyway.
fn params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
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

    #[test]
    fn a_key_that_is_handed_over_names_its_curve_and_is_never_shown() {
        let shared = SharedIdentity::generate().unwrap();
        assert_eq!(shared.certificate, shared.identity.der().to_vec());
        // 1.3.132.0.35: without it Go does not know what to make of the key.
        let curve = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
        assert!(shared.key.windows(curve.len()).any(|part| part == curve));
        assert_eq!(format!("{shared:?}"), "SharedIdentity");
    }
}
