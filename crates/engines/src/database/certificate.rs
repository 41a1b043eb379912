//! Certificates by which clients log in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{NoRandomness, Secret, UsernameSubject, UsernameTemplate};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    RsaKeySize, SignatureAlgorithm, date_time_ymd,
};
use ring::rand::{SecureRandom, SystemRandom};
use tenon::{Error, Result};

use super::{
    recipe::{Problem, rsa_size},
    secret::{LoginSecret, no_key, rsa_key},
};

/// How long before now a certificate begins: clocks differ.
const EARLIER: Duration = Duration::from_secs(30);

/// Who is to log in, and until when.
pub(super) struct Subject {
    pub(super) display_name: String,
    pub(super) role_name: String,
    pub(super) until: SystemTime,
}

/// How certificates are made.
pub(super) struct CertificateRecipe {
    common_name: UsernameTemplate,
    authority: String,
    authority_key: Secret<String>,
    key: KeyKind,
    /// The digest that an RSA authority signs with.
    signature: &'static SignatureAlgorithm,
}

#[derive(Clone, Copy)]
enum KeyKind {
    Rsa(RsaKeySize),
    Other(&'static SignatureAlgorithm, &'static str),
}

impl CertificateRecipe {
    /// Understands what a role says, by name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse<'c>(text: &impl Fn(&str) -> &'c str) -> Result<Self, Problem> {
        let needed = |name: &str| match text(name) {
            "" => Err(format!("missing required {name}")),
            value => Ok(value.to_owned()),
        };
        let common_name = needed("common_name_template")?;
        let invalid = |error| format!("invalid common_name_template: {error}");
        let recipe = Self {
            common_name: common_name.parse().map_err(invalid)?,
            authority: needed("ca_cert")?,
            authority_key: Secret::new(needed("ca_private_key")?),
            key: KeyKind::parse(&needed("key_type")?, text("key_bits"))?,
            signature: match text("signature_bits") {
                "" | "0" | "256" => &rcgen::PKCS_RSA_SHA256,
                "384" => &rcgen::PKCS_RSA_SHA384,
                "512" => &rcgen::PKCS_RSA_SHA512,
                other => return Err(format!("invalid signature_bits: {other}; it is 256, 384 or 512")),
            },
        };
        recipe
            .issuer()
            .map(drop)
            .map_err(|_| "ca_cert and ca_private_key are no authority: both are PEM".to_owned())?;
        Ok(recipe)
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, rcgen::Error> {
        let pem = self.authority_key.expose();
        let key = KeyPair::from_pem_and_sign_algo(pem, self.signature).or_else(|_| KeyPair::from_pem(pem))?;
        Issuer::from_ca_cert_pem(&self.authority, key)
    }

    /// Makes a certificate, and the key that goes with it. Takes long: for a thread that may block.
    pub(super) fn make(&self, subject: &Subject) -> Result<LoginSecret> {
        let common_name = self.common_name(subject)?;
        let key = self.key.generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name.as_str());
        params.not_before = date_time_ymd(1970, 1, 1) + since_1970(SystemTime::now() - EARLIER);
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970(subject.until);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let issuer = self.issuer().map_err(no_key)?;
        let certificate = params.signed_by(&key, &issuer).map_err(no_key)?;
        Ok(LoginSecret::Certificate {
            certificate: certificate.pem(),
            private: key.serialize_pem(),
            private_type: self.key.word().to_owned(),
            subject: format!("CN={common_name}"),
        })
    }

    fn common_name(&self, subject: &Subject) -> Result<String> {
        let named = UsernameSubject { display_name: &subject.display_name, role_name: &subject.role_name };
        let random = SystemRandom::new();
        let fill = |buffer: &mut [u8]| random.fill(buffer).map_err(|_| NoRandomness);
        self.common_name
            .generate(&named, SystemTime::now(), fill)
            .map_err(|error| Error::Internal(error.to_string()))
    }
}

impl KeyKind {
    fn parse(kind: &str, bits: &str) -> Result<Self, Problem> {
        match (kind, bits) {
            ("rsa", bits) => Ok(Self::Rsa(rsa_size(bits)?)),
            ("ec", "" | "0" | "256") => Ok(Self::Other(&rcgen::PKCS_ECDSA_P256_SHA256, "ec")),
            ("ec", "384") => Ok(Self::Other(&rcgen::PKCS_ECDSA_P384_SHA384, "ec")),
            ("ec", "521") => Ok(Self::Other(&rcgen::PKCS_ECDSA_P521_SHA512, "ec")),
            ("ec", other) => Err(format!("invalid key_bits: {other}; such a key has 256, 384 or 521")),
            ("ed25519", _) => Ok(Self::Other(&rcgen::PKCS_ED25519, "ed25519")),
            (other, _) => Err(format!("invalid key_type: {other:?}; it is rsa, ec or ed25519")),
        }
    }

    fn generate(self) -> Result<KeyPair> {
        match self {
            Self::Rsa(size) => rsa_key(size),
            Self::Other(algorithm, _) => KeyPair::generate_for(algorithm).map_err(no_key),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa",
            Self::Other(_, word) => word,
        }
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, IsCa};

    use super::*;

    /// The certificate and the key of an authority, as PEM.
    fn authority() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_names_who_logs_in_and_ends_when_it_should() {
        let (certificate, key) = authority();
        for key_type in ["ec", "ed25519"] {
            let text = |name: &str| match name {
                "common_name_template" => "{{.DisplayName}}_{{.RoleName}}",
                "ca_cert" => certificate.as_str(),
                "ca_private_key" => key.as_str(),
                "key_type" => key_type,
                _ => "",
            };
            let recipe = CertificateRecipe::parse(&text).ok().unwrap();
            let until = SystemTime::now() + Duration::from_secs(3600);
            let subject = Subject { display_name: "token".to_owned(), role_name: "role".to_owned(), until };
            let made = recipe.make(&subject).unwrap();
            let LoginSecret::Certificate { certificate, private, private_type, subject } = made else {
                panic!()
            };
            assert_eq!((subject.as_str(), private_type.as_str()), ("CN=token_role", key_type));
            assert!(certificate.contains("BEGIN CERTIFICATE") && private.contains("PRIVATE KEY"));
        }
    }

    #[test]
    fn what_is_missing_or_no_authority_is_named() {
        let missing = CertificateRecipe::parse(&|_| "").err().unwrap();
        assert_eq!(missing, "missing required common_name_template");
        let no_authority = CertificateRecipe::parse(&|name| match name {
            "common_name_template" => "{{.RoleName}}",
            "key_type" => "ec",
            "key_bits" | "signature_bits" => "",
            _ => "hunter2",
        });
        assert!(!no_authority.err().unwrap().contains("hunter2"));
    }
}
