use domain::Secret;
use prost_types::Timestamp;
use wire::dbplugin as v5;

use crate::{
    convert::from_timestamp,
    database::{Change, Credential, CredentialType, Error, NewUser, Statements, UpdateUser},
};

impl From<Statements> for v5::Statements {
    fn from(statements: Statements) -> Self {
        Self { commands: statements.0 }
    }
}

impl From<Option<v5::Statements>> for Statements {
    fn from(message: Option<v5::Statements>) -> Self {
        Self(message.unwrap_or_default().commands)
    }
}

/// The number of a kind of credential.
const fn number(kind: CredentialType) -> i32 {
    match kind {
        CredentialType::Password => 0,
        CredentialType::RsaPrivateKey => 1,
        CredentialType::ClientCertificate => 2,
    }
}

impl From<NewUser> for v5::NewUserRequest {
    fn from(new: NewUser) -> Self {
        let config = v5::UsernameConfig { display_name: new.display_name, role_name: new.role_name };
        let mut message = Self {
            username_config: Some(config),
            expiration: new.expiration.map(Timestamp::from),
            statements: Some(new.statements.into()),
            rollback_statements: Some(new.rollback_statements.into()),
            credential_type: number(new.credential.kind()),
            ..Self::default()
        };
        match new.credential {
            Credential::Password(password) => message.password = password.expose().clone(),
            Credential::RsaPublicKey(pem) => message.public_key = pem,
            Credential::ClientCertificate { subject } => message.subject = subject,
        }
        message
    }
}

impl TryFrom<v5::NewUserRequest> for NewUser {
    type Error = Error;

    fn try_from(message: v5::NewUserRequest) -> Result<Self, Error> {
        let config = message.username_config.ok_or_else(|| invalid("missing username config"))?;
        let credential = match message.credential_type {
            0 => Credential::Password(Secret::new(message.password)),
            1 => Credential::RsaPublicKey(message.public_key),
            2 => Credential::ClientCertificate { subject: message.subject },
            other => return Err(invalid(format!("unknown credential type {other}"))),
        };
        Ok(Self {
            display_name: config.display_name,
            role_name: config.role_name,
            statements: message.statements.into(),
            rollback_statements: message.rollback_statements.into(),
            credential,
            expiration: from_timestamp(message.expiration),
        })
    }
}

impl From<UpdateUser> for v5::UpdateUserRequest {
    fn from(update: UpdateUser) -> Self {
        let kind = match update.public_key {
            Some(_) => CredentialType::RsaPrivateKey,
            None => CredentialType::Password,
        };
        Self {
            username: update.username,
            password: update.password.map(|change| v5::ChangePassword {
                new_password: change.to.expose().clone(),
                statements: Some(change.statements.into()),
            }),
            expiration: update.expiration.map(|change| v5::ChangeExpiration {
                new_expiration: Some(change.to.into()),
                statements: Some(change.statements.into()),
            }),
            public_key: update.public_key.map(|change| v5::ChangePublicKey {
                new_public_key: change.to,
                statements: Some(change.statements.into()),
            }),
            credential_type: number(kind),
        }
    }
}

impl TryFrom<v5::UpdateUserRequest> for UpdateUser {
    type Error = Error;

    fn try_from(message: v5::UpdateUserRequest) -> Result<Self, Error> {
        if message.username.is_empty() {
            return Err(invalid("no username provided"));
        }
        let expiration = message.expiration.map(|change| {
            let to = from_timestamp(change.new_expiration).ok_or_else(|| invalid("missing expiration"))?;
            Ok(Change { to, statements: change.statements.into() })
        });
        let update = Self {
            username: message.username,
            password: message.password.map(|change| Change {
                to: Secret::new(change.new_password),
                statements: change.statements.into(),
            }),
            public_key: message
                .public_key
                .map(|change| Change { to: change.new_public_key, statements: change.statements.into() }),
            expiration: expiration.transpose()?,
        };
        if update.password.is_none() && update.public_key.is_none() && update.expiration.is_none() {
            return Err(invalid("update user request has no changes"));
        }
        Ok(update)
    }
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::Invalid(sentence.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn statements(text: &str) -> Statements {
        Statements(vec![text.to_owned()])
    }

    #[test]
    fn a_new_user_comes_as_it_was_sent_whatever_it_logs_in_with() {
        let expiration = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(7));
        for credential in [
            Credential::Password(Secret::new("p".to_owned())),
            Credential::RsaPublicKey(b"pem".to_vec()),
            Credential::ClientCertificate { subject: "CN=x".to_owned() },
        ] {
            let kind = credential.kind();
            let new = NewUser {
                display_name: "d".to_owned(),
                role_name: "r".to_owned(),
                statements: statements("make"),
                rollback_statements: statements("undo"),
                credential,
                expiration,
            };
            let came = NewUser::try_from(v5::NewUserRequest::from(new)).unwrap();
            assert_eq!((came.display_name.as_str(), came.role_name.as_str()), ("d", "r"));
            assert_eq!((came.statements, came.rollback_statements), (statements("make"), statements("undo")));
            assert_eq!((came.credential.kind(), came.expiration), (kind, expiration));
        }
    }

    #[test]
    fn a_change_comes_as_it_was_sent() {
        let to = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        let update = UpdateUser {
            username: "u".to_owned(),
            password: Some(Change { to: Secret::new("new".to_owned()), statements: statements("alter") }),
            public_key: Some(Change { to: b"pem".to_vec(), statements: statements("key") }),
            expiration: Some(Change { to, statements: statements("valid") }),
        };
        let message = v5::UpdateUserRequest::from(update);
        assert_eq!(message.credential_type, 1);
        let came = UpdateUser::try_from(message).unwrap();
        assert_eq!(came.username, "u");
        let password = came.password.unwrap();
        assert_eq!((password.to.expose().as_str(), password.statements), ("new", statements("alter")));
        assert_eq!(came.public_key.unwrap().to, b"pem");
        assert_eq!(came.expiration.unwrap().to, to);
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_gos_words() {
        let refusal = NewUser::try_from(v5::NewUserRequest::default()).unwrap_err();
        assert_eq!(refusal, invalid("missing username config"));
        let refusal = UpdateUser::try_from(v5::UpdateUserRequest::default()).unwrap_err();
        assert_eq!(refusal, invalid("no username provided"));
        let nothing = v5::UpdateUserRequest { username: "u".to_owned(), ..Default::default() };
        let refusal = UpdateUser::try_from(nothing).unwrap_err();
        assert_eq!(refusal, invalid("update user request has no changes"));
    }
}
