use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenon::{Error, Result, database::CredentialType};

use super::{
    role::{Credentials, statements},
    rotation::Rotation,
    secret::LoginSecret,
};

/// What is stored of a role that stands for one user of the database, whose credentials are changed from time to time.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StaticRole {
    pub(super) db_name: String,
    pub(super) username: String,
    pub(super) rotation_statements: Vec<String>,
    #[serde(flatten)]
    pub(super) credentials: Credentials,
    pub(super) rotation: Rotation,
    /// None: never yet.
    pub(super) last_vault_rotation: Option<Timestamp>,
    pub(super) next_vault_rotation: Timestamp,
    pub(super) skip_import_rotation: bool,
    /// None: nobody knows it but the database, until it is changed for the first time.
    pub(super) secret: Option<LoginSecret>,
}

/// What a request says of it.
#[derive(Deserialize)]
pub(super) struct Wish {
    pub(super) name: String,
    db_name: Option<String>,
    username: Option<String>,
    rotation_statements: Option<Vec<String>>,
    rotation_period: Option<u64>,
    rotation_schedule: Option<String>,
    rotation_window: Option<u64>,
    credential_type: Option<String>,
    credential_config: Option<BTreeMap<String, String>>,
    skip_import_rotation: Option<bool>,
}

impl StaticRole {
    /// A role as a request wants it: a new one, or what was known with what the request says.
    ///
    /// # Errors
    /// What makes no sense.
    pub(super) fn wished(known: Option<Self>, wish: Wish, now: Timestamp) -> Result<Self> {
        let db_name = wish.db_name.or_else(|| known.as_ref().map(|known| known.db_name.clone()));
        let db_name = db_name.filter(|name| !name.is_empty());
        let db_name = db_name.ok_or_else(|| Error::refused("database name is a required field"))?;
        let username = username(known.as_ref(), wish.username)?;
        let rotation = Rotation::wished(
            known.as_ref().map(|known| known.rotation.clone()),
            wish.rotation_period,
            wish.rotation_schedule,
            wish.rotation_window,
        );
        let rotation = rotation.map_err(|unfit| Error::refused(unfit.to_string()))?;
        let credentials = known.as_ref().map(|known| known.credentials.clone()).unwrap_or_default();
        let credentials = credentials.changed(wish.credential_type, wish.credential_config)?;
        if credentials.kind()? == CredentialType::ClientCertificate {
            let sentence = "credential_type client_certificate is not for static roles: a certificate cannot be changed in place";
            return Err(Error::refused(sentence));
        }
        let since = known.as_ref().and_then(|known| known.last_vault_rotation).unwrap_or(now);
        let next_vault_rotation = match &known {
            Some(known) if known.rotation == rotation => known.next_vault_rotation,
            _ => rotation.after(since),
        };
        Ok(Self {
            db_name,
            username,
            rotation_statements: statements(
                wish.rotation_statements,
                known.as_ref().map(|known| known.rotation_statements.clone()).unwrap_or_default(),
            ),
            credentials,
            rotation,
            last_vault_rotation: known.as_ref().and_then(|known| known.last_vault_rotation),
            next_vault_rotation,
            skip_import_rotation: wish
                .skip_import_rotation
                .unwrap_or_else(|| known.as_ref().is_some_and(|known| known.skip_import_rotation)),
            secret: known.and_then(|known| known.secret),
        })
    }

    /// Its user has these credentials since then.
    pub(super) fn rotated(mut self, secret: LoginSecret, at: Timestamp) -> Self {
        self.secret = Some(secret);
        self.last_vault_rotation = Some(at);
        self.next_vault_rotation = self.rotation.after(at);
        self
    }

    /// What a reader of the role sees.
    pub(super) fn view(&self) -> Map<String, Value> {
        let mut told = Map::new();
        self.credentials.tell(&mut told);
        self.tell_rotation(&mut told);
        told.insert("db_name".to_owned(), self.db_name.as_str().into());
        told.insert("rotation_statements".to_owned(), self.rotation_statements.clone().into());
        told.insert("skip_import_rotation".to_owned(), self.skip_import_rotation.into());
        told.insert("username".to_owned(), self.username.as_str().into());
        if self.last_vault_rotation.is_none() {
            told.remove("last_vault_rotation");
        }
        told
    }

    /// What a reader of its credentials sees.
    pub(super) fn creds(&self, now: Timestamp) -> Map<String, Value> {
        let mut told = Map::new();
        self.tell_rotation(&mut told);
        if let Some(secret) = &self.secret {
            secret.tell(&mut told);
        }
        let left = self.next_vault_rotation.duration_since(now).as_secs().max(0);
        told.insert("ttl".to_owned(), left.into());
        told.insert("username".to_owned(), self.username.as_str().into());
        told
    }

    fn tell_rotation(&self, told: &mut Map<String, Value>) {
        let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
        tell("last_vault_rotation", self.last_vault_rotation.map(|at| at.to_string()).into());
        match &self.rotation {
            Rotation::Period { rotation_period } => drop(tell("rotation_period", (*rotation_period).into())),
            Rotation::Schedule { rotation_schedule, rotation_window } => {
                tell("rotation_schedule", rotation_schedule.text().into());
                if *rotation_window > 0 {
                    tell("rotation_window", (*rotation_window).into());
                }
            }
        }
    }
}

fn username(known: Option<&StaticRole>, wished: Option<String>) -> Result<String> {
    let wished = wished.filter(|username| !username.is_empty());
    match (known.map(|known| &known.username), wished) {
        (None, Some(wished)) => Ok(wished),
        (None, None) => Err(Error::refused("username is a required field to create a static account")),
        (Some(known), Some(wished)) if *known != wished => {
            Err(Error::refused("cannot update static account username"))
        }
        (Some(known), _) => Ok(known.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wished(known: Option<StaticRole>, mut body: Value) -> Result<StaticRole> {
        body["name"] = "r".into();
        StaticRole::wished(known, serde_json::from_value(body).unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn role() -> StaticRole {
        wished(None, json!({ "db_name": "d", "username": "u", "rotation_period": 60 })).ok().unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for body in [
            json!({ "username": "u", "rotation_period": 60 }),
            json!({ "db_name": "d", "rotation_period": 60 }),
            json!({ "db_name": "d", "username": "u" }),
            json!({ "db_name": "d", "username": "u", "rotation_period": 60, "credential_type": "client_certificate" }),
        ] {
            assert!(wished(None, body).is_err());
        }
        assert!(wished(Some(role()), json!({ "username": "v" })).is_err());
    }

    #[test]
    fn another_period_counts_from_the_last_rotation() {
        let at = Timestamp::from_second(1000).unwrap();
        let role = role().rotated(LoginSecret::Password("p".to_owned()), at);
        assert_eq!(role.next_vault_rotation.as_second(), 1060);
        let same = wished(Some(role.clone()), json!({ "rotation_statements": ["s"] })).ok().unwrap();
        assert_eq!(same.next_vault_rotation, role.next_vault_rotation);
        let slower = wished(Some(role), json!({ "rotation_period": 600 })).ok().unwrap();
        assert_eq!(slower.next_vault_rotation.as_second(), 1600);
        assert_eq!(Value::from(slower.creds(at))["password"], "p");
    }

    #[test]
    fn t10_the_role_is_shown_without_its_password() {
        let role = role().rotated(LoginSecret::Password("hunter2".to_owned()), Timestamp::UNIX_EPOCH);
        assert!(!Value::from(role.view()).to_string().contains("hunter2"));
        let stored = serde_json::to_vec(&role).unwrap();
        let again: StaticRole = serde_json::from_slice(&stored).unwrap();
        assert_eq!(again.creds(Timestamp::UNIX_EPOCH), role.creds(Timestamp::UNIX_EPOCH));
    }
}
