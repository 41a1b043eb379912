use std::collections::BTreeMap;

use domain::Secret;
use rcgen::RsaKeySize;
use tenon::{Error, Host, Result, database::CredentialType};

use super::{
    certificate::{CertificateRecipe, Subject},
    secret::{LoginSecret, default_password, rsa_key},
};

/// How the credentials of a role are made: its `credential_type` and `credential_config`, understood.
pub(super) enum Recipe {
    /// Passwords, after a policy; empty: that of the connection.
    Password { policy: String },
    /// Pairs of RSA keys.
    RsaKey { size: RsaKeySize },
    /// Certificates for clients.
    Certificate(Box<CertificateRecipe>),
}

/// Why a `credential_config` cannot be followed.
pub(super) type Problem = String;

impl Recipe {
    /// Understands what a role says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(kind: CredentialType, config: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let text = |name: &str| config.get(name).map_or("", String::as_str);
        match kind {
            CredentialType::Password => Ok(Self::Password { policy: text("password_policy").to_owned() }),
            CredentialType::RsaPrivateKey => {
                if !matches!(text("format").to_lowercase().as_str(), "" | "pkcs8") {
                    return Err(format!("invalid format: {:?}; it is pkcs8", text("format")));
                }
                Ok(Self::RsaKey { size: rsa_size(text("key_bits"))? })
            }
            CredentialType::ClientCertificate => {
                Ok(Self::Certificate(Box::new(CertificateRecipe::parse(&text)?)))
            }
        }
    }

    /// Makes up something to log in with.
    pub(super) async fn make(
        self,
        host: &Host,
        policy_of_connection: &str,
        subject: Subject,
    ) -> Result<LoginSecret> {
        match self {
            Self::Password { policy } => {
                let policy = if policy.is_empty() { policy_of_connection } else { &policy };
                Ok(LoginSecret::Password(password(host, policy).await?.expose().clone()))
            }
            Self::RsaKey { size } => {
                aside(move || {
                    let key = rsa_key(size)?;
                    Ok(LoginSecret::RsaKey { private: key.serialize_pem(), public: key.public_key_pem() })
                })
                .await
            }
            Self::Certificate(recipe) => aside(move || recipe.make(&subject)).await,
        }
    }
}

/// A password after the policy of that name; empty: the one that holds unless there is another.
pub(super) async fn password(host: &Host, policy: &str) -> Result<Secret<String>> {
    if policy.is_empty() { default_password() } else { host.system.generate_password(policy).await }
}

/// Making keys takes long, and others wait for this thread.
async fn aside(work: impl FnOnce() -> Result<LoginSecret> + Send + 'static) -> Result<LoginSecret> {
    let cut_off = |_| Error::Internal("the making of a key was cut off".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(cut_off)?
}

/// The size of an RSA key.
///
/// # Errors
/// It is none that is in use.
pub(super) fn rsa_size(bits: &str) -> Result<RsaKeySize, Problem> {
    match bits {
        "" | "0" | "2048" => Ok(RsaKeySize::_2048),
        "3072" => Ok(RsaKeySize::_3072),
        "4096" => Ok(RsaKeySize::_4096),
        other => Err(format!("invalid key_bits: {other}; an RSA key has 2048, 3072 or 4096")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: CredentialType, config: &[(&str, &str)]) -> Result<Recipe, Problem> {
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Recipe::parse(kind, &config.collect())
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        assert!(parsed(CredentialType::RsaPrivateKey, &[("key_bits", "1024")]).is_err());
        assert!(parsed(CredentialType::RsaPrivateKey, &[("format", "der")]).is_err());
        assert!(parsed(CredentialType::RsaPrivateKey, &[("format", "PKCS8"), ("key_bits", "3072")]).is_ok());
        assert!(parsed(CredentialType::Password, &[]).is_ok());
        assert!(parsed(CredentialType::ClientCertificate, &[]).is_err());
    }
}
