use std::{fmt, str::FromStr, time::SystemTime};

use domain::Secret;

/// What a database is told to do. Each is one command, or several that are separated by semicolons.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Statements(pub Vec<String>);

/// Operators write whatever they like into statements.
impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} statements]", self.0.len())
    }
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CredentialType {
    /// A password.
    #[default]
    Password,
    /// A pair of RSA keys.
    RsaPrivateKey,
    /// A client certificate.
    ClientCertificate,
}

impl CredentialType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Password, Self::RsaPrivateKey, Self::ClientCertificate];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::RsaPrivateKey => "rsa_private_key",
            Self::ClientCertificate => "client_certificate",
        }
    }
}

/// A word that is no kind of credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no type of credential: it is password, rsa_private_key or client_certificate")]
pub struct UnknownCredentialType(String);

impl FromStr for CredentialType {
    type Err = UnknownCredentialType;

    fn from_str(word: &str) -> Result<Self, UnknownCredentialType> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == word);
        found.ok_or_else(|| UnknownCredentialType(word.to_owned()))
    }
}

/// What a new user logs in with; the half of it that the database is told.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The password.
    Password(Secret<String>),
    /// The public key, as PEM.
    RsaPublicKey(Vec<u8>),
    /// The name in the user's certificate: `CN=...`.
    ClientCertificate {
        /// The name.
        subject: String,
    },
}

impl Credential {
    /// Of what kind.
    pub const fn kind(&self) -> CredentialType {
        match self {
            Self::Password(_) => CredentialType::Password,
            Self::RsaPublicKey(_) => CredentialType::RsaPrivateKey,
            Self::ClientCertificate { .. } => CredentialType::ClientCertificate,
        }
    }
}

/// A user to be made. Its name is up to the plugin.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Of the token that asks.
    pub display_name: String,
    /// The role that is asked for.
    pub role_name: String,
    /// What makes the user.
    pub statements: Statements,
    /// What removes what is left if that fails.
    pub rollback_statements: Statements,
    /// What the user logs in with.
    pub credential: Credential,
    /// Until when; none: for ever.
    pub expiration: Option<SystemTime>,
}

/// What changes about a user. At least one thing does.
#[derive(Clone, Debug, Default)]
pub struct UpdateUser {
    /// Who.
    pub username: String,
    /// Another password.
    pub password: Option<Change<Secret<String>>>,
    /// Another public key, as PEM.
    pub public_key: Option<Change<Vec<u8>>>,
    /// Another end.
    pub expiration: Option<Change<SystemTime>>,
}

/// One thing that changes.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// What it is from now on.
    pub to: T,
    /// What changes it; none: the database's own way.
    pub statements: Statements,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t10_requests_do_not_show_passwords_or_statements() {
        let statements = Statements(vec!["CREATE ROLE x PASSWORD 'hunter2'".to_owned()]);
        let password = Secret::new("hunter2".to_owned());
        let new_user = NewUser {
            display_name: "token".to_owned(),
            role_name: "role".to_owned(),
            statements: statements.clone(),
            rollback_statements: statements.clone(),
            credential: Credential::Password(password.clone()),
            expiration: None,
        };
        let update = UpdateUser {
            username: "u".to_owned(),
            password: Some(Change { to: password, statements }),
            ..UpdateUser::default()
        };
        assert!(!format!("{new_user:?} {update:?}").contains("hunter2"));
    }

    #[test]
    fn types_of_credentials_are_known_by_their_words() {
        for kind in CredentialType::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        assert!("secret".parse::<CredentialType>().is_err());
    }
}
