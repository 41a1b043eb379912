use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenon::{
    Error, Result,
    database::{CredentialType, Statements},
};

use super::recipe::Recipe;

/// What is stored of a role whose users are made when they are asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) db_name: String,
    #[serde(default)]
    pub(super) creation_statements: Vec<String>,
    #[serde(default)]
    pub(super) renew_statements: Vec<String>,
    #[serde(default)]
    pub(super) revocation_statements: Vec<String>,
    #[serde(default)]
    pub(super) rollback_statements: Vec<String>,
    /// Seconds; zero: the mount's.
    pub(super) default_ttl: u64,
    /// Likewise.
    pub(super) max_ttl: u64,
    #[serde(flatten)]
    pub(super) credentials: Credentials,
}

/// What kind of credentials a role makes, and how.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credentials {
    credential_type: String,
    #[serde(default)]
    credential_config: BTreeMap<String, String>,
}

/// What a request says of a role.
#[derive(Deserialize)]
pub(super) struct Wish {
    pub(super) name: String,
    db_name: Option<String>,
    creation_statements: Option<Vec<String>>,
    renew_statements: Option<Vec<String>>,
    revocation_statements: Option<Vec<String>>,
    rollback_statements: Option<Vec<String>>,
    default_ttl: Option<u64>,
    max_ttl: Option<u64>,
    credential_type: Option<String>,
    credential_config: Option<BTreeMap<String, String>>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            credential_type: CredentialType::Password.word().to_owned(),
            credential_config: BTreeMap::new(),
        }
    }
}

impl Credentials {
    /// These, changed as a request says.
    ///
    /// # Errors
    /// There are no such credentials.
    pub(super) fn changed(
        &self,
        credential_type: Option<String>,
        config: Option<BTreeMap<String, String>>,
    ) -> Result<Self> {
        let anew = credential_type.as_ref().is_some_and(|kind| *kind != self.credential_type);
        let kept = if anew { BTreeMap::new() } else { self.credential_config.clone() };
        let next = Self {
            credential_type: credential_type.unwrap_or_else(|| self.credential_type.clone()),
            credential_config: config.unwrap_or(kept),
        };
        next.recipe()?;
        Ok(next)
    }

    pub(super) fn kind(&self) -> Result<CredentialType> {
        let word = &self.credential_type;
        word.parse().map_err(|_| Error::refused(format!("invalid credential_type {word:?}")))
    }

    pub(super) fn recipe(&self) -> Result<Recipe> {
        let recipe = Recipe::parse(self.kind()?, &self.credential_config);
        recipe.map_err(|problem| Error::refused(format!("credential_config validation failed: {problem}")))
    }

    /// What a reader sees. The private key of an authority is no reader's business.
    pub(super) fn tell(&self, data: &mut Map<String, Value>) {
        data.insert("credential_type".to_owned(), self.credential_type.as_str().into());
        if !self.credential_config.is_empty() {
            let mut config = self.credential_config.clone();
            config.remove("ca_private_key");
            data.insert("credential_config".to_owned(), json!(config));
        }
    }
}

impl Role {
    /// A role as a request wants it: a new one, or what was known with what the request says.
    ///
    /// # Errors
    /// What makes no sense.
    pub(super) fn wished(known: Option<Self>, wish: Wish) -> Result<Self> {
        let known = known.unwrap_or_else(|| Self {
            db_name: String::new(),
            creation_statements: Vec::new(),
            renew_statements: Vec::new(),
            revocation_statements: Vec::new(),
            rollback_statements: Vec::new(),
            default_ttl: 0,
            max_ttl: 0,
            credentials: Credentials::default(),
        });
        let next = Self {
            db_name: wish.db_name.unwrap_or(known.db_name),
            creation_statements: statements(wish.creation_statements, known.creation_statements),
            renew_statements: statements(wish.renew_statements, known.renew_statements),
            revocation_statements: statements(wish.revocation_statements, known.revocation_statements),
            rollback_statements: statements(wish.rollback_statements, known.rollback_statements),
            default_ttl: wish.default_ttl.unwrap_or(known.default_ttl),
            max_ttl: wish.max_ttl.unwrap_or(known.max_ttl),
            credentials: known.credentials.changed(wish.credential_type, wish.credential_config)?,
        };
        if next.db_name.is_empty() {
            return Err(Error::refused("database name is required"));
        }
        if next.max_ttl != 0 && next.default_ttl > next.max_ttl {
            return Err(Error::refused("default_ttl must be less than max_ttl"));
        }
        Ok(next)
    }

    pub(super) fn view(&self) -> Map<String, Value> {
        let told = json!({
            "creation_statements": self.creation_statements,
            "db_name": self.db_name,
            "default_ttl": self.default_ttl,
            "max_ttl": self.max_ttl,
            "renew_statements": self.renew_statements,
            "revocation_statements": self.revocation_statements,
            "rollback_statements": self.rollback_statements,
        });
        let mut told = match told {
            Value::Object(told) => told,
            _ => Map::new(),
        };
        self.credentials.tell(&mut told);
        told
    }
}

/// What is given, without the empty ones; else what was known.
pub(super) fn statements(given: Option<Vec<String>>, known: Vec<String>) -> Vec<String> {
    let given = given.map(|given| given.into_iter().filter(|one| !one.is_empty()).collect());
    given.unwrap_or(known)
}

pub(super) fn told(statements: &[String]) -> Statements {
    Statements(statements.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wished(body: Value) -> Result<Role> {
        Role::wished(None, serde_json::from_value(body).unwrap())
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(wished(json!({ "name": "r" })).is_err());
        assert!(wished(json!({ "name": "r", "db_name": "d", "default_ttl": 2, "max_ttl": 1 })).is_err());
        assert!(wished(json!({ "name": "r", "db_name": "d", "credential_type": "fingerprint" })).is_err());
        let weak =
            json!({ "credential_type": "rsa_private_key", "credential_config": { "key_bits": "512" } });
        let mut body = json!({ "name": "r", "db_name": "d" });
        body.as_object_mut().unwrap().extend(weak.as_object().unwrap().clone());
        assert!(wished(body).is_err());
    }

    #[test]
    fn another_type_of_credentials_begins_anew() {
        let config = |body: Value| serde_json::from_value(body).unwrap();
        let first =
            Credentials::default().changed(None, Some(config(json!({ "password_policy": "p" })))).unwrap();
        assert_eq!(first.changed(None, None).unwrap().credential_config.len(), 1);
        let other = first.changed(Some("rsa_private_key".to_owned()), None).unwrap();
        assert!(other.credential_config.is_empty());
    }

    #[test]
    fn a_stored_role_reads_back() {
        let role =
            wished(json!({ "name": "r", "db_name": "d", "max_ttl": 5, "creation_statements": ["a", ""] }));
        let role = role.ok().unwrap();
        let again: Role = serde_json::from_slice(&serde_json::to_vec(&role).unwrap()).unwrap();
        assert_eq!(again.view(), role.view());
        assert_eq!(again.creation_statements, ["a"]);
    }
}
