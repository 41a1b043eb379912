use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::Service;

/// Who is at the other end of a connection, by the names in its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer(Option<Service>);

impl Peer {
    /// The service that a verified certificate names. One that names several services is none of them.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Self(None) };
        let Ok(Some(names)) = parsed.subject_alternative_name() else { return Self(None) };
        let mut services = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Service::from_name(name),
            _ => None,
        });
        match (services.next(), services.next()) {
            (only, None) => Self(only),
            _ => Self(None),
        }
    }

    #[cfg(test)]
    pub(crate) const fn named(service: Service) -> Self {
        Self(Some(service))
    }

    /// The service, if it is one.
    pub const fn service(self) -> Option<Service> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;

    use super::*;

    fn peer(names: &[&str]) -> Peer {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Peer::of(generate_simple_self_signed(names).unwrap().cert.der())
    }

    #[test]
    fn a_peer_is_the_one_service_that_its_certificate_names() {
        assert_eq!(peer(&["router", "localhost", "127.0.0.1"]).service(), Some(Service::Router));
        assert_eq!(peer(&["localhost"]).service(), None);
        assert_eq!(peer(&["router", "catalog"]).service(), None);
        assert_eq!(peer(&["router.example.com"]).service(), None);
        assert_eq!(Peer::of(&CertificateDer::from(vec![1, 2, 3])).service(), None);
    }
}
