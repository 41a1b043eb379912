//! The database plugin for PostgreSQL, and what speaks its wire.

mod config;
mod connected;
mod revocation;
mod scram;
mod statements;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use domain::{NoRandomness, UsernameSubject};
use jiff::{Timestamp, tz::TimeZone};
use ring::rand::{SecureRandom, SystemRandom};
use tenon::{
    Reason,
    database::{Credential, Database, Error, NewUser, Result, Settings, Statements, UpdateUser},
};

use self::{config::Config, connected::Connected, statements::Fill};

/// What the plugin says of its own version.
pub const VERSION: &str = crate::VERSION;

/// What sets another password unless the engine says how.
const CHANGE_PASSWORD: &str = r#"ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}';"#;

/// What sets another end unless the engine says how.
const CHANGE_EXPIRATION: &str = r#"ALTER ROLE "{{username}}" VALID UNTIL '{{expiration}}';"#;

/// One connection to a PostgreSQL database.
#[derive(Default)]
pub struct PostgreSql(RwLock<Option<Arc<Connected>>>);

/// Makes a connection that is not initialised yet.
pub fn create() -> Arc<dyn Database> {
    Arc::new(PostgreSql::default())
}

impl PostgreSql {
    fn connected(&self) -> Result<Arc<Connected>> {
        let connected = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        connected.ok_or_else(|| Error::Failed("connection has not been initialized".to_owned()))
    }

    /// Another connection takes the place of the one before, if there was one.
    fn replace(&self, connected: Option<Connected>) -> Option<Arc<Connected>> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, connected.map(Arc::new))
    }
}

#[async_trait]
impl Database for PostgreSql {
    async fn type_name(&self) -> Result<String> {
        Ok("pgx".to_owned())
    }

    async fn initialize(&self, settings: Settings, verify: bool) -> Result<Settings> {
        let connected = Connected::new(Config::read(&settings)?);
        if verify {
            connected.verify().await?;
        }
        if let Some(before) = self.replace(Some(connected)) {
            before.close().await;
        }
        Ok(settings)
    }

    async fn new_user(&self, request: NewUser) -> Result<String> {
        let connected = self.connected()?;
        if request.statements.0.is_empty() {
            return Err(Error::Failed("empty creation statements".to_owned()));
        }
        let Credential::Password(password) = &request.credential else {
            return Err(Error::Unsupported("this database knows users with passwords only".to_owned()));
        };
        let subject = UsernameSubject { display_name: &request.display_name, role_name: &request.role_name };
        let username = connected.config.username_template.generate(&subject, SystemTime::now(), random);
        let username = username.map_err(|error| Error::Failed(error.to_string()))?;
        let password = connected.config.stored_password(password)?;
        let fill = Fill {
            username: &username,
            password: Some(&password),
            expiration: request.expiration.map(written),
        };
        connected.run(&request.statements, &fill).await?;
        Ok(username)
    }

    async fn update_user(&self, request: UpdateUser) -> Result<()> {
        let connected = self.connected()?;
        if request.public_key.is_some() {
            return Err(Error::Unsupported("this database knows users with passwords only".to_owned()));
        }
        if !connected.has_role(&request.username).await? {
            return Err(Error::Failed("user does not appear to exist".to_owned()));
        }
        let fill = Fill { username: &request.username, password: None, expiration: None };
        if let Some(change) = &request.password {
            let password = connected.config.stored_password(&change.to)?;
            let fill = Fill { password: Some(&password), ..fill.clone() };
            connected.run(&or(&change.statements, CHANGE_PASSWORD), &fill).await?;
        }
        if let Some(change) = &request.expiration {
            let fill = Fill { expiration: Some(written(change.to)), ..fill };
            connected.run(&or(&change.statements, CHANGE_EXPIRATION), &fill).await?;
        }
        Ok(())
    }

    async fn delete_user(&self, username: &str, statements: Statements) -> Result<()> {
        let connected = self.connected()?;
        if statements.0.is_empty() {
            return connected.drop_role(username).await;
        }
        connected.run(&statements, &Fill { username, password: None, expiration: None }).await
    }

    async fn close(&self, _: Reason) -> Result<()> {
        if let Some(before) = self.replace(None) {
            before.close().await;
        }
        Ok(())
    }
}

fn or(statements: &Statements, own: &str) -> Statements {
    if statements.0.is_empty() { Statements(vec![own.to_owned()]) } else { statements.clone() }
}

fn random(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    SystemRandom::new().fill(bytes).map_err(|_| NoRandomness)
}

/// `2006-01-02 15:04:05-0700`, in UTC.
fn written(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).or_else(|_| Timestamp::try_from(UNIX_EPOCH)).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S+0000").to_string()
}
