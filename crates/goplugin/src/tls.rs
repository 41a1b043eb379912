//! TLS as both ends use it: each trusts exactly one certificate, the other's, byte for byte.
//!
//! Go's certificates are their own authority and a leaf at once, which the usual check refuses; and they are P-521,
//! which only aws-lc-rs verifies.

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::Identity;
use crate::identity::SERVER_NAME;

/// Both ends speak HTTP/2, and Go's end insists on hearing it here.
const ALPN: &[u8] = b"h2";

/// The only provider that is ever used, named so that no other crate's choice matters.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    &PROVIDER
}

/// The name to dial. Only Go's end, when it dials, holds it against the certificate.
pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from(SERVER_NAME).expect("the name is a valid DNS name")
}

/// Dials as `own`, and believes only `peer`.
pub(crate) fn client(own: &Identity, peer: &CertificateDer<'static>) -> Result<Arc<ClientConfig>, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(peer.clone())))
        .with_client_cert_resolver(own.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Accepts as `own`, and lets in only `peer`.
pub(crate) fn server(own: &Identity, peer: &CertificateDer<'static>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(Pinned(peer.clone())))
        .with_cert_resolver(own.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The one certificate that the peer may show; the peer proves by its signature that it holds the key.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>);

impl Pinned {
    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        let same = self.0.as_ref() == shown.as_ref();
        same.then_some(()).ok_or(CertificateError::ApplicationVerificationFailure.into())
    }

    fn tls12(
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &provider().signature_verification_algorithms)
    }

    fn tls13(
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &provider().signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(shown).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::tls12(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::tls13(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Go sends no certificate at all when a hint does not name its issuer.
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(shown).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::tls12(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::tls13(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P521_SHA512, SerialNumber, date_time_ymd};

    use super::*;

    /// A certificate for a key, with everything the same but its last day.
    fn certificate(pair: &KeyPair, last_year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([SERVER_NAME.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
        params.serial_number = Some(SerialNumber::from(vec![1]));
        params.not_after = date_time_ymd(last_year, 1, 1);
        params.self_signed(pair).unwrap().der().clone()
    }

    #[test]
    fn l4_the_same_name_serial_and_key_in_another_certificate_are_not_enough() {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap();
        let (announced, twin) = (certificate(&pair, 2100), certificate(&pair, 2101));
        let peer = Pinned(announced.clone());
        let now = UnixTime::now();
        let as_server = |shown| peer.verify_server_cert(shown, &[], &server_name(), &[], now).is_ok();
        let as_client = |shown| peer.verify_client_cert(shown, &[], now).is_ok();
        assert!(as_server(&announced) && as_client(&announced));
        let mut changed = announced.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        let longer = [&announced[..], &[0]].concat();
        let shorter = announced[..announced.len() - 1].to_vec();
        let others = [changed, longer, shorter, Vec::new()].map(CertificateDer::from);
        for shown in others.iter().chain([&twin]) {
            assert!(!as_server(shown) && !as_client(shown));
        }
        // Beside the right one, the wrong one does not count, and the other way round.
        assert!(peer.verify_server_cert(&twin, &[announced], &server_name(), &[], now).is_err());
    }
}
